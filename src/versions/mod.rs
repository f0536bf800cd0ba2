//! The PostgreSQL versions that a history must work on, and what the newer of them added.

pub mod alone;
pub mod coercion;
pub mod locks;
pub mod newer;
pub mod time_zone;
pub mod volatility;

use std::fmt;
use std::str::FromStr;

/// The oldest and newest major version that phasegate knows rules for.
pub const KNOWN: PostgresVersions = PostgresVersions { oldest: 15, newest: 18 };

/// A range of major versions, both ends included. `oldest` is never above `newest`, and both are within [`KNOWN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresVersions {
    pub oldest: u16,
    pub newest: u16,
}

impl PostgresVersions {
    /// The smallest range that covers all of these; all versions where there are none.
    pub fn covering(ranges: impl IntoIterator<Item = PostgresVersions>) -> PostgresVersions {
        let both = |a: PostgresVersions, b: PostgresVersions| PostgresVersions {
            oldest: a.oldest.min(b.oldest),
            newest: a.newest.max(b.newest),
        };
        ranges.into_iter().reduce(both).unwrap_or_default()
    }

    /// Every major version of the range, oldest first.
    pub fn each(self) -> impl Iterator<Item = u16> {
        self.oldest..=self.newest
    }
}

impl Default for PostgresVersions {
    fn default() -> Self {
        KNOWN
    }
}

impl fmt::Display for PostgresVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.oldest == self.newest { write!(f, "{}", self.oldest) } else { write!(f, "{}..{}", self.oldest, self.newest) }
    }
}

/// Why a text is no range of versions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionsError {
    #[error("write one major version or a range of two, such as 16 or {KNOWN}")]
    Malformed,
    #[error("PostgreSQL {0} is not among the versions that phasegate knows: {KNOWN}")]
    Unknown(u16),
    #[error("the range ends before it starts: {oldest}..{newest}")]
    Reversed { oldest: u16, newest: u16 },
}

impl FromStr for PostgresVersions {
    type Err = VersionsError;

    fn from_str(text: &str) -> Result<Self, VersionsError> {
        let (oldest, newest) = text.split_once("..").unwrap_or((text, text));
        let major = |part: &str| {
            let digits_only = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| digits_only).ok_or(VersionsError::Malformed)
        };
        let (oldest, newest) = (major(oldest)?, major(newest)?);
        if oldest > newest {
            return Err(VersionsError::Reversed { oldest, newest });
        }
        match [oldest, newest].into_iter().find(|version| !KNOWN.each().any(|known| known == *version)) {
            Some(unknown) => Err(VersionsError::Unknown(unknown)),
            None => Ok(PostgresVersions { oldest, newest }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_or_a_range_is_printed_as_it_is_read() {
        for text in ["15", "18", "15..18", "16..17"] {
            assert_eq!(text.parse::<PostgresVersions>().map(|versions| versions.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("16..16".parse::<PostgresVersions>().map(|versions| versions.to_string()), Ok("16".to_owned()));
    }

    #[test]
    fn several_ranges_are_covered_by_one() {
        let range = |oldest, newest| PostgresVersions { oldest, newest };
        assert_eq!(PostgresVersions::covering([range(16, 16), range(17, 18)]), range(16, 18));
        assert_eq!(PostgresVersions::covering([]), KNOWN);
    }

    #[test]
    fn what_is_no_known_range_says_why() {
        let refusal = |text: &str| text.parse::<PostgresVersions>().map_err(|error| error.to_string());
        assert_eq!(refusal("14"), Err("PostgreSQL 14 is not among the versions that phasegate knows: 15..18".into()));
        assert_eq!(refusal("15..19"), Err("PostgreSQL 19 is not among the versions that phasegate knows: 15..18".into()));
        assert_eq!(refusal("18..15"), Err("the range ends before it starts: 18..15".into()));
        for text in ["", "..", "15..", "..18", "15-18", "15..=18", "v16", "+16", "99999999"] {
            assert_eq!(text.parse::<PostgresVersions>(), Err(VersionsError::Malformed), "{text}");
        }
    }
}
