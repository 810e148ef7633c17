//! Path segments, and the rule for meeting UUIDs in them.

use percent_encoding::percent_decode_str;

/// Decoded once.
pub(super) fn once(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// A number or a UUID. A UUID that begins with a slash or contains two in a row must be encoded twice: none if it is
/// not, because Zoom then looks for something else.
pub(super) fn decode(segment: &str) -> Option<String> {
    let first = once(segment);
    if ["%2F", "%2f", "%3D", "%3d", "%2B", "%2b"]
        .iter()
        .any(|code| first.contains(code))
    {
        return Some(once(&first));
    }
    (!first.starts_with('/') && !first.contains("//")).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_follow_the_documented_vectors() {
        for (segment, wanted) in [
            (
                "%252FajXp112QmuoKj4854875%253D%253D",
                Some("/ajXp112QmuoKj4854875=="),
            ),
            ("abc%252F%252Fdef%253D%253D", Some("abc//def==")),
            ("atsXxhSEQWit9t%2BU02HXNQ%3D%3D", Some("atsXxhSEQWit9t+U02HXNQ==")),
            (
                "atsXxhSEQWit9t%252BU02HXNQ%253D%253D",
                Some("atsXxhSEQWit9t+U02HXNQ=="),
            ),
            ("k3T9%2F1yZ%3D%3D", Some("k3T9/1yZ==")),
            ("81234567890", Some("81234567890")),
            ("%2FajXp112QmuoKj4854875%3D%3D", None),
            ("abc%2F%2Fdef%3D%3D", None),
        ] {
            assert_eq!(decode(segment).as_deref(), wanted, "{segment}");
        }
    }
}
