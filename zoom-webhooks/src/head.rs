use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use zoom_core::{AccountId, MeetingUuid, lenient};

/// What every delivery is looked up by. What is not there, or odd, is `None`: reading it never fails.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// Empty when the body is no webhook at all.
    pub(crate) name: String,
    pub(crate) event_ts: Option<Timestamp>,
    pub(crate) account_id: Option<AccountId>,
    pub(crate) meeting_uuid: Option<MeetingUuid>,
    pub(crate) meeting_id: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    event: String,
    #[serde(default, deserialize_with = "event_time")]
    event_ts: Option<Timestamp>,
    #[serde(default)]
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default, deserialize_with = "lenient::option")]
    account_id: Option<AccountId>,
    /// Only `app_deauthorized` has its time here, and in its old form only as the second.
    #[serde(default, deserialize_with = "event_time")]
    event_ts: Option<Timestamp>,
    #[serde(default, deserialize_with = "event_time")]
    deauthorization_time: Option<Timestamp>,
    #[serde(default)]
    object: Object,
}

#[derive(Default, Deserialize)]
struct Object {
    #[serde(default, deserialize_with = "lenient::text")]
    uuid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    meeting_uuid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    meeting_id: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    event: String,
}

impl Head {
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Envelope>(body) {
            Ok(envelope) => Self::from(envelope),
            // Something else is odd; the name may still be there.
            Err(_) => match serde_json::from_slice::<Name>(body) {
                Ok(name) => Self {
                    name: name.event,
                    ..Self::default()
                },
                Err(_) => Self::default(),
            },
        }
    }
}

impl From<Envelope> for Head {
    fn from(envelope: Envelope) -> Self {
        let mut head = Self {
            name: envelope.event,
            event_ts: envelope.event_ts,
            ..Self::default()
        };
        if let Some(payload) = envelope.payload {
            let is_about_meeting = head.name.starts_with("meeting.") || head.name.starts_with("recording.");
            let object = payload.object;
            head.event_ts = head
                .event_ts
                .or(payload.event_ts)
                .or(payload.deauthorization_time);
            head.account_id = payload.account_id;
            head.meeting_uuid = object.uuid.or(object.meeting_uuid).map(MeetingUuid::new);
            head.meeting_id = object.id.filter(|_| is_about_meeting).or(object.meeting_id);
        }
        head
    }
}

/// The ways Zoom writes the time of an event: milliseconds, the same as text, a date. Anything else is `None`.
pub(crate) fn event_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Time {
        Milliseconds(i64),
        Text(String),
        Odd(IgnoredAny),
    }
    Ok(match Time::deserialize(deserializer)? {
        Time::Milliseconds(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
        Time::Text(text) => parse_time(text.trim()),
        Time::Odd(_) => None,
    })
}

fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(milliseconds) = text.parse() {
        return Timestamp::from_millisecond(milliseconds).ok();
    }
    let utc = |local: DateTime| local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(|| text.parse().ok().and_then(utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_wherever_it_is_and_however_it_is_written() {
        for (body, expected) in [
            (
                r#"{"event":"e","event_ts":1767787200123}"#,
                Some("2026-01-07T12:00:00.123Z"),
            ),
            (
                r#"{"event":"e","event_ts":"1767787200123"}"#,
                Some("2026-01-07T12:00:00.123Z"),
            ),
            (
                r#"{"event":"e","payload":{"event_ts":1767787200123}}"#,
                Some("2026-01-07T12:00:00.123Z"),
            ),
            (
                r#"{"event":"e","payload":{"event_ts":"2024-09-08 15:58:40"}}"#,
                Some("2024-09-08T15:58:40Z"),
            ),
            (
                r#"{"event":"e","payload":{"deauthorization_time":"2026-01-07T12:00:00.123Z"}}"#,
                Some("2026-01-07T12:00:00.123Z"),
            ),
            (r#"{"event":"e","event_ts":{}}"#, None),
            (r#"{"event":"e"}"#, None),
        ] {
            let head = Head::read(body.as_bytes());
            assert_eq!(
                head.event_ts,
                expected.map(|text| text.parse().unwrap()),
                "{body}"
            );
            assert_eq!(head.name, "e");
        }
    }

    #[test]
    fn a_name_is_found_in_an_odd_body_and_is_empty_without_one() {
        assert_eq!(
            Head::read(br#"{"payload":7,"event":"meeting.started"}"#).name,
            "meeting.started"
        );
        for body in ["", "[]", "{}", r#"{"event":7}"#, "<html>"] {
            assert_eq!(Head::read(body.as_bytes()).name, "", "{body}");
        }
    }

    #[test]
    fn only_meetings_have_a_meetings_number() {
        let read = |name: &str| {
            Head::read(format!(r#"{{"event":"{name}","payload":{{"object":{{"id":7}}}}}}"#).as_bytes())
        };
        assert_eq!(read("meeting.updated").meeting_id.as_deref(), Some("7"));
        assert_eq!(read("user.updated").meeting_id, None);
    }
}
