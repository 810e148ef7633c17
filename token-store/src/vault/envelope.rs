use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::wrapper::{DataKey, KeyWrapper, WrapContext, Wrapped};
use crate::{Clock, ConnectionId, OwnerId, VaultError};

const LIMIT: usize = 1_000;
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How a [`Vault`](crate::Vault) seals with data keys: every connection has one of its own, and a [`KeyWrapper`] wraps
/// it.
///
/// So that a key service is not asked for every read, unwrapped keys stay in memory: 1,000 of them for ten minutes
/// each, unless said otherwise. A key service that withdraws a key is obeyed after that time at the latest.
pub struct Envelope {
    wrapper: Arc<dyn KeyWrapper>,
    limit: usize,
    lifetime: Duration,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    entries: HashMap<ConnectionId, Entry>,
    uses: u64,
}

struct Entry {
    owner: OwnerId,
    wrapped: Wrapped,
    key: DataKey,
    since: Timestamp,
    last_use: u64,
}

impl Envelope {
    /// Data keys wrapped by this.
    #[must_use]
    pub fn new(wrapper: Arc<dyn KeyWrapper>) -> Self {
        Self {
            wrapper,
            limit: LIMIT,
            lifetime: LIFETIME,
            clock: Clock::system(),
            known: Mutex::default(),
        }
    }

    /// Keeps so many unwrapped keys for so long; zero of either keeps none.
    #[must_use]
    pub fn with_cache(mut self, limit: usize, lifetime: Duration) -> Self {
        self.limit = limit;
        self.lifetime = lifetime;
        self
    }

    /// Reads the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub(super) fn wrapper(&self) -> &dyn KeyWrapper {
        &*self.wrapper
    }

    /// The key to seal with: the one this connection has, if the primary key wrapped it, or a new one.
    pub(super) async fn sealing_key(
        &self,
        context: &WrapContext<'_>,
    ) -> Result<(Wrapped, DataKey), VaultError> {
        let primary = self.wrapper.primary().await?;
        if let Some(known) = self.recall(context, |wrapped| *wrapped.key_id() == primary) {
            return Ok(known);
        }
        let key = DataKey::generate()?;
        let wrapped = self.wrapper.wrap(&key, context).await?;
        self.remember(context, &wrapped, &key);
        Ok((wrapped, key))
    }

    pub(super) async fn opening_key(
        &self,
        context: &WrapContext<'_>,
        wrapped: &Wrapped,
    ) -> Result<DataKey, VaultError> {
        if let Some((_, key)) = self.recall(context, |known| known == wrapped) {
            return Ok(key);
        }
        let key = self.wrapper.unwrap(wrapped, context).await?;
        self.remember(context, wrapped, &key);
        Ok(key)
    }

    fn recall(
        &self,
        context: &WrapContext<'_>,
        fits: impl FnOnce(&Wrapped) -> bool,
    ) -> Option<(Wrapped, DataKey)> {
        let now = self.clock.now();
        let mut known = self.known();
        known.uses += 1;
        let uses = known.uses;
        let entry = known.entries.get_mut(context.connection)?;
        if now.duration_since(entry.since).unsigned_abs() >= self.lifetime {
            known.entries.remove(context.connection);
            return None;
        }
        if entry.owner != *context.owner || !fits(&entry.wrapped) {
            return None;
        }
        entry.last_use = uses;
        Some((entry.wrapped.clone(), entry.key.clone()))
    }

    fn remember(&self, context: &WrapContext<'_>, wrapped: &Wrapped, key: &DataKey) {
        if self.limit == 0 || self.lifetime.is_zero() {
            return;
        }
        let since = self.clock.now();
        let mut known = self.known();
        if known.entries.len() >= self.limit && !known.entries.contains_key(context.connection) {
            let least = known.entries.iter().min_by_key(|(_, entry)| entry.last_use);
            if let Some(id) = least.map(|(id, _)| id.clone()) {
                known.entries.remove(&id);
            }
        }
        known.uses += 1;
        let entry = Entry {
            owner: context.owner.clone(),
            wrapped: wrapped.clone(),
            key: key.clone(),
            since,
            last_use: known.uses,
        };
        known.entries.insert(context.connection.clone(), entry);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic elsewhere costs an entry at most, and an entry can be had again.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("wrapper", &self.wrapper)
            .field("limit", &self.limit)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
