//! What servers of every known version do: the tables of `src/versions` on changes of type and on volatility are what they say, and
//! the rules beside the tables agree with every case that is tried. With `PHASEGATE_BLESS=1` the tables are written anew. These
//! tests fail, they are not skipped, where a server is missing: scripts/servers.

#[path = "support/rows.rs"]
mod rows;
#[path = "support/servers.rs"]
mod servers;
#[path = "support/tables.rs"]
mod tables;

use phasegate::prove::server::LocalServer;
use phasegate::versions::coercion::{Coercion, SqlType, cast_is_relabel, retype};
use phasegate::versions::{time_zone, volatility};
use rows::rows;
use std::collections::BTreeMap;
use tables::{assert_table, read};

type Servers = [(u16, LocalServer)];

/// A zone that was not always UTC.
const ELSEWHERE: &str = "Europe/London";

#[test]
fn changes_of_type_do_to_files_what_the_table_and_its_rules_say() {
    let servers = servers::of_every_version();
    assert_table_of_coercions(&servers);
    assert_explicit_casts(&servers);
    assert_rules_for_modifiers(&servers);
    assert_zones(&servers);
}

#[test]
fn functions_operators_and_casts_are_as_volatile_as_servers_declare_them() {
    let servers = servers::of_every_version();
    assert_tables_of_volatility(&servers);
    assert_table_of_contrib(&servers);
    assert_sql_values(&servers);
}

/// Asks every server at once; the answers in the order of the versions.
fn ask<T: Send>(servers: &Servers, question: impl Fn(u16, &LocalServer) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let question = &question;
        let asked: Vec<_> = servers.iter().map(|(major, server)| scope.spawn(move || question(*major, server))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn assert_all_equal<T: PartialEq + std::fmt::Debug>(answers: &[T]) {
    for pair in answers.windows(2) {
        assert!(pair[0] == pair[1], "versions differ");
    }
}

fn coercion(verdict: &str) -> Coercion {
    match verdict {
        "kept" => Coercion::Same { index_kept: true },
        "same" => Coercion::Same { index_kept: false },
        "rewrites" => Coercion::Rewrite,
        "42804" => Coercion::NotPermitted,
        other => panic!("the server refuses with {other}"),
    }
}

fn words<const N: usize>(row: &str) -> [&str; N] {
    row.split(' ').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{row}"))
}

/// Whether a type of `column_type` is an array, and the name of its element.
fn named(name: &str) -> SqlType<'_> {
    let element = name.strip_prefix('_');
    SqlType { name: element.unwrap_or(name), typmods: &[], array: element.is_some() }
}

/// Every pair of types does to files what the table says, and every version does the same.
fn assert_table_of_coercions(servers: &Servers) {
    let query = read("versions/coercions.sql")
        + &format!("set timezone = '{ELSEWHERE}';")
        + "select concat_ws(' ', f.name, r.verdict, t.name)
             from column_type f
             cross join pg_temp.retypes(f.type, (select array_agg(type) from column_type)) r
             join column_type t on t.type = r.after
            order by f.name collate \"C\", r.verdict collate \"C\", t.name collate \"C\"";
    let answers = ask(servers, |_, server| rows(server, &query));
    assert_all_equal(&answers);
    let mut lines = BTreeMap::<String, Vec<&str>>::new();
    for row in &answers[0] {
        let [from, verdict, to] = words(row);
        if !named(from).array && verdict != "42804" {
            lines.entry(format!("{from} {verdict}")).or_default().push(to);
        }
    }
    let lines: Vec<String> = lines.into_iter().map(|(head, targets)| format!("{head} {}", targets.join(" "))).collect();
    assert_table("versions/coercions.txt", &lines);
    let mut wrong = Vec::new();
    for row in &answers[0] {
        let [from, verdict, to] = words(row);
        if retype(&named(from), &named(to), None) != Some(coercion(verdict)) {
            wrong.push(row);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// An explicit cast gives the value as it is only where none is needed.
fn assert_explicit_casts(servers: &Servers) {
    // What is cast through its text never stays as it is; all else stands in pg_cast, or is the type itself.
    let query = read("versions/coercions.sql")
        + &format!("set timezone = '{ELSEWHERE}';")
        + "select concat_ws(' ', f.name, r.verdict, t.name)
             from column_type f
             cross join pg_temp.retypes(f.type, (
                  select array_agg(c.type) from column_type c
                   where c.name = f.name
                      or exists (select from pg_cast x join pg_type s on s.oid = x.castsource join pg_type g on g.oid = x.casttarget
                                  where ltrim(s.typname, '_') = ltrim(f.name, '_') and ltrim(g.typname, '_') = ltrim(c.name, '_'))),
                  using_cast => true) r
             join column_type t on t.type = r.after";
    for (answer, (major, _)) in ask(servers, |_, server| rows(server, &query)).into_iter().zip(servers) {
        let is_wrong = |row: &&String| {
            let [from, verdict, to] = words(row);
            (verdict == "same") != cast_is_relabel(&named(from), &named(to), None)
        };
        let wrong: Vec<&String> = answer.iter().filter(is_wrong).collect();
        assert!(wrong.is_empty() && answer.len() > 500, "{major}: {wrong:?}");
    }
}

/// Names of types, `_x` for an array of `x`, each with several modifiers.
type Family = &'static [(&'static str, &'static [&'static [i64]])];

/// Types with modifiers, each family tried from all to all.
const FAMILIES: [Family; 4] = [
    &[
        ("text", &[&[]]),
        ("varchar", &[&[], &[1], &[10], &[20]]),
        ("bpchar", &[&[], &[1], &[10], &[20]]),
        ("name", &[&[]]),
        ("char", &[&[]]),
        ("xml", &[&[]]),
        ("cidr", &[&[]]),
        ("_text", &[&[]]),
        ("_varchar", &[&[], &[10], &[20]]),
        ("_bpchar", &[&[10]]),
    ],
    &[("bit", &[&[], &[1], &[5], &[8]]), ("varbit", &[&[], &[1], &[5], &[8]]), ("int4", &[&[]]), ("_varbit", &[&[], &[5], &[8]])],
    &[
        ("numeric", &[&[], &[10, 0], &[10, 2], &[12, 0], &[12, 2], &[12, 3], &[9, 2], &[10, -2], &[12, -2], &[3, 5], &[1000, 2]]),
        ("int4", &[&[]]),
        ("float8", &[&[]]),
        ("varchar", &[&[10]]),
        ("_numeric", &[&[], &[10, 2], &[12, 2]]),
    ],
    &[("interval", INTERVALS), ("time", &[&[]]), ("_interval", &[&[], &[SECOND, 3], &[SECOND, 6]])],
];

/// Types that ask for the time zone, or that do not and might.
const TIMES: Family = &[
    ("date", &[&[]]),
    ("time", &[&[], &[0], &[3], &[6]]),
    ("timetz", &[&[], &[0], &[3], &[6]]),
    ("timestamp", &[&[], &[0], &[3], &[6]]),
    ("timestamptz", &[&[], &[0], &[3], &[6]]),
    ("_timestamp", &[&[], &[3]]),
    ("_timestamptz", &[&[], &[6]]),
];

const YEAR: i64 = 1 << 2;
const MONTH: i64 = 1 << 1;
const DAY: i64 = 1 << 3;
const HOUR: i64 = 1 << 10;
const MINUTE: i64 = 1 << 11;
const SECOND: i64 = 1 << 12;
const ALL: i64 = 0x7fff;

/// Every mask of fields that SQL can write.
const INTERVALS: &[&[i64]] = &[
    &[],
    &[ALL, 0],
    &[ALL, 3],
    &[ALL, 6],
    &[YEAR],
    &[MONTH],
    &[YEAR | MONTH],
    &[DAY],
    &[HOUR],
    &[MINUTE],
    &[SECOND],
    &[SECOND, 0],
    &[SECOND, 3],
    &[SECOND, 6],
    &[DAY | HOUR],
    &[DAY | HOUR | MINUTE],
    &[DAY | HOUR | MINUTE | SECOND],
    &[DAY | HOUR | MINUTE | SECOND, 3],
    &[HOUR | MINUTE],
    &[HOUR | MINUTE | SECOND],
    &[HOUR | MINUTE | SECOND, 6],
    &[MINUTE | SECOND],
    &[MINUTE | SECOND, 3],
];

/// The type as any of its kind can be written: modifiers as the server's own functions take them.
fn spelled(sql_type: &SqlType<'_>) -> String {
    let list: Vec<String> = sql_type.typmods.iter().map(i64::to_string).collect();
    let typmods = if list.is_empty() { String::new() } else { format!("({})", list.join(",")) };
    format!("pg_catalog.\"{}\"{typmods}{}", sql_type.name, if sql_type.array { "[]" } else { "" })
}

fn members(family: Family) -> Vec<SqlType<'static>> {
    let all = family.iter().flat_map(|(name, typmods)| typmods.iter().map(|typmods| (*name, *typmods)));
    all.map(|(name, typmods)| SqlType { typmods, ..named(name) }).collect()
}

/// The rules for lengths and precisions are those of the server.
fn assert_rules_for_modifiers(servers: &Servers) {
    let preparation = read("versions/coercions.sql");
    let wrong = ask(servers, |major, server| {
        let mut wrong = Vec::new();
        let families = FAMILIES.map(|family| (family, ELSEWHERE)).into_iter().chain([(TIMES, ELSEWHERE), (TIMES, "UTC")]);
        for (family, zone) in families {
            let members = members(family);
            let array: Vec<String> = members.iter().map(|member| format!("'{}'", spelled(member))).collect();
            let queries = ["false", "true"].map(|using_cast| {
                format!(
                    "{preparation} set timezone = '{zone}';
                     select r.verdict
                       from unnest(array[{0}]) with ordinality f(type, n)
                       cross join pg_temp.retypes(f.type, array[{0}], {using_cast}) with ordinality r(after, verdict, n)
                      order by f.n, r.n",
                    array.join(", ")
                )
            });
            let [plain, cast] = queries.map(|query| rows(server, &query));
            let pairs = members.iter().flat_map(|from| members.iter().map(move |to| (from, to)));
            assert_eq!(plain.len(), members.len() * members.len());
            for ((from, to), (plain, cast)) in pairs.zip(plain.iter().zip(&cast)) {
                let told = retype(from, to, Some(zone));
                if told != Some(coercion(plain)) || cast_is_relabel(from, to, Some(zone)) != (cast == "same") {
                    let pair = format!("{} to {}", spelled(from), spelled(to));
                    wrong.push(format!("{major}, {zone}: {pair}: {plain}, with USING {cast}; told {told:?}"));
                }
            }
        }
        wrong
    });
    assert_eq!(wrong.concat(), [""; 0]);
}

/// Spellings of zones, all of which some server takes, and whether we are to know that they are UTC.
const SPELLINGS: &[(&str, bool)] = &[
    ("utc", true),
    ("gMt", true),
    ("UTC0", true),
    ("FOO-0", true),
    ("FOO00:00", true),
    ("<+00>-00", true),
    ("<UTC>0", true),
    ("0", true),
    ("-0", true),
    ("+00", true),
    ("+00:00", true),
    ("00:00:00", true),
    ("UTC1", false),
    ("FOO0BAR", false),
    ("+00:30", false),
    ("0 ", false),
    ("1", false),
    ("0.5", false),
];

/// The zones that are always UTC, of all that the server has a name for.
fn assert_zones(servers: &Servers) {
    let spellings: Vec<String> = SPELLINGS.iter().map(|(spelling, _)| format!("('{spelling}')")).collect();
    // What `localtime` and `posixrules` mean is up to the machine, and which names stand in a directory `posix` again.
    let query = read("versions/coercions.sql")
        + &format!(
            "select r.verdict || ' ' || z.name
               from (select name from pg_timezone_names where name !~ '^posix' and name <> 'localtime'
                     union values {}) z(name)
               cross join lateral set_config('timezone', z.name, false) s
               cross join lateral pg_temp.retypes(left('timestamp' || s, 9), '{{timestamptz}}') r",
            spellings.join(", ")
        );
    for (answer, (major, _)) in ask(servers, |_, server| rows(server, &query)).into_iter().zip(servers) {
        let is_wrong = |row: &&String| {
            let (verdict, zone) = row.split_once(' ').unwrap();
            (verdict == "same") != time_zone::is_always_utc(zone)
        };
        let wrong: Vec<&String> = answer.iter().filter(is_wrong).collect();
        assert!(wrong.is_empty() && answer.len() > 300, "{major}: {wrong:?}");
    }
    for (spelling, is_utc) in SPELLINGS {
        assert_eq!(time_zone::is_always_utc(spelling), *is_utc, "{spelling}");
    }
}

/// `name letters rest` of rows `name letter rest` of several servers: one letter where all agree, else one each and `-` for none.
fn merged(answers: &[Vec<String>]) -> Vec<String> {
    let mut letters = BTreeMap::<(&str, &str), Vec<&str>>::new();
    for (at, answer) in answers.iter().enumerate() {
        for row in answer {
            let mut words = row.splitn(3, ' ');
            let (name, letter, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or_default());
            letters.entry((name, rest)).or_insert_with(|| vec!["-"; answers.len()])[at] = letter;
        }
    }
    let line = |((name, rest), letters): ((&str, &str), Vec<&str>)| {
        let one = letters.iter().all(|letter| letter == &letters[0]);
        let letters = if one { letters[0].to_owned() } else { letters.concat() };
        format!("{name} {letters} {rest}").trim_end().to_owned()
    };
    letters.into_iter().map(line).collect()
}

/// Functions, operators and casts of `pg_catalog`.
fn assert_tables_of_volatility(servers: &Servers) {
    for table in ["functions", "operators", "casts"] {
        let query = read(&format!("versions/volatility/{table}.sql"));
        let answers = ask(servers, |_, server| rows(server, &query));
        assert_table(&format!("versions/volatility/{table}.txt"), &merged(&answers));
    }
    let arrays = "select distinct provolatile from pg_proc where proname in ('array_in', 'array_out')";
    for (_, server) in servers {
        assert_eq!(rows(server, arrays), ["s"]);
    }
}

/// Functions of the extensions that come with the server.
fn assert_table_of_contrib(servers: &Servers) {
    let query = read("versions/volatility/contrib.sql");
    let mut answers = ask(servers, |major, server| if major == 16 { Vec::new() } else { rows(server, &query) });
    // No Debian suite has 16, and what we have of it comes without contrib. What either neighbour says stands for it.
    let order = |row: &String| row.split(' ').nth(1).map(|letter| letter.as_bytes().to_vec());
    let mut neighbours: Vec<String> = answers[0].iter().chain(&answers[2]).cloned().collect();
    neighbours.sort_by_key(order);
    answers[1] = neighbours;
    assert_table("versions/volatility/contrib.txt", &merged(&answers));
}

/// What looks like a name and is a function is stable: a default of it rewrites nothing, an index cannot have it.
fn assert_sql_values(servers: &Servers) {
    let values = [
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "current_role",
        "current_user",
        "session_user",
        "current_catalog",
        "current_schema",
    ];
    assert_eq!(volatility::OF_SQL_VALUES, phasegate::op::Volatility::Stable);
    for (major, server) in servers {
        let mut client = server.connect("postgres").unwrap();
        for value in values {
            client.batch_execute("create temporary table probe as select 1 as a").unwrap();
            let file = |client: &mut postgres::Client| -> u32 {
                client.query_one("select pg_relation_filenode('probe')", &[]).unwrap().get(0)
            };
            let before = file(&mut client);
            client.batch_execute(&format!("alter table probe add b text default {value}::text")).unwrap();
            assert_eq!(file(&mut client), before, "{major}: {value} is volatile");
            let refused = client.batch_execute(&format!("create index on probe (({value}))")).unwrap_err();
            assert_eq!(refused.code().map(|code| code.code()), Some("42P17"), "{major}: {value}");
            client.batch_execute("drop table probe").unwrap();
        }
    }
}
