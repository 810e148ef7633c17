//! Stores and locks that misbehave.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use token_store::{
    ConnectionId, Expect, Fence, Filter, Generation, Holder, LockKey, MemoryLock, MemoryStore, Page,
    PageToken, RecordKind, RefreshLock, Status, StoreError, StoredConnection, TokenStore, Versioned,
};
use tokio::sync::Semaphore;

/// Where somebody stands still until the test says go.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    arrived: Arc<Semaphore>,
    go: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            arrived: Arc::new(Semaphore::new(0)),
            go: Arc::new(Semaphore::new(0)),
        }
    }
}

impl Gate {
    pub(crate) async fn pass(&self) {
        self.arrived.add_permits(1);
        self.go.acquire().await.unwrap().forget();
    }

    pub(crate) async fn somebody_arrives(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    pub(crate) fn open(&self) {
        self.go.add_permits(1);
    }
}

/// A lock whose first lease on a connection is a while in coming.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlowLock {
    inner: MemoryLock,
    pub(crate) gate: Gate,
    passed: Arc<AtomicBool>,
}

#[async_trait]
impl RefreshLock for SlowLock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        if key.as_str().starts_with("connection:") && !self.passed.swap(true, Ordering::SeqCst) {
            self.gate.pass().await;
        }
        self.inner.try_acquire(key, holder, lease).await
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        self.inner.release(key, holder).await
    }
}

/// Refuses saves of connections on demand, and holds one up.
#[derive(Clone, Debug)]
pub(crate) struct Difficult {
    pub(crate) inner: MemoryStore,
    fail_saves: Arc<AtomicUsize>,
    hold: Arc<AtomicBool>,
    gate: Gate,
}

impl Difficult {
    pub(crate) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            fail_saves: Arc::default(),
            hold: Arc::default(),
            gate: Gate::default(),
        }
    }

    pub(crate) fn fail_saves(&self, count: usize) {
        self.fail_saves.store(count, Ordering::SeqCst);
    }

    /// The next save stands still until the gate is opened; those after it pass.
    pub(crate) fn hold_next_save(&self) {
        self.hold.store(true, Ordering::SeqCst);
    }

    pub(crate) async fn save_arrives(&self) {
        self.gate.somebody_arrives().await;
    }

    pub(crate) fn open_gate(&self) {
        self.gate.open();
    }

    pub(crate) async fn only_connection(&self) -> Versioned<StoredConnection> {
        let filter = Filter::all().kind(RecordKind::Connection);
        let mut page = self.inner.find(&filter, PageToken::first()).await.unwrap();
        assert_eq!(page.items.len(), 1);
        page.items.remove(0)
    }
}

#[async_trait]
impl TokenStore for Difficult {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.inner.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        // Leaving is never hindered: the tests let owners leave while a save stands at the gate.
        if record.kind == RecordKind::Connection && record.status != Status::Disconnected {
            if self.hold.swap(false, Ordering::SeqCst) {
                self.gate.pass().await;
            }
            let take = |left: usize| left.checked_sub(1);
            if self
                .fail_saves
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                .is_ok()
            {
                return Err(StoreError::unavailable("the disk is full"));
            }
        }
        self.inner.save(record, expect).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.inner.delete(id).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        self.inner.find(filter, page).await
    }
}
