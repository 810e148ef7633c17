//! One refresh for many callers, and what becomes of it when things go wrong.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use token_store::{
    Expect, Holder, LockKey, MemoryLock, MemoryStore, RefreshLock as _, SealContext, Status,
    StoredConnection, TokenStore as _,
};
use tokio::sync::Barrier;
use zoom_core::TokenSource;
use zoom_oauth::{Connections, ErrorKind};

use crate::{
    stores::{Difficult, SlowLock},
    zoom::{Fault, Slow, Zoom, owner, vault},
};

async fn source(connections: &Connections) -> Arc<dyn TokenSource> {
    connections.token_source(&owner("rep")).await.unwrap()
}

async fn status(connections: &Connections) -> (Status, Option<String>) {
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    (connection.status, connection.reason)
}

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

#[tokio::test]
async fn invalid_grant_expires_the_connection_once_and_with_its_reason() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.revoke_all();
    zoom.pass_an_hour();
    let error = source.access_token().await.unwrap_err();
    assert!(error.needs_reauthorization());
    assert_eq!(
        status(&connections).await,
        (Status::Expired, Some("invalid_grant".into()))
    );
    assert!(source.access_token().await.unwrap_err().needs_reauthorization());
    assert_eq!(
        zoom.calls("refresh_token"),
        1,
        "a dead token is never tried again"
    );
    let error = connections.client_for(&owner("rep")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Expired, Some("invalid_grant"))
    );
    zoom.connect(&connections, "rep").await;
    assert_eq!(
        status(&connections).await,
        (Status::Active, None),
        "connecting again brings it back"
    );
}

#[tokio::test]
async fn a_500_is_tried_again_and_passes() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::Status(500));
    source.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 2);
    assert_eq!(status(&connections).await, (Status::Active, None));
}

#[tokio::test]
async fn a_zoom_that_is_down_never_logs_anybody_out() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(502),
        Fault::Status(504),
    ] {
        zoom.fail_next(fault);
    }
    for _ in 0..2 {
        let error = source.access_token().await.unwrap_err();
        assert!(
            error.is_retryable() && !error.needs_reauthorization(),
            "{error:?}"
        );
        assert_eq!(status(&connections).await, (Status::Active, None));
    }
    assert_eq!(zoom.calls("refresh_token"), 4);
    source.access_token().await.unwrap();
}

#[tokio::test]
async fn a_429_is_not_tried_again_at_once_and_says_when() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::RateLimited(17));
    let error = source(&connections).await.access_token().await.unwrap_err();
    assert!(error.is_retryable());
    let error = std::error::Error::source(&error)
        .unwrap()
        .downcast_ref::<zoom_oauth::Error>()
        .unwrap();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::Unavailable, Some(Duration::from_secs(17)))
    );
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn a_refused_app_does_not_log_its_users_out() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::InvalidClient);
    let error = source(&connections).await.access_token().await.unwrap_err();
    assert!(!error.needs_reauthorization());
    assert_eq!(status(&connections).await, (Status::Active, None));
}

#[tokio::test]
async fn while_zoom_does_not_answer_a_token_with_a_minute_left_still_serves() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    let present = source.access_token().await.unwrap();
    zoom.pass(SignedDuration::from_mins(58));
    for _ in 0..2 {
        zoom.fail_next(Fault::Status(503));
    }
    assert_eq!(
        source.access_token().await.unwrap().expose_secret(),
        present.expose_secret()
    );
    for _ in 0..2 {
        zoom.fail_next(Fault::Status(503));
    }
    assert!(
        source.invalidate(&present).await.is_err(),
        "but not one that was refused"
    );
}

#[tokio::test]
async fn an_answer_that_was_lost_is_named_as_the_reason() {
    let (zoom, connections) = Zoom::connected().await;
    let source = source(&connections).await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::LostAnswer);
    assert!(source.access_token().await.unwrap_err().is_retryable());
    assert_eq!(
        status(&connections).await,
        (Status::Active, None),
        "one strange answer is no reason"
    );
    assert!(source.access_token().await.unwrap_err().needs_reauthorization());
    assert_eq!(status(&connections).await.0, Status::Expired);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_in_the_middle_loses_nothing() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    store.hold_next_save();
    let caller = tokio::spawn({
        let source = source(&connections).await;
        async move { source.access_token().await.map(drop) }
    });
    // Zoom has given new tokens, they are not saved yet, and now nobody waits for them any more.
    store.save_arrives().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    store.open_gate();
    source(&connections).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
    assert_eq!(status(&connections).await, (Status::Active, None));
}

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
        .with_sleeper(zoom_core::Sleeper::new(|_| tokio::task::yield_now()))
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
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    store.hold_next_save();
    let refresh = tokio::spawn({
        let source = source(&connections).await;
        async move { source.access_token().await.map(drop) }
    });
    store.save_arrives().await;
    connections.disconnect(&owner("rep")).await.unwrap();
    store.open_gate();
    assert!(refresh.await.unwrap().unwrap_err().needs_reauthorization());
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

/// Saves the record as `edit` leaves it, with the tokens it has, as a newer version of the crate might.
async fn touch(store: &Difficult, edit: impl FnOnce(&mut StoredConnection)) {
    let found = store.only_connection().await;
    let (id, owner) = (found.value.id.clone(), found.value.owner.clone());
    let place = SealContext {
        owner: &owner,
        connection: &id,
        field: "tokens",
        generation: found.generation,
    };
    let tokens = vault()
        .open(&place, found.value.sealed.as_ref().unwrap())
        .await
        .unwrap();
    let mut record = found.value;
    edit(&mut record);
    let place = SealContext {
        generation: found.generation.next(),
        ..place
    };
    record.sealed = Some(vault().seal(&place, &tokens).await.unwrap());
    store
        .inner
        .save(&record, Expect::Generation(found.generation))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_tokens_join_what_others_have_changed_meanwhile() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    store.hold_next_save();
    let refresh = tokio::spawn({
        let source = source(&connections).await;
        async move { source.access_token().await.unwrap() }
    });
    store.save_arrives().await;
    touch(&store, |record| {
        record.status = Status::Degraded;
        record.display_name = Some("Renamed".into());
    })
    .await;
    store.open_gate();
    let token = refresh.await.unwrap();
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
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    store.hold_next_save();
    let refresh = tokio::spawn({
        let source = source(&connections).await;
        async move { source.access_token().await.unwrap() }
    });
    store.save_arrives().await;
    zoom.connect(&connections, "rep").await;
    let newest = source(&connections).await.access_token().await.unwrap();
    store.open_gate();
    assert_eq!(
        refresh.await.unwrap().expose_secret(),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_gets_invalid_grant_adopts_the_tokens_of_whoever_was_faster() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    // Two processes whose locks know nothing of each other: a lock server that lost its memory.
    let fast = zoom.connections(store.clone());
    let slow = zoom.builder(store).endpoints(zoom.second_door()).build().unwrap();
    zoom.connect(&fast, "rep").await;
    zoom.pass_an_hour();
    let (held, go) = Slow::new();
    zoom.fail_next(Fault::Slow(Arc::clone(&held)));
    let loser = tokio::spawn({
        let source = source(&slow).await;
        async move { source.access_token().await.unwrap() }
    });
    held.call_arrives().await;
    let won = source(&fast).await.access_token().await.unwrap();
    go.send(()).unwrap();
    assert_eq!(loser.await.unwrap().expose_secret(), won.expose_secret());
    assert_eq!(zoom.calls("refresh_token"), 2, "both tried");
    assert_eq!(status(&fast).await, (Status::Active, None));
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
