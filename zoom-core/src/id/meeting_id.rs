use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ParseIdError, PathSegment};

/// The number people dial: it names a meeting or a whole series, and is used again for every instance.
///
/// * Zoom sends it as a number in one place and as a string in another; both are read, a number is written.
/// * It does not fit into 32 bits.
/// * It expires some weeks after the last use; what happened is filed under [`MeetingUuid`](crate::MeetingUuid).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeetingId(u64);

impl MeetingId {
    /// Takes the number.
    #[must_use]
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for MeetingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<u64> for MeetingId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

/// Reads digits; the spaces and hyphens that people put between them are passed over.
impl FromStr for MeetingId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A hyphen before the digits would be a sign.
        let between =
            text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(|c: char| c.is_ascii_digit());
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        match digits.parse() {
            Ok(id) if between => Ok(Self(id)),
            _ => Err(ParseIdError { kind: "MeetingId" }),
        }
    }
}

impl PathSegment for MeetingId {
    fn path_segment(&self) -> String {
        self.0.to_string()
    }
}

impl Serialize for MeetingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for MeetingId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = crate::lenient::text_or_number(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_string_are_read_and_a_number_is_written() {
        for json in [
            "85512345678",
            "\"85512345678\"",
            "\"855 1234 5678\"",
            "\"855-1234-5678\"",
        ] {
            let id: MeetingId = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&id).unwrap(), "85512345678");
        }
    }

    #[test]
    fn what_is_not_a_whole_positive_number_is_refused() {
        for json in [
            "-1",
            "1.5",
            "\"\"",
            "\"+1\"",
            "\"12a\"",
            "null",
            "99999999999999999999999",
        ] {
            assert!(serde_json::from_str::<MeetingId>(json).is_err(), "{json}");
        }
    }
}
