//! The n-th value of a type, as the text that its input function reads. Other numbers give other values wherever the type has so
//! many.

use super::describe::{Oid, Types};

/// What a value is for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub types: &'a Types,
    pub type_oid: Oid,
    pub modifier: i32,
    /// Name of the column, so that text looks like what is usually in it.
    pub column: &'a str,
    /// Numbers are large, so that they meet none that a migration writes itself.
    pub is_key: bool,
}

/// How deep arrays, domains and composites may stand in each other.
const DEPTH: usize = 8;

/// Up to `count` values beginning with the one numbered `from` (from 0). None where nothing is known of the type: its input function
/// may be tried with [`guesses`].
pub fn values(wanted: Wanted<'_>, from: usize, count: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for number in from..from + count {
        if let Some(value) = value(wanted, number, DEPTH)
            && !found.contains(&value)
        {
            found.push(value);
        }
    }
    found
}

/// Texts that types of extensions may take: hstore, ltree, vectors of the modifier's length, geometries …
pub fn guesses(modifier: i32, number: usize) -> Vec<String> {
    let n = number + 1;
    let dimensions = usize::try_from(modifier).unwrap_or(3).clamp(1, 20_000);
    let vector = vec![n.to_string(); dimensions].join(",");
    vec![
        format!("word{n}"),
        n.to_string(),
        format!("key=>{n}"),
        format!("[{vector}]"),
        format!("POINT({n} {n})"),
        format!("({n},{n})"),
        format!("({n})"),
        format!("{{\"key\": {n}}}"),
        format!("{{1:{n}}}/{dimensions}"),
        "{}".to_owned(),
        format!("00000000-0000-4000-8000-{n:012x}"),
        format!("2024-01-{:02}", 1 + n % 28),
    ]
}

fn value(wanted: Wanted<'_>, number: usize, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let facts = wanted.types.get(&wanted.type_oid)?;
    let of = |type_oid: Oid, modifier: i32| Wanted { type_oid, modifier, ..wanted };
    match facts.kind {
        'e' => facts.labels.get(number % facts.labels.len().max(1)).cloned(),
        'd' => value(of(facts.base, facts.base_modifier), number, depth),
        'c' => {
            let parts =
                facts.attributes.iter().map(|(oid, modifier)| value(of(*oid, *modifier), number, depth).map(|v| quoted(&v)));
            Some(format!("({})", parts.collect::<Option<Vec<_>>>()?.join(",")))
        }
        'r' => range(of(facts.subtype, -1), number, depth),
        'm' => Some(format!("{{{}}}", range(of(facts.subtype, -1), number, depth)?)),
        _ => match facts.element {
            Some(element) if !matches!(facts.name.as_str(), "int2vector" | "oidvector") => {
                Some(format!("{{{}}}", quoted(&value(of(element, wanted.modifier), number, depth)?)))
            }
            _ if facts.is_built_in => scalar(&facts.name, wanted, number),
            _ if facts.name == "citext" => Some(text(wanted.column, number, None)),
            _ => None,
        },
    }
}

/// Ranges of two numbers never meet: an exclusion constraint takes them.
fn range(subtype: Wanted<'_>, number: usize, depth: usize) -> Option<String> {
    let (low, high) = (value(subtype, number * 2, depth)?, value(subtype, number * 2 + 1, depth)?);
    Some(format!("[{},{})", quoted(&low), quoted(&high)))
}

/// As a part of an array, a composite or a range.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn scalar(name: &str, wanted: Wanted<'_>, number: usize) -> Option<String> {
    let n = number + 1;
    let small = n % 250;
    let integer = |limit: usize, large: usize| ((if wanted.is_key { large } else { 0 }) + n) % limit;
    let length = usize::try_from(wanted.modifier - 4).ok();
    let day = || {
        let (year, month, day) = (2024 + number / 336, 1 + number / 28 % 12, 1 + number % 28);
        format!("{year}-{month:02}-{day:02}")
    };
    let time = || format!("{:02}:{:02}:00", 8 + number / 60 % 12, number % 60);
    Some(match name {
        "int2" => integer(32_000, 20_000).to_string(),
        "int4" | "int8" => integer(2_000_000_000, 1_000_000).to_string(),
        "oid" | "xid" | "xid8" | "cid" => n.to_string(),
        "float4" | "float8" => format!("{n}.5"),
        "numeric" => numeric(wanted.modifier, n),
        "money" => format!("{n}.25"),
        "text" | "varchar" | "bpchar" => text(wanted.column, number, length),
        "name" => text(wanted.column, number, Some(63)),
        "char" => char::from(b'a' + u8::try_from(number % 26).unwrap_or_default()).to_string(),
        "bool" => number.is_multiple_of(2).to_string(),
        "date" => day(),
        "timestamp" => format!("{} {}", day(), time()),
        "timestamptz" => format!("{} {}+00", day(), time()),
        "time" => time(),
        "timetz" => format!("{}+00", time()),
        "interval" => format!("{n} days"),
        "uuid" => format!("00000000-0000-4000-8000-{n:012x}"),
        "json" | "jsonb" => match number % 6 {
            3 => format!("[{n}]"),
            4 => format!("\"text {n}\""),
            5 => n.to_string(),
            _ => format!("{{\"key\": {n}}}"),
        },
        "jsonpath" => format!("$.key{n}"),
        "bytea" => format!("\\x{n:08x}"),
        "inet" => format!("10.0.{}.{small}", n / 250 % 250),
        "cidr" => format!("10.{}.{small}.0/24", n / 250 % 250),
        "macaddr" => format!("08:00:2b:01:{:02x}:{small:02x}", n / 250 % 250),
        "macaddr8" => format!("08:00:2b:01:02:03:{:02x}:{small:02x}", n / 250 % 250),
        "bit" | "varbit" => {
            let width = usize::try_from(wanted.modifier).unwrap_or(if name == "bit" { 1 } else { 16 });
            let bits = format!("{n:0width$b}");
            bits[bits.len() - width..].to_owned()
        }
        "point" => format!("({n},{n})"),
        "line" => format!("{{1,-1,{n}}}"),
        "lseg" => format!("[({n},0),({n},1)]"),
        "box" => format!("(({n}.5,{n}.5),({n},{n}))"),
        "path" => format!("(({n},0),({n},1),(0,1))"),
        "polygon" => format!("(({n},0),({n},1),(0,1))"),
        "circle" => format!("<({n},{n}),0.25>"),
        "tsvector" => format!("'word{n}':1"),
        "tsquery" => format!("'word{n}'"),
        "xml" => format!("<item>{n}</item>"),
        "pg_lsn" => format!("0/{n:X}"),
        "txid_snapshot" | "pg_snapshot" => format!("{n}:{n}:"),
        "tid" => format!("(0,{n})"),
        "regclass" => pick(&["pg_class", "pg_type", "pg_proc", "pg_index"], number),
        "regtype" => pick(&["integer", "text", "boolean", "uuid"], number),
        "regproc" => pick(&["now", "pg_backend_pid", "pg_postmaster_start_time"], number),
        "regprocedure" => pick(&["now()", "pg_backend_pid()", "lower(text)"], number),
        "regoper" => pick(&["!~~*", "||/", "|/"], number),
        "regoperator" => pick(&["+(integer,integer)", "-(integer,integer)", "*(integer,integer)"], number),
        "regnamespace" => pick(&["pg_catalog", "public"], number),
        "regrole" => pick(&["pg_monitor", "pg_read_all_stats"], number),
        "regcollation" => pick(&["\"C\"", "\"POSIX\""], number),
        "regconfig" => pick(&["simple", "english"], number),
        "regdictionary" => pick(&["simple", "english_stem"], number),
        "refcursor" => format!("cursor{n}"),
        "int2vector" | "oidvector" => format!("{n} {n}"),
        "aclitem" => "=r/pg_monitor".to_owned(),
        _ => return None,
    })
}

fn pick(names: &[&str], number: usize) -> String {
    names.get(number % names.len()).copied().unwrap_or_default().to_owned()
}

/// `numeric(precision, scale)`; the modifier packs both (`src/backend/utils/adt/numeric.c`).
fn numeric(modifier: i32, n: usize) -> String {
    if modifier < 4 {
        return format!("{n}.5");
    }
    let packed = modifier - 4;
    let (precision, scale) = ((packed >> 16) & 0xffff, (packed & 0x7ff ^ 1024) - 1024);
    let digits = u32::try_from((precision - scale).clamp(0, 6)).unwrap_or_default();
    if digits > 0 {
        let whole = n % 10_usize.pow(digits);
        return if scale > 0 && scale < 100 { format!("{whole}.5") } else { whole.to_string() };
    }
    // Only digits behind the point, the first of them zeros where the scale is larger than the precision.
    let (width, kept) = (usize::try_from(scale).unwrap_or(1), u32::try_from(precision.clamp(1, 6)).unwrap_or(1));
    format!("0.{:0width$}", n % 10_usize.pow(kept))
}

/// Text as a column of that name may hold it, no longer than `limit` characters.
fn text(column: &str, number: usize, limit: Option<usize>) -> String {
    let n = number + 1;
    let name = column.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let plausible = if has(&["email", "mail_address"]) {
        format!("user{n}@example.com")
    } else if has(&["url", "uri", "website", "href", "webhook"]) {
        format!("https://example.com/{n}")
    } else if has(&["phone"]) {
        format!("+1555{n:07}")
    } else if has(&["uuid"]) {
        format!("00000000-0000-4000-8000-{n:012x}")
    } else if has(&["ip_address", "ipaddr"]) || name == "ip" || name.ends_with("_ip") {
        format!("10.0.{}.{}", n / 250 % 250, n % 250)
    } else if has(&["color", "colour"]) {
        format!("#{n:06x}")
    } else if has(&["json", "metadata", "payload"]) {
        format!("{{\"key\": {n}}}")
    } else if name.ends_with("_at") || has(&["timestamp", "date"]) && !has(&["update", "candidate", "validate"]) {
        format!("2024-01-{:02}T08:00:00Z", 1 + number % 28)
    } else if has(&["count", "amount", "price", "number", "size"]) {
        n.to_string()
    } else {
        let word: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).take(12).collect();
        format!("{}-{n}", if word.is_empty() { "text" } else { &word })
    };
    match limit {
        Some(limit) if plausible.chars().count() > limit => short(number, limit),
        Some(_) | None => plausible,
    }
}

/// Exactly `length` lower-case letters and digits, another text for another number where so many are.
pub fn short(number: usize, length: usize) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rest = number;
    let mut text: Vec<char> = (0..length)
        .map(|_| {
            let digit = char::from(DIGITS[rest % 36]);
            rest /= 36;
            digit
        })
        .collect();
    text.reverse();
    text.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_fits_its_precision_and_scale() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(numeric(-1, 7), "7.5");
        assert_eq!(numeric(modifier(3, 2), 12), "2.5");
        assert_eq!(numeric(modifier(2, 2), 7), "0.07");
        assert_eq!(numeric(modifier(2, 4), 7), "0.0007");
        assert_eq!(numeric(modifier(5, 0), 123_456), "23456");
    }

    #[test]
    fn short_texts_differ_and_have_their_length() {
        let texts: std::collections::BTreeSet<String> = (0..36).map(|number| short(number, 1)).collect();
        assert_eq!(texts.len(), 36);
        assert_eq!(short(37, 4), "aabb");
        assert_eq!(text("email", 0, Some(3)), "aaa");
    }
}
