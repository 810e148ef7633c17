//! `/meetings`, and the meetings of a user.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::{
    Call, calendar,
    guard::meeting_changes_spent,
    meeting_body::apply,
    meeting_json::{full, list_item},
    no_content, pages,
};
use crate::{
    answer::{Answer, Refusal, Reply},
    hold,
    json::Fields as _,
    webhooks::{meeting_changed, meeting_updated},
    world::{Meeting, Reach, User, World},
};

/// A number lives so long after its last use.
const EXPIRES_AFTER_DAYS: i64 = 30;

/// `POST /users/{userId}/meetings`
pub(super) fn create(call: &Call<'_>, world: &mut World) -> Reply {
    let user = call.user(world)?;
    let body = call.object()?;
    let host = schedule_for(call, world, &body, user)?;
    spend_change(call, world, &host)?;
    let now = call.sim.clock.now();
    let mut meeting = Meeting {
        id: 0,
        uuid: String::new(),
        host_id: host.id.clone(),
        kind: 2,
        topic: "Zoom Meeting".to_owned(),
        start: None,
        duration: 60,
        timezone: host.timezone.clone(),
        password: world.random.password(),
        created_at: now,
        deleted: false,
        occurrences: Vec::new(),
        rest: Map::new(),
    };
    apply(&mut meeting, body, &host, now)?;
    match meeting.kind {
        1 => meeting.start = Some(now),
        3 => meeting.start = None,
        _ => meeting.start = meeting.start.or(Some(now)),
    }
    meeting.id = world.new_meeting_id();
    meeting.uuid = world.new_uuid();
    meeting_changed(call.sim, world, &meeting, "meeting.created");
    let body = full(world, &meeting, false);
    world.meetings.insert(meeting.id, meeting);
    Ok(Answer::json(StatusCode::CREATED, &body))
}

/// Whose meeting it becomes.
fn schedule_for(
    call: &Call<'_>,
    world: &World,
    body: &Map<String, Value>,
    user: User,
) -> Result<User, Refusal> {
    let Some(who) = body
        .get("schedule_for")
        .and_then(Value::as_str)
        .filter(|who| !who.is_empty())
    else {
        return Ok(user);
    };
    if body.get("type").and_then(Value::as_u64) == Some(1) {
        return Err(Refusal::bad(
            3000,
            "Instant meetings do not support the schedule_for parameter, and you can't schedule an instant meeting for \
             another user.",
        ));
    }
    let other = world.user(who).filter(|other| other.account_id == user.account_id).ok_or_else(|| {
        Refusal::bad(
            300,
            "The value that you entered in the schedule_for field is invalid. Enter a valid value and try again.",
        )
    })?;
    if other.id != user.id && call.reach == Reach::Own {
        return Err(Refusal::bad(
            3000,
            format!("You cannot schedule a meeting for {who}"),
        ));
    }
    Ok(other.clone())
}

fn spend_change(call: &Call<'_>, world: &mut World, host: &User) -> Result<(), Refusal> {
    let per_day = call.sim.config().meeting_changes_per_day;
    if world
        .meter
        .meeting_change(&host.id, per_day, call.sim.clock.now())
    {
        Ok(())
    } else {
        Err(meeting_changes_spent(per_day))
    }
}

/// The meeting in the path, if it is there for this caller.
fn find(call: &Call<'_>, world: &World) -> Result<Meeting, Refusal> {
    let text = call.segment(0)?;
    let now = call.sim.clock.now();
    let gone = || Refusal::missing(3001, format!("Meeting does not exist: {text}."));
    let meeting = text
        .parse::<u64>()
        .ok()
        .and_then(|id| world.meetings.get(&id))
        .ok_or_else(gone)?;
    let last_used = world
        .instance(&text)
        .and_then(|instance| instance.end)
        .max(meeting.ends());
    let expired = meeting.kind != 3
        && last_used.is_some_and(|used| {
            now.duration_since(used) > SignedDuration::from_hours(24 * EXPIRES_AFTER_DAYS)
        });
    if expired || !call.may_touch(world, &meeting.host_id) {
        return Err(gone());
    }
    Ok(meeting.clone())
}

fn find_living(call: &Call<'_>, world: &World) -> Result<Meeting, Refusal> {
    let meeting = find(call, world)?;
    if meeting.deleted {
        return Err(Refusal::missing(
            3001,
            format!("Meeting does not exist: {}.", meeting.id),
        ));
    }
    Ok(meeting)
}

fn is_live(world: &World, id: u64) -> bool {
    world
        .instances
        .iter()
        .any(|instance| instance.meeting_id == id && instance.end.is_none())
}

/// `GET /meetings/{meetingId}`
pub(super) fn get(call: &Call<'_>, world: &mut World) -> Reply {
    let meeting = find_living(call, world)?;
    let live = is_live(world, meeting.id);
    Ok(Answer::ok(&full(world, &meeting, live)))
}

/// `PATCH /meetings/{meetingId}`
pub(super) fn update(call: &Call<'_>, world: &mut World) -> Reply {
    let old = find_living(call, world)?;
    let body = call.object()?;
    let host = world.host(&old.host_id);
    spend_change(call, world, &host)?;
    let mut new = old.clone();
    apply(&mut new, body, &host, call.sim.clock.now())?;
    let (before, after) = changes(call, &old, &new);
    meeting_updated(call.sim, world, &new, after, before);
    world.meetings.insert(new.id, new);
    no_content()
}

/// The fields that differ, as they were and as they are.
fn changes(call: &Call<'_>, old: &Meeting, new: &Meeting) -> (Value, Value) {
    let fields = |meeting: &Meeting| {
        let mut item = list_item(call.sim, meeting);
        if let Some(item) = item.as_object_mut() {
            item.remove("created_at");
            item.extend(meeting.rest.clone());
        }
        item
    };
    let (before, after) = (fields(old), fields(new));
    let mut was = json!({ "id": old.id });
    let mut is = json!({ "id": new.id });
    for (name, value) in after.as_object().into_iter().flatten() {
        let previous = before.get(name);
        if previous != Some(value) {
            was.put(name, previous.cloned().unwrap_or_default());
            is.put(name, value.clone());
        }
    }
    (was, is)
}

/// `DELETE /meetings/{meetingId}`
pub(super) fn delete(call: &Call<'_>, world: &mut World) -> Reply {
    let mut meeting = find_living(call, world)?;
    if is_live(world, meeting.id) {
        return Err(Refusal::bad(
            3002,
            "Sorry, you cannot delete this meeting since it is in progress.",
        ));
    }
    if let Some(wanted) = call.query.get("occurrence_id") {
        let occurrence = meeting
            .occurrences
            .iter_mut()
            .find(|one| one.id == wanted && !one.deleted);
        occurrence
            .ok_or_else(|| Refusal::bad(3000, "Invalid occurrence_id."))?
            .deleted = true;
    } else {
        meeting.deleted = true;
    }
    meeting_changed(call.sim, world, &meeting, "meeting.deleted");
    world.meetings.insert(meeting.id, meeting);
    no_content()
}

/// `PUT /meetings/{meetingId}/status`
pub(super) fn status(call: &Call<'_>, world: &mut World) -> Reply {
    let body = call.object()?;
    match body.get("action").and_then(Value::as_str) {
        Some("end") => {
            let text = call.segment(0)?;
            let live = world.instance(&text).filter(|instance| instance.end.is_none());
            let live = live
                .filter(|instance| call.may_touch(world, &instance.host_id))
                .map(|instance| instance.uuid.clone());
            let uuid =
                live.ok_or_else(|| Refusal::missing(3001, format!("Meeting does not exist: {text}.")))?;
            hold::end_now(call.sim, world, &uuid);
            no_content()
        }
        Some("recover") => {
            let mut meeting = find(call, world)?;
            meeting.deleted = false;
            meeting_changed(call.sim, world, &meeting, "meeting.recovered");
            world.meetings.insert(meeting.id, meeting);
            no_content()
        }
        _ => Err(Refusal::field("action", "Invalid parameter: action.")),
    }
}

/// `GET /meetings/{meetingId}/invitation`
pub(super) fn invitation(call: &Call<'_>, world: &mut World) -> Reply {
    let meeting = find_living(call, world)?;
    let host = world.host(&meeting.host_id);
    let item = list_item(call.sim, &meeting);
    let text = format!(
        "{} is inviting you to a scheduled Zoom meeting.\r\n\r\nTopic: {}\r\nJoin Zoom Meeting\r\n{}\r\n\r\n\
         Meeting ID: {}\r\nPasscode: {}\r\n",
        host.display_name(),
        meeting.topic,
        item.text("join_url"),
        meeting.id,
        meeting.password,
    );
    Ok(Answer::ok(&json!({ "invitation": text, "sip_links": [] })))
}

/// `GET /users/{userId}/meetings`
pub(super) fn list(call: &Call<'_>, world: &mut World) -> Reply {
    let user = call.user(world)?;
    let now = call.sim.clock.now();
    let mut mine: Vec<&Meeting> = world
        .meetings
        .values()
        .filter(|meeting| meeting.host_id == user.id && meeting.is_listed())
        .collect();
    mine.sort_by_key(|meeting| (meeting.start, meeting.id));
    let ahead = |meeting: &Meeting| meeting.ends().is_none_or(|end| end >= now);
    let within = |meeting: &Meeting| {
        let from = call
            .query
            .get("from")
            .and_then(calendar::date)
            .map(|date| calendar::days(date, date).0);
        let to = call
            .query
            .get("to")
            .and_then(calendar::date)
            .map(|date| calendar::days(date, date).1);
        meeting
            .start
            .is_none_or(|start| from.is_none_or(|from| start >= from) && to.is_none_or(|to| start < to))
    };
    let items: Vec<Value> = match call.query.get("type").unwrap_or("scheduled") {
        "scheduled" => mine
            .iter()
            .filter(|one| within(one))
            .map(|one| list_item(call.sim, one))
            .collect(),
        "upcoming" | "upcoming_meetings" => mine
            .iter()
            .filter(|one| ahead(one) && within(one))
            .map(|one| list_item(call.sim, one))
            .collect(),
        "previous_meetings" => mine
            .iter()
            .filter(|one| !ahead(one) && within(one))
            .map(|one| list_item(call.sim, one))
            .collect(),
        "live" => world
            .instances
            .iter()
            .filter(|instance| instance.host_id == user.id && instance.end.is_none())
            .map(super::past_meetings::live_item)
            .collect(),
        _ => return Err(Refusal::field("type", "Invalid parameter: type.")),
    };
    let page = pages::page(call, world, items)?;
    let mut body = pages::with(page.around, "meetings", page.items);
    body.put("page_number", json!(1));
    Ok(Answer::ok(&body))
}

/// `GET /users/{userId}/upcoming_meetings`
pub(super) fn upcoming(call: &Call<'_>, world: &mut World) -> Reply {
    let user = call.user(world)?;
    let now = call.sim.clock.now();
    let horizon = now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now);
    let soon = |meeting: &&Meeting| {
        meeting.host_id == user.id
            && meeting.is_listed()
            && meeting.start.is_some_and(|start| start <= horizon)
            && meeting.ends().is_some_and(|end| end >= now)
    };
    let meetings: Vec<Value> = world
        .meetings
        .values()
        .filter(soon)
        .map(|meeting| {
            let item = list_item(call.sim, meeting);
            json!({
                "id": meeting.id, "topic": meeting.topic, "type": meeting.kind, "start_time": item.field("start_time"),
                "duration": meeting.duration, "timezone": meeting.timezone, "created_at": item.field("created_at"),
                "join_url": item.field("join_url"), "passcode": meeting.password, "use_pmi": false, "is_host": true,
                "is_all_day": false,
            })
        })
        .collect();
    Ok(Answer::ok(
        &json!({ "total_records": meetings.len(), "meetings": meetings }),
    ))
}
