//! Points in a process at which it may stand still, to be killed there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use token_store::{
    ConnectionId, Expect, Fence, Filter, Generation, Holder, Key, KeyId, KeyProvider, LockKey, Page,
    PageToken, RefreshLock, StoreError, StoredConnection, TokenStore, VaultError, Versioned,
};

use super::say;

/// Counts the points that are passed, and stands still at one of them.
#[derive(Debug)]
pub(super) struct Points {
    begun: AtomicBool,
    passed: AtomicUsize,
    stop_at: Option<usize>,
}

impl Points {
    pub(super) fn new(stop_at: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            begun: AtomicBool::new(false),
            passed: AtomicUsize::new(0),
            stop_at,
        })
    }

    /// What came before does not count.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    async fn pass(&self, point: &str) {
        if !self.begun.load(Ordering::SeqCst) {
            return;
        }
        let number = self.passed.fetch_add(1, Ordering::SeqCst);
        say(point);
        if self.stop_at == Some(number) {
            say("stands");
            std::future::pending::<()>().await;
        }
    }

    async fn around<T>(&self, what: &str, call: impl Future<Output = T>) -> T {
        self.pass(&format!("before {what}")).await;
        let result = call.await;
        self.pass(&format!("after {what}")).await;
        result
    }
}

/// A store, a lock or a key provider with a point before and after each call.
#[derive(Debug)]
pub(super) struct Stopping<T> {
    inner: T,
    points: Arc<Points>,
}

impl<T> Stopping<T> {
    pub(super) fn new(inner: T, points: &Arc<Points>) -> Self {
        Self {
            inner,
            points: Arc::clone(points),
        }
    }
}

#[async_trait]
impl<S: TokenStore> TokenStore for Stopping<S> {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.points.around("load", self.inner.load(id)).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let what = if record.attributes.contains_key("refresh_intent") {
            "saving the intent"
        } else {
            "saving the tokens"
        };
        self.points.around(what, self.inner.save(record, expect)).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.points.around("delete", self.inner.delete(id)).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        self.points.around("find", self.inner.find(filter, page)).await
    }
}

#[async_trait]
impl<L: RefreshLock> RefreshLock for Stopping<L> {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let call = self.inner.try_acquire(key, holder, lease);
        self.points.around("acquire", call).await
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        self.points
            .around("release", self.inner.release(key, holder))
            .await
    }
}

#[async_trait]
impl KeyProvider for Stopping<Arc<dyn KeyProvider>> {
    async fn primary(&self) -> Result<Key, VaultError> {
        self.points.around("sealing", self.inner.primary()).await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError> {
        self.points.around("opening", self.inner.key(id)).await
    }
}
