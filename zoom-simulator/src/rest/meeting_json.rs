//! A meeting in JSON.

use serde_json::{Map, Value, json};

use super::optional_time;
use crate::{
    clock::zoom_time,
    simulator::Inner,
    world::{Meeting, Occurrence, World},
};

fn join_url(meeting: &Meeting) -> String {
    format!(
        "https://us02web.zoom.us/j/{}?pwd={}.1",
        meeting.id, meeting.password
    )
}

/// A meeting in a list.
pub(crate) fn list_item(_: &Inner, meeting: &Meeting) -> Value {
    let agenda: String = meeting
        .rest
        .get("agenda")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .chars()
        .take(250)
        .collect();
    json!({
        "uuid": meeting.uuid, "id": meeting.id, "host_id": meeting.host_id, "topic": meeting.topic,
        "type": meeting.kind, "start_time": optional_time(meeting.start), "duration": meeting.duration,
        "timezone": meeting.timezone, "agenda": agenda, "created_at": zoom_time(meeting.created_at),
        "join_url": join_url(meeting),
    })
}

/// The whole meeting, with a fresh link for the host.
pub(super) fn full(world: &mut World, meeting: &Meeting, live: bool) -> Value {
    let host = world.host(&meeting.host_id);
    let zak = world.random.text(80);
    let mut out = json!({
        "uuid": meeting.uuid, "id": meeting.id, "host_id": meeting.host_id, "host_email": host.email,
        "assistant_id": "", "topic": meeting.topic, "type": meeting.kind,
        "status": if live { "started" } else { "waiting" }, "duration": meeting.duration, "timezone": meeting.timezone,
        "agenda": "", "created_at": zoom_time(meeting.created_at),
        "start_url": format!("https://us02web.zoom.us/s/{}?zak={zak}", meeting.id), "join_url": join_url(meeting),
        "password": meeting.password, "h323_password": "123456", "pstn_password": "123456",
        "encrypted_password": format!("{}.1", meeting.password), "creation_source": "open_api", "pre_schedule": false,
    });
    let Some(fields) = out.as_object_mut() else {
        return out;
    };
    if let Some(start) = meeting.start {
        fields.insert("start_time".to_owned(), zoom_time(start).into());
    }
    if !meeting.occurrences.is_empty() {
        fields.insert(
            "occurrences".to_owned(),
            meeting.occurrences.iter().map(Occurrence::json).collect(),
        );
    }
    fields.extend(meeting.rest.clone());
    fields.insert("settings".to_owned(), Value::Object(settings(meeting)));
    out
}

/// The defaults, and what was set.
fn settings(meeting: &Meeting) -> Map<String, Value> {
    let mut settings = json!({
        "host_video": false, "participant_video": false, "cn_meeting": false, "in_meeting": false,
        "join_before_host": false, "jbh_time": 0, "mute_upon_entry": false, "watermark": false, "use_pmi": false,
        "approval_type": 2, "audio": "both", "auto_recording": "none", "enforce_login": false,
        "enforce_login_domains": "", "alternative_hosts": "", "alternative_host_update_polls": false,
        "close_registration": false, "show_share_button": false, "allow_multiple_devices": false,
        "registrants_confirmation_email": true, "waiting_room": true, "request_permission_to_unmute_participants": false,
        "registrants_email_notification": true, "meeting_authentication": false, "encryption_type": "enhanced_encryption",
        "approved_or_denied_countries_or_regions": { "enable": false }, "breakout_room": { "enable": false },
        "internal_meeting": false, "focus_mode": false, "email_notification": true,
    });
    match (settings.as_object_mut(), meeting.rest.get("settings")) {
        (Some(settings), Some(Value::Object(set))) => {
            settings.extend(set.clone());
            std::mem::take(settings)
        }
        (Some(settings), _) => std::mem::take(settings),
        (None, _) => Map::new(),
    }
}
