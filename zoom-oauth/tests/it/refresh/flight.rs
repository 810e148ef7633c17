//! Many callers, one refresh.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use token_store::{Holder, LockKey, MemoryLock, MemoryStore, RefreshLock as _, Status};
use tokio::sync::Barrier;
use zoom_core::TokenSource as _;
use zoom_oauth::ErrorKind;

use super::{Held, source, status};
use crate::{
    stores::{Difficult, SlowLock},
    zoom::{Zoom, owner},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_callers_make_one_exchange() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass_an_hour();
    let barrier = Arc::new(Barrier::new(100));
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (connections, barrier) = (connections.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                let source = source(&connections).await;
                barrier.wait().await;
                source.access_token().await.unwrap().expose_secret().to_owned()
            })
        })
        .collect();
    let mut tokens = Vec::new();
    for caller in callers {
        tokens.push(caller.await.unwrap());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn callers_who_come_at_once_share_one_look_at_the_store() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    zoom.connect(&zoom.connections(store.clone()), "rep").await;
    for (lifetime, looks) in [(Duration::from_secs(30), 1), (Duration::ZERO, 100)] {
        let connections = zoom
            .builder(store.clone())
            .with_cache_lifetime(lifetime)
            .build()
            .unwrap();
        let source = source(&connections).await;
        let before = store.loads();
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let source = Arc::clone(&source);
                tokio::spawn(async move { source.access_token().await.map(drop) })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
        assert_eq!(store.loads() - before, looks);
    }
}

#[tokio::test]
async fn a_token_is_refreshed_when_less_than_five_minutes_are_left() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    let first = source.access_token().await.unwrap();
    zoom.pass(SignedDuration::from_secs(3599 - 300));
    assert_eq!(
        source.access_token().await.unwrap().expose_secret(),
        first.expose_secret()
    );
    assert_eq!(zoom.calls("refresh_token"), 0);
    zoom.pass(SignedDuration::from_secs(1));
    let second = source.access_token().await.unwrap();
    assert_ne!(second.expose_secret(), first.expose_secret());
    assert_eq!(zoom.calls("refresh_token"), 1);
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert!(connection.access_expires_at > Some(zoom.clock().now() + SignedDuration::from_mins(59)));
}

#[tokio::test]
async fn a_forced_refresh_brings_new_tokens_and_says_when() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    let first = source.access_token().await.unwrap();
    let connected = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(connected.refreshed_at, None);
    zoom.pass(SignedDuration::from_mins(1));
    let refreshed = connections.refresh(&owner("rep")).await.unwrap();
    assert_eq!(
        (refreshed.refreshed_at, zoom.calls("refresh_token")),
        (Some(zoom.clock().now()), 1)
    );
    assert_ne!(
        source.access_token().await.unwrap().expose_secret(),
        first.expose_secret()
    );
    zoom.revoke_all();
    let error = connections.refresh(&owner("rep")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Expired);
    let error = connections.refresh(&owner("nobody")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
}

#[tokio::test]
async fn the_rotated_refresh_token_is_the_next_to_be_used() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    for round in 1..=5 {
        zoom.pass_an_hour();
        source.access_token().await.unwrap();
        assert_eq!(zoom.calls("refresh_token"), round);
    }
    assert_eq!(status(&connections).await, (Status::Active, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_token_is_replaced_once_however_many_report_it() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    let refused = source.access_token().await.unwrap();
    zoom.refuse_access_tokens();
    let reports: Vec<_> = (0..20)
        .map(|_| {
            let (source, refused) = (Arc::clone(&source), refused.clone());
            tokio::spawn(async move { source.invalidate(&refused).await.unwrap() })
        })
        .collect();
    for report in reports {
        report.await.unwrap();
    }
    assert_eq!(zoom.calls("refresh_token"), 1);
    assert_ne!(
        source.access_token().await.unwrap().expose_secret(),
        refused.expose_secret()
    );
    // Late news of the old token cost nothing.
    source.invalidate(&refused).await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn a_call_survives_a_token_that_zoom_forgot() {
    let (zoom, connections) = Zoom::connected().await;
    let client = connections.client_for(&owner("rep")).await.unwrap();
    zoom.refuse_access_tokens();
    assert_eq!(client.users().me().await.unwrap().id.unwrap().as_str(), "user-1");
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_in_the_middle_loses_nothing() {
    let Held {
        zoom,
        store,
        connections,
        caller,
    } = Held::before_its_save().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    store.open_gate();
    source(&connections).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
    assert_eq!(status(&connections).await, (Status::Active, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_the_lease_the_store_is_looked_at_again() {
    let zoom = Zoom::start().await;
    let (store, lock) = (MemoryStore::new(), SlowLock::default());
    let other = zoom.connections(store.clone());
    let slow = zoom.builder(store).lock(Arc::new(lock.clone())).build().unwrap();
    zoom.connect(&other, "rep").await;
    zoom.pass_an_hour();
    let waiting = tokio::spawn({
        let source = source(&slow).await;
        async move { source.access_token().await.unwrap() }
    });
    lock.gate.somebody_arrives().await;
    let theirs = source(&other).await.access_token().await.unwrap();
    lock.gate.open();
    assert_eq!(waiting.await.unwrap().expose_secret(), theirs.expose_secret());
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_joins_a_refresh_that_brings_the_refused_token_gets_another() {
    let zoom = Zoom::start().await;
    let (store, lock) = (MemoryStore::new(), SlowLock::default());
    let other = zoom.connections(store.clone());
    let slow = zoom.builder(store).lock(Arc::new(lock.clone())).build().unwrap();
    zoom.connect(&other, "rep").await;
    zoom.pass_an_hour();
    let waiting = tokio::spawn({
        let source = source(&slow).await;
        async move { source.access_token().await.map(drop) }
    });
    lock.gate.somebody_arrives().await;
    let theirs = source(&other).await.access_token().await.unwrap();
    zoom.refuse_access_tokens();
    let source = source(&slow).await;
    let mut joined = Box::pin(source.invalidate(&theirs));
    tokio::select! {
        biased;
        _ = &mut joined => panic!("the refresh is not done yet"),
        () = std::future::ready(()) => {}
    }
    lock.gate.open();
    joined.await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_ne!(
        source.access_token().await.unwrap().expose_secret(),
        theirs.expose_secret()
    );
}

#[tokio::test]
async fn a_lease_that_nobody_gives_back_is_an_error_that_passes() {
    let zoom = Zoom::start().await;
    let lock = MemoryLock::new();
    let connections = zoom
        .builder(MemoryStore::new())
        .lock(Arc::new(lock.clone()))
        .with_sleeper(zoom_core::Sleeper::new(|_| tokio::task::yield_now()))
        .build()
        .unwrap();
    let connected = zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    let (key, holder) = (LockKey::connection(&connected.id), Holder::random().unwrap());
    lock.try_acquire(&key, &holder, Duration::from_secs(600))
        .await
        .unwrap();
    let source = source(&connections).await;
    let error = source.access_token().await.unwrap_err();
    assert!(error.is_retryable() && !error.needs_reauthorization());
    assert_eq!(zoom.calls("refresh_token"), 0);
    lock.release(&key, &holder).await.unwrap();
    source.access_token().await.unwrap();
}
