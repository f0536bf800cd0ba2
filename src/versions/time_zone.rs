//! Settings of `TimeZone` with which local time is UTC, always and for all times. `tests/facts_tables.rs` holds them against every
//! name that servers of every known version have.

/// Names in lower case, sorted. Not here is `localtime`, whose meaning is the machine's.
const NAMES: &[&str] = &[
    "etc/gmt",
    "etc/gmt+0",
    "etc/gmt-0",
    "etc/gmt0",
    "etc/greenwich",
    "etc/uct",
    "etc/universal",
    "etc/utc",
    "etc/zulu",
    "factory",
    "gmt",
    "gmt+0",
    "gmt-0",
    "gmt0",
    "greenwich",
    "uct",
    "universal",
    "utc",
    "zulu",
];

/// Whether the server knows of this setting that nothing but UTC was ever meant by it, so that a `timestamp` and a `timestamptz` of
/// the same time are the same bytes. London, Lisbon and Abidjan once had other times: no. Every `true` is the server's; of odd
/// spellings of an offset of nothing some are not recognised.
pub fn is_always_utc(setting: &str) -> bool {
    let lower = setting.to_ascii_lowercase();
    NAMES.binary_search(&lower.as_str()).is_ok() || is_no_hours(&lower) || is_posix_of_no_offset(&lower)
}

/// `0`, `-0`, `+00`: an offset in hours.
fn is_no_hours(setting: &str) -> bool {
    !setting.is_empty()
        && setting.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'+' | b'-'))
        && setting.parse::<f64>().is_ok_and(|hours| hours == 0.0)
}

/// `UTC0`, `<+00>-00`, `+00:00`: a zone by its abbreviation and an offset, without a second abbreviation for summer.
fn is_posix_of_no_offset(setting: &str) -> bool {
    let offset = match setting.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((_, offset)) => offset,
        None => setting.trim_start_matches(|letter: char| letter.is_ascii_lowercase()),
    };
    let digits = offset.strip_prefix(['+', '-']).unwrap_or(offset);
    let parts: Vec<&str> = digits.split(':').collect();
    parts.len() <= 3 && parts.iter().all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_for_binary_search() {
        assert!(NAMES.is_sorted());
    }

    #[test]
    fn utc_is_known_in_its_spellings_and_nothing_else_is() {
        for zone in
            ["UTC", "utc", "Etc/UTC", "GMT", "Zulu", "0", "+00", "-0", "UTC0", "FOO-00:00", "<+00>-00", "<UTC>0", "+00:00"]
        {
            assert!(is_always_utc(zone), "{zone}");
        }
        for zone in
            ["", "Europe/London", "WET", "UTC1", "Etc/GMT+1", "FOO0BAR", "+00:30", "0 ", "UTC+", "<UTC>", "localtime", "é0"]
        {
            assert!(!is_always_utc(zone), "{zone}");
        }
    }
}
