//! Subscriptions, and every webhook that was to be sent.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

/// An address that gets events of an app.
#[derive(Clone)]
pub struct Subscription {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) url: String,
    /// Names, or a family with a star (`recording.*`); empty is everything.
    pub(crate) events: Vec<String>,
    /// Sent along with each event, as the Marketplace lets one set.
    pub(crate) headers: Vec<(String, String)>,
    /// Failed validations in a row; after six no more events come.
    pub(crate) failed_validations: u32,
    pub(super) queue: mpsc::UnboundedSender<u64>,
}

impl fmt::Debug for Subscription {
    /// Without the headers: they may be what the receiver knows Zoom by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id)
            .field("url", &self.url)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl Subscription {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where events go.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many validations in a row it has failed.
    #[must_use]
    pub const fn failed_validations(&self) -> u32 {
        self.failed_validations
    }

    /// Whether events are sent: an address that fails its validation six times in a row gets none.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.failed_validations < 6
    }

    pub(super) fn wants(&self, event: &str) -> bool {
        let listed = |name: &String| {
            name == event
                || name
                    .strip_suffix('*')
                    .is_some_and(|family| event.starts_with(family))
        };
        self.is_active() && (self.events.is_empty() || self.events.iter().any(listed))
    }

    pub(crate) fn summary(&self) -> Value {
        json!({
            "id": self.id, "client_id": self.client_id, "url": self.url, "events": self.events,
            "active": self.is_active(),
        })
    }
}

/// One event for one subscription, and what became of it.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct DeliveryRecord {
    /// Number in the log.
    pub id: u64,
    /// The event's name.
    pub event: String,
    /// The event's own time in milliseconds, where it has one.
    pub event_ts: Option<i64>,
    /// The subscription's id.
    pub subscription: String,
    /// The bytes that are sent and signed, as text.
    pub body: String,
    /// How far it got.
    pub state: DeliveryState,
    /// Every try.
    pub attempts: Vec<Attempt>,
    #[serde(skip)]
    pub(super) spoilt: Option<Disruption>,
}

impl fmt::Debug for DeliveryRecord {
    /// Without the body: it may hold a download token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryRecord")
            .field("id", &self.id)
            .field("event", &self.event)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl DeliveryRecord {
    /// HTTP status of each attempt; 0 when there was no answer in time.
    #[must_use]
    pub fn statuses(&self) -> Vec<u16> {
        self.attempts
            .iter()
            .map(|attempt| attempt.status.unwrap_or(0))
            .collect()
    }
}

/// How far a webhook got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryState {
    /// On its way.
    Queued,
    /// Kept back until somebody releases it.
    Held,
    /// Failed, and waiting for its next attempt.
    Waiting,
    /// The receiver said yes.
    Delivered,
    /// Four attempts failed; it never comes again.
    GaveUp,
    /// Lost on purpose.
    Dropped,
}

/// One try to deliver.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// When, by the simulator's clock.
    pub at: Timestamp,
    /// What the receiver answered; none when nothing came in time.
    pub status: Option<u16>,
}

/// What can happen to a webhook on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disruption {
    /// It never arrives.
    Drop,
    /// It arrives twice.
    Duplicate,
    /// It arrives later by this much of the simulator's time.
    Delay(Duration),
    /// Its signature is that of another body.
    WrongSignature,
    /// It has no signature and no timestamp.
    Unsigned,
    /// It is signed rightly, with a time that is older by this much.
    Stale(Duration),
}

/// Everything about webhooks that has to be remembered.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) deliveries: Vec<DeliveryRecord>,
    /// What happens to the next events, each for one name or any.
    pub(super) disruptions: VecDeque<(Disruption, Option<String>)>,
    pub(super) holding: bool,
    /// Attempts that are queued or under way.
    pub(super) busy: usize,
    pub(super) changed: Arc<watch::Sender<()>>,
}

impl Outbox {
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter()
    }

    pub(super) fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.id == id)
    }

    pub(super) fn delivery(&mut self, id: u64) -> Option<&mut DeliveryRecord> {
        let at = usize::try_from(id).ok()?.checked_sub(1)?;
        self.deliveries.get_mut(at)
    }

    pub(super) fn add(
        &mut self,
        subscription: &str,
        event: &str,
        event_ts: Option<i64>,
        body: String,
    ) -> u64 {
        let id = self.deliveries.len() as u64 + 1;
        self.deliveries.push(DeliveryRecord {
            id,
            event: event.to_owned(),
            event_ts,
            subscription: subscription.to_owned(),
            body,
            state: DeliveryState::Queued,
            attempts: Vec::new(),
            spoilt: None,
        });
        id
    }

    /// The next disruption for this event, which is then used up.
    pub(super) fn disruption(&mut self, event: &str) -> Option<Disruption> {
        let at = self
            .disruptions
            .iter()
            .position(|(_, only)| only.as_deref().is_none_or(|only| only == event))?;
        self.disruptions.remove(at).map(|(disruption, _)| disruption)
    }

    pub(super) fn done(&mut self) {
        self.busy = self.busy.saturating_sub(1);
        self.changed.send_replace(());
    }
}
