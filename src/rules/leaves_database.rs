use super::shared::connection::{self, Connection};
use super::shared::said::{self, Part, Said};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::expr::{Call, Expr};
use crate::finding::Level;
use crate::op::{AlterTableCommand, ObjectKind, Op};
use crate::sql::psql::{self, Shell};
use crate::sql::{OddityKind, names::quote_identifier};

pub const RULE: Rule =
    Rule { id: "leaves-database", family: Family::Access, level: Level::Error, check: Check::Unit(check) };

/// Functions that read, write or list files of the server (documentation, *Generic File Access Functions*, *Server-Side
/// Functions* of large objects, `adminpack`).
const FILE_FUNCTIONS: &[&str] = &[
    "pg_read_file",
    "pg_read_binary_file",
    "pg_ls_dir",
    "pg_stat_file",
    "lo_import",
    "lo_export",
    "pg_file_read",
    "pg_file_write",
    "pg_file_rename",
    "pg_file_unlink",
    "pg_file_sync",
    "pg_logdir_ls",
];

/// Languages whose code does what the server's operating system user may.
const UNTRUSTED: &[&str] =
    &["c", "plpythonu", "plpython2u", "plpython3u", "plperlu", "pltclu", "pljavau", "plrustu", "plsh", "plr", "plluau"];

/// Options of servers that say where they are, besides `host`.
const PLACES: &[&str] = &["host", "hostaddr", "address", "servername", "dbserver", "url", "uri", "api_url", "endpoint", "endpoint_url"];

/// A way out: what it does, and what to do instead.
struct Exit {
    level: Level,
    what: String,
    help: &'static str,
}

const NOT_SEEN: &str = "keep it out of migrations: what it does is neither seen nor rolled back, and depends on the machine";

impl Exit {
    fn new(what: String) -> Option<Exit> {
        Some(Exit { level: Level::Error, what, help: NOT_SEEN })
    }
    fn to_server(what: String) -> Option<Exit> {
        let help = "keep connections to other servers out of migrations, or allow it with the reason why every database that this runs on \
                    may and can reach that host";
        Some(Exit { level: Level::Error, what, help })
    }
}

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for oddity in cx.parsed.oddities.iter().filter(|oddity| oddity.kind == OddityKind::MetaCommand) {
        let (level, how) = match psql::shell(&oddity.text) {
            Some(Shell::Runs) => (Level::Error, "runs a command of the shell"),
            // How a script of psql reads the environment.
            Some(Shell::Value) => (Level::Warning, "takes a value from a command of the shell"),
            None => continue,
        };
        let word = oddity.text.split_ascii_whitespace().next().unwrap_or_default();
        let message = format!("{word} {how} on the machine where psql runs");
        let finding = cx.finding_at(RULE.id, level, cx.statement_at(oddity.span), oddity.span, message, NOT_SEEN.into());
        findings.push(Judged { finding, subjects: vec![word.to_string()] });
    }
    said::walk(cx, &mut |said| {
        let exit = match said.part {
            Part::Statement(op) => of_statement(op),
            Part::Expression(Expr::Call(call)) => of_call(call),
            Part::Expression(_) => None,
        };
        if let Some(exit) = exit {
            tell(cx, said, exit, findings);
        }
    });
}

fn tell(cx: &Context<'_>, said: Said<'_>, exit: Exit, findings: &mut Findings) {
    let (level, message) = match (said.runs, exit.level) {
        (true, level) => (level, exit.what.clone()),
        (false, Level::Error) => (Level::Warning, format!("{}, whenever this is used", exit.what)),
        (false, _) => return,
    };
    let finding = cx.finding_at(RULE.id, level, Some(said.statement), said.span, message, exit.help.into());
    findings.push(Judged { finding, subjects: vec![exit.what] });
}

fn of_statement(op: &Op) -> Option<Exit> {
    match op {
        Op::Copy { program: true, .. } => Exit::new("COPY … PROGRAM runs a command of the shell on the server's machine".into()),
        Op::Copy { from: true, file: Some(_), .. } => Exit::new("COPY FROM reads a file of the server's machine".into()),
        Op::Copy { from: false, file: Some(_), .. } => Exit::new("COPY TO writes a file on the server's machine".into()),
        Op::Load { library } => Exit::new(format!("LOAD runs the code of library '{library}' in the server")),
        Op::CreateExtension { name, .. } if UNTRUSTED.contains(&name.as_str()) => {
            Exit::new(format!("{name} is an untrusted language: its code does what the server's operating system user may"))
        }
        Op::CreateOther { object, options, .. } => of_object(object.kind, &object.name.name, options),
        Op::AlterOther { object, options } if object.kind == ObjectKind::ForeignServer => server(&object.name.name, options),
        Op::CreateRoutine(create) if UNTRUSTED.contains(&create.language.as_str()) => {
            let name = quote_identifier(&create.name.name);
            Exit::new(match create.language.as_str() {
                "c" => format!("{name} is code of a library outside of the database, which runs in the server"),
                language => format!("{name} is written in {language}, an untrusted language: it does what the server's operating system user may"),
            })
        }
        Op::Do(body) if UNTRUSTED.contains(&body.language.as_str()) => {
            Exit::new(format!("this block is written in {}, an untrusted language: it does what the server's operating system user may", body.language))
        }
        Op::CreateTable(create) if create.foreign_server.is_some() => file_table(&create.name.name, &create.options),
        Op::AlterTable(alter) => alter.commands.iter().find_map(|command| match command {
            AlterTableCommand::GenericOptions { options } if alter.kind == ObjectKind::ForeignTable => file_table(&alter.name.name, options),
            _ => None,
        }),
        Op::CreateSubscription { name, connection, .. } | Op::AlterSubscription { name, connection: Some(connection), .. } => {
            let host = connection::read(connection).and_then(|connection| connection.host);
            let name = quote_identifier(name);
            match host {
                _ if connection::is_local(host) => None,
                Some(host) => Exit::to_server(format!("subscription {name} connects to {host}")),
                None => None,
            }
        }
        _ => None,
    }
}

fn of_object(kind: ObjectKind, name: &str, options: &[(String, Option<String>)]) -> Option<Exit> {
    match kind {
        ObjectKind::Language => {
            let trusted = options.iter().any(|(option, value)| option == "trusted" && value.as_deref() == Some("true"));
            (!trusted).then(|| Exit::new(format!("{name} is an untrusted language: its code does what the server's operating system user may")))?
        }
        ObjectKind::ForeignServer => server(name, options),
        _ => None,
    }
}

/// A foreign server on another machine.
fn server(name: &str, options: &[(String, Option<String>)]) -> Option<Exit> {
    let place = options.iter().find(|(option, _)| PLACES.contains(&option.as_str())).and_then(|(_, value)| value.as_deref())?;
    let host = match connection::uri(place) {
        Some(connection) => connection.host,
        None => Some(place),
    };
    if connection::is_local(host) {
        return None;
    }
    Exit::to_server(format!("foreign server {} is on {}", quote_identifier(name), host.unwrap_or(place)))
}

/// Tables of `file_fdw`.
fn file_table(name: &str, options: &[(String, Option<String>)]) -> Option<Exit> {
    let has = |wanted: &str| options.iter().any(|(option, _)| option == wanted);
    let name = quote_identifier(name);
    if has("program") {
        return Exit::new(format!("every read of {name} runs a command of the shell on the server's machine"));
    }
    has("filename").then(|| Exit::new(format!("{name} reads a file of the server's machine")))?
}

fn of_call(call: &Call) -> Option<Exit> {
    let name = call.name.name.as_str();
    let of_server = call.name.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
    if of_server && FILE_FUNCTIONS.contains(&name) {
        return Exit::new(format!("{name}() reaches files of the server's machine"));
    }
    if matches!(name, "dblink" | "dblink_connect" | "dblink_connect_u" | "dblink_exec" | "dblink_send_query") {
        return dblink(name, call);
    }
    None
}

/// The connection stands in the first argument; of dblink_connect in the last.
fn dblink(name: &str, call: &Call) -> Option<Exit> {
    let connects = name.starts_with("dblink_connect");
    let argument = if connects { call.args.last() } else { call.args.first() }?;
    let mut constants = String::new();
    let mut known = true;
    argument.walk(&mut |part| match part {
        Expr::Str(text) => constants.push_str(text),
        Expr::Call(_) | Expr::Column(_) | Expr::Param(_) | Expr::Scalar(_) => known = false,
        _ => {}
    });
    let host = match connection::read(&constants) {
        Some(Connection { host: Some(host), .. }) if connection::is_local(Some(host)) => None,
        Some(Connection { host: Some(host), .. }) => Some(host.to_string()),
        Some(Connection { host: None, .. }) => None,
        // The name of a connection or of a foreign server, which is judged where it was made.
        None if known || !connects => return None,
        None => return Exit::to_server(format!("{name}() connects to a place that the file does not say")),
    };
    match host {
        Some(host) if host.contains('%') => Exit::to_server(format!("{name}() connects to a place that the file does not say")),
        Some(host) => Exit::to_server(format!("{name}() connects to {host}")),
        None => Some(Exit {
            level: Level::Warning,
            what: format!("{name}() works in a second session of its own: what it does stays when the migration is rolled back"),
            help: "do it in the migration's own session",
        }),
    }
}
