use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ParseIdError, PathSegment, request::encode_segment};

/// One instance of a meeting: what really took place, with its recordings and participants.
///
/// * It is base64 text and may contain `/`, `+` and `=`.
/// * In a path it is percent-encoded. If it begins with `/` or contains `//`, it is encoded twice; Zoom looks up the
///   wrong meeting otherwise. [`path_segment`](Self::path_segment) alone knows.
/// * The uuid of a meeting that is still to come is not the one it will have run under. Keep the one that arrives
///   with `meeting.started` or `recording.completed`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeetingUuid(String);

impl MeetingUuid {
    /// Takes the uuid as Zoom wrote it, without any encoding.
    #[must_use]
    pub fn new(uuid: impl Into<String>) -> Self {
        Self(uuid.into())
    }

    /// The uuid as Zoom writes it, without any encoding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The uuid as one segment of a path, encoded once or twice as Zoom wants it.
    #[must_use]
    pub fn path_segment(&self) -> String {
        let once = encode_segment(&self.0);
        if self.0.starts_with('/') || self.0.contains("//") {
            encode_segment(&once)
        } else {
            once
        }
    }
}

impl PathSegment for MeetingUuid {
    fn path_segment(&self) -> String {
        Self::path_segment(self)
    }
}

impl fmt::Display for MeetingUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MeetingUuid {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            Err(ParseIdError { kind: "MeetingUuid" })
        } else {
            Ok(Self::new(text))
        }
    }
}

impl Serialize for MeetingUuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MeetingUuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str) -> String {
        percent_decode_str(text).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn known_uuids_are_encoded_as_zoom_wants_them() {
        for (uuid, segment) in [
            ("/ajXp112QmuoKj4854875==", "%252FajXp112QmuoKj4854875%253D%253D"),
            ("abc//def==", "abc%252F%252Fdef%253D%253D"),
            ("atsXxhSEQWit9t+U02HXNQ==", "atsXxhSEQWit9t%2BU02HXNQ%3D%3D"),
            ("k3T9xQ0lRr2/1yZ+fG8aAA==", "k3T9xQ0lRr2%2F1yZ%2BfG8aAA%3D%3D"),
        ] {
            assert_eq!(MeetingUuid::new(uuid).path_segment(), segment, "{uuid}");
        }
    }

    proptest! {
        #[test]
        fn a_segment_decodes_to_the_uuid_and_stays_one_segment(uuid in "[A-Za-z0-9+/]{1,30}={0,2}") {
            let segment = MeetingUuid::new(uuid.as_str()).path_segment();
            prop_assert!(!segment.contains(['/', '+', '=', '?', '#']));
            let once = decoded(&segment);
            if uuid.starts_with('/') || uuid.contains("//") {
                // A server that decodes once must still not see a slash.
                prop_assert!(!once.contains('/'));
                prop_assert_eq!(decoded(&once), uuid);
            } else {
                prop_assert_eq!(once, uuid);
            }
        }
    }
}
