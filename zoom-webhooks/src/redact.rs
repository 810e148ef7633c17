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

fn without_secret_parameters(text: &str) -> Option<String> {
    let (address, query) = text
        .split_once('?')
        .filter(|(address, _)| address.starts_with("http"))?;
    let (query, fragment) = query
        .split_once('#')
        .map_or((query, None), |(query, fragment)| (query, Some(fragment)));
    let opens = |parameter: &&str| PARAMETERS.iter().any(|secret| parameter.starts_with(secret));
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
    fn text_that_is_no_link_stays_as_it_is() {
        let mut value = json!("is it?pwd=1");
        redact(&mut value);
        assert_eq!(value, json!("is it?pwd=1"));
    }
}
