//! Clock, tokens, faults.

use std::time::Duration;

use axum::{body::Bytes, extract::State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{body, done, refused};
use crate::{
    answer::Answer,
    error::Error,
    faults::{Failure, Fault},
    oauth::{Consent, Decision, Turned, decide_device, install_request},
    params::Params,
    simulator::Shared,
    webhooks,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    advance_seconds: Option<u64>,
    set: Option<Timestamp>,
    frozen: Option<bool>,
}

pub(super) async fn clock(State(sim): State<Shared>) -> Answer {
    Answer::ok(&json!({ "now": sim.clock.now(), "frozen": sim.clock.is_frozen() }))
}

pub(super) async fn set_clock(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: SetClock = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    match wanted.frozen {
        Some(true) => sim.clock.freeze(),
        Some(false) => sim.clock.resume(),
        None => {}
    }
    if let Some(to) = wanted.set {
        sim.clock.set(to);
    }
    if let Some(seconds) = wanted.advance_seconds {
        sim.clock.advance(Duration::from_secs(seconds));
    }
    clock(State(sim)).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorize {
    url: Url,
    user: Option<String>,
    #[serde(default)]
    deny: bool,
    optional_scopes: Option<Vec<String>>,
}

pub(super) async fn authorize(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: Authorize = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let mut world = sim.world();
    let decision = match (wanted.deny, wanted.user) {
        (true, _) => Decision::Deny,
        (false, user) => Decision::Allow {
            user: user
                .or_else(|| world.users.first().map(|user| user.id.clone()))
                .unwrap_or_default(),
            optional_scopes: wanted.optional_scopes,
        },
    };
    match Consent::read(&sim, &world, &Params::parse(wanted.url.query())) {
        Ok(consent) => {
            let to = consent.decide(&sim, &mut world, &decision);
            went(to)
        }
        Err(stop) => stop.answer(),
    }
}

fn went(to: Result<Url, Turned>) -> Answer {
    done(
        to.map(|to| json!({ "location": to }))
            .map_err(|turned| Error::refused(turned.reason)),
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Install {
    client_id: Option<String>,
    user: Option<String>,
    redirect_uri: Option<Url>,
    optional_scopes: Option<Vec<String>>,
}

/// Somebody presses *Add* in the Marketplace.
pub(super) async fn install(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: Install = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let client_id = wanted.client_id.unwrap_or_else(|| sim.config().client_id.clone());
    let mut world = sim.world();
    let decision = Decision::Allow {
        user: wanted
            .user
            .or_else(|| world.users.first().map(|user| user.id.clone()))
            .unwrap_or_default(),
        optional_scopes: wanted.optional_scopes,
    };
    let query = match install_request(&world, &client_id, wanted.redirect_uri.as_ref().map(Url::as_str)) {
        Ok(query) => query,
        Err(turned) => return went(Err(turned)),
    };
    match Consent::read(&sim, &world, &Params::parse(Some(&query))) {
        Ok(consent) => went(consent.decide(&sim, &mut world, &decision)),
        Err(stop) => stop.answer(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    user_code: String,
    user: Option<String>,
    #[serde(default)]
    deny: bool,
}

/// Answers a device.
pub(super) async fn device(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: Device = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let mut world = sim.world();
    let decision = match (wanted.deny, wanted.user) {
        (true, _) => Decision::Deny,
        (false, user) => Decision::Allow {
            user: user
                .or_else(|| world.users.first().map(|user| user.id.clone()))
                .unwrap_or_default(),
            optional_scopes: None,
        },
    };
    let said = decide_device(&sim, &mut world, &wanted.user_code, &decision);
    done(
        said.map(|()| json!({}))
            .map_err(|turned| Error::refused(turned.reason)),
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    user: Option<String>,
    #[serde(default)]
    kind: TokenKind,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TokenKind {
    #[default]
    Access,
    Refresh,
}

pub(super) async fn expire(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: Expire = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let now = sim.clock.now();
    let mut world = sim.world();
    let id = match &wanted.user {
        None => None,
        Some(user) => match world.user(user) {
            Some(user) => Some(user.id.clone()),
            None => return done(Err(Error::unknown(format!("user {user}")))),
        },
    };
    let expired = match wanted.kind {
        TokenKind::Access => world.tokens.expire_access(
            |_, caller| id.as_ref().is_none_or(|id| caller.user_id == *id),
            now,
        ),
        TokenKind::Refresh => world.tokens.expire_refresh(id.as_deref()),
    };
    Answer::ok(&json!({ "expired": expired }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    user: String,
    client_id: Option<String>,
}

pub(super) async fn revoke(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    match body::<Revoke>(&bytes) {
        Ok(wanted) => Answer::ok(
            &json!({ "revoked": webhooks::deauthorize(&sim, &wanted.user, wanted.client_id.as_deref()) }),
        ),
        Err(answer) => answer,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddFault {
    fault: Fault,
    route: Option<String>,
    times: Option<u32>,
    after: Option<u32>,
    delay_ms: Option<u64>,
}

pub(super) async fn add_fault(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: AddFault = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    if wanted.times == Some(0) {
        return refused("times must be at least 1");
    }
    let mut failure = Failure::new(wanted.fault)
        .times(wanted.times.unwrap_or(1))
        .after(wanted.after.unwrap_or(0));
    if let Some(route) = wanted.route {
        failure = failure.on(route);
    }
    if let Some(delay) = wanted.delay_ms {
        failure = failure.delay(Duration::from_millis(delay));
    }
    let mut world = sim.world();
    world.faults.add(failure);
    Answer::ok(&json!({ "pending": world.faults.pending() }))
}

pub(super) async fn clear_faults(State(sim): State<Shared>) -> Answer {
    sim.world().faults.clear();
    Answer::ok(&json!({ "pending": [] }))
}

pub(super) async fn release(State(sim): State<Shared>) -> Answer {
    sim.world().faults.release();
    Answer::ok(&json!({}))
}
