//! What tests and demos can do with webhooks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use url::Url;

use super::{
    About, DeliveryRecord, DeliveryState, Disruption, Subscription, emit,
    send::{self, start},
};
use crate::{error::Error, json::Fields as _, simulator::Shared};

/// A handle on the simulator's webhooks.
#[derive(Clone, Debug)]
pub struct Webhooks {
    sim: Shared,
}

/// In which order held webhooks go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// As they were made.
    #[default]
    AsMade,
    /// The last one first.
    Reversed,
    /// By chance, from the seed.
    Shuffled,
}

impl Webhooks {
    pub(crate) const fn new(sim: Shared) -> Self {
        Self { sim }
    }

    /// All events of the default app go to this address, once it has answered the URL validation.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when the endpoint does not answer the challenge as it must.
    pub async fn subscribe(&self, url: &Url) -> Result<String, Error> {
        let client_id = self.sim.config().client_id.clone();
        self.subscribe_to(url, &client_id, &[], &[]).await
    }

    /// These events of an app go to this address, each with these headers. No events means all; `recording.*` is a family.
    ///
    /// # Errors
    ///
    /// [`Error::is_unknown`] when there is no such app; [`Error::is_refused`] when the endpoint does not answer the
    /// challenge as it must.
    pub async fn subscribe_to(
        &self,
        url: &Url,
        client_id: &str,
        events: &[&str],
        headers: &[(&str, &str)],
    ) -> Result<String, Error> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let id = {
            let mut world = self.sim.world();
            if world.app(client_id).is_none() {
                return Err(Error::unknown(format!("app {client_id}")));
            }
            world.random.text(22)
        };
        let subscription = Subscription {
            id: id.clone(),
            client_id: client_id.to_owned(),
            url: url.as_str().to_owned(),
            events: events.iter().map(|&event| event.to_owned()).collect(),
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            failed_validations: 0,
            queue: sender,
        };
        send::validate(&self.sim, &subscription).await?;
        self.sim.world().outbox.subscriptions.push(subscription);
        send::spawn_worker(&self.sim, receiver);
        send::spawn_revalidation(&self.sim, id.clone());
        Ok(id)
    }

    /// No more events for this subscription.
    pub fn unsubscribe(&self, id: &str) {
        self.sim
            .world()
            .outbox
            .subscriptions
            .retain(|subscription| subscription.id != id);
    }

    /// Everybody who gets events.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.sim.world().outbox.subscriptions.clone()
    }

    /// Sends any event: an envelope with `event`, `event_ts` and `payload`.
    pub fn send(&self, event: &Value) {
        let about = About {
            account_id: event.field("payload").text("account_id"),
            user_id: event.field("payload").field("object").text("host_id"),
        };
        emit(&self.sim, &mut self.sim.world(), about, event);
    }

    /// Sends the last webhook of this event once more, byte by byte the same. Returns whether there was one.
    pub fn duplicate(&self, event: &str) -> bool {
        let mut world = self.sim.world();
        let Some(last) = world
            .outbox
            .deliveries
            .iter()
            .rfind(|record| record.event == event)
            .cloned()
        else {
            return false;
        };
        let again = world
            .outbox
            .add(&last.subscription, &last.event, last.event_ts, last.body);
        start(&mut world, again);
        true
    }

    /// Something happens to the next webhook; with a name, to the next of that event.
    pub fn disrupt(&self, disruption: Disruption, event: Option<&str>) {
        let entry = (disruption, event.map(str::to_owned));
        self.sim.world().outbox.disruptions.push_back(entry);
    }

    /// The next so many webhooks never arrive.
    pub fn drop_next(&self, how_many: usize) {
        for _ in 0..how_many {
            self.disrupt(Disruption::Drop, None);
        }
    }

    /// Keeps back what is to be sent from now on.
    pub fn hold(&self) {
        self.sim.world().outbox.holding = true;
    }

    /// Sends what was kept back, and no longer keeps anything.
    pub fn release(&self, order: Order) {
        let mut world = self.sim.world();
        world.outbox.holding = false;
        let mut held: Vec<u64> = world
            .outbox
            .deliveries
            .iter()
            .filter(|record| record.state == DeliveryState::Held)
            .map(|record| record.id)
            .collect();
        match order {
            Order::AsMade => {}
            Order::Reversed => held.reverse(),
            Order::Shuffled => held.sort_by_cached_key(|_| world.random.number()),
        }
        for id in held {
            start(&mut world, id);
        }
    }

    /// The app signs with another Secret Token from now on.
    pub fn rotate_secret(&self, client_id: &str, secret: &str) {
        if let Some(app) = self
            .sim
            .world()
            .apps
            .iter_mut()
            .find(|app| app.client_id == client_id)
        {
            secret.clone_into(&mut app.webhook_secret);
        }
    }

    /// Everything that was sent, or was to be sent.
    #[must_use]
    pub fn deliveries(&self) -> Vec<DeliveryRecord> {
        self.sim.world().outbox.deliveries.clone()
    }

    /// Returns when the log is as wanted.
    pub async fn until(&self, wanted: impl Fn(&[DeliveryRecord]) -> bool) {
        let mut changed = self.sim.world().outbox.changed.subscribe();
        while !wanted(&self.sim.world().outbox.deliveries) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Returns when nothing is queued or under way. What waits for its retry waits for the clock and does not count.
    pub async fn settled(&self) {
        let changed = Arc::clone(&self.sim.world().outbox.changed);
        let mut changed = changed.subscribe();
        while self.sim.world().outbox.busy > 0 {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}
