//! New tokens get into the store, whatever happens meanwhile.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use jiff::SignedDuration;
use token_store::{Expect, Holder, LockKey, MemoryLock, RefreshLock as _, Status, TokenStore as _};
use zoom_core::TokenSource as _;
use zoom_oauth::{Connections, ErrorKind, EventKind};

use super::{Held, source, status, touch};
use crate::{
    stores::{Difficult, Naps},
    zoom::{Zoom, owner},
};

#[tokio::test]
async fn a_save_that_fails_after_the_exchange_is_tried_again() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    store.fail_saves(3);
    source(&connections).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn tokens_that_cannot_be_saved_are_kept_in_memory_until_they_can() {
    let zoom = Zoom::start().await;
    let (store, lock) = (Difficult::new(), MemoryLock::new());
    let connections = zoom
        .builder(store.clone())
        .lock(Arc::new(lock.clone()))
        .with_sleeper(Naps::new().sleeper())
        .build()
        .unwrap();
    let connected = zoom.connect(&connections, "rep").await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    store.fail_saves(6);
    let error = source.access_token().await.unwrap_err();
    assert!(error.is_retryable() && !error.needs_reauthorization());
    let cause = std::error::Error::source(&error)
        .unwrap()
        .downcast_ref::<zoom_oauth::Error>()
        .unwrap();
    assert_eq!(cause.kind(), ErrorKind::NotSaved);
    let (key, holder) = (LockKey::connection(&connected.id), Holder::random().unwrap());
    let lease = Duration::from_secs(1);
    assert!(
        lock.try_acquire(&key, &holder, lease).await.unwrap().is_none(),
        "no other process may try the old token"
    );
    let token = source.access_token().await.unwrap();
    assert_eq!(
        zoom.calls("refresh_token"),
        1,
        "the kept tokens are saved, not had again"
    );
    assert_eq!(
        source.access_token().await.unwrap().expose_secret(),
        token.expose_secret()
    );
    assert!(
        lock.try_acquire(&key, &holder, lease).await.unwrap().is_some(),
        "and the lease is given back"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_arrive_after_a_disconnect_are_given_back() {
    let Held {
        zoom,
        store,
        connections,
        caller,
    } = Held::before_its_save().await;
    connections.disconnect(&owner("rep")).await.unwrap();
    store.open_gate();
    assert!(caller.await.unwrap().unwrap_err().needs_reauthorization());
    let record = store.only_connection().await.value;
    assert_eq!((record.status, record.sealed), (Status::Disconnected, None));
    let state = zoom.state();
    let newest = state
        .secrets
        .iter()
        .rfind(|secret| secret.contains("access"))
        .unwrap();
    assert_eq!(
        state.revoked.last(),
        Some(newest),
        "no token is left alive at zoom"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_record_during_a_refresh_does_not_cost_the_new_tokens() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    let first = source(&connections).await.access_token().await.unwrap();
    zoom.pass_an_hour();
    store.hold_next_save();
    let refresh = tokio::spawn({
        let source = source(&connections).await;
        async move { source.access_token().await.unwrap() }
    });
    store.save_arrives().await;
    // Somebody whose own exchange came too late buries the connection: the new tokens bring it back.
    let mut buried = store.only_connection().await;
    buried.value.status = Status::Expired;
    buried.value.sealed = None;
    let expect = Expect::Generation(buried.generation);
    store.inner.save(&buried.value, expect).await.unwrap();
    store.open_gate();
    assert_ne!(refresh.await.unwrap().expose_secret(), first.expose_secret());
    assert_eq!(status(&connections).await, (Status::Active, None));
    source(&connections).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_tokens_join_what_others_have_changed_meanwhile() {
    let Held {
        zoom,
        store,
        connections,
        caller,
    } = Held::before_its_save().await;
    touch(&store, |record| {
        record.status = Status::Degraded;
        record.display_name = Some("Renamed".into());
    })
    .await;
    store.open_gate();
    let token = caller.await.unwrap().unwrap();
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(
        (connection.status, connection.display_name.as_deref()),
        (Status::Degraded, Some("Renamed"))
    );
    let stored = source(&connections).await.access_token().await.unwrap();
    assert_eq!(
        (stored.expose_secret(), zoom.calls("refresh_token")),
        (token.expose_secret(), 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_tokens_never_replace_those_of_a_new_consent() {
    let Held {
        zoom,
        store,
        connections,
        caller,
    } = Held::before_its_save().await;
    zoom.connect(&connections, "rep").await;
    let newest = source(&connections).await.access_token().await.unwrap();
    store.open_gate();
    assert_eq!(
        caller.await.unwrap().unwrap().expose_secret(),
        newest.expose_secret(),
        "the loser adopts them"
    );
    assert_eq!(
        source(&connections)
            .await
            .access_token()
            .await
            .unwrap()
            .expose_secret(),
        newest.expose_secret()
    );
}

/// Connections whose store does not take the tokens that Zoom has just given.
async fn unsaved(zoom: &Zoom, store: &Difficult, naps: &Naps) -> Connections {
    let connections = zoom
        .builder(store.clone())
        .with_sleeper(naps.sleeper())
        .build()
        .unwrap();
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    store.fail_saves(usize::MAX);
    let error = source(&connections).await.access_token().await.unwrap_err();
    assert!(error.is_retryable() && !error.needs_reauthorization());
    connections
}

#[tokio::test]
async fn before_the_process_ends_what_is_not_saved_is_tried_once_more_and_named() {
    let (zoom, store, naps) = (Zoom::start().await, Difficult::new(), Naps::new());
    let connections = unsaved(&zoom, &store, &naps).await;
    let id = store.only_connection().await.value.id;
    assert_eq!(connections.flush().await, [id]);
    store.fail_saves(0);
    assert_eq!(connections.flush().await, []);
    let after_restart = zoom.connections(store);
    source(&after_restart).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_process_ends_a_refresh_under_way_is_waited_for() {
    let Held {
        zoom,
        store,
        connections,
        caller,
    } = Held::before_its_save().await;
    caller.abort();
    let mut flush = Box::pin(connections.flush());
    tokio::select! {
        biased;
        _ = &mut flush => panic!("the tokens are not saved yet"),
        () = std::future::ready(()) => {}
    }
    store.open_gate();
    assert_eq!(flush.await, []);
    let after_restart = zoom.connections(store);
    source(&after_restart).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn what_is_not_saved_is_saved_later_though_nobody_asks() {
    let (zoom, store, naps) = (Zoom::start().await, Difficult::new(), Naps::new());
    let connections = unsaved(&zoom, &store, &naps).await;
    naps.end_one();
    let before = store.saves();
    store.fail_saves(0);
    naps.end_one();
    let saved = async {
        while store.saves() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), saved)
        .await
        .unwrap();
    assert_eq!(connections.flush().await, []);
    assert_eq!(status(&connections).await, (Status::Active, None));
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn tokens_that_others_gave_up_meanwhile_bring_the_connection_back() {
    let (zoom, store, naps) = (Zoom::start().await, Difficult::new(), Naps::new());
    let connections = unsaved(&zoom, &store, &naps).await;
    zoom.pass(SignedDuration::from_secs(120));
    // Another process thinks that the refresh was interrupted.
    let others = zoom.connections(store.inner.clone());
    let error = source(&others).await.access_token().await.unwrap_err();
    assert!(error.needs_reauthorization());
    assert_eq!(
        status(&others).await,
        (Status::Expired, Some("refresh_interrupted".into()))
    );
    let mut events = connections.events();
    store.fail_saves(0);
    assert_eq!(connections.flush().await, []);
    assert_eq!(status(&others).await, (Status::Active, None));
    source(&others).await.access_token().await.unwrap();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Recovered);
}

#[tokio::test]
async fn a_storm_of_conflicts_costs_no_token() {
    let (zoom, store, naps) = (Zoom::start().await, Difficult::new(), Naps::new());
    let connections = zoom
        .builder(store.clone())
        .with_sleeper(naps.sleeper())
        .build()
        .unwrap();
    zoom.connect(&connections, "rep").await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    store.conflict(15);
    source.access_token().await.unwrap();
    zoom.pass_an_hour();
    store.conflict(usize::MAX);
    assert!(source.access_token().await.unwrap_err().is_retryable());
    assert_eq!(connections.flush().await.len(), 1);
    store.conflict(0);
    source.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 2);
}
