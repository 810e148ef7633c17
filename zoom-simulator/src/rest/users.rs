//! `/users`.

use serde_json::{Value, json};

use super::{Call, pages};
use crate::{
    answer::{Answer, Refusal, Reply},
    config::UserStatus,
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
            call.sim.config().quirks.missing_scope_401,
        ));
    }
    let status = call.query.get("status").unwrap_or("active");
    let wanted = |user: &&User| {
        user.status.name() == status
            && user.account_id == call.caller.account_id
            && call.query.get("role_id").is_none_or(|id| id == user.role.id())
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
    if user.status == UserStatus::Pending {
        return Err(Refusal::bad(1000, "Can not access pending user settings."));
    }
    Ok(Answer::ok(&settings_of(&user)))
}

/// What everybody has, and the user's own on top.
fn settings_of(user: &User) -> Value {
    let mut settings = json!({
        "schedule_meeting": {
            "host_video": false, "participants_video": false, "join_before_host": false, "personal_meeting": true,
            "require_password_for_scheduling_new_meetings": true,
        },
        "in_meeting": {
            "waiting_room": true, "chat": true, "e2e_encryption": false,
            "closed_captioning": {
                "enable": true, "auto_transcribing": true, "save_caption": true, "view_full_transcript": true,
                "third_party_captioning_service": false,
            },
            "meeting_summary_with_ai_companion": { "enable": false, "auto_enable": false, "who_will_receive_summary": 1 },
        },
        "recording": {
            "local_recording": true,
            "cloud_recording": user.cloud_recording && user.licensed(),
            "auto_recording": user.auto_recording,
            "record_audio_file": true,
            "record_speaker_view": false,
            "record_gallery_view": false,
            "record_files_separately": { "active_speaker": false, "gallery_view": false, "shared_screen": false },
            "display_participant_name": false,
            "recording_thumbnails": true,
            "recording_highlight": false,
            "recording_audio_transcript": user.audio_transcript && user.licensed(),
            "save_chat_text": true,
            "save_close_caption": false,
            "save_panelist_chat": false,
            "save_poll_results": false,
            "show_timestamp": true,
            "optimize_recording_for_3rd_party_video_editor": false,
            "auto_delete_cmr": false,
            "auto_delete_cmr_days": 0,
            "host_pause_stop_recording": true,
            "recording_disclaimer": true,
            "ask_participants_to_consent_disclaimer": true,
            "ask_host_to_confirm_disclaimer": false,
            "smart_recording": { "create_recording_highlights": false, "create_smart_chapters": false, "create_next_steps": false },
            "recording_password_requirement": {
                "length": 8, "have_letter": false, "have_number": false, "have_special_character": false,
                "only_allow_numeric": false,
            },
            "ip_address_access_control": { "enable": false, "ip_addresses_or_ranges": "" },
        },
        "feature": {
            "meeting_capacity": 100, "large_meeting": false, "webinar": false, "zoom_phone": false, "zoom_events": false,
            "zoom_iq_for_sales": false, "zoom_whiteboard": false, "concurrent_meeting": "None", "license_info_list": [],
        },
        "email_notification": { "cloud_recording_available_reminder": true },
        "profile": { "recording_storage_location": { "allowed_values": ["US"], "value": "US" } },
    });
    settings.lay_over(user.settings.clone());
    settings
}

fn item(user: &User) -> Value {
    let mut item = json!({
        "id": user.id, "first_name": user.first_name, "last_name": user.last_name,
        "display_name": user.display_name(), "email": user.email, "type": user.kind.number(),
        "status": user.status.name(), "role_id": user.role.id(), "pmi": user.pmi, "timezone": user.timezone, "verified": u8::from(user.status != UserStatus::Pending),
        "dept": "", "created_at": CREATED_AT, "user_created_at": CREATED_AT, "language": "en-US",
        "last_login_time": "2026-01-05T08:00:00Z", "last_client_version": "6.3.5.1(mac)", "group_ids": [],
        "im_group_ids": [],
    });
    if user.status == UserStatus::Pending
        && let Some(fields) = item.as_object_mut()
    {
        // nobody has an id before they have come
        fields.remove("id");
    }
    item
}

fn full(sim: &Inner, user: &User) -> Value {
    let mut user_json = item(user);
    let more = json!({
        "role_name": user.role.name(), "use_pmi": false, "account_id": user.account_id, "account_number": 10_009_239,
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
