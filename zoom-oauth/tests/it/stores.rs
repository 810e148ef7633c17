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
use zoom_core::Sleeper;

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

/// A lock whose server is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LostLock;

#[async_trait]
impl RefreshLock for LostLock {
    async fn try_acquire(&self, _: &LockKey, _: &Holder, _: Duration) -> Result<Option<Fence>, StoreError> {
        Err(StoreError::unavailable("connection refused"))
    }

    async fn release(&self, _: &LockKey, _: &Holder) -> Result<(), StoreError> {
        Err(StoreError::unavailable("connection refused"))
    }
}

/// A lock whose server never answers. While somebody waits for it, time flies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SilentLock;

#[async_trait]
impl RefreshLock for SilentLock {
    async fn try_acquire(&self, _: &LockKey, _: &Holder, _: Duration) -> Result<Option<Fence>, StoreError> {
        struct Resume;
        impl Drop for Resume {
            fn drop(&mut self) {
                tokio::time::resume();
            }
        }
        tokio::time::pause();
        let _resume = Resume;
        std::future::pending().await
    }

    async fn release(&self, _: &LockKey, _: &Holder) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

/// Pauses of five seconds and more end when the test says so, shorter ones at once.
#[derive(Clone, Debug)]
pub(crate) struct Naps(Arc<Semaphore>);

impl Naps {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(crate) fn sleeper(&self) -> Sleeper {
        let ends = Arc::clone(&self.0);
        Sleeper::new(move |pause| {
            let ends = Arc::clone(&ends);
            async move {
                if pause >= Duration::from_secs(5) {
                    ends.acquire().await.unwrap().forget();
                } else {
                    tokio::task::yield_now().await;
                }
            }
        })
    }

    pub(crate) fn end_one(&self) {
        self.0.add_permits(1);
    }
}

/// One less, if there is one.
fn take(left: &AtomicUsize) -> bool {
    let one_less = |left: usize| left.checked_sub(1);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        .is_ok()
}

/// Refuses saves of connections on demand, and holds one up.
#[derive(Clone, Debug)]
pub(crate) struct Difficult {
    pub(crate) inner: MemoryStore,
    fail_saves: Arc<AtomicUsize>,
    conflicts: Arc<AtomicUsize>,
    rotations: Arc<AtomicUsize>,
    saves: Arc<AtomicUsize>,
    loads: Arc<AtomicUsize>,
    hold: Arc<AtomicBool>,
    gate: Gate,
}

impl Difficult {
    pub(crate) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            fail_saves: Arc::default(),
            conflicts: Arc::default(),
            rotations: Arc::default(),
            saves: Arc::default(),
            loads: Arc::default(),
            hold: Arc::default(),
            gate: Gate::default(),
        }
    }

    pub(crate) fn fail_saves(&self, count: usize) {
        self.fail_saves.store(count, Ordering::SeqCst);
    }

    pub(crate) fn conflict(&self, count: usize) {
        self.conflicts.store(count, Ordering::SeqCst);
    }

    /// So many changes of what waits for a user find that its keys have just been changed.
    pub(crate) fn rotate(&self, count: usize) {
        self.rotations.store(count, Ordering::SeqCst);
    }

    /// How many saves of connections succeeded.
    pub(crate) fn saves(&self) -> usize {
        self.saves.load(Ordering::SeqCst)
    }

    /// How often somebody looked.
    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
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
        self.loads.fetch_add(1, Ordering::SeqCst);
        // A store takes a moment, so whoever comes at the same time does come at the same time.
        tokio::task::yield_now().await;
        self.inner.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        // Leaving is never hindered: the tests let owners leave while a save stands at the gate. Nor is the note before
        // an exchange: it is the tokens that matter.
        let brings_tokens = record.kind == RecordKind::Connection
            && record.status != Status::Disconnected
            && !record.attributes.contains_key("refresh_intent");
        let waits = matches!(record.kind, RecordKind::Authorization | RecordKind::Installation);
        if waits && expect != Expect::Absent && take(&self.rotations) {
            return Err(StoreError::Conflict);
        }
        if brings_tokens {
            if self.hold.swap(false, Ordering::SeqCst) {
                self.gate.pass().await;
            }
            if take(&self.fail_saves) {
                return Err(StoreError::unavailable("the disk is full"));
            }
            if take(&self.conflicts) {
                return Err(StoreError::Conflict);
            }
        }
        let saved = self.inner.save(record, expect).await?;
        if record.kind == RecordKind::Connection {
            self.saves.fetch_add(1, Ordering::SeqCst);
        }
        Ok(saved)
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
