//! `/control/…`: everything the library can do, over HTTP, for other languages, for zoomctl and for people with curl.

mod meetings;
mod people;
mod rules;
mod steer;
mod webhooks;

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use http::{StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    clock::zoom_time,
    error::Error,
    json::Fields as _,
    params::Params,
    simulator::{Inner, Shared},
};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/control", get(index))
        .route("/control/world", get(show_world))
        .route("/control/counters", get(counters))
        .route("/control/clock", get(steer::clock).post(steer::set_clock))
        .route("/control/authorize", post(steer::authorize))
        .route("/control/install", post(steer::install))
        .route("/control/device", post(steer::device))
        .route("/control/rules", get(rules::show).post(rules::change))
        .route(
            "/control/users",
            post(people::change_user).delete(people::remove_user),
        )
        .route("/control/apps", post(people::change_app))
        .route("/control/tokens/expire", post(steer::expire))
        .route("/control/tokens/revoke", post(steer::revoke))
        .route(
            "/control/faults",
            post(steer::add_fault).delete(steer::clear_faults),
        )
        .route("/control/faults/release", post(steer::release))
        .route("/control/meetings", post(meetings::hold))
        .route(
            "/control/subscriptions",
            post(webhooks::subscribe).delete(webhooks::unsubscribe),
        )
        .route("/control/webhooks", get(webhooks::log).post(webhooks::send))
        .route("/control/webhooks/duplicate", post(webhooks::duplicate))
        .route("/control/webhooks/disrupt", post(webhooks::disrupt))
        .route("/control/webhooks/hold", post(webhooks::hold))
        .route("/control/webhooks/release", post(webhooks::release))
        .layer(axum::extract::DefaultBodyLimit::max(256 * 1024 * 1024))
}

const INDEX: &[(&str, &str)] = &[
    (
        "GET /control/world",
        "apps, users, meetings, instances, connections, subscriptions",
    ),
    (
        "GET /control/counters",
        "how often what was asked for; ?until=NAME&at_least=N&seconds=S waits for it",
    ),
    ("GET|POST /control/clock", "{advance_seconds, set, frozen}"),
    (
        "POST /control/authorize",
        "{url, user, deny, optional_scopes}: answers the consent page, gives the address to go to",
    ),
    (
        "POST /control/install",
        "{client_id, user, redirect_uri}: an install from the Marketplace; a code and no state",
    ),
    (
        "POST /control/device",
        "{user_code, user, deny}: answers a device",
    ),
    (
        "GET|POST /control/rules",
        "{rotation, api_url, access_token_life, refresh_token_life, code_life, s2s_single_token, paid_account, quirks}",
    ),
    (
        "POST|DELETE /control/users",
        "{user, kind, status, role, settings, …}: changes or adds | {user}: removes",
    ),
    (
        "POST /control/apps",
        "{client_id, disabled, approved, scopes, …}: changes; with kind: adds",
    ),
    ("POST /control/tokens/expire", "{user, kind: access|refresh}"),
    (
        "POST /control/tokens/revoke",
        "{user, client_id}: removes the app, sends app_deauthorized",
    ),
    (
        "POST|DELETE /control/faults",
        "{fault, route, times, after, delay_ms}",
    ),
    ("POST /control/faults/release", "what is held goes on"),
    (
        "POST /control/meetings",
        "{host, sample | topic, meeting_id, start, end, minutes, participants, vtt, chat, m4a_base64}",
    ),
    (
        "POST|DELETE /control/subscriptions",
        "{url, client_id, events} | {id}",
    ),
    ("GET|POST /control/webhooks", "the log | an event to send"),
    ("POST /control/webhooks/duplicate", "{event}"),
    (
        "POST /control/webhooks/disrupt",
        "{disruption: drop|duplicate|delay|wrong_signature|unsigned|stale, seconds, event, times}",
    ),
    ("POST /control/webhooks/hold", "keeps webhooks back"),
    (
        "POST /control/webhooks/release",
        "{order: as_made|reversed|shuffled}",
    ),
];

async fn index() -> Answer {
    let routes = INDEX
        .iter()
        .map(|(route, what)| json!({ "route": route, "what": what }));
    Answer::ok(&routes.collect())
}

async fn show_world(State(sim): State<Shared>) -> Answer {
    Answer::ok(&world(&sim))
}

pub(crate) fn world(sim: &Inner) -> Value {
    let mut world = sim.world().summary();
    world.put("base_url", sim.base.as_str());
    world.put("media_origin", sim.cdn.as_str());
    world.put("account_id", sim.config().account_id.as_str());
    world.put("now", zoom_time(sim.clock.now()));
    world
}

/// With `until`, not before that was counted so often, or the seconds are over (by the machine's clock).
async fn counters(State(sim): State<Shared>, uri: Uri) -> Answer {
    let params = Params::parse(uri.query());
    if let Some(until) = params.get("until") {
        let number = |name, or| params.get(name).and_then(|text| text.parse().ok()).unwrap_or(or);
        let seconds = Duration::from_secs(number("seconds", 30));
        let reached = tokio::time::timeout(seconds, sim.until_count(until, number("at_least", 1))).await;
        if reached.is_err() {
            return Answer::json(
                StatusCode::REQUEST_TIMEOUT,
                &json!({ "error": format!("{until} was not counted so often in time") }),
            );
        }
    }
    Answer::ok(&json!(sim.world().counters))
}

/// The body as JSON; no body is an empty object.
fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Answer> {
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) {
        b"{}"
    } else {
        bytes
    };
    serde_json::from_slice(bytes).map_err(|error| refused(&error.to_string()))
}

fn refused(why: &str) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, &json!({ "error": why }))
}

fn done(result: Result<Value, Error>) -> Answer {
    match result {
        Ok(value) => Answer::ok(&value),
        Err(error) if error.is_unknown() => {
            Answer::json(StatusCode::NOT_FOUND, &json!({ "error": error.to_string() }))
        }
        Err(error) => refused(&error.to_string()),
    }
}
