//! The product's own account.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use jiff::SignedDuration;
use token_store::{
    ConnectionId, Expect, Filter, Generation, MemoryStore, Page, PageToken, RecordKind, StoreError,
    StoredConnection, TokenStore, Versioned,
};
use zoom_core::{AccountId, Sleeper, TokenSource as _};
use zoom_oauth::{ClientSecret, ServerToServer};

use crate::{
    refresh::write_on,
    zoom::{Fault, Zoom, vault},
};

pub(crate) fn system(zoom: &Zoom, store: impl TokenStore) -> ServerToServer {
    let secret = ClientSecret::new("canary-s2s-secret");
    ServerToServer::builder(AccountId::new("sys"), "s2s-1", secret, Arc::new(store), vault())
        .endpoints(zoom.endpoints())
        .clock(zoom.clock())
        .with_sleeper(Sleeper::new(|_| tokio::task::yield_now()))
        .build()
        .unwrap()
}

#[tokio::test]
async fn one_token_is_had_and_kept_for_its_hour() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let source = system(&zoom, store.clone());
    let first = source.access_token().await.unwrap();
    zoom.pass(SignedDuration::from_mins(54));
    assert_eq!(
        source.access_token().await.unwrap().expose_secret(),
        first.expose_secret()
    );
    zoom.pass(SignedDuration::from_mins(1));
    assert_ne!(
        source.access_token().await.unwrap().expose_secret(),
        first.expose_secret()
    );
    assert_eq!(zoom.calls("account_credentials"), 2);
    let found = store
        .find(&Filter::all(), PageToken::first())
        .await
        .unwrap()
        .items
        .remove(0)
        .value;
    assert_eq!(
        (found.kind, found.provider_account.as_deref()),
        (RecordKind::ServerToServer, Some("sys"))
    );
}

#[tokio::test]
async fn another_process_uses_the_token_that_is_there() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let first = system(&zoom, store.clone()).access_token().await.unwrap();
    let second = system(&zoom, store).access_token().await.unwrap();
    assert_eq!(first.expose_secret(), second.expose_secret());
    assert_eq!(zoom.calls("account_credentials"), 1);
}

#[tokio::test]
async fn a_refused_token_is_had_again_once() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let (one, other) = (system(&zoom, store.clone()), system(&zoom, store));
    let refused = one.access_token().await.unwrap();
    zoom.refuse_access_tokens();
    one.client().users().me().await.unwrap();
    other.invalidate(&refused).await.unwrap();
    assert_eq!(
        zoom.calls("account_credentials"),
        2,
        "the second to notice finds the new one"
    );
}

#[tokio::test]
async fn a_zoom_that_is_down_passes() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let source = system(&zoom, store);
    for fault in [Fault::Status(500), Fault::Status(500), Fault::InvalidClient] {
        zoom.fail_next(fault);
    }
    for _ in 0..2 {
        assert!(source.access_token().await.unwrap_err().is_retryable());
    }
    source.access_token().await.unwrap();
}

/// Where somebody else writes on a record just before new tokens are saved over it, when told to: the tokens stay.
#[derive(Clone, Debug, Default)]
struct Meddled {
    inner: MemoryStore,
    next: Arc<AtomicBool>,
}

#[async_trait]
impl TokenStore for Meddled {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.inner.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let brings_tokens = !record.attributes.contains_key("refresh_intent");
        if brings_tokens && self.next.swap(false, Ordering::SeqCst) {
            let found = self.inner.load(&record.id).await?.unwrap();
            write_on(&self.inner, found, |_| {}).await;
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

#[tokio::test]
async fn of_two_tokens_the_one_that_was_had_last_is_kept() {
    let (zoom, store) = (Zoom::start().await, Meddled::default());
    let source = system(&zoom, store.clone());
    let older = source.access_token().await.unwrap();
    zoom.pass_an_hour();
    store.next.store(true, Ordering::SeqCst);
    let newer = source.access_token().await.unwrap();
    assert_ne!(newer.expose_secret(), older.expose_secret());
    assert!(!store.next.load(Ordering::SeqCst), "somebody was in between");
    let another_process = system(&zoom, store).access_token().await.unwrap();
    assert_eq!(another_process.expose_secret(), newer.expose_secret());
    assert_eq!(zoom.calls("account_credentials"), 2);
}
