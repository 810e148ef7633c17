use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sha2::{Digest, Sha256};

/// Fields that tell one event from another besides ids. The rest may differ between two deliveries of the same event.
const TELLING: [&str; 3] = ["event", "event_ts", "deauthorization_time"];

/// Lower-case hex of a hash over the event's name, time, account and all ids in it.
///
/// The fields are sorted, so their order does not matter; numbers and text are the same. What is no JSON is hashed whole.
pub(crate) fn key(body: &[u8]) -> String {
    let mut fields = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Walk {
        name: "",
        fields: &mut fields,
    }
    .deserialize(&mut reader);
    let mut hash = Sha256::new();
    if read.is_ok() && reader.end().is_ok() && !fields.is_empty() {
        fields.sort_unstable();
        for (name, value) in &fields {
            hash.update(name.len().to_le_bytes());
            hash.update(name);
            hash.update(value.len().to_le_bytes());
            hash.update(value);
        }
    } else {
        hash.update(body);
    }
    hex::encode(hash.finalize())
}

/// `operator_id` is left out: it is who did it, and a retry need not repeat that.
fn is_telling(name: &str) -> bool {
    let is_id = name == "id" || name == "uuid" || name.ends_with("_id") || name.ends_with("_uuid");
    let are_ids = name.ends_with("_ids") || name.ends_with("_uuids");
    (is_id || are_ids || TELLING.contains(&name)) && name != "operator_id"
}

/// Collects the telling fields of whatever is read, without keeping the rest.
struct Walk<'a> {
    name: &'a str,
    fields: &'a mut Vec<(String, String)>,
}

impl Walk<'_> {
    fn scalar(self, value: impl ToString) {
        if is_telling(self.name) {
            self.fields.push((self.name.to_owned(), value.to_string()));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any json")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        if !value.is_empty() {
            self.scalar(value);
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries
            .next_element_seed(Walk {
                name: self.name,
                fields: self.fields,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key::<Cow<'de, str>>()? {
            // What an event replaced says nothing about which event it is.
            if name == "old_object" {
                entries.next_value::<IgnoredAny>()?;
            } else {
                entries.next_value_seed(Walk {
                    name: &name,
                    fields: self.fields,
                })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"event":"recording.completed","event_ts":1,"download_token":"t1","payload":{"account_id":"a",
        "object":{"uuid":"u","id":7,"recording_files":[{"id":"f1","download_url":"x"},{"id":"f2"}],"password":"p"}}}"#;

    #[test]
    fn another_order_other_tokens_and_other_links_are_the_same_event() {
        let again = r#"{"payload":{"object":{"recording_files":[{"id":"f2"},{"download_url":"y","id":"f1"}],"id":"7",
            "uuid":"u"},"account_id":"a"},"download_token":"t2","event_ts":1,"event":"recording.completed"}"#;
        assert_eq!(key(BODY.as_bytes()), key(again.as_bytes()));
        assert_eq!(key(BODY.as_bytes()).len(), 64);
    }

    #[test]
    fn another_name_time_account_meeting_or_file_is_another_event() {
        for (from, to) in [
            ("recording.completed", "recording.trashed"),
            ("\"event_ts\":1", "\"event_ts\":2"),
            ("\"account_id\":\"a\"", "\"account_id\":\"b\""),
            ("\"uuid\":\"u\"", "\"uuid\":\"v\""),
            ("\"f2\"", "\"f3\""),
        ] {
            assert!(BODY.contains(from));
            assert_ne!(
                key(BODY.as_bytes()),
                key(BODY.replace(from, to).as_bytes()),
                "{from}"
            );
        }
    }

    #[test]
    fn two_deauthorizations_of_the_old_form_are_two_events() {
        let form = |time| {
            format!(
                r#"{{"event":"app_deauthorized","payload":{{"user_id":"u","deauthorization_time":"{time}"}}}}"#
            )
        };
        assert_ne!(
            key(form("2026-01-07T12:00:00Z").as_bytes()),
            key(form("2026-02-07T12:00:00Z").as_bytes())
        );
    }

    #[test]
    fn what_is_no_json_is_told_apart_by_its_bytes() {
        assert_ne!(key(b"one"), key(b"two"));
        assert_ne!(key(b"{}"), key(b"[]"));
    }
}
