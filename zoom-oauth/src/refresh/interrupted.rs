//! Refreshes that a crash has interrupted.

use serde::Serialize;
use token_store::{ConnectionId, Filter, OwnerId, RecordKind};

use super::{
    intent::{Intent, Standing},
    live,
};
use crate::{Connections, Error, ErrorKind, attributes};

/// A connection on which somebody has begun a refresh that never came to an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Interrupted {
    /// Which.
    pub connection: ConnectionId,
    /// Whose.
    pub owner: OwnerId,
    /// What has become of it.
    pub outcome: InterruptedOutcome,
}

/// What has become of an interrupted refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InterruptedOutcome {
    /// Zoom took the refresh token, or somebody else had brought new ones: the connection lives.
    Live,
    /// The new tokens went down with whoever had them: the connection is `Expired`, with the reason.
    Expired,
    /// Not known yet: somebody may still be at it, or Zoom or the store did not answer. Ask again in a few minutes.
    Open,
}

impl Connections {
    /// Looks for refreshes that never came to an end, because a process was killed or Zoom's answer was lost, and finishes
    /// them: once when a host starts, and every few minutes. Any number of hosts may do so at the same time.
    ///
    /// Without it the same happens at the connection's next refresh; with it an owner whose tokens went down with a
    /// process hears of it earlier.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when the records cannot be found.
    pub async fn settle_interrupted(&self) -> Result<Vec<Interrupted>, Error> {
        let filter = Filter::all().kind(RecordKind::Connection);
        let mut settled = Vec::new();
        for found in self.inner.records.find(&filter).await? {
            if attributes::refresh_intent(&found.value).is_none() || live(&found.value).is_err() {
                continue;
            }
            if let Some(outcome) = self.settle_one(&found.value.id).await {
                settled.push(Interrupted {
                    connection: found.value.id,
                    owner: found.value.owner,
                    outcome,
                });
            }
        }
        Ok(settled)
    }

    /// `None` when there is nothing to settle.
    pub(crate) async fn settle_one(&self, id: &ConnectionId) -> Option<InterruptedOutcome> {
        let refresher = &self.inner.refresher;
        let Ok(slot) = self.inner.records.load(id).await else {
            return Some(InterruptedOutcome::Open);
        };
        let slot = slot?;
        Intent::read(&slot.record, slot.tokens.as_ref())?;
        if refresher.standing(&slot) == Standing::Taken {
            return Some(InterruptedOutcome::Open);
        }
        match refresher.force(id).await {
            Ok(_) => Some(InterruptedOutcome::Live),
            Err(error) if error.kind() == ErrorKind::Expired => Some(InterruptedOutcome::Expired),
            Err(error) if error.kind() == ErrorKind::NotConnected => None,
            Err(_) => Some(InterruptedOutcome::Open),
        }
    }
}
