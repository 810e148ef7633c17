//! JSON as no serializer of ours would write it: who checks signatures over anything but the bytes fails.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Valid JSON with keys in an odd order, blanks here and there, escaped slashes and accents, and raw emoji.
pub(super) fn encode(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => object(fields, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::String(text) => string(text, out),
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

fn object(fields: &Map<String, Value>, out: &mut String) {
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| hash(name));
    out.push('{');
    for (at, (name, value)) in fields.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        string(name, out);
        out.push_str(if hash(name).is_multiple_of(3) { ": " } else { ":" });
        write(value, out);
    }
    out.push('}');
}

fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            ' '..='~' => out.push(c),
            // beyond the basic plane: raw
            '\u{10000}'.. => out.push(c),
            c => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_the_same_json_but_never_the_same_bytes() {
        let event = json!({
            "event": "meeting.started", "event_ts": 1_767_607_200_123_i64,
            "payload": {"object": {"topic": "Weekly – café \"q\" \\ \n ☕ 👍", "uuid": "/a//b==", "list": [1, null, true, []]}},
        });
        let text = encode(&event);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), event);
        assert_ne!(text, event.to_string());
        assert_ne!(
            text,
            serde_json::to_string(&serde_json::from_str::<Value>(&text).unwrap()).unwrap()
        );
        for odd in ["\\u00e9", "\\u2615", "👍", "\\/a\\/\\/b==", ": "] {
            assert!(text.contains(odd), "{odd} in {text}");
        }
    }
}
