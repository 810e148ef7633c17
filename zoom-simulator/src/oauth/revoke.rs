//! `POST /oauth/revoke`.

use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{authenticated, denied::Denied, no_store};
use crate::{
    answer::Answer,
    faults::{Fault, Struck, Surface},
    params::Params,
    simulator::Shared,
    webhooks,
};

/// Counts the request; whatever strikes it comes back.
pub(super) fn arrive(sim: &Shared) -> Option<Struck> {
    let mut world = sim.world();
    world.count("revoke");
    world.faults.strike(Surface::Revoke, "POST /oauth/revoke")
}

/// Ends the authorization behind an access or refresh token. Zoom then says so by webhook.
pub(super) fn revoke(sim: &Shared, headers: &HeaderMap, params: &Params, fault: Option<Fault>) -> Answer {
    match fault {
        Some(Fault::Http500) => return Answer::status(StatusCode::INTERNAL_SERVER_ERROR),
        Some(Fault::Http502) => return Answer::bad_gateway(),
        Some(Fault::Http503) => return Answer::status(StatusCode::SERVICE_UNAVAILABLE),
        Some(Fault::Http429) => return Answer::status(StatusCode::TOO_MANY_REQUESTS),
        Some(Fault::ConnectionReset | Fault::Timeout) => return Answer::status(StatusCode::OK),
        _ => {}
    }
    let mut world = sim.world();
    let quirks = &sim.config().quirks;
    let client_id = match authenticated(&world, headers, params) {
        Ok(app) => app.client_id.clone(),
        Err(denied) => return denied.answer(quirks),
    };
    let text = params.get("token").unwrap_or_default();
    let found = world.tokens.grant_of(text).and_then(|at| {
        let grant = world.tokens.grant(at)?;
        (grant.lives() && grant.client_id == client_id).then(|| (at, grant.user_id.clone()))
    });
    let Some((at, user_id)) = found else {
        return Denied::DeadToken.answer(quirks);
    };
    world.tokens.end(at);
    world.count("revoke.done");
    webhooks::app_deauthorized(sim, &mut world, &client_id, &user_id);
    no_store(Answer::ok(&json!({ "status": "success" })))
}
