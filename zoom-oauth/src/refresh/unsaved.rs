//! Tokens that Zoom has given and the store did not take.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use token_store::ConnectionId;
use tracing::Instrument as _;

use super::{Outcome, Refresher, keep::Fresh, turn::Lease};
use crate::{Connections, records::Slot, tokens::Tokens};

/// The pauses between attempts to save them when somebody asks for them.
const FEW_PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];
/// The pause before the first attempt that nobody asks for. Each one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Tokens that are in memory only.
#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) slot: Slot,
    pub(super) fresh: Fresh,
    /// Kept meanwhile, so that no other process tries the used-up token.
    pub(super) lease: Lease,
}

#[derive(Debug, Default)]
pub(super) struct Shelf {
    unsaved: HashMap<ConnectionId, Unsaved>,
    /// Those that have a task which tries again and again.
    watched: HashSet<ConnectionId>,
}

impl Refresher {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_unsaved(&self, id: &ConnectionId) -> bool {
        self.shelf().unsaved.contains_key(id)
    }

    pub(super) fn take_unsaved(&self, id: &ConnectionId) -> Option<Unsaved> {
        self.shelf().unsaved.remove(id)
    }

    /// Takes the tokens that are only in memory, for an owner who leaves.
    pub(crate) async fn forget(&self, id: &ConnectionId) -> Option<Tokens> {
        let unsaved = self.take_unsaved(id)?;
        self.release(unsaved.lease).await;
        Some(unsaved.fresh.tokens)
    }

    /// Another attempt at tokens that were not saved.
    pub(super) async fn settle(self: &Arc<Self>, unsaved: Unsaved) -> Outcome {
        let Unsaved { slot, fresh, lease } = unsaved;
        self.keep(slot, fresh, lease, &FEW_PAUSES).await
    }

    /// Keeps them in memory, and tries again until they are saved, whether or not somebody asks.
    pub(super) fn hold(self: &Arc<Self>, unsaved: Unsaved) {
        let id = unsaved.slot.record.id.clone();
        let mut shelf = self.shelf();
        shelf.unsaved.insert(id.clone(), unsaved);
        if shelf.watched.insert(id.clone()) {
            let this = Arc::clone(self);
            tokio::spawn(async move { this.watch(&id).await }.in_current_span());
        }
    }

    async fn watch(self: &Arc<Self>, id: &ConnectionId) {
        let mut pause = FIRST_PAUSE;
        while self.is_to_be_watched(id) {
            self.sleeper.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if self.has_unsaved(id) {
                // What comes of it is logged where it happens.
                let _ = self.fly(id, None).await;
            }
        }
    }

    fn is_to_be_watched(&self, id: &ConnectionId) -> bool {
        let mut shelf = self.shelf();
        let wanted = shelf.unsaved.contains_key(id);
        if !wanted {
            shelf.watched.remove(id);
        }
        wanted
    }

    /// Waits for the refreshes under way, tries once to save what is not saved, and tells what still is not.
    pub(crate) async fn flush(self: &Arc<Self>) -> Vec<ConnectionId> {
        self.all_landed().await;
        let unsaved: Vec<_> = self.shelf().unsaved.keys().cloned().collect();
        for id in &unsaved {
            let _ = self.fly(id, None).await;
        }
        let mut left: Vec<_> = self.shelf().unsaved.keys().cloned().collect();
        left.sort();
        left
    }
}

impl Connections {
    /// Before the process ends: waits for refreshes that are under way, and tries once more to save tokens that the store
    /// did not take. Returns the connections whose newest tokens are in memory only: if the process ends now, they are
    /// lost, and where Zoom has ended the old ones, their owners have to connect again.
    #[must_use = "what is left is lost when the process ends"]
    pub async fn flush(&self) -> Vec<ConnectionId> {
        self.inner.refresher.flush().await
    }
}
