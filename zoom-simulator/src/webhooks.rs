//! Webhooks: who gets which event, how it is written and signed, when it is sent again.

mod encode;
mod events;
mod handle;
mod outbox;
mod send;

use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) use self::{
    events::{
        app_deauthorized, meeting_changed, meeting_ended, meeting_started, meeting_updated, participant,
        recording_deleted, recording_done, recording_edge,
    },
    outbox::Outbox,
};
pub use self::{
    handle::{Order, Webhooks},
    outbox::{Attempt, DeliveryRecord, DeliveryState, Disruption, Subscription},
};
use crate::{
    config::AppKind,
    json::Fields as _,
    simulator::{Inner, Shared},
    world::World,
};

/// Who an event is about; apps they have not installed do not hear of it when Zoom is strict.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) user_id: &'a str,
}

/// The usual envelope.
pub(crate) fn envelope(event: &str, at: Timestamp, payload: Value) -> Value {
    json!({ "event": event, "event_ts": at.as_millisecond(), "payload": payload })
}

/// Sends an event to everybody who subscribed to it.
pub(crate) fn emit(sim: &Shared, world: &mut World, about: About<'_>, event: &Value) {
    let name = event.text("event").to_owned();
    world.count(format!("webhook.{name}"));
    let wanted: Vec<String> = world
        .outbox
        .subscriptions()
        .filter(|subscription| subscription.wants(&name))
        .filter(|subscription| {
            !sim.config().quirks.only_installed || installed(world, &subscription.client_id, about)
        })
        .map(|subscription| subscription.id.clone())
        .collect();
    let body = encode::encode(event);
    for subscription in wanted {
        send::queue(
            sim,
            world,
            &subscription,
            &name,
            event.field("event_ts").as_i64(),
            body.clone(),
        );
    }
}

fn installed(world: &World, client_id: &str, about: About<'_>) -> bool {
    let Some(app) = world.app(client_id) else {
        return false;
    };
    let connected = |id: &str| {
        world
            .tokens
            .grants_of(id)
            .iter()
            .any(|(_, client)| client == client_id)
    };
    match app.kind {
        AppKind::ServerToServer => app.account_id == about.account_id,
        AppKind::UserManaged => connected(about.user_id),
        AppKind::AccountManaged => world
            .users
            .iter()
            .any(|user| user.account_id == about.account_id && connected(&user.id)),
    }
}

/// The user removes one app or every one: tokens die and the apps hear of it.
pub(crate) fn deauthorize(sim: &Shared, user: &str, client_id: Option<&str>) -> usize {
    let mut world = sim.world();
    let Some(user_id) = world.user(user).map(|user| user.id.clone()) else {
        return 0;
    };
    let mut connected = world.tokens.grants_of(&user_id);
    connected.retain(|(_, client)| client_id.is_none_or(|wanted| wanted == client));
    for (grant, client_id) in &connected {
        world.tokens.end(*grant);
        app_deauthorized(sim, &mut world, client_id, &user_id);
    }
    connected.len()
}

/// The Secret Token an app signs with now.
fn secret(sim: &Inner, world: &World, client_id: &str) -> String {
    world.app(client_id).map_or_else(
        || sim.config().webhook_secret.clone(),
        |app| app.webhook_secret.clone(),
    )
}
