//! What the numbers in the names of migrations are: places in a sequence, or moments in one of several forms.

use crate::source::{Migration, Version};

/// What a version is, where it is one of these. `1.4.2` and names without a number are neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    Sequence(u64),
    Moment(Moment),
}

/// A moment, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since 1970, as if every clock were UTC's.
    pub seconds: i64,
    pub form: Form,
}

/// How a moment is written. Numbers of different forms do not order by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// `20240131`, `2024_01_31`, also with something behind it that is no time.
    Day,
    /// `2024013112` and `202401311200`.
    Minute,
    /// `20240131120000`.
    Second,
    /// `20240131120000123`.
    Millisecond,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMillisecond,
}

impl Form {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Form::Day => "a date",
            Form::Minute => "a date with hours",
            Form::Second => "a timestamp to the second",
            Form::Millisecond => "a timestamp to the millisecond",
            Form::Epoch => "seconds since 1970",
            Form::EpochMillisecond => "milliseconds since 1970",
        }
    }
}

/// What the version of a unit is.
pub fn of_unit(unit: &Migration) -> Option<Numbering> {
    of_parts(&unit.version.as_ref().map(Version::digits)?)
}

/// A larger number is no place in a sequence that somebody counts.
const LONGEST_SEQUENCE: usize = 7;

/// Digits without leading zeros.
fn of_parts(parts: &[&str]) -> Option<Numbering> {
    match parts {
        [] => None,
        [""] => Some(Numbering::Sequence(0)),
        [only] => match moment(only) {
            Some(moment) => Some(Numbering::Moment(moment)),
            None if only.len() <= LONGEST_SEQUENCE => only.parse().ok().map(Numbering::Sequence),
            None => None,
        },
        [day, rest @ ..] if day.len() == 8 => dated(day, rest),
        [year, month, day, rest @ ..] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            dated(&format!("{year}{month:0>2}{day:0>2}"), rest)
        }
        _ => None,
    }
}

/// A date of eight digits with a time, or a counter, behind it.
fn dated(day: &str, rest: &[&str]) -> Option<Numbering> {
    let time = match rest {
        [time] if time.len() == 6 || time.len() == 5 => format!("{time:0>6}"),
        [hour, minute, rest @ ..] if hour.len() <= 2 && minute.len() <= 2 => {
            let second = rest.first().filter(|second| second.len() <= 2).copied().unwrap_or("0");
            format!("{hour:0>2}{minute:0>2}{second:0>2}")
        }
        _ => String::new(),
    };
    moment(&format!("{day}{time}")).map(Numbering::Moment)
}

fn moment(digits: &str) -> Option<Moment> {
    let (form, padded) = match digits.len() {
        8 => (Form::Day, format!("{digits}000000")),
        10 => (Form::Minute, format!("{digits}0000")),
        12 => (Form::Minute, format!("{digits}00")),
        14 => (Form::Second, digits.to_owned()),
        17 => (Form::Millisecond, digits[..14].to_owned()),
        13 => {
            let milliseconds: i64 = digits.parse().ok()?;
            return epoch(milliseconds / 1000).map(|seconds| Moment { seconds, form: Form::EpochMillisecond });
        }
        _ => return None,
    };
    if let Some(seconds) = calendar(&padded) {
        return Some(Moment { seconds, form });
    }
    let seconds = epoch(digits.parse().ok()?).filter(|_| digits.len() == 10)?;
    Some(Moment { seconds, form: Form::Epoch })
}

/// Seconds between 2001 and 2033: earlier and later ones are no migration's.
fn epoch(seconds: i64) -> Option<i64> {
    (1_000_000_000..2_000_000_000).contains(&seconds).then_some(seconds)
}

/// `YYYYMMDDhhmmss` in seconds. A time that no clock shows (counters are written there) counts on from midnight.
fn calendar(digits: &str) -> Option<i64> {
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i64>().ok());
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let is_date = (1970..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let time = number(8, 10)? * 3600 + number(10, 12)? * 60 + number(12, 14)?;
    is_date.then(|| days_since_1970(year, month, day) * 86_400 + time)
}

/// Of the proleptic Gregorian calendar, counted from March so that the leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(version: &str) -> Option<Numbering> {
        of_parts(&Version::numbers(version).digits())
    }

    fn seconds(version: &str) -> i64 {
        match of(version) {
            Some(Numbering::Moment(moment)) => moment.seconds,
            other => panic!("{version}: {other:?}"),
        }
    }

    fn form(version: &str) -> Form {
        match of(version) {
            Some(Numbering::Moment(moment)) => moment.form,
            other => panic!("{version}: {other:?}"),
        }
    }

    #[test]
    fn small_numbers_are_places_in_a_sequence() {
        for (version, number) in [("0001", 1), ("42", 42), ("000", 0), ("2024", 2024), ("1000000", 1_000_000)] {
            assert_eq!(of(version), Some(Numbering::Sequence(number)), "{version}");
        }
        for version in ["1.2", "1.4.2", "3.10.20240131", "123456789", "99999999999999"] {
            assert_eq!(of(version), None, "{version}");
        }
    }

    #[test]
    fn moments_are_equal_in_every_form() {
        for version in [
            "20240131120000",
            "2024_01_31_120000",
            "20240131120000999",
            "202401311200",
            "2024013112",
            "1706702400",
            "1706702400000",
            "20240131_120000",
        ] {
            assert_eq!(seconds(version), 1_706_702_400, "{version}");
        }
        assert_eq!(seconds("20240131"), 1_706_659_200);
        assert_eq!(seconds("19700101000000"), 0);
        assert_eq!(seconds("20000229"), 951_782_400);
        assert_eq!(seconds("20240131.1"), seconds("20240131"));
    }

    #[test]
    fn forms_are_told_apart() {
        for (version, expected) in [
            ("20240131", Form::Day),
            ("202401311200", Form::Minute),
            ("20240131120000", Form::Second),
            ("20240131000099", Form::Second),
            ("1706702400", Form::Epoch),
            ("1706702400123", Form::EpochMillisecond),
        ] {
            assert_eq!(form(version), expected, "{version}");
        }
    }
}
