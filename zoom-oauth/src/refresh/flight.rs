//! All callers in this process share one refresh of a record.

use std::sync::{Arc, MutexGuard, PoisonError};

use token_store::ConnectionId;
use tokio::sync::watch;
use tracing::Instrument as _;
use zoom_core::AccessToken;

use super::{HashMap, Outcome, Refresher};
use crate::Error;

impl Refresher {
    /// Joins the refresh that is under way, or begins one.
    pub(super) async fn fly(self: &Arc<Self>, id: &ConnectionId, refused: Option<&AccessToken>) -> Outcome {
        let mut landing = {
            let mut flights = self.flights();
            match flights.get(id) {
                Some(landing) => landing.clone(),
                None => {
                    let (sender, landing) = watch::channel(None);
                    flights.insert(id.clone(), landing.clone());
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
                    landing
                }
            }
        };
        match landing
            .wait_for(Option::is_some)
            .await
            .map(|outcome| outcome.clone())
        {
            Ok(Some(outcome)) => outcome,
            _ => Err(Error::unavailable("the refresh was ended before it was done")),
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<ConnectionId, watch::Receiver<Option<Outcome>>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every refresh that is under way now is done.
    pub(super) async fn all_landed(&self) {
        let landings: Vec<_> = self.flights().values().cloned().collect();
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
