//! Pages of lists, and the opaque tokens between them.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Call;
use crate::{answer::Refusal, faults::Fault, json::Fields as _, world::World};

const TOKEN_MINUTES: i64 = 15;
const DEFAULT_SIZE: usize = 30;
const MAX_SIZE: usize = 300;

/// Page tokens that are out there.
#[derive(Debug, Default)]
pub(crate) struct Pages(HashMap<String, Next>);

#[derive(Debug)]
struct Next {
    /// The request it belongs to.
    list: String,
    offset: usize,
    expires: Timestamp,
}

/// One page with what Zoom says around it.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    /// `page_count`, `page_size`, `total_records`, `next_page_token`.
    pub(super) around: Value,
}

fn invalid() -> Refusal {
    Refusal::bad(300, "The next page token is invalid or expired.")
}

/// Cuts the page out of the list that the query asks for.
pub(super) fn page(call: &Call<'_>, world: &mut World, items: Vec<Value>) -> Result<Page, Refusal> {
    let now = call.sim.clock.now();
    let size = size(call)?;
    let list = format!(
        "{} {} {}",
        call.endpoint.path,
        call.segments.join("/"),
        call.query.fingerprint(&["next_page_token", "page_size"])
    );
    let offset = match call.query.get("next_page_token") {
        None => 0,
        Some(token) => {
            let next = world.pages.0.get(token).ok_or_else(invalid)?;
            if next.list != list || next.expires <= now {
                return Err(invalid());
            }
            next.offset
        }
    };
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip(offset).take(size).collect();
    let end = offset + items.len();
    let token = if end < total {
        let token = world.random.text(32);
        let expires = now
            .saturating_add(SignedDuration::from_mins(TOKEN_MINUTES))
            .unwrap_or(now);
        world.pages.0.insert(
            token.clone(),
            Next {
                list,
                offset: end,
                expires,
            },
        );
        token
    } else {
        String::new()
    };
    let around = json!({
        "page_count": total.div_ceil(size), "page_size": size, "total_records": total, "next_page_token": token,
    });
    Ok(Page { items, around })
}

/// Refuses whatever token comes, as if a quarter of an hour had passed.
pub(super) fn expire(world: &mut World, fault: Option<Fault>) {
    if fault == Some(Fault::ExpiredPageToken) {
        world.pages.0.clear();
    }
}

fn size(call: &Call<'_>) -> Result<usize, Refusal> {
    let Some(text) = call.query.get("page_size") else {
        return Ok(DEFAULT_SIZE);
    };
    let wrong = || Refusal::field("page_size", "Invalid parameter: page_size.");
    let size: usize = text.parse().map_err(|_| wrong())?;
    match size {
        0 => Err(wrong()),
        size if size > MAX_SIZE && call.sim.config().quirks.page_size_error => Err(wrong()),
        size => Ok(size.min(MAX_SIZE)),
    }
}

/// The page as Zoom writes it: the numbers, then the list under its name.
pub(super) fn with(mut around: Value, name: &str, items: Vec<Value>) -> Value {
    around.put(name, Value::Array(items));
    around
}
