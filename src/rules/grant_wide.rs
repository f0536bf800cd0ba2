use super::shared::list;
use super::shared::said::{self, Part, Said};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::change::{Change, Event, Privileged};
use crate::catalog::object::Id;
use crate::finding::Level;
use crate::op::{Grant, GrantTargets, ObjectKind, ObjectRef, Op};
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "grant-wide", family: Family::Access, level: Level::Warning, check: Check::Unit(check) };

/// Roles of the server whose members can become superuser: they run programs and write files as its operating system user
/// (documentation, *Predefined Roles*). `rds_superuser` and its like are those of providers.
const POWERFUL: &[&str] = &[
    "pg_execute_server_program",
    "pg_write_server_files",
    "pg_read_server_files",
    "rds_superuser",
    "cloudsqlsuperuser",
    "azure_pg_admin",
];

/// What is wrong with a grant, and what to write instead.
struct Flaw {
    level: Level,
    message: String,
    help: String,
}

fn check(cx: &Context<'_>, findings: &mut Findings) {
    said::walk(cx, &mut |said| {
        let Part::Statement(op) = said.part else { return };
        if !said.runs {
            return;
        }
        let flaws = match op {
            Op::Grant(grant) if grant.is_grant => of_grant(cx, grant, said),
            Op::GrantRole { is_grant: true, roles, members, admin_option } => of_membership(cx, roles, members, *admin_option),
            Op::CreateRole { name, options } | Op::AlterRole { name, options } => of_role(name, options),
            _ => return,
        };
        let Some(level) = flaws.iter().map(|flaw| flaw.level).max() else { return };
        let messages: Vec<&str> = flaws.iter().map(|flaw| flaw.message.as_str()).collect();
        let helps: Vec<&str> = flaws.iter().map(|flaw| flaw.help.as_str()).collect();
        let (message, help) = (messages.join("; "), helps.join("; "));
        let finding = cx.finding_at(RULE.id, level, Some(said.statement), said.span, message, help);
        findings.push(Judged { finding, subjects: vec![subject(op)] });
    });
}

fn subject(op: &Op) -> String {
    match op {
        Op::Grant(grant) => target(&grant.targets),
        Op::GrantRole { roles, .. } => roles.join(", "),
        Op::CreateRole { name, .. } | Op::AlterRole { name, .. } => name.clone(),
        _ => String::new(),
    }
}

fn of_grant(cx: &Context<'_>, grant: &Grant, said: Said<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let on = target(&grant.targets);
    let kind = kind(&grant.targets);
    let is_all = grant.privileges.is_empty() || grant.privileges.iter().any(|(name, _)| name == "all" || name == "all privileges");
    let what = if is_all { "ALL".into() } else { privileges(grant) };
    let other: Vec<String> = grant.grantees.iter().filter(|grantee| *grantee != "public").map(|role| quote_identifier(role)).collect();
    if grant.grantees.iter().any(|grantee| grantee == "public") && !had_by_public(cx, grant, said) {
        flaws.push(Flaw {
            level: Level::Warning,
            message: format!("{what} on {on} is granted to PUBLIC: to every role there is and every role to come"),
            help: format!("name the role that needs it: GRANT {what} ON {} TO app", clause(&grant.targets)),
        });
    }
    let gaining: Vec<String> = grant.grantees.iter().filter(|role| gains(cx, grant, role)).map(|role| quote_identifier(role)).collect();
    if is_all && !gaining.is_empty() && let Some((level, included, needed)) = what_all_means(kind) {
        flaws.push(Flaw {
            level,
            message: format!("ALL on {on} is granted to {}: {included}", list(&gaining)),
            help: format!("name what is needed: GRANT {needed} ON {} TO {}", clause(&grant.targets), gaining.join(", ")),
        });
    }
    if grant.grant_option && !other.is_empty() {
        flaws.push(Flaw {
            level: Level::Warning,
            message: format!("{what} on {on} is granted WITH GRANT OPTION: {} may hand it on to any role", list(&other)),
            help: "leave WITH GRANT OPTION out and grant to each role here, where it is reviewed".into(),
        });
    }
    flaws
}

/// PUBLIC has the privilege without this grant: EXECUTE on a routine from its birth on, USAGE on types and languages, CONNECT and
/// TEMPORARY on a database, USAGE on schema public.
fn had_by_public(cx: &Context<'_>, grant: &Grant, said: Said<'_>) -> bool {
    let only = |allowed: &[&str]| {
        !grant.privileges.is_empty() && grant.privileges.iter().all(|(name, _)| allowed.contains(&name.as_str()))
    };
    match kind(&grant.targets) {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            let here = |event: &&Event| event.statement == said.statement && event.span == said.span;
            cx.events.iter().filter(here).all(|event| match &event.change {
                Change::Granted { object: Privileged::Routine(id), grantee, .. } if grantee == "public" => executed(cx, *id, event),
                _ => true,
            })
        }
        ObjectKind::Type | ObjectKind::Domain | ObjectKind::Language => true,
        ObjectKind::Database => only(&["connect", "temporary", "temp"]),
        ObjectKind::Schema => {
            let GrantTargets::Objects { objects, .. } = &grant.targets else { return false };
            only(&["usage"]) && objects.iter().all(|object| object.name.name == "public")
        }
        _ => false,
    }
}

/// PUBLIC may execute the routine before this event.
fn executed(cx: &Context<'_>, routine: Id, event: &Event) -> bool {
    let taken = cx.earlier(event).iter().any(|earlier| {
        matches!(&earlier.change, Change::Revoked { object: Privileged::Routine(id), grantee, .. } if *id == routine && grantee == "public")
    });
    let born_without = || cx.before.default_grants.iter().any(|(kind, _, grantee, privilege)| {
        *kind == ObjectKind::Function && grantee == "public" && privilege == "-execute"
    });
    !taken
        && match cx.before.routines.get(&routine) {
            Some(before) => before.grants.iter().any(|(grantee, privilege)| grantee == "public" && privilege == "execute"),
            None => !born_without(),
        }
}

/// ALL gives the role something that it lacks: it is no owner and no superuser.
fn gains(cx: &Context<'_>, grant: &Grant, role: &str) -> bool {
    if matches!(role, "public" | "postgres" | "current_user" | "current_role" | "session_user") {
        return false;
    }
    let superuser = cx.after.roles.get(role).is_some_and(|known| known.superuser);
    let GrantTargets::Objects { objects, .. } = &grant.targets else { return !superuser };
    let owns = |object: &ObjectRef| {
        let owner = match object.kind {
            ObjectKind::Schema => cx.after.schemas.get(&object.name.name).and_then(|schema| schema.owner.clone()),
            _ => cx.after.resolve_relation(&object.name).and_then(|id| cx.after.relation(id)).and_then(|found| found.owner.clone()),
        };
        owner.as_deref() == Some(role)
    };
    !superuser && !objects.iter().all(owns)
}

/// How wide ALL is on such an object, what it holds besides the usual, and the usual. None where it is one privilege.
fn what_all_means(kind: ObjectKind) -> Option<(Level, &'static str, &'static str)> {
    match kind {
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::ForeignTable => Some((
            Level::Warning,
            "besides reading and writing rows that is TRUNCATE, which no row level security stops, REFERENCES, TRIGGER and, from 17 on, \
             MAINTAIN",
            "SELECT, INSERT, UPDATE, DELETE",
        )),
        ObjectKind::Schema => Some((Level::Warning, "that is CREATE besides USAGE, so it may put objects of its own there", "USAGE")),
        ObjectKind::Database => Some((Level::Warning, "that is CREATE besides CONNECT, so it may make schemas of its own", "CONNECT")),
        ObjectKind::Sequence => Some((Level::Note, "that is UPDATE, and so setval(), besides USAGE and SELECT", "USAGE")),
        ObjectKind::Parameter => Some((Level::Warning, "that is ALTER SYSTEM besides SET", "SET")),
        _ => None,
    }
}

fn of_membership(cx: &Context<'_>, roles: &[String], members: &[String], admin_option: bool) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let members = list(&members.iter().map(|member| quote_identifier(member)).collect::<Vec<_>>());
    for role in roles {
        let why = match cx.after.roles.get(role) {
            Some(known) if known.superuser => "a superuser",
            Some(known) if known.bypass_rls => "a role that row level security does not stop",
            _ if POWERFUL.contains(&role.as_str()) => "whose members run programs or reach files as the server does, which is as good as superuser",
            _ => continue,
        };
        flaws.push(Flaw {
            level: Level::Warning,
            message: format!("{members} becomes a member of {}, {why}", quote_identifier(role)),
            help: "grant the single privileges that are needed".into(),
        });
    }
    if admin_option {
        let roles = list(&roles.iter().map(|role| quote_identifier(role)).collect::<Vec<_>>());
        flaws.push(Flaw {
            level: Level::Warning,
            message: format!("{members} gets {roles} WITH ADMIN OPTION: it may make any role a member"),
            help: "leave WITH ADMIN OPTION out and grant to each member here, where it is reviewed".into(),
        });
    }
    flaws
}

fn of_role(name: &str, options: &[(String, Option<String>)]) -> Vec<Flaw> {
    let on = |wanted: &str| {
        options.iter().any(|(option, value)| option == wanted && value.as_deref().is_none_or(|value| !value.eq_ignore_ascii_case("false")))
    };
    let name = quote_identifier(name);
    let mut flaws = Vec::new();
    if on("superuser") {
        flaws.push(Flaw {
            level: Level::Warning,
            message: format!("{name} becomes a superuser: no privilege and no row level security stops it, and it runs programs on the server"),
            help: format!("ALTER ROLE {name} NOSUPERUSER; and grant it what it needs"),
        });
    }
    if on("bypassrls") {
        flaws.push(Flaw {
            level: Level::Warning,
            message: format!("{name} gets BYPASSRLS: no policy of any table stops it"),
            help: format!("ALTER ROLE {name} NOBYPASSRLS; and give it policies: CREATE POLICY … TO {name}"),
        });
    }
    flaws
}

fn kind(targets: &GrantTargets) -> ObjectKind {
    match targets {
        GrantTargets::Objects { kind, .. } | GrantTargets::AllInSchema { kind, .. } | GrantTargets::Defaults { kind, .. } => *kind,
    }
}

fn privileges(grant: &Grant) -> String {
    let one = |(name, columns): &(String, Vec<String>)| match columns.as_slice() {
        [] => name.to_uppercase(),
        columns => {
            let columns: Vec<String> = columns.iter().map(|column| quote_identifier(column)).collect();
            format!("{} ({})", name.to_uppercase(), columns.join(", "))
        }
    };
    grant.privileges.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What the grant is on, for a sentence.
fn target(targets: &GrantTargets) -> String {
    match targets {
        GrantTargets::Objects { objects, .. } => match names(objects).as_slice() {
            [many @ .., _] if many.len() > 3 => format!("{} and {} more", many[..3].join(", "), many.len() - 2),
            few => list(few),
        },
        GrantTargets::AllInSchema { kind, schemas } => format!("all {} in schema {}", plural(*kind), quoted(schemas)),
        GrantTargets::Defaults { kind, schemas, .. } if schemas.is_empty() => format!("{} to come", plural(*kind)),
        GrantTargets::Defaults { kind, schemas, .. } => format!("{} to come in schema {}", plural(*kind), quoted(schemas)),
    }
}

/// The same as GRANT has it after ON.
fn clause(targets: &GrantTargets) -> String {
    match targets {
        GrantTargets::Objects { kind, objects } => {
            let word = match kind {
                ObjectKind::Schema => "SCHEMA ",
                ObjectKind::Database => "DATABASE ",
                ObjectKind::Sequence => "SEQUENCE ",
                ObjectKind::Function => "FUNCTION ",
                ObjectKind::Procedure => "PROCEDURE ",
                ObjectKind::Routine => "ROUTINE ",
                ObjectKind::Parameter => "PARAMETER ",
                ObjectKind::ForeignServer => "FOREIGN SERVER ",
                ObjectKind::ForeignDataWrapper => "FOREIGN DATA WRAPPER ",
                _ => "",
            };
            format!("{word}{}", names(objects).join(", "))
        }
        GrantTargets::AllInSchema { kind, schemas } => format!("ALL {} IN SCHEMA {}", plural(*kind).to_uppercase(), quoted(schemas)),
        GrantTargets::Defaults { kind, .. } => plural(*kind).to_uppercase(),
    }
}

fn names(objects: &[ObjectRef]) -> Vec<String> {
    objects.iter().map(|object| object.name.to_string()).collect()
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| quote_identifier(name)).collect::<Vec<_>>().join(", ")
}

fn plural(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Sequence => "sequences",
        ObjectKind::Function => "functions",
        ObjectKind::Procedure => "procedures",
        ObjectKind::Routine => "routines",
        ObjectKind::Type | ObjectKind::Domain => "types",
        ObjectKind::Schema => "schemas",
        ObjectKind::LargeObject => "large objects",
        _ => "tables",
    }
}
