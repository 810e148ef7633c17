//! Cloud recordings.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use serde_json::{Value, json};

use super::{Call, calendar, no_content, pages};
use crate::{
    answer::{Answer, Refusal, Reply},
    clock::zoom_time,
    json::Fields as _,
    oauth::DownloadGrant,
    recordings::{Files, recording_object, trashed_object},
    webhooks::recording_deleted,
    world::{Instance, MediaState, World},
};

/// From the trash there is a way back for so long.
const TRASH_DAYS: i64 = 30;

/// `GET /users/{userId}/recordings`
pub(super) fn list(call: &Call<'_>, world: &mut World) -> Reply {
    let user = call.user(world)?;
    if !call.sim.config().paid_account || !user.licensed() {
        return Err(Refusal::bad(
            200,
            format!("Only available for Paid user: {}.", user.id),
        ));
    }
    listed(call, world, |instance| instance.host_id == user.id)
}

/// `GET /accounts/{accountId}/recordings`
pub(super) fn list_account(call: &Call<'_>, world: &mut World) -> Reply {
    let account = super::path::once(call.segments.first().copied().unwrap_or_default());
    if account != "me" && account != call.caller.account_id {
        let message = format!("This account does not exist or does not belong to you: {account}.");
        return Err(Refusal::missing(2001, message));
    }
    if !call.sim.config().paid_account {
        return Err(Refusal::bad(
            200,
            format!("Only available for paid account: {}", call.caller.account_id),
        ));
    }
    listed(call, world, |instance| {
        instance.account_id == call.caller.account_id
    })
}

fn listed(call: &Call<'_>, world: &mut World, mine: impl Fn(&Instance) -> bool) -> Reply {
    let (from, to) = range(call)?;
    let (begin, end) = calendar::days(from, to);
    let trash = call.query.get("trash") == Some("true");
    let meeting_id = call.query.get("meeting_id");
    let mut found: Vec<&Instance> = world
        .instances
        .iter()
        .filter(|one| mine(one) && (trash || (one.start >= begin && one.start < end)))
        .filter(|one| meeting_id.is_none_or(|wanted| one.is(wanted)))
        .collect();
    found.sort_by_key(|instance| std::cmp::Reverse(instance.start));
    let shown = |one: &&Instance| {
        if trash {
            trashed_object(call.sim, world, one)
        } else {
            recording_object(call.sim, world, one, Files::Rest)
        }
    };
    let items: Vec<Value> = found.iter().filter_map(shown).collect();
    let page = pages::page(call, world, items)?;
    let mut body = pages::with(page.around, "meetings", page.items);
    body.put("from", from.to_string());
    body.put("to", to.to_string());
    Ok(Answer::ok(&body))
}

/// The days asked for: today unless said otherwise, a month at most.
fn range(call: &Call<'_>) -> Result<(Date, Date), Refusal> {
    let today = calendar::today(call.sim.clock.now());
    let date = |name: &str, or: Date| match call.query.get(name) {
        None => Ok(or),
        Some(text) => calendar::date(text).ok_or_else(|| Refusal::field(name, "Invalid field.")),
    };
    let to = date("to", today)?;
    let from = date("from", today.min(to))?;
    if from > to {
        return Err(Refusal::field("from", "Invalid field."));
    }
    let earliest = to.saturating_sub(1.month());
    if from >= earliest {
        return Ok((from, to));
    }
    if call.sim.config().quirks.long_range_error {
        return Err(Refusal::bad(300, "The date range must not exceed one month."));
    }
    Ok((earliest, to))
}

/// The recorded instance in the path.
fn find(call: &Call<'_>, world: &World) -> Result<Instance, Refusal> {
    let reference = call.segment(0)?;
    let none = || Refusal::missing(3301, "There is no recording for this meeting.");
    let instance = world.recorded(&reference).ok_or_else(none)?;
    if !call.may_touch(world, &instance.host_id) {
        return Err(none());
    }
    Ok(instance.clone())
}

/// `GET /meetings/{meetingId}/recordings`
pub(super) fn get(call: &Call<'_>, world: &mut World) -> Reply {
    let instance = find(call, world)?;
    let mut body = recording_object(call.sim, world, &instance, Files::Rest)
        .ok_or_else(|| Refusal::missing(3301, "There is no recording for this meeting."))?;
    body.put("password", instance.password.as_str());
    body.put("host_email", world.host(&instance.host_id).email);
    let fields = call.query.get("include_fields").unwrap_or_default();
    if fields.split(',').any(|field| field == "download_access_token") {
        body.put(
            "download_access_token",
            json!(download_access_token(call, world, &instance)?),
        );
    }
    Ok(Answer::ok(&body))
}

fn download_access_token(call: &Call<'_>, world: &mut World, instance: &Instance) -> Result<String, Refusal> {
    let wrong = || Refusal::field("ttl", "Invalid parameter: ttl.");
    let ttl: i64 = call
        .query
        .get("ttl")
        .map_or(Ok(24 * 3600), str::parse)
        .map_err(|_| wrong())?;
    if !(0..=604_800).contains(&ttl) {
        return Err(wrong());
    }
    let prefix = &call.sim.config().token_prefix;
    let token = format!(
        "{prefix}eyJhbGciOiJIUzUxMiJ9.{}.{}",
        world.random.text(120),
        world.random.text(86)
    );
    let expires = call
        .sim
        .clock
        .now()
        .saturating_add(SignedDuration::from_secs(ttl))
        .unwrap_or(Timestamp::MAX);
    let grant = DownloadGrant {
        meeting_uuid: instance.uuid.clone(),
        expires,
        from_webhook: false,
    };
    world.tokens.add_download(&token, grant);
    Ok(token)
}

/// `DELETE /meetings/{meetingId}/recordings`
pub(super) fn delete(call: &Call<'_>, world: &mut World) -> Reply {
    remove(call, world, None)
}

/// `DELETE /meetings/{meetingId}/recordings/{recordingId}`
pub(super) fn delete_file(call: &Call<'_>, world: &mut World) -> Reply {
    let file = super::path::once(call.segments.get(1).copied().unwrap_or_default());
    remove(call, world, Some(&file))
}

fn remove(call: &Call<'_>, world: &mut World, only: Option<&str>) -> Reply {
    let instance = find(call, world)?;
    let none = || Refusal::missing(3301, "There is no recording for this meeting.");
    let recording = instance.recording.as_ref().ok_or_else(none)?;
    let wanted = |id: &str| only.is_none_or(|only| only == id);
    if recording
        .files
        .iter()
        .any(|file| wanted(&file.id) && file.state == MediaState::Processing)
    {
        return Err(Refusal::bad(3303, "You can not delete an uncompleted meeting."));
    }
    let forever = match call.query.get("action").unwrap_or("trash") {
        "trash" => false,
        "delete" => true,
        _ => return Err(Refusal::field("action", "Invalid parameter: action.")),
    };
    let there = |state: MediaState| match state {
        MediaState::Trashed(_) => forever,
        MediaState::Coming => false,
        _ => true,
    };
    if !recording
        .files
        .iter()
        .any(|file| wanted(&file.id) && there(file.state))
    {
        return Err(match only {
            None => none(),
            Some(_) => Refusal::missing(3301, "Recording file does not exist"),
        });
    }
    let shown = recording_object(call.sim, world, &instance, Files::AllButTranscript)
        .or_else(|| trashed_object(call.sim, world, &instance))
        .unwrap_or_default();
    let now = call.sim.clock.now();
    if let Some(recording) = world
        .instance_mut(&instance.uuid)
        .and_then(|one| one.recording.as_mut())
    {
        if forever {
            recording.files.retain(|file| !wanted(&file.id));
        } else {
            for file in recording
                .files
                .iter_mut()
                .filter(|file| wanted(&file.id) && file.state == MediaState::Completed)
            {
                file.state = MediaState::Trashed(now);
            }
        }
    }
    let name = if forever {
        "recording.deleted"
    } else {
        "recording.trashed"
    };
    recording_deleted(call.sim, world, &instance, name, &shown);
    no_content()
}

/// `PUT /meetings/{meetingUUID}/recordings/status`
pub(super) fn recover(call: &Call<'_>, world: &mut World) -> Reply {
    let in_body = call
        .object()
        .ok()
        .and_then(|body| body.get("action").and_then(Value::as_str).map(str::to_owned));
    if in_body.as_deref().or(call.query.get("action")) != Some("recover") {
        return Err(Refusal::field("action", "Invalid parameter: action."));
    }
    let instance = find(call, world)?;
    let now = call.sim.clock.now();
    let recoverable = |state: MediaState| match state {
        MediaState::Trashed(at) => now.duration_since(at) <= SignedDuration::from_hours(24 * TRASH_DAYS),
        _ => false,
    };
    let mut recovered = 0;
    if let Some(recording) = world
        .instance_mut(&instance.uuid)
        .and_then(|one| one.recording.as_mut())
    {
        for file in recording.files.iter_mut().filter(|file| recoverable(file.state)) {
            file.state = MediaState::Completed;
            recovered += 1;
        }
    }
    if recovered == 0 {
        return Err(Refusal::missing(3301, "There is no recording for this meeting."));
    }
    let Some(instance) = world.instance(&instance.uuid).cloned() else {
        return no_content();
    };
    let shown = recording_object(call.sim, world, &instance, Files::AllButTranscript).unwrap_or_default();
    recording_deleted(call.sim, world, &instance, "recording.recovered", &shown);
    no_content()
}

/// `GET /meetings/{meetingId}/transcript`
pub(super) fn transcript(call: &Call<'_>, world: &mut World) -> Reply {
    let instance = find(call, world)?;
    let none = || Refusal::missing(3301, "There is no transcript for this meeting.");
    if call.sim.config().quirks.ai_companion_transcripts_only {
        return Err(none());
    }
    let recording = instance.recording.as_ref().ok_or_else(none)?;
    let file = recording
        .files
        .iter()
        .find(|file| file.file_type == "TRANSCRIPT")
        .ok_or_else(none)?;
    let mut body = json!({
        "meeting_id": instance.uuid, "account_id": instance.account_id, "meeting_topic": instance.topic,
        "host_id": instance.host_id, "auto_delete": false,
    });
    match file.state {
        MediaState::Completed => {
            body.put("can_download", true);
            body.put("transcript_created_time", zoom_time(recording.end));
            body.put(
                "download_url",
                format!("{}/rec/meeting/transcript/download/{}", call.sim.base, file.link),
            );
        }
        state => {
            let trashed = matches!(state, MediaState::Trashed(_));
            body.put("can_download", false);
            body.put(
                "download_restriction_reason",
                json!(if trashed {
                    "DELETED_OR_TRASHED"
                } else {
                    "NOT_READY"
                }),
            );
        }
    }
    Ok(Answer::ok(&body))
}
