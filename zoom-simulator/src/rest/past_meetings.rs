//! `/past_meetings`: what really took place.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Call, pages};
use crate::{
    answer::{Answer, Refusal, Reply},
    clock::zoom_time,
    json::Fields as _,
    world::{Instance, Stay, World},
};

/// A meeting that goes on, in a list.
pub(super) fn live_item(instance: &Instance) -> Value {
    json!({
        "uuid": instance.uuid, "id": instance.meeting_id, "host_id": instance.host_id, "topic": instance.topic,
        "type": instance.kind, "start_time": zoom_time(instance.start), "duration": instance.planned,
        "timezone": instance.timezone, "created_at": zoom_time(instance.start),
        "join_url": format!("https://us02web.zoom.us/j/{}", instance.meeting_id),
    })
}

/// The latest ended instance of a number, or that of a UUID; not older than a year.
pub(super) fn ended(call: &Call<'_>, world: &World, message: &str) -> Result<Instance, Refusal> {
    let reference = call.segment(0)?;
    let instance = world
        .instances
        .iter()
        .rev()
        .find(|instance| instance.is(&reference) && instance.end.is_some())
        .filter(|instance| call.may_touch(world, &instance.host_id))
        .ok_or_else(|| Refusal::missing(3001, message))?;
    if call.sim.clock.now().duration_since(instance.start) > SignedDuration::from_hours(24 * 365) {
        return Err(Refusal::bad(12702, "Can not access a meeting a year ago."));
    }
    Ok(instance.clone())
}

/// `GET /past_meetings/{meetingId}`
pub(super) fn get(call: &Call<'_>, world: &mut World) -> Reply {
    let instance = ended(
        call,
        world,
        "This meeting is not available or the meeting ID is invalid.",
    )?;
    Ok(Answer::ok(&details(world, &instance)))
}

pub(super) fn details(world: &World, instance: &Instance) -> Value {
    let host = world.host(&instance.host_id);
    let total: i64 = there(instance).map(|stay| minutes_there(instance, stay)).sum();
    json!({
        "uuid": instance.uuid, "id": instance.meeting_id, "host_id": instance.host_id, "type": instance.kind,
        "topic": instance.topic, "user_name": host.display_name(), "user_email": host.email,
        "start_time": zoom_time(instance.start), "end_time": zoom_time(instance.end.unwrap_or(instance.start)),
        "duration": instance.minutes(), "total_minutes": total, "participants_count": instance.people(), "dept": "",
        "source": "Zoom", "has_meeting_summary": false,
    })
}

/// Stays in the meeting itself.
fn there(instance: &Instance) -> impl Iterator<Item = &Stay> {
    instance.stays.iter().filter(|stay| !stay.in_waiting_room)
}

fn seconds_there(instance: &Instance, stay: &Stay) -> i64 {
    let left = stay.leave.or(instance.end).unwrap_or(stay.join);
    left.duration_since(stay.join).as_secs().max(0)
}

fn minutes_there(instance: &Instance, stay: &Stay) -> i64 {
    seconds_there(instance, stay).saturating_add(59).div_euclid(60)
}

/// `GET /past_meetings/{meetingId}/instances`
pub(super) fn instances(call: &Call<'_>, world: &mut World) -> Reply {
    let id: u64 = call
        .segment(0)?
        .parse()
        .map_err(|_| Refusal::bad(300, "Invalid meeting id."))?;
    let oldest = SignedDuration::from_hours(24 * 30 * 15);
    let now = call.sim.clock.now();
    let known = world.meetings.contains_key(&id) || world.instances.iter().any(|one| one.meeting_id == id);
    if !known {
        return Err(Refusal::missing(3001, format!("Meeting does not exist: {id}.")));
    }
    let meetings: Vec<Value> = world
        .instances
        .iter()
        .filter(|one| one.meeting_id == id && one.end.is_some() && now.duration_since(one.start) <= oldest)
        .filter(|one| call.may_touch(world, &one.host_id))
        .map(|one| json!({ "uuid": one.uuid, "start_time": zoom_time(one.start) }))
        .collect();
    Ok(Answer::ok(&json!({ "meetings": meetings })))
}

/// `GET /past_meetings/{meetingId}/participants`
pub(super) fn participants(call: &Call<'_>, world: &mut World) -> Reply {
    paid_only(call)?;
    let instance = ended(
        call,
        world,
        "The meeting ID is invalid or the meeting has not ended.",
    )?;
    let rows = rows(&instance, &[]);
    let page = pages::page(call, world, rows)?;
    Ok(Answer::ok(&pages::with(page.around, "participants", page.items)))
}

/// One row for each stay; nothing at all if there was only one person.
pub(super) fn rows(instance: &Instance, more: &[&str]) -> Vec<Value> {
    if instance.people() < 2 {
        return Vec::new();
    }
    let row = |stay: &Stay| {
        let mut row = json!({
            "id": stay.id, "user_id": stay.user_id, "name": stay.name, "user_email": stay.email,
            "join_time": zoom_time(stay.join),
            "leave_time": zoom_time(stay.leave.or(instance.end).unwrap_or(stay.join)),
            "duration": seconds_there(instance, stay), "registrant_id": stay.registrant_id, "failover": false,
            "status": if stay.in_waiting_room { "in_waiting_room" } else { "in_meeting" },
            "internal_user": stay.internal,
        });
        for field in more {
            row.put(
                field,
                json!(if *field == "participant_user_id" {
                    stay.id.as_str()
                } else {
                    ""
                }),
            );
        }
        row
    };
    instance.stays.iter().map(row).collect()
}

pub(super) fn paid_only(call: &Call<'_>) -> Result<(), Refusal> {
    if call.sim.config().paid_account {
        return Ok(());
    }
    Err(Refusal::bad(
        200,
        format!("Only available for paid account: {}", call.caller.account_id),
    ))
}
