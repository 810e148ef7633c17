//! All callers in this process share one refresh of a record.

use std::sync::{Arc, MutexGuard, PoisonError};

use token_store::ConnectionId;
use tokio::sync::watch;
use tracing::Instrument as _;
use zoom_core::AccessToken;

use super::{HashMap, Outcome, Refresher};
use crate::{Error, cache::Ticket, tokens::same};

/// A flight that is under way.
#[derive(Debug)]
pub(super) struct Flown {
    landing: watch::Receiver<Option<Outcome>>,
    began: Ticket,
    refused: Option<AccessToken>,
}

fn is_same(one: &AccessToken, other: &AccessToken) -> bool {
    same(one.expose_secret(), other.expose_secret())
}

impl Refresher {
    /// Joins the flight that is under way, or begins one.
    pub(super) async fn fly(self: &Arc<Self>, id: &ConnectionId, refused: Option<&AccessToken>) -> Outcome {
        loop {
            let (outcome, knew) = self.join(id, refused).await;
            match (&outcome, refused) {
                // That flight had begun for others, who did not know that this token is refused.
                (Ok(token), Some(refused)) if !knew && is_same(token, refused) => {
                    self.refuse(id, Some(refused));
                }
                _ => return outcome,
            }
        }
    }

    /// What the flight brings, and whether it began with the knowledge that the token is refused.
    async fn join(self: &Arc<Self>, id: &ConnectionId, refused: Option<&AccessToken>) -> (Outcome, bool) {
        let (mut landing, knew) = {
            let mut flights = self.flights();
            match flights.get(id) {
                Some(flown) => {
                    let known = flown.refused.as_ref().zip(refused);
                    (
                        flown.landing.clone(),
                        known.is_some_and(|(one, other)| is_same(one, other)),
                    )
                }
                None => {
                    let (sender, landing) = watch::channel(None);
                    let flown = Flown {
                        landing: landing.clone(),
                        began: self.records.cache.ticket(),
                        refused: refused.cloned(),
                    };
                    flights.insert(id.clone(), flown);
                    let flight = Flight {
                        refresher: Arc::clone(self),
                        id: id.clone(),
                    };
                    let refused = refused.cloned();
                    let task = async move {
                        let outcome = flight.refresher.refresh(&flight.id, refused.as_ref()).await;
                        // First off the list, then the news: who comes later begins anew.
                        drop(flight);
                        sender.send_replace(Some(outcome));
                    };
                    tokio::spawn(task.in_current_span());
                    (landing, true)
                }
            }
        };
        let outcome = match landing
            .wait_for(Option::is_some)
            .await
            .map(|outcome| outcome.clone())
        {
            Ok(Some(outcome)) => outcome,
            _ => Err(Error::unavailable("the refresh was ended before it was done")),
        };
        (outcome, knew)
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<ConnectionId, Flown>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a flight will see, or has seen, what the record is now: none is under way, or nothing was saved since the
    /// one under way began.
    pub(super) fn is_up_to_date(&self, id: &ConnectionId) -> bool {
        let now = self.records.cache.ticket();
        self.flights().get(id).is_none_or(|flown| flown.began == now)
    }

    /// Waits until every refresh that is under way now is done.
    pub(super) async fn all_landed(&self) {
        let landings: Vec<_> = self
            .flights()
            .values()
            .map(|flown| flown.landing.clone())
            .collect();
        for mut landing in landings {
            let _ = landing.wait_for(Option::is_some).await;
        }
    }
}

/// On the list as long as it lives, whatever becomes of its task.
struct Flight {
    refresher: Arc<Refresher>,
    id: ConnectionId,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.refresher.flights().remove(&self.id);
    }
}
