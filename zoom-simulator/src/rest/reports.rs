//! `/report`: what an admin sees of past meetings.

use serde_json::{Value, json};

use super::{
    Call, calendar, pages,
    past_meetings::{details, ended, paid_only, rows},
};
use crate::{
    answer::{Answer, Refusal, Reply},
    json::Fields as _,
    world::{Instance, World},
};

fn missing(call: &Call<'_>) -> String {
    format!(
        "Meeting {} not found or has expired.",
        call.segment(0).unwrap_or_default()
    )
}

/// `GET /report/meetings/{meetingId}`
pub(super) fn meeting(call: &Call<'_>, world: &mut World) -> Reply {
    paid_only(call)?;
    let instance = ended(call, world, &missing(call))?;
    Ok(Answer::ok(&report(world, &instance)))
}

fn report(world: &World, instance: &Instance) -> Value {
    let mut out = details(world, instance);
    if let Some(fields) = out.as_object_mut() {
        for field in ["host_id", "source", "has_meeting_summary"] {
            fields.remove(field);
        }
        fields.insert("tracking_fields".to_owned(), json!([]));
        fields.insert("custom_keys".to_owned(), json!([]));
    }
    out
}

/// `GET /report/meetings/{meetingId}/participants`
pub(super) fn participants(call: &Call<'_>, world: &mut World) -> Reply {
    paid_only(call)?;
    let instance = ended(call, world, &missing(call))?;
    let rows = rows(&instance, &["customer_key", "bo_mtg_id", "participant_user_id"]);
    let page = pages::page(call, world, rows)?;
    Ok(Answer::ok(&pages::with(page.around, "participants", page.items)))
}

/// `GET /report/users/{userId}/meetings`
pub(super) fn user_meetings(call: &Call<'_>, world: &mut World) -> Reply {
    paid_only(call)?;
    let user = call.user(world)?;
    let date = |name: &str| {
        call.query
            .get(name)
            .and_then(calendar::date)
            .ok_or_else(|| Refusal::field(name, format!("Invalid parameter: {name}.")))
    };
    let (from, to) = (date("from")?, date("to")?);
    let (begin, end) = calendar::days(from, to);
    let items: Vec<Value> = world
        .instances
        .iter()
        .filter(|one| one.host_id == user.id && one.end.is_some() && one.people() > 1)
        .filter(|one| one.start >= begin && one.start < end)
        .map(|one| {
            let mut item = report(world, one);
            item.put("has_recording", one.recording.is_some());
            item
        })
        .collect();
    let page = pages::page(call, world, items)?;
    let mut body = pages::with(page.around, "meetings", page.items);
    body.put("from", from.to_string());
    body.put("to", to.to_string());
    Ok(Answer::ok(&body))
}
