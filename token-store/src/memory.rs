use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    Clock, ConnectionId, Entry, Expect, Fence, Filter, Generation, History, Holder, LockKey, OwnerId, Page,
    PageToken, RefreshLock, StoreError, StoredConnection, TokenStore, Versioned,
};

/// Records in this process's memory: for tests, and for demos that may forget. Clones share the records.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    records: Arc<Mutex<BTreeMap<ConnectionId, Versioned<StoredConnection>>>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Versioned<StoredConnection>>> {
        // Every change is one insert or remove, so a panic elsewhere leaves nothing half done.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        Ok(self.records().get(id).cloned())
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let mut records = self.records();
        let generation = expect.advance(record, records.get(&record.id).map(|found| found.generation))?;
        records.insert(
            record.id.clone(),
            Versioned {
                value: record.clone(),
                generation,
            },
        );
        Ok(generation)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.records().remove(id);
        Ok(())
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let start = page.position().map_or(Bound::Unbounded, Bound::Excluded);
        let records = self.records();
        let mut matching = records
            .range::<ConnectionId, _>((start, Bound::Unbounded))
            .map(|(_, record)| record)
            .filter(|record| filter.matches(&record.value));
        let items: Vec<_> = matching.by_ref().take(filter.page_size()).cloned().collect();
        let next = if matching.next().is_some() {
            items.last().map(|last| PageToken::after(last.value.id.clone()))
        } else {
            None
        };
        Ok(Page {
            items,
            unreadable: Vec::new(),
            next,
        })
    }
}

/// Leases within this process. Clones share the leases.
#[derive(Clone, Debug, Default)]
pub struct MemoryLock {
    leases: Arc<Mutex<HashMap<LockKey, Lease>>>,
    clock: Clock,
}

#[derive(Debug)]
struct Lease {
    fence: u64,
    held: Option<(Holder, Timestamp)>,
}

impl MemoryLock {
    /// No lease is held.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<LockKey, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RefreshLock for MemoryLock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let now = self.clock.now();
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        let mut leases = self.leases();
        let entry = leases
            .entry(key.clone())
            .or_insert(Lease { fence: 0, held: None });
        if entry.held.as_ref().is_some_and(|(_, until)| now < *until) {
            return Ok(None);
        }
        entry.fence += 1;
        entry.held = Some((holder.clone(), until));
        Ok(Some(Fence::new(entry.fence)))
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        if let Some(entry) = self.leases().get_mut(key)
            && entry.held.as_ref().is_some_and(|(held_by, _)| held_by == holder)
        {
            entry.held = None;
        }
        Ok(())
    }
}

/// A history in this process's memory. Clones share the entries.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory {
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl MemoryHistory {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl History for MemoryHistory {
    async fn append(&self, entry: &Entry) -> Result<(), StoreError> {
        self.all().push(entry.clone());
        Ok(())
    }

    async fn entries(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let all = self.all();
        let of_connection = all.iter().rev().filter(|entry| entry.connection == *connection);
        Ok(of_connection.take(limit).cloned().collect())
    }

    async fn erase(&self, owner: &OwnerId) -> Result<u64, StoreError> {
        let mut all = self.all();
        let before = all.len();
        all.retain(|entry| entry.owner != *owner);
        Ok((before - all.len()) as u64)
    }
}
