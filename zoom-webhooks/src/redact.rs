use serde_json::Value;

/// Query parameters that open something.
const PARAMETERS: [&str; 5] = ["pwd=", "passcode=", "zak=", "tk=", "access_token="];

/// Takes out of a webhook what must not be stored: tokens, passcodes, links that make somebody the host.
pub(crate) fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !is_secret(name));
            fields.values_mut().for_each(redact);
        }
        Value::Array(entries) => entries.iter_mut().for_each(redact),
        Value::String(text) => {
            if let Some(shorter) = without_secret_parameters(text) {
                *text = shorter;
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("password")
        || name.contains("passcode")
        || name.ends_with("token")
        || matches!(name.as_str(), "start_url" | "zak" | "host_key")
}

/// The text with its links shortened, wherever they stand in it; `None` when there is nothing to shorten.
fn without_secret_parameters(text: &str) -> Option<String> {
    let ends_link = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')');
    let mut is_shorter = false;
    let pieces = text.split_inclusive(ends_link).map(|piece| {
        let end = piece.strip_suffix(ends_link).map_or(piece.len(), str::len);
        let (link, rest) = piece.split_at(end);
        let shorter = shortened(link);
        is_shorter |= shorter.is_some();
        shorter.map_or_else(|| piece.to_owned(), |link| link + rest)
    });
    let shorter: String = pieces.collect();
    is_shorter.then_some(shorter)
}

fn shortened(link: &str) -> Option<String> {
    let is_link = |address: &str| {
        address
            .get(..4)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
    };
    let (address, query) = link.split_once('?').filter(|(address, _)| is_link(address))?;
    let (query, fragment) = query
        .split_once('#')
        .map_or((query, None), |(query, fragment)| (query, Some(fragment)));
    let opens = |parameter: &&str| {
        // In HTML the separator is written `&amp;`.
        let name = parameter.trim_start_matches("amp;").to_ascii_lowercase();
        PARAMETERS.iter().any(|secret| name.starts_with(secret))
    };
    if !query.split('&').any(|parameter| opens(&parameter)) {
        return None;
    }
    let kept: Vec<&str> = query.split('&').filter(|parameter| !opens(parameter)).collect();
    let mut shorter = address.to_owned();
    if !kept.is_empty() {
        shorter.push('?');
        shorter.push_str(&kept.join("&"));
    }
    if let Some(fragment) = fragment {
        shorter.push('#');
        shorter.push_str(fragment);
    }
    Some(shorter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_at_any_depth_and_the_rest_stays() {
        let mut body = json!({
            "event": "recording.completed", "download_token": "canary",
            "payload": {"object": {
                "uuid": "u==", "topic": "Token of appreciation", "password": "canary", "recording_play_passcode": "canary",
                "h323_password": "canary", "start_url": "https://zoom.us/s/1?zak=canary",
                "join_url": "https://us02web.zoom.us/j/1?pwd=canary",
                "recording_files": [{"id": "f", "download_access_token": "canary", "play_url": "https://zoom.us/p?a=1&pwd=canary&b=2#x"}],
            }},
        });
        redact(&mut body);
        assert!(!body.to_string().contains("canary"), "{body}");
        let object = &body["payload"]["object"];
        assert_eq!(
            (&object["uuid"], &object["topic"]),
            (&json!("u=="), &json!("Token of appreciation"))
        );
        assert_eq!(object["join_url"], json!("https://us02web.zoom.us/j/1"));
        assert_eq!(
            object["recording_files"][0]["play_url"],
            json!("https://zoom.us/p?a=1&b=2#x")
        );
    }

    #[test]
    fn a_link_within_a_text_and_in_any_case_opens_nothing() {
        for (text, kept) in [
            (
                "Join (https://zoom.us/j/1?pwd=canary), or call",
                "Join (https://zoom.us/j/1), or call",
            ),
            (
                "<a href=\"https://zoom.us/j/1?a=1&pwd=canary\">x</a>",
                "<a href=\"https://zoom.us/j/1?a=1\">x</a>",
            ),
            (
                "<a href='https://zoom.us/j/1?a=1&amp;pwd=canary'>",
                "<a href='https://zoom.us/j/1?a=1'>",
            ),
            (
                "HTTPS://zoom.us/j/1?PWD=canary\r\nNext?pwd=1",
                "HTTPS://zoom.us/j/1\r\nNext?pwd=1",
            ),
            (
                "https://a.example/?u=1 https://zoom.us/j/1?tk=canary#x",
                "https://a.example/?u=1 https://zoom.us/j/1#x",
            ),
        ] {
            let mut value = json!({ "agenda": text });
            redact(&mut value);
            assert_eq!(value["agenda"], kept);
        }
    }

    #[test]
    fn text_that_is_no_link_stays_as_it_is() {
        let mut value = json!("is it?pwd=1");
        redact(&mut value);
        assert_eq!(value, json!("is it?pwd=1"));
    }
}
