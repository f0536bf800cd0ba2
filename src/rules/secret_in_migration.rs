use super::shared::connection;
use super::shared::said::{self, Part, Said};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::expr::{Call, Expr};
use crate::finding::Level;
use crate::op::{AlterTableCommand, ObjectKind, Op, SetParameter, SettingValue, Span};
use crate::sql::names::quote_identifier;
use crate::sql::{OddityKind, placeholder, psql};

pub const RULE: Rule = Rule { id: "secret-in-migration", family: Family::Access, level: Level::Warning, check: Check::Unit(check) };

/// A secret: never to be printed, so that it has no `Debug`.
struct Secret<'a> {
    /// What it is, for a sentence.
    what: String,
    value: &'a str,
    help: String,
}

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for oddity in cx.parsed.oddities.iter().filter(|oddity| oddity.kind == OddityKind::MetaCommand) {
        for word in oddity.text.split_ascii_whitespace().map(|word| word.trim_matches(['\'', '"'])) {
            if let Some(value) = connection::read(word).and_then(|connection| connection.password) {
                let secret = Secret { what: "the password in a command of psql".into(), value, help: elsewhere("PGPASSWORD or a service file") };
                tell(cx, cx.statement_at(oddity.span), oddity.span, secret, findings);
            }
        }
    }
    said::walk(cx, &mut |said| {
        let Said { statement, span, part, .. } = said;
        let secrets = match part {
            Part::Statement(op) => of_statement(op),
            Part::Expression(Expr::Call(call)) => of_call(call),
            Part::Expression(Expr::Str(text)) => of_text(text),
            Part::Expression(_) => Vec::new(),
        };
        for secret in secrets {
            tell(cx, Some(statement), span, secret, findings);
        }
    });
}

fn tell(cx: &Context<'_>, statement: Option<usize>, span: Span, secret: Secret<'_>, findings: &mut Findings) {
    let Secret { what, value, help } = secret;
    if !is_literal(value) {
        return;
    }
    let Some(place) = place(cx, span, value) else { return };
    let (level, why) = if value.starts_with("SCRAM-SHA-256$") {
        (Level::Note, "as a SCRAM verifier: nobody logs in with it, but who reads it may try passwords against it at leisure")
    } else if is_md5(value) {
        (Level::Warning, "as its md5 hash, with which one can log in")
    } else {
        (Level::Warning, "in clear: it is in the repository for good, the same on every database, and in the server's log")
    };
    let message = format!("{what} stands here {why}");
    let finding = cx.finding_at(RULE.id, level, statement, place, message, help);
    findings.push(Judged { finding, subjects: vec![what] });
}

fn elsewhere(place: &str) -> String {
    format!("keep it in {place}, and change it wherever this one is in use")
}

fn of_statement(op: &Op) -> Vec<Secret<'_>> {
    match op {
        Op::CreateRole { name, options } | Op::AlterRole { name, options } => {
            let role = quote_identifier(name);
            let password = options.iter().filter(|(option, _)| option == "password").filter_map(|(_, value)| value.as_deref());
            password
                .map(|value| Secret {
                    what: format!("the password of role {role}"),
                    value,
                    help: format!(
                        "create the role without one and let whoever deploys set it (\\password {role} in psql, or a secret store), and \
                         change it wherever this one is in use"
                    ),
                })
                .collect()
        }
        Op::CreateOther { object, options, .. } | Op::AlterOther { object, options } => {
            let of = match object.kind {
                ObjectKind::UserMapping => format!("a user mapping of server {}", quote_identifier(&object.name.name)),
                ObjectKind::ForeignServer => format!("foreign server {}", quote_identifier(&object.name.name)),
                ObjectKind::ForeignDataWrapper => format!("foreign data wrapper {}", quote_identifier(&object.name.name)),
                _ => return Vec::new(),
            };
            of_options(options, &of)
        }
        Op::CreateTable(create) if create.foreign_server.is_some() => {
            of_options(&create.options, &format!("foreign table {}", quote_identifier(&create.name.name)))
        }
        Op::AlterTable(alter) => {
            let options = alter.commands.iter().filter_map(|command| match command {
                AlterTableCommand::GenericOptions { options } => Some(options),
                _ => None,
            });
            options.flat_map(|options| of_options(options, &format!("foreign table {}", quote_identifier(&alter.name.name)))).collect()
        }
        Op::CreateSubscription { name, connection, .. } | Op::AlterSubscription { name, connection: Some(connection), .. } => {
            let value = connection::read(connection).and_then(|connection| connection.password);
            let what = format!("the password in the connection of subscription {}", quote_identifier(name));
            value.map(|value| Secret { what, value, help: elsewhere("the server's password file (passfile=…)") }).into_iter().collect()
        }
        Op::Set(parameter) | Op::AlterSettings { parameter, .. } => of_setting(parameter),
        _ => Vec::new(),
    }
}

fn of_options<'a>(options: &'a [(String, Option<String>)], of: &str) -> Vec<Secret<'a>> {
    options
        .iter()
        .filter_map(|(option, value)| {
            let value = value.as_deref()?;
            let secret = if is_secret_name(option) { value } else { connection::uri(value)?.password? };
            let what = format!("option {option} of {of}");
            Some(Secret { what, value: secret, help: elsewhere("a secret store, and let whoever deploys set the option") })
        })
        .collect()
}

fn of_setting(parameter: &SetParameter) -> Vec<Secret<'_>> {
    match &parameter.value {
        SettingValue::Values(values) if is_secret_name(&parameter.name) => values
            .iter()
            .map(|value| Secret { what: format!("setting {}", parameter.name), value, help: elsewhere("a secret store, and let whoever deploys set it") })
            .collect(),
        SettingValue::Values(_) | SettingValue::Default | SettingValue::FromCurrent => Vec::new(),
    }
}

fn of_call(call: &Call) -> Vec<Secret<'_>> {
    let name = call.name.name.as_str();
    if name == "set_config" {
        let [Expr::Str(setting), Expr::Str(value), ..] = call.args.as_slice() else { return Vec::new() };
        let what = format!("setting {}", setting.to_ascii_lowercase());
        let help = elsewhere("a secret store, and let whoever deploys set it");
        return if is_secret_name(setting) { vec![Secret { what, value, help }] } else { Vec::new() };
    }
    if !name.starts_with("dblink") {
        return Vec::new();
    }
    let mut secrets = Vec::new();
    for argument in &call.args {
        argument.walk(&mut |part| {
            let Expr::Str(text) = part else { return };
            // A URI is told wherever it stands.
            let Some(value) = connection::read(text).filter(|_| connection::uri(text).is_none()).and_then(|found| found.password) else { return };
            let help = elsewhere("a user mapping that whoever deploys creates, and connect by the name of its server");
            secrets.push(Secret { what: format!("the password in the connection of {name}()"), value, help });
        });
    }
    secrets
}

fn of_text(text: &str) -> Vec<Secret<'_>> {
    let value = connection::uri(text).and_then(|connection| connection.password);
    value.map(|value| Secret { what: "the password in a connection string".into(), value, help: elsewhere("a secret store") }).into_iter().collect()
}

/// By what a secret is called; a name or a place of one is none.
fn is_secret_name(name: &str) -> bool {
    const ENDS: &[&str] = &[
        "password",
        "passwd",
        "pwd",
        "secret",
        "secret_key",
        "token",
        "api_key",
        "apikey",
        "private_key",
        "access_key",
        "role_key",
        "encryption_key",
        "signing_key",
        "credentials",
    ];
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.starts_with("drop ") && ENDS.iter().any(|end| last.ends_with(end))
}

/// A value that is meant as one: no placeholder of any kind, and nothing empty.
fn is_literal(value: &str) -> bool {
    let enclosed = |open: &str, close: &str| value.len() > open.len() + close.len() && value.starts_with(open) && value.ends_with(close);
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    value.chars().any(char::is_alphanumeric)
        && placeholder::find(value.as_bytes(), 0).is_none()
        && !enclosed("<", ">")
        && !enclosed("{", "}")
        && !enclosed("%(", ")s")
        && !enclosed("%", "%")
        && !enclosed("__", "__")
        && !enclosed("@", "@")
        && !value.strip_prefix('$').is_some_and(is_name)
        && !value.strip_prefix(':').is_some_and(is_name)
        && !matches!(value, "%s" | "%L" | "%I")
}

/// `md5` and 32 hexadecimal digits, as the server keeps it.
fn is_md5(value: &str) -> bool {
    value.len() == 35 && value.strip_prefix("md5").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Where the secret stands in the file; the whole statement where it is written with escapes. None where it does not stand there: a
/// placeholder has it as its value.
fn place(cx: &Context<'_>, statement: Span, value: &str) -> Option<Span> {
    let bytes = &cx.migration.file.bytes;
    let text = bytes.get(statement.start..statement.end.min(bytes.len())).unwrap_or_default();
    // As it stands in quotes, and in a string inside of a string.
    let doubled = value.replace('\'', "''");
    let written = [doubled.replace('\'', "''"), doubled, value.to_string()];
    let found = written.iter().find_map(|written| {
        // The last one: a role may be called as its password is.
        memchr::memmem::rfind(text, written.as_bytes()).map(|at| Span { start: statement.start + at, end: statement.start + at + written.len() })
    });
    let replaced = |span: Span| {
        cx.parsed.oddities.iter().any(|oddity| {
            matches!(oddity.kind, OddityKind::Variable | OddityKind::Placeholder) && oddity.span.start <= span.start && span.end <= oddity.span.end
        })
    };
    match found {
        Some(span) => (!replaced(span)).then_some(span),
        None => (!has_placeholder(text)).then_some(statement),
    }
}

fn has_placeholder(text: &[u8]) -> bool {
    placeholder::find(text, 0).is_some()
        || memchr::memchr_iter(b':', text).any(|at| {
            let before = at.checked_sub(1).map(|before| text[before]);
            before != Some(b':') && psql::variable(text, at).is_some()
        })
}

#[cfg(test)]
mod tests {
    use super::is_literal;
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn placeholders_of_every_kind_are_no_secrets() {
        for value in ["${pw}", "{{ .Password }}", "<password>", "%(password)s", "%PASSWORD%", "__PASSWORD__", "@PASSWORD@", "$PASSWORD", ":pw", "%s", "", "..."] {
            assert!(!is_literal(value), "{value}");
        }
        for value in ["hunter2", "p@ss", "a$b", "100%", "changeme"] {
            assert!(is_literal(value), "{value}");
        }
    }

    #[test]
    fn a_value_of_the_configuration_does_not_stand_in_the_file() {
        let settings = Settings { placeholders: [("pw".to_string(), "hunter2".to_string())].into(), ..Settings::default() };
        let found = judged(&["ALTER ROLE app PASSWORD '${pw}';"], settings);
        assert!(!found.iter().any(|finding| finding.rule == "secret-in-migration"));
    }

    #[test]
    fn no_finding_shows_the_secret() {
        let text = "CREATE ROLE app LOGIN SUPERUSER PASSWORD 'hunter2';\n\
                    CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'a', password 'hunter2');\n\
                    CREATE SUBSCRIPTION s CONNECTION 'host=db.example password=hunter2' PUBLICATION p;\n\
                    SELECT dblink_connect('host=db.example password=hunter2');\n\
                    INSERT INTO settings VALUES ('postgres://app:hunter2@db.example/shop');\n\
                    DO $$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''hunter2'''; END $$;\n\
                    ALTER DATABASE shop SET app.jwt_secret = 'hunter2';\n\
                    \\connect postgres://app:hunter2@db.example/shop\n";
        let found = judged(&[text], Settings::default());
        assert_eq!(found.iter().filter(|finding| finding.rule == "secret-in-migration").count(), 8);
        for finding in &found {
            assert!(!finding.message.contains("hunter2") && !finding.help.contains("hunter2"), "{}: {}", finding.rule, finding.message);
        }
        for finding in found.iter().filter(|finding| finding.rule == "secret-in-migration") {
            assert_eq!(&text[finding.span.start..finding.span.end], "hunter2");
        }
    }
}
