//! What a caller may say about a meeting.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::calendar;
use crate::{
    answer::Refusal,
    json::Fields as _,
    world::{Meeting, User},
};

/// Applies a body to a meeting, field by field. What the simulator does not look into is kept and given back.
pub(super) fn apply(
    meeting: &mut Meeting,
    mut body: Map<String, Value>,
    host: &User,
    now: Timestamp,
) -> Result<(), Refusal> {
    let wrong = |field: &str| Refusal::field(field, format!("Invalid parameter: {field}."));
    if let Some(kind) = body.remove("type") {
        meeting.kind = match kind.as_u64() {
            Some(kind @ (1 | 2 | 3 | 8 | 10)) => u8::try_from(kind).unwrap_or(2),
            _ => return Err(wrong("type")),
        };
    }
    if let Some(topic) = body.remove("topic") {
        let topic = topic
            .as_str()
            .filter(|topic| topic.chars().count() <= 200)
            .ok_or_else(|| wrong("topic"))?;
        topic.clone_into(&mut meeting.topic);
    }
    if body
        .get("agenda")
        .is_some_and(|agenda| agenda.as_str().is_none_or(|text| text.chars().count() > 2000))
    {
        return Err(wrong("agenda"));
    }
    if let Some(timezone) = body.remove("timezone") {
        let timezone = timezone.as_str().ok_or_else(|| wrong("timezone"))?;
        if timezone.is_empty() {
            &host.timezone
        } else {
            timezone
        }
        .clone_into(&mut meeting.timezone);
    }
    if let Some(duration) = body.remove("duration") {
        let range = 1..=1440;
        meeting.duration = duration
            .as_i64()
            .filter(|minutes| range.contains(minutes))
            .ok_or_else(|| wrong("duration"))?;
    }
    if let Some(start) = body.remove("start_time") {
        let text = start.as_str().ok_or_else(|| wrong("start_time"))?;
        let start = calendar::start_time(text, &meeting.timezone).ok_or_else(|| wrong("start_time"))?;
        // a time that has passed becomes now when a meeting is made, and is ignored when one is changed
        let past = start < now;
        meeting.start = if past {
            meeting.start.or(Some(now))
        } else {
            Some(start)
        };
    }
    if let Some(password) = body.remove("password") {
        let password = password
            .as_str()
            .filter(|password| password.len() <= 10)
            .ok_or_else(|| wrong("password"))?;
        password.clone_into(&mut meeting.password);
    }
    if let Some(settings) = body.remove("settings") {
        apply_settings(meeting, settings, host)?;
    }
    // write-only, or not the caller's to say
    for field in [
        "schedule_for",
        "template_id",
        "default_password",
        "id",
        "uuid",
        "host_id",
    ] {
        body.remove(field);
    }
    meeting.rest.extend(body);
    apply_recurrence(meeting)
}

fn apply_settings(meeting: &mut Meeting, settings: Value, host: &User) -> Result<(), Refusal> {
    let Value::Object(mut settings) = settings else {
        return Err(Refusal::field("settings", "Invalid parameter: settings."));
    };
    let wrong = |field: &str| {
        Refusal::field(
            &format!("settings.{field}"),
            format!("Invalid parameter: {field}."),
        )
    };
    let jbh = settings.get("jbh_time").map(Value::as_i64);
    if jbh.is_some_and(|minutes| !matches!(minutes, Some(0 | 5 | 10 | 15))) {
        return Err(wrong("jbh_time"));
    }
    let recording = settings.get("auto_recording").map(Value::as_str);
    if recording.is_some_and(|value| !matches!(value, Some("local" | "cloud" | "none"))) {
        return Err(wrong("auto_recording"));
    }
    if recording.flatten() == Some("cloud") && !(host.licensed() && host.cloud_recording) {
        settings.insert("auto_recording".to_owned(), "none".into());
    }
    if settings.get("waiting_room").and_then(Value::as_bool) == Some(true) {
        settings.insert("join_before_host".to_owned(), false.into());
    }
    let all = meeting
        .rest
        .entry("settings")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(all) = all.as_object_mut() {
        all.extend(settings);
    }
    Ok(())
}

fn apply_recurrence(meeting: &mut Meeting) -> Result<(), Refusal> {
    let recurrence = meeting.rest.get("recurrence").cloned();
    match (meeting.kind, recurrence) {
        (8, Some(recurrence)) => {
            let kind = recurrence.field("type").as_i64();
            if !matches!(kind, Some(1..=3)) {
                return Err(Refusal::field(
                    "recurrence.type",
                    "Invalid parameter: recurrence.type.",
                ));
            }
            if let Some(start) = meeting.start {
                meeting.occurrences =
                    calendar::occurrences(&recurrence, start, meeting.duration, &meeting.timezone);
            }
            Ok(())
        }
        (8, None) => Err(Refusal::field("recurrence", "Invalid parameter: recurrence.")),
        _ => {
            meeting.occurrences.clear();
            Ok(())
        }
    }
}
