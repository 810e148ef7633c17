//! `/users`.

use serde_json::{Value, json};

use super::{Call, pages, role};
use crate::{
    answer::{Answer, Reply},
    json::Fields as _,
    simulator::Inner,
    world::{User, World},
};

const CREATED_AT: &str = "2024-03-01T10:00:00Z";

/// `GET /users`
pub(super) fn list(call: &Call<'_>, world: &mut World) -> Reply {
    if call.reach == crate::world::Reach::Own {
        return Err(super::scopes::missing(
            call.caller,
            &call.endpoint.scopes,
            crate::world::Reach::Account,
        ));
    }
    let active = matches!(call.query.get("status"), None | Some("active"));
    let wanted = |user: &&User| {
        active
            && user.account_id == call.caller.account_id
            && call.query.get("role_id").is_none_or(|id| id == role(user.role).0)
    };
    let users = world.users.iter().filter(wanted).map(item).collect();
    let page = pages::page(call, world, users)?;
    let mut body = pages::with(page.around, "users", page.items);
    body.put("page_number", json!(1));
    Ok(Answer::ok(&body))
}

/// `GET /users/{userId}`
pub(super) fn get(call: &Call<'_>, world: &mut World) -> Reply {
    let user = call.user(world)?;
    Ok(Answer::ok(&full(call.sim(), &user)))
}

/// `GET /users/{userId}/settings`
pub(super) fn settings(call: &Call<'_>, world: &mut World) -> Reply {
    let user = call.user(world)?;
    Ok(Answer::ok(&json!({
        "schedule_meeting": {
            "host_video": false, "participants_video": false, "join_before_host": false, "personal_meeting": true,
            "require_password_for_scheduling_new_meetings": true,
        },
        "in_meeting": {
            "waiting_room": true, "chat": true, "closed_captioning": { "enable": true, "auto_transcribing": true },
        },
        "recording": {
            "local_recording": true,
            "cloud_recording": user.cloud_recording && user.licensed,
            "auto_recording": "none",
            "record_audio_file": true,
            "record_speaker_view": false,
            "recording_audio_transcript": user.audio_transcript && user.licensed,
            "save_chat_text": true,
            "show_timestamp": true,
            "auto_delete_cmr": false,
            "auto_delete_cmr_days": 0,
            "smart_recording": { "create_recording_highlights": false, "create_smart_chapters": false, "create_next_steps": false },
        },
        "feature": {
            "meeting_capacity": 100, "large_meeting": false, "webinar": false, "zoom_phone": false,
            "concurrent_meeting": "None",
        },
        "email_notification": { "cloud_recording_available_reminder": true },
    })))
}

fn item(user: &User) -> Value {
    json!({
        "id": user.id, "first_name": user.first_name, "last_name": user.last_name,
        "display_name": user.display_name(), "email": user.email, "type": if user.licensed { 2 } else { 1 },
        "status": "active", "role_id": role(user.role).0, "pmi": user.pmi, "timezone": user.timezone, "verified": 1,
        "dept": "", "created_at": CREATED_AT, "user_created_at": CREATED_AT, "language": "en-US",
        "last_login_time": "2026-01-05T08:00:00Z", "last_client_version": "6.3.5.1(mac)", "group_ids": [],
        "im_group_ids": [],
    })
}

fn full(sim: &Inner, user: &User) -> Value {
    let mut user_json = item(user);
    let more = json!({
        "role_name": role(user.role).1, "use_pmi": false, "account_id": user.account_id, "account_number": 10_009_239,
        "personal_meeting_url": format!("https://us02web.zoom.us/j/{}?pwd=SIM", user.pmi),
        "pic_url": format!("{}/p/{}", sim.base, user.id), "cms_user_id": "", "jid": format!("{}@xmpp.zoom.us", user.id.to_lowercase()),
        "phone_country": "", "phone_number": "", "job_title": "", "company": "", "location": "",
        "login_types": [100], "cluster": "us02",
    });
    if let (Some(fields), Value::Object(more)) = (user_json.as_object_mut(), more) {
        fields.extend(more);
    }
    user_json
}
