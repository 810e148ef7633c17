//! Subscriptions and deliveries.

use std::{sync::Arc, time::Duration};

use axum::{body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{body, done, refused};
use crate::{
    answer::Answer,
    error::Error,
    json::Fields as _,
    simulator::Shared,
    webhooks::{Disruption, Order, Webhooks},
};

fn handle(sim: &Shared) -> Webhooks {
    Webhooks::new(Arc::clone(sim))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    url: Url,
    client_id: Option<String>,
    #[serde(default)]
    events: Vec<String>,
}

pub(super) async fn subscribe(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: Subscribe = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let client_id = wanted
        .client_id
        .as_deref()
        .unwrap_or(&sim.config().client_id)
        .to_owned();
    let events: Vec<&str> = wanted.events.iter().map(String::as_str).collect();
    let id = handle(&sim)
        .subscribe_to(&wanted.url, &client_id, &events, &[])
        .await;
    done(id.map(|id| json!({ "id": id })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsubscribe {
    id: String,
}

pub(super) async fn unsubscribe(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    match body::<Unsubscribe>(&bytes) {
        Ok(wanted) => {
            handle(&sim).unsubscribe(&wanted.id);
            Answer::ok(&json!({}))
        }
        Err(answer) => answer,
    }
}

pub(super) async fn log(State(sim): State<Shared>) -> Answer {
    Answer::ok(&json!(handle(&sim).deliveries()))
}

pub(super) async fn send(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let event: Value = match body(&bytes) {
        Ok(event) => event,
        Err(answer) => return answer,
    };
    if !event.field("event").is_string() {
        return refused("an event has a name under `event`");
    }
    handle(&sim).send(&event);
    Answer::ok(&json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Duplicate {
    event: String,
}

pub(super) async fn duplicate(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    match body::<Duplicate>(&bytes) {
        Ok(wanted) if handle(&sim).duplicate(&wanted.event) => Answer::ok(&json!({})),
        Ok(wanted) => done(Err(Error::unknown(format!("webhook of {}", wanted.event)))),
        Err(answer) => answer,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Disrupt {
    disruption: Name,
    seconds: Option<u64>,
    event: Option<String>,
    times: Option<usize>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Drop,
    Duplicate,
    Delay,
    WrongSignature,
    Unsigned,
    Stale,
}

pub(super) async fn disrupt(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    let wanted: Disrupt = match body(&bytes) {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let by = |or| Duration::from_secs(wanted.seconds.unwrap_or(or));
    let disruption = match wanted.disruption {
        Name::Drop => Disruption::Drop,
        Name::Duplicate => Disruption::Duplicate,
        Name::Delay => Disruption::Delay(by(600)),
        Name::WrongSignature => Disruption::WrongSignature,
        Name::Unsigned => Disruption::Unsigned,
        Name::Stale => Disruption::Stale(by(24 * 3600)),
    };
    for _ in 0..wanted.times.unwrap_or(1) {
        handle(&sim).disrupt(disruption, wanted.event.as_deref());
    }
    Answer::ok(&json!({}))
}

pub(super) async fn hold(State(sim): State<Shared>) -> Answer {
    handle(&sim).hold();
    Answer::ok(&json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    #[serde(default)]
    order: Order,
}

pub(super) async fn release(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    match body::<Release>(&bytes) {
        Ok(wanted) => {
            handle(&sim).release(wanted.order);
            Answer::ok(&json!({}))
        }
        Err(answer) => answer,
    }
}
