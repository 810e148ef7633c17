//! Sending: signed, within a deadline, three times again.

use std::{sync::Arc, time::Duration};

use http::header::CONTENT_TYPE;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    encode,
    outbox::{Attempt, DeliveryState, Disruption, Subscription},
    secret,
};
use crate::{
    error::Error,
    json::Fields as _,
    oauth::hmac_sha256_hex,
    simulator::{Inner, Shared},
    world::World,
};

/// After the first attempt, after the first retry, after the second.
const RETRY_MINUTES: [i64; 3] = [5, 20, 60];
const REVALIDATE_HOURS: i64 = 72;

/// Puts an event on its way to one subscription, unless something happens to it.
pub(super) fn queue(
    sim: &Shared,
    world: &mut World,
    subscription: &str,
    event: &str,
    event_ts: Option<i64>,
    body: String,
) {
    let disruption = world.outbox.disruption(event);
    let id = world.outbox.add(subscription, event, event_ts, body.clone());
    let holding = world.outbox.holding;
    if let Some(record) = world.outbox.delivery(id) {
        record.spoilt = disruption;
        record.state = match disruption {
            Some(Disruption::Drop) => DeliveryState::Dropped,
            _ if holding => DeliveryState::Held,
            _ => DeliveryState::Queued,
        };
        if record.state != DeliveryState::Queued {
            world.outbox.changed.send_replace(());
            return;
        }
    }
    match disruption {
        Some(Disruption::Delay(by)) => later(sim, id, by),
        Some(Disruption::Duplicate) => {
            start(world, id);
            let again = world.outbox.add(subscription, event, event_ts, body);
            start(world, again);
        }
        _ => start(world, id),
    }
}

/// The first attempt, after those that were queued before.
pub(super) fn start(world: &mut World, id: u64) {
    let Some(record) = world.outbox.delivery(id) else {
        return;
    };
    record.state = DeliveryState::Queued;
    let subscription = record.subscription.clone();
    let queue = world
        .outbox
        .subscription(&subscription)
        .map(|subscription| subscription.queue.clone());
    if queue.is_some_and(|queue| queue.send(id).is_ok()) {
        world.outbox.busy += 1;
    }
    world.outbox.changed.send_replace(());
}

fn later(sim: &Shared, id: u64, by: Duration) {
    let due = after(
        sim.clock.now(),
        SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX),
    );
    let sim = Arc::clone(sim);
    tokio::spawn(async move {
        tokio::select! {
            () = sim.stop.cancelled() => return,
            () = sim.clock.reach(due) => {}
        }
        start(&mut sim.world(), id);
    });
}

/// Takes a subscription's events in their order. Retries do not hold up what comes after.
pub(super) fn spawn_worker(sim: &Shared, mut queue: mpsc::UnboundedReceiver<u64>) {
    let sim = Arc::clone(sim);
    tokio::spawn(async move {
        loop {
            let id = tokio::select! {
                () = sim.stop.cancelled() => return,
                id = queue.recv() => id,
            };
            let Some(id) = id else { return };
            let signed_at = sim.clock.now();
            let over = attempt(&sim, id, signed_at, false).await;
            sim.world().outbox.done();
            if !over {
                tokio::spawn(retry(Arc::clone(&sim), id, signed_at));
            }
        }
    });
}

/// After the first attempt failed, which was made at `first`; each wait counts from the attempt before.
async fn retry(sim: Shared, id: u64, first: Timestamp) {
    let mut at = first;
    for (nth, minutes) in RETRY_MINUTES.into_iter().enumerate() {
        let due = after(at, SignedDuration::from_mins(minutes));
        tokio::select! {
            () = sim.stop.cancelled() => return,
            () = sim.clock.reach(due) => {}
        }
        sim.world().outbox.busy += 1;
        at = sim.clock.now();
        let signed_at = if sim.config().quirks.resign_retries {
            at
        } else {
            first
        };
        let over = attempt(&sim, id, signed_at, nth + 1 == RETRY_MINUTES.len()).await;
        sim.world().outbox.done();
        if over {
            return;
        }
    }
}

/// One try. Returns whether it is over with this event.
async fn attempt(sim: &Shared, id: u64, signed_at: Timestamp, last: bool) -> bool {
    let prepared = {
        let mut world = sim.world();
        let Some(record) = world.outbox.delivery(id).map(|record| record.clone()) else {
            return true;
        };
        let subscription = world.outbox.subscription(&record.subscription).cloned();
        subscription.map(|subscription| {
            let secret = secret(sim, &world, &subscription.client_id);
            let tracking = world.random.tracking_id();
            (
                request(
                    sim,
                    &subscription,
                    &secret,
                    &tracking,
                    &record.body,
                    signed_at,
                    record.spoilt,
                ),
                record,
            )
        })
    };
    let Some((request, _)) = prepared else { return true };
    let at = sim.clock.now();
    let status = request
        .send()
        .await
        .ok()
        .map(|response| response.status().as_u16());
    let delivered = status.is_some_and(|status| (200..300).contains(&status));
    let refused = !sim.config().quirks.retry_4xx && status.is_some_and(|status| (400..500).contains(&status));
    let over = delivered || refused || last;
    let mut world = sim.world();
    if let Some(record) = world.outbox.delivery(id) {
        record.attempts.push(Attempt { at, status });
        record.state = match (delivered, over) {
            (true, _) => DeliveryState::Delivered,
            (false, true) => DeliveryState::GaveUp,
            (false, false) => DeliveryState::Waiting,
        };
    }
    world.outbox.changed.send_replace(());
    over
}

fn request(
    sim: &Inner,
    subscription: &Subscription,
    secret: &str,
    tracking: &str,
    body: &str,
    signed_at: Timestamp,
    spoilt: Option<Disruption>,
) -> reqwest::RequestBuilder {
    let signed_at = match spoilt {
        Some(Disruption::Stale(age)) => signed_at
            .saturating_sub(SignedDuration::try_from(age).unwrap_or_default())
            .unwrap_or(signed_at),
        _ => signed_at,
    };
    let timestamp = signed_at.as_second();
    let signed = match spoilt {
        Some(Disruption::WrongSignature) => "{}",
        _ => body,
    };
    let signature = hmac_sha256_hex(secret, format!("v0:{timestamp}:{signed}").as_bytes());
    let mut request = sim
        .http
        .post(&subscription.url)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header("clientid", &subscription.client_id)
        .header("x-zm-trackingid", tracking);
    if spoilt != Some(Disruption::Unsigned) {
        request = request
            .header("x-zm-request-timestamp", timestamp.to_string())
            .header("x-zm-signature", format!("v0={signature}"));
    }
    for (name, value) in &subscription.headers {
        request = request.header(name, value);
    }
    request.body(body.to_owned())
}

/// The challenge: the receiver proves that it knows the secret.
pub(super) async fn validate(sim: &Inner, subscription: &Subscription) -> Result<(), Error> {
    let now = sim.clock.now();
    let (plain, secret, tracking) = {
        let mut world = sim.world();
        world.count("webhook.endpoint.url_validation");
        (
            world.random.text(22),
            secret(sim, &world, &subscription.client_id),
            world.random.tracking_id(),
        )
    };
    let event = json!({
        "event": "endpoint.url_validation", "event_ts": now.as_millisecond(), "payload": { "plainToken": plain },
    });
    let body = encode::encode(&event);
    let response = request(sim, subscription, &secret, &tracking, &body, now, None)
        .send()
        .await
        .map_err(|_| Error::refused("the endpoint did not answer the URL validation in time"))?;
    if response.status() != http::StatusCode::OK {
        return Err(Error::refused(format!(
            "the endpoint answered the URL validation with {}",
            response.status()
        )));
    }
    let answer: Value = response
        .json()
        .await
        .map_err(|_| Error::refused("the endpoint answered the URL validation with no JSON"))?;
    if answer.text("plainToken") != plain
        || answer.text("encryptedToken") != hmac_sha256_hex(&secret, plain.as_bytes())
    {
        return Err(Error::refused(
            "the endpoint answered the URL validation with the wrong token",
        ));
    }
    Ok(())
}

/// Zoom asks again every 72 hours.
pub(super) fn spawn_revalidation(sim: &Shared, id: String) {
    let sim = Arc::clone(sim);
    let mut due = sim.clock.now();
    tokio::spawn(async move {
        loop {
            due = after(due, SignedDuration::from_hours(REVALIDATE_HOURS));
            tokio::select! {
                () = sim.stop.cancelled() => return,
                () = sim.clock.reach(due) => {}
            }
            let Some(subscription) = sim.world().outbox.subscription(&id).cloned() else {
                return;
            };
            let valid = validate(&sim, &subscription).await.is_ok();
            let mut world = sim.world();
            if let Some(subscription) = world.outbox.subscriptions.iter_mut().find(|one| one.id == id) {
                subscription.failed_validations = if valid {
                    0
                } else {
                    subscription.failed_validations + 1
                };
            }
            world.outbox.changed.send_replace(());
        }
    });
}

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}
