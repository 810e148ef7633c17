//! The product's own account.

use std::sync::Arc;

use jiff::SignedDuration;
use token_store::{Filter, MemoryStore, PageToken, RecordKind, TokenStore as _};
use zoom_core::{AccountId, Sleeper, TokenSource as _};
use zoom_oauth::{ClientSecret, ServerToServer};

use crate::zoom::{Fault, Zoom, vault};

pub(crate) fn system(zoom: &Zoom, store: MemoryStore) -> ServerToServer {
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
