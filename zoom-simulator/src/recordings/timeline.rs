//! The TIMELINE file: who speaks from when on, read off the transcript.

use serde_json::{Value, json};

use crate::world::Stay;

/// Who speaks when, as Zoom writes it.
pub(crate) fn timeline(vtt: &str, stays: &[Stay]) -> String {
    let mut entries: Vec<Value> = Vec::new();
    let mut start = None;
    for line in vtt.lines() {
        if let Some((from, _)) = line.split_once(" --> ") {
            start = Some(from.trim().to_owned());
        } else if let (Some(ts), Some((name, _))) = (start.take(), line.split_once(": ")) {
            let stay = stays.iter().find(|stay| stay.name == name);
            entries.push(json!({ "ts": ts, "users": [{
                "username": name, "multiple_people": false, "user_id": stay.map_or("", |stay| &stay.user_id),
                "zoom_userid": stay.map_or("", |stay| &stay.id), "avatar_url": "", "client_type": 0,
                "email_address": stay.map_or("", |stay| &stay.email),
            }]}));
        }
    }
    json!({ "timeline": entries, "timeline_refine": entries }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cue_with_a_speaker_is_an_entry() {
        let vtt = "WEBVTT\n\n1\n00:00:04.120 --> 00:00:07.480\nAna Sim: Good: morning\n\n2\n00:00:08.000 --> 00:00:09.000\nyes\n";
        let timeline: Value = serde_json::from_str(&timeline(vtt, &[])).unwrap();
        assert_eq!(timeline["timeline"].as_array().unwrap().len(), 1);
        assert_eq!(timeline["timeline"][0]["ts"], "00:00:04.120");
        assert_eq!(timeline["timeline"][0]["users"][0]["username"], "Ana Sim");
    }
}
