//! `POST /oauth/revoke`.

use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{authenticated, no_store, refused};
use crate::{
    answer::Answer,
    faults::{Fault, Struck, Surface},
    params::Params,
    simulator::Shared,
    webhooks,
};

/// Ends the authorization behind an access or refresh token. Zoom then says so by webhook.
pub(super) fn revoke(sim: &Shared, headers: &HeaderMap, params: &Params) -> (Answer, Option<Struck>) {
    let mut world = sim.world();
    world.count("revoke");
    let struck = world.faults.strike(Surface::Revoke, "POST /oauth/revoke");
    match struck.map(|struck| struck.fault) {
        Some(Fault::Http500) => return (Answer::status(StatusCode::INTERNAL_SERVER_ERROR), struck),
        Some(Fault::Http502) => return (Answer::bad_gateway(), struck),
        Some(Fault::Http503) => return (Answer::status(StatusCode::SERVICE_UNAVAILABLE), struck),
        Some(Fault::Http429) => return (Answer::status(StatusCode::TOO_MANY_REQUESTS), struck),
        _ => {}
    }
    let client_id = match authenticated(&world, headers, params) {
        Ok(app) => app.client_id.clone(),
        Err(answer) => return (answer, struck),
    };
    let text = params.get("token").unwrap_or_default();
    let found = world.tokens.grant_of(text).filter(|at| {
        world
            .tokens
            .grant(*at)
            .is_some_and(|grant| !grant.dead && grant.client_id == client_id)
    });
    let Some(at) = found else {
        return (refused("Invalid Token!", "invalid_request"), struck);
    };
    let user_id = world
        .tokens
        .grant(at)
        .map(|grant| grant.user_id.clone())
        .unwrap_or_default();
    world.tokens.end_grant(at);
    webhooks::app_deauthorized(sim, &mut world, &client_id, &user_id);
    (no_store(Answer::ok(&json!({ "status": "success" }))), struck)
}
