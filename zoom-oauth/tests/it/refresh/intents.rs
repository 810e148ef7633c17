//! The note on a record while its refresh token is being spent.

use std::sync::Arc;

use jiff::SignedDuration;
use token_store::{Holder, LockKey, MemoryLock, MemoryStore, RefreshLock, Status};
use tokio::sync::{Barrier, Semaphore};
use zoom_core::{AccessToken, Sleeper};
use zoom_oauth::{ConnectionId, InterruptedOutcome};

use super::{source, status, touch};
use crate::{
    stores::{Difficult, LostLock, SilentLock},
    zoom::{Fault, Slow, Zoom},
};

/// What a process that was killed leaves on the record, with the tokens that it was about to replace.
async fn leave_intent(zoom: &Zoom, store: &Difficult) {
    let refresh = zoom.newest_secret("refresh");
    let intent = format!(
        r#"{{"at":"{}","token":"{}","by":"killed"}}"#,
        zoom.clock().now(),
        AccessToken::new(refresh).fingerprint()
    );
    touch(store, |record| {
        record.attributes.insert("refresh_intent".into(), intent);
    })
    .await;
}

/// Longer than anybody is at it.
fn pass_the_lease(zoom: &Zoom) {
    zoom.pass(SignedDuration::from_secs(120));
}

#[tokio::test]
async fn a_refresh_takes_two_saves_and_leaves_no_note() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    let before = store.saves();
    source(&connections).await.access_token().await.unwrap();
    assert_eq!(store.saves() - before, 2);
    let record = store.only_connection().await.value;
    assert!(
        !record.attributes.contains_key("refresh_intent"),
        "{:?}",
        record.attributes
    );
}

/// A sleeper that tells when somebody waits.
fn telling() -> (Sleeper, Arc<Semaphore>) {
    let waits = Arc::new(Semaphore::new(0));
    let tell = Arc::clone(&waits);
    let sleeper = Sleeper::new(move |pause| {
        tell.add_permits(1);
        tokio::time::sleep(pause)
    });
    (sleeper, waits)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_lock_the_second_waits_for_what_the_first_brings() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let first = zoom
        .builder(store.clone())
        .endpoints(zoom.second_door())
        .lock(Arc::new(LostLock))
        .build()
        .unwrap();
    let (sleeper, waits) = telling();
    let second = zoom
        .builder(store)
        .lock(Arc::new(LostLock))
        .with_sleeper(sleeper)
        .build()
        .unwrap();
    zoom.connect(&first, "rep").await;
    zoom.pass_an_hour();
    let (held, go) = Slow::new();
    zoom.fail_next(Fault::Slow(Arc::clone(&held)));
    let fetch = |connections| async move {
        let token = source(&connections).await.access_token().await.unwrap();
        token.expose_secret().to_owned()
    };
    let winner = tokio::spawn(fetch(first.clone()));
    held.call_arrives().await;
    let mut waiter = tokio::spawn(fetch(second));
    tokio::select! {
        _ = waits.acquire() => {}
        _ = &mut waiter => panic!("it did not wait"),
    }
    go.send(()).unwrap();
    assert_eq!(waiter.await.unwrap(), winner.await.unwrap());
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_whose_lock_is_lost_make_one_exchange() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let process = || {
        zoom.builder(store.clone())
            .lock(Arc::new(LostLock))
            .build()
            .unwrap()
    };
    let processes = [process(), process(), process(), process()];
    zoom.connect(&processes[0], "rep").await;
    for round in 1..=3 {
        zoom.pass_an_hour();
        let barrier = Arc::new(Barrier::new(40));
        let callers: Vec<_> = (0..40)
            .map(|number| {
                let (connections, barrier) = (processes[number % 4].clone(), Arc::clone(&barrier));
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
        assert_eq!((tokens.len(), zoom.calls("refresh_token")), (1, round));
    }
}

#[tokio::test]
async fn a_lock_that_never_answers_holds_nobody_up() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    zoom.connect(&zoom.connections(store.clone()), "rep").await;
    let silent = zoom.builder(store).lock(Arc::new(SilentLock)).build().unwrap();
    zoom.pass_an_hour();
    source(&silent).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_gets_invalid_grant_adopts_the_tokens_of_whoever_was_faster() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    // Two processes whose locks know nothing of each other, and one of them stands still for two minutes.
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
    pass_the_lease(&zoom);
    let won = source(&fast).await.access_token().await.unwrap();
    go.send(()).unwrap();
    assert_eq!(loser.await.unwrap().expose_secret(), won.expose_secret());
    assert_eq!(zoom.calls("refresh_token"), 2, "both tried");
    assert_eq!(status(&fast).await, (Status::Active, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invalid_grant_expires_nobody_while_another_s_tokens_are_on_their_way() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let (sleeper, waits) = telling();
    let slow = zoom
        .builder(store.clone())
        .endpoints(zoom.second_door())
        .with_sleeper(sleeper)
        .build()
        .unwrap();
    let fast = zoom.connections(store.clone());
    zoom.connect(&fast, "rep").await;
    zoom.pass_an_hour();
    let fetch = |connections| async move {
        let token = source(&connections).await.access_token().await.unwrap();
        token.expose_secret().to_owned()
    };
    let (held, go) = Slow::new();
    zoom.fail_next(Fault::Slow(Arc::clone(&held)));
    let mut loser = tokio::spawn(fetch(slow));
    held.call_arrives().await;
    pass_the_lease(&zoom);
    store.hold_next_save();
    let winner = tokio::spawn(fetch(fast.clone()));
    store.save_arrives().await;
    go.send(()).unwrap();
    tokio::select! {
        _ = waits.acquire() => {}
        _ = &mut loser => panic!("it did not wait"),
    }
    store.open_gate();
    assert_eq!(loser.await.unwrap(), winner.await.unwrap());
    assert_eq!(status(&fast).await, (Status::Active, None));
}

#[tokio::test]
async fn a_refresh_that_a_crash_interrupted_is_tried_again_when_its_time_is_over() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    leave_intent(&zoom, &store).await;
    let source = source(&connections).await;
    let error = source.access_token().await.unwrap_err();
    assert!(error.is_retryable() && !error.needs_reauthorization());
    assert_eq!(zoom.calls("refresh_token"), 0, "it may still be at it");
    pass_the_lease(&zoom);
    source.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1, "zoom had never heard of it");
    assert_eq!(status(&connections).await, (Status::Active, None));
}

#[tokio::test]
async fn tokens_that_went_down_with_a_process_are_named_as_the_reason() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    leave_intent(&zoom, &store).await;
    zoom.revoke_all();
    pass_the_lease(&zoom);
    // The doubt outlives a Zoom that is down, and keeps nobody waiting.
    for _ in 0..2 {
        zoom.fail_next(Fault::Status(503));
    }
    let another = zoom.connections(store.clone());
    assert!(
        source(&another)
            .await
            .access_token()
            .await
            .unwrap_err()
            .is_retryable()
    );
    let error = source(&connections).await.access_token().await.unwrap_err();
    assert!(error.needs_reauthorization());
    assert_eq!(
        status(&connections).await,
        (Status::Expired, Some("refresh_interrupted".into()))
    );
    assert_eq!(zoom.calls("refresh_token"), 3);
}

#[tokio::test]
async fn while_another_process_refreshes_a_token_with_minutes_left_serves() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let (sleeper, waits) = telling();
    let connections = zoom.builder(store.clone()).with_sleeper(sleeper).build().unwrap();
    zoom.connect(&connections, "rep").await;
    let source = source(&connections).await;
    let present = source.access_token().await.unwrap();
    zoom.pass(SignedDuration::from_mins(56));
    leave_intent(&zoom, &store).await;
    let spare = source.access_token().await.unwrap();
    assert_eq!(spare.expose_secret(), present.expose_secret());
    assert_eq!(waits.available_permits(), 0, "and nobody waits");
    let mut refused = Box::pin(source.invalidate(&present));
    tokio::select! {
        _ = waits.acquire() => {}
        _ = &mut refused => panic!("a refused token does not serve"),
    }
    assert_eq!(zoom.calls("refresh_token"), 0);
}

#[tokio::test]
async fn interrupted_refreshes_are_found_and_finished() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    let settle = async || {
        let settled = connections.settle_interrupted().await.unwrap();
        let outcome = |one: zoom_oauth::Interrupted| (one.connection, one.outcome);
        settled.into_iter().map(outcome).collect::<Vec<_>>()
    };
    let id: ConnectionId = zoom.connect(&connections, "rep").await.id;
    assert_eq!(settle().await, [], "nothing is wrong");
    leave_intent(&zoom, &store).await;
    assert_eq!(settle().await, [(id.clone(), InterruptedOutcome::Open)]);
    assert_eq!(zoom.calls("refresh_token"), 0, "it may still be at it");
    pass_the_lease(&zoom);
    for _ in 0..2 {
        zoom.fail_next(Fault::Status(503));
    }
    assert_eq!(settle().await, [(id.clone(), InterruptedOutcome::Open)]);
    assert_eq!(settle().await, [(id.clone(), InterruptedOutcome::Live)]);
    assert_eq!(settle().await, [], "and that was that");
    leave_intent(&zoom, &store).await;
    zoom.revoke_all();
    pass_the_lease(&zoom);
    assert_eq!(settle().await, [(id, InterruptedOutcome::Expired)]);
    assert_eq!(
        status(&connections).await,
        (Status::Expired, Some("refresh_interrupted".into()))
    );
    assert_eq!(settle().await, []);
}

#[tokio::test]
async fn whoever_waits_for_a_process_that_died_goes_on_in_its_place() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let lock = Arc::new(MemoryLock::new().with_clock(token_store::Clock::new({
        let clock = zoom.clock();
        move || clock.now()
    })));
    let time = zoom.time();
    let connections = zoom
        .builder(store.clone())
        .lock(Arc::clone(&lock) as Arc<dyn RefreshLock>)
        .with_sleeper(Sleeper::new(move |pause| {
            *time.lock().unwrap() += SignedDuration::try_from(pause).unwrap();
            tokio::task::yield_now()
        }))
        .build()
        .unwrap();
    let connection = zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    // It died with the lease, before its request left.
    leave_intent(&zoom, &store).await;
    let (key, holder) = (LockKey::connection(&connection.id), Holder::random().unwrap());
    let lease = std::time::Duration::from_secs(50);
    lock.try_acquire(&key, &holder, lease).await.unwrap().unwrap();
    let died_at = zoom.clock().now();
    source(&connections).await.access_token().await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1);
    let waited = zoom.clock().now().duration_since(died_at);
    assert!(
        waited >= SignedDuration::from_secs(50),
        "not before nobody can be at it"
    );
}
