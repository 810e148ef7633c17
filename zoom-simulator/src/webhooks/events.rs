//! The payloads, field by field as Zoom sends them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{About, emit, envelope};
use crate::{
    clock::zoom_time,
    config::EventTs,
    json::Fields as _,
    oauth::DownloadGrant,
    recordings::{Files, recording_object},
    rest::meeting_list_item,
    simulator::Shared,
    world::{Instance, Meeting, Occurrence, Stay, World},
};

/// How long the token in a recording's webhook opens its files.
const DOWNLOAD_TOKEN_HOURS: i64 = 24;

fn about_instance(instance: &Instance) -> About<'_> {
    About {
        account_id: &instance.account_id,
        user_id: &instance.host_id,
    }
}

/// The meeting as `meeting.*` tells it: the id is a string, unlike everywhere else.
fn live_object(sim: &Shared, instance: &Instance) -> Value {
    let instant = instance.kind == 1;
    let mut object = json!({
        "uuid": instance.uuid, "id": instance.meeting_id.to_string(), "host_id": instance.host_id,
        "topic": instance.topic, "type": instance.kind, "start_time": zoom_time(instance.start),
        "duration": instance.planned, "timezone": if instant { "" } else { &instance.timezone },
    });
    if sim.config().quirks.meeting_event_ids_as_numbers {
        object.put("id", instance.meeting_id);
    }
    object
}

fn live(sim: &Shared, world: &mut World, instance: &Instance, name: &str, at: Timestamp, object: &Value) {
    let payload = json!({ "account_id": instance.account_id, "object": object });
    emit(sim, world, about_instance(instance), &envelope(name, at, payload));
}

pub(crate) fn meeting_started(sim: &Shared, world: &mut World, instance: &Instance) {
    live(
        sim,
        world,
        instance,
        "meeting.started",
        instance.start,
        &live_object(sim, instance),
    );
}

pub(crate) fn meeting_ended(sim: &Shared, world: &mut World, instance: &Instance, at: Timestamp) {
    let mut object = live_object(sim, instance);
    object.put("end_time", zoom_time(at));
    live(sim, world, instance, "meeting.ended", at, &object);
}

/// Somebody comes (`_joined`, `_joined_waiting_room`) or goes (`_left`, `_left_waiting_room`, `_admitted`).
pub(crate) fn participant(
    sim: &Shared,
    world: &mut World,
    instance: &Instance,
    stay: &Stay,
    what: &str,
    at: Timestamp,
) {
    let mut who = json!({
        "user_id": stay.user_id, "user_name": stay.name, "id": stay.id, "participant_uuid": stay.participant_uuid,
        "email": stay.email, "registrant_id": stay.registrant_id, "participant_user_id": stay.id, "customer_key": "",
        "phone_number": "",
    });
    match what {
        "joined" => who.put("join_time", zoom_time(at)),
        "left" => {
            let over = instance.end.is_some_and(|end| at >= end);
            let why = if over {
                "Reason: Host ended the meeting."
            } else {
                "Reason : left the meeting."
            };
            who.put("leave_time", zoom_time(at));
            who.put(
                "leave_reason",
                format!("{} left the meeting.<br>{why}", stay.name),
            );
        }
        _ => who.put("date_time", zoom_time(at)),
    }
    let mut object = live_object(sim, instance);
    object.put("participant", who);
    live(
        sim,
        world,
        instance,
        &format!("meeting.participant_{what}"),
        at,
        &object,
    );
}

/// `recording.started` or `recording.stopped`.
pub(crate) fn recording_edge(
    sim: &Shared,
    world: &mut World,
    instance: &Instance,
    from: Timestamp,
    to: Option<Timestamp>,
) {
    let name = if to.is_some() {
        "recording.stopped"
    } else {
        "recording.started"
    };
    let payload = json!({ "account_id": instance.account_id, "object": {
        "id": instance.meeting_id, "uuid": instance.uuid, "host_id": instance.host_id, "topic": instance.topic,
        "type": instance.kind, "start_time": zoom_time(instance.start), "timezone": instance.timezone,
        // Zoom knows that this is wrong, and documents it
        "duration": 0,
        "recording_file": { "recording_start": zoom_time(from), "recording_end": to.map(zoom_time) },
    }});
    emit(
        sim,
        world,
        about_instance(instance),
        &envelope(name, to.unwrap_or(from), payload),
    );
}

/// `recording.completed` (everything but the transcript) or `recording.transcript_completed` (only it).
pub(crate) fn recording_done(sim: &Shared, world: &mut World, uuid: &str, files: Files, at: Timestamp) {
    let Some(instance) = world.instance(uuid).cloned() else {
        return;
    };
    let Some(object) = recording_object(sim, world, &instance, files) else {
        return;
    };
    let name = if files == Files::Transcript {
        "recording.transcript_completed"
    } else {
        "recording.completed"
    };
    let payload = json!({ "account_id": instance.account_id, "object": object });
    let mut event = envelope(name, at, payload);
    event.put("download_token", json!(download_token(sim, world, uuid)));
    emit(sim, world, about_instance(&instance), &event);
}

fn download_token(sim: &Shared, world: &mut World, uuid: &str) -> String {
    let token = format!(
        "{}eyJhbGciOiJIUzUxMiJ9.{}.{}",
        sim.config().token_prefix,
        world.random.text(120),
        world.random.text(86)
    );
    let expires = sim
        .clock
        .now()
        .saturating_add(SignedDuration::from_hours(DOWNLOAD_TOKEN_HOURS));
    world.tokens.add_download(
        &token,
        DownloadGrant {
            meeting_uuid: uuid.to_owned(),
            expires: expires.unwrap_or(Timestamp::MAX),
            from_webhook: true,
        },
    );
    token
}

/// `recording.trashed`, `recording.deleted`, `recording.recovered`: as it was before.
pub(crate) fn recording_deleted(
    sim: &Shared,
    world: &mut World,
    instance: &Instance,
    name: &str,
    object: &Value,
) {
    let host = world.host(&instance.host_id);
    let payload = json!({
        "account_id": instance.account_id, "operator": host.email, "operator_id": host.id, "object": object,
    });
    let mut event = envelope(name, sim.clock.now(), payload);
    if name != "recording.deleted" {
        event.put(
            "download_token",
            json!(download_token(sim, world, &instance.uuid)),
        );
    }
    emit(sim, world, about_instance(instance), &event);
}

/// `meeting.created`, `meeting.deleted`.
pub(crate) fn meeting_changed(sim: &Shared, world: &mut World, meeting: &Meeting, name: &str) {
    let host = world.host(&meeting.host_id);
    let mut object = meeting_list_item(sim, meeting);
    if let Some(fields) = object.as_object_mut() {
        fields.remove("created_at");
        fields.insert("password".to_owned(), json!(meeting.password));
        let settings = meeting.rest.get("settings").cloned().unwrap_or_else(|| json!({}));
        fields.insert("settings".to_owned(), settings);
        if !meeting.occurrences.is_empty() {
            fields.insert(
                "occurrences".to_owned(),
                meeting.occurrences.iter().map(Occurrence::json).collect(),
            );
        }
    }
    let payload = json!({
        "account_id": host.account_id, "operator": host.email, "operator_id": host.id,
        "operation": if meeting.kind == 8 { "all" } else { "single" }, "object": object,
    });
    let about = About {
        account_id: &host.account_id,
        user_id: &host.id,
    };
    emit(sim, world, about, &envelope(name, sim.clock.now(), payload));
}

/// `meeting.updated`: what changed, and what it was.
pub(crate) fn meeting_updated(sim: &Shared, world: &mut World, meeting: &Meeting, new: Value, old: Value) {
    let host = world.host(&meeting.host_id);
    let now = sim.clock.now();
    let payload = json!({
        "account_id": host.account_id, "operator": host.email, "operator_id": host.id,
        "scope": if meeting.kind == 8 { "all" } else { "single" }, "time_stamp": now.as_millisecond(),
        "object": new, "old_object": old,
    });
    let about = About {
        account_id: &host.account_id,
        user_id: &host.id,
    };
    emit(sim, world, about, &envelope("meeting.updated", now, payload));
}

/// Only the app that lost the user hears of it.
pub(crate) fn app_deauthorized(sim: &Shared, world: &mut World, client_id: &str, user_id: &str) {
    let host = world.host(user_id);
    let now = sim.clock.now();
    let mut payload = json!({
        "account_id": host.account_id, "user_id": user_id, "signature": world.random.hex(4),
        "deauthorization_time": now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), "client_id": client_id,
    });
    match sim.config().quirks.deauthorized_event_ts {
        EventTs::Number => payload.put("event_ts", now.as_millisecond()),
        EventTs::Text => payload.put("event_ts", now.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        EventTs::Absent => payload.put("user_data_retention", "false"),
    }
    // the time is inside the payload, and nowhere else
    let event = json!({ "event": "app_deauthorized", "payload": payload });
    world.count("webhook.app_deauthorized");
    let wanted: Vec<String> = world
        .outbox
        .subscriptions()
        .filter(|subscription| subscription.client_id == client_id && subscription.wants("app_deauthorized"))
        .map(|subscription| subscription.id.clone())
        .collect();
    let body = super::encode::encode(&event);
    for subscription in wanted {
        super::send::queue(sim, world, &subscription, "app_deauthorized", None, body.clone());
    }
}
