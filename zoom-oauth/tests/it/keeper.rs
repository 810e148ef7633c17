//! Connections that nobody uses are looked after, once, whatever the number of hosts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::json;
use token_store::{
    ConnectionId, Expect, Filter, Generation, MemoryLock, MemoryStore, Page, PageToken, Status, StoreError,
    StoredConnection, TokenStore, Versioned,
};
use tokio::sync::oneshot;
use zoom_oauth::{
    ConnectionEvent, ConnectionEvents, Connections, ErrorKind, EventKind, Feature, Keeper, Round,
};

use crate::{
    unfinished::begin,
    zoom::{Fault, Slow, Zoom, owner, quick, session},
};

const DAY: i64 = 24;

/// Hosts that share a store and a lock.
fn hosts<const N: usize>(zoom: &Zoom, store: &MemoryStore) -> [Connections; N] {
    let lock = Arc::new(MemoryLock::new().with_clock({
        let clock = zoom.clock();
        token_store::Clock::new(move || clock.now())
    }));
    std::array::from_fn(|_| {
        let builder = zoom
            .builder(store.clone())
            .lock(lock.clone())
            .with_sleeper(quick());
        builder.build().unwrap()
    })
}

async fn connect_all(zoom: &Zoom, connections: &Connections, owners: usize) {
    for number in 0..owners {
        zoom.state().user = ("acc-1".into(), format!("user-{number}"));
        zoom.connect(connections, &format!("rep-{number}")).await;
    }
}

async fn all_at_once(keepers: &[Arc<Keeper>]) -> Round {
    let rounds = keepers.iter().map(|keeper| {
        let keeper = Arc::clone(keeper);
        tokio::spawn(async move { keeper.once().await })
    });
    let mut sum = Round::default();
    for round in rounds.collect::<Vec<_>>() {
        let round = round.await.unwrap();
        sum.checked += round.checked;
        sum.refreshed += round.refreshed;
        sum.failed += round.failed;
        sum.finished += round.finished;
    }
    sum
}

fn done(checked: usize, refreshed: usize) -> Round {
    let mut round = Round::default();
    (round.checked, round.refreshed) = (checked, refreshed);
    round
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_three_hosts_one_checks_each_connection_once_a_day() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let hosts = hosts::<3>(&zoom, &store);
    connect_all(&zoom, &hosts[0], 8).await;
    let keepers = hosts.map(|connections| Arc::new(Keeper::new(connections).with_jitter(0.0)));
    let looks = zoom.state().looks;
    for (hours, checked) in [(0, 0), (23, 0), (1, 8), (0, 0), (23, 0), (2, 8)] {
        zoom.pass(SignedDuration::from_hours(hours));
        assert_eq!(
            all_at_once(&keepers).await,
            done(checked, 0),
            "after {hours} more hours"
        );
    }
    assert_eq!(zoom.state().looks - looks, 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn idle_tokens_are_refreshed_once_and_well_before_they_die() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let hosts = hosts::<3>(&zoom, &store);
    connect_all(&zoom, &hosts[0], 4).await;
    let keepers = hosts.map(|connections| {
        let keeper = Keeper::new(connections).without_checks().with_jitter(0.0);
        Arc::new(keeper)
    });
    let mut refreshed = 0;
    for day in 1..=90 {
        zoom.pass(SignedDuration::from_hours(DAY));
        let round = all_at_once(&keepers).await;
        assert_eq!(round.refreshed, if day % 31 == 0 { 4 } else { 0 }, "day {day}");
        refreshed += round.refreshed;
    }
    assert_eq!((refreshed, zoom.calls("refresh_token")), (8, 8));
}

#[tokio::test]
async fn what_changed_in_zoom_is_found_and_told() {
    let zoom = Zoom::start().await;
    zoom.state().scope = "user:read:user user:read:settings cloud_recording:read:list_user_recordings".into();
    zoom.state().profile = json!({ "type": 2 });
    zoom.state().settings = json!({ "recording": { "cloud_recording": true } });
    let heard = crate::events::Heard::default();
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(quick())
        .features([Feature::ListRecordings])
        .events(Arc::new(heard.clone()))
        .build()
        .unwrap();
    zoom.connect(&connections, "rep").await;
    let keeper = Keeper::new(connections);
    for on in [false, false, true] {
        zoom.state().settings = json!({ "recording": { "cloud_recording": on } });
        zoom.pass(SignedDuration::from_hours(DAY));
        assert_eq!(keeper.once().await.checked, 1);
    }
    assert_eq!(
        heard.kinds(),
        [EventKind::Connected, EventKind::Degraded, EventKind::Recovered]
    );
}

#[tokio::test]
async fn a_zoom_that_is_down_is_not_asked_all_the_time_and_changes_nothing() {
    let zoom = Zoom::start().await;
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(quick())
        .build()
        .unwrap();
    zoom.connect(&connections, "rep").await;
    let keeper = Keeper::new(connections.clone());
    zoom.pass(SignedDuration::from_hours(DAY));
    connections.refresh(&owner("rep")).await.unwrap();
    for (minutes, failed, checked) in [(0, 1, 0), (5, 0, 0), (10, 0, 1)] {
        zoom.pass(SignedDuration::from_mins(minutes));
        if failed == 1 {
            zoom.state().refusals.extend([(503, 0); 4]);
        }
        let round = keeper.once().await;
        assert_eq!(
            (round.failed, round.checked),
            (failed, checked),
            "after {minutes} more minutes"
        );
        let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
        assert_eq!(connection.status, Status::Active);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_that_came_to_no_end_is_brought_to_one() {
    let zoom = Zoom::start().await;
    let [one, other] = hosts::<2>(&zoom, &MemoryStore::new());
    zoom.connect(&one, "rep").await;
    zoom.pass_an_hour();
    let keeper = Keeper::new(other.clone()).without_checks();
    let (slow, go) = Slow::new();
    zoom.fail_next(Fault::Slow(Arc::clone(&slow)));
    let refreshing = {
        let one = one.clone();
        tokio::spawn(async move { one.refresh(&owner("rep")).await })
    };
    slow.call_arrives().await;
    let round = keeper.once().await;
    assert_eq!((round.refreshed, round.failed), (0, 0), "somebody is at it");
    go.send(()).unwrap();
    refreshing.await.unwrap().unwrap();

    // Zoom spends the refresh token, and nobody has what it brought.
    zoom.fail_next(Fault::LostAnswer);
    let error = one.refresh(&owner("rep")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{error:?}");
    assert_eq!(keeper.once().await.refreshed, 1);
    let connection = other.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(
        (connection.status, connection.reason.as_deref()),
        (Status::Expired, Some("answer_lost"))
    );
    assert_eq!(keeper.once().await.refreshed, 0);
}

#[tokio::test]
async fn an_unfinished_connect_is_finished() {
    let zoom = Zoom::start().await;
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(quick())
        .build()
        .unwrap();
    begin(&zoom, &connections).await;
    let keeper = Keeper::new(connections.clone());
    assert_eq!(keeper.once().await.finished, 1);
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(connection.status, Status::Active);
    assert_eq!(keeper.once().await.finished, 0);
}

/// A listener with a bug.
#[derive(Debug)]
struct Panics;

#[async_trait]
impl ConnectionEvents for Panics {
    async fn notify(&self, event: &ConnectionEvent) {
        assert!(
            event.kind != EventKind::Expired || event.owner != owner("rep-1"),
            "a bug in the host"
        );
    }
}

/// A store that fails when it is told to, and has a bug, too.
#[derive(Clone, Debug)]
struct Flaky {
    inner: MemoryStore,
    down: Arc<AtomicBool>,
}

#[async_trait]
impl TokenStore for Flaky {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.inner.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let has_bug = record.status == Status::Expired && record.owner == owner("rep-2");
        assert!(!has_bug, "a bug in the store");
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
        if self.down.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("down"));
        }
        self.inner.find(&filter.clone().with_page_size(1), page).await
    }
}

#[tokio::test]
async fn neither_a_failing_store_nor_a_panic_ends_it() {
    let zoom = Zoom::start().await;
    let down = Arc::new(AtomicBool::new(false));
    let store = Flaky {
        inner: MemoryStore::new(),
        down: Arc::clone(&down),
    };
    let builder = zoom.builder(store).with_sleeper(quick()).events(Arc::new(Panics));
    let connections = builder.build().unwrap();
    connect_all(&zoom, &connections, 3).await;
    let keeper = Keeper::new(connections.clone());
    zoom.pass(SignedDuration::from_hours(DAY));
    down.store(true, Ordering::Relaxed);
    assert_eq!(keeper.once().await.failed, 1);
    down.store(false, Ordering::Relaxed);
    zoom.revoke_all();
    let round = keeper.once().await;
    assert_eq!((round.seen, round.checked, round.failed), (3, 2, 1));
    for connection in connections.list().await.unwrap() {
        let is_saved = connection.status == Status::Expired;
        let can_be_saved = connection.owner != owner("rep-2");
        assert_eq!(is_saved, can_be_saved, "what was found is saved, told or not");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_runs_until_it_is_told_to_stop_and_ends_what_it_has_begun() {
    let zoom = Zoom::start().await;
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(quick())
        .build()
        .unwrap();
    connect_all(&zoom, &connections, 2).await;
    zoom.pass(SignedDuration::from_hours(DAY));
    let (slow, go) = Slow::new();
    zoom.fail_next(Fault::Slow(Arc::clone(&slow)));
    let (stop, stopped) = oneshot::channel::<()>();
    let keeper = Keeper::new(connections.clone()).with_pause(Duration::ZERO);
    let running = tokio::spawn(keeper.run(async { drop(stopped.await) }));
    slow.call_arrives().await;
    stop.send(()).unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!running.is_finished(), "a refresh is under way");
    go.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(zoom.calls("refresh_token"), 1, "and no other is begun");
    let refreshed = connections.list().await.unwrap();
    assert_eq!(
        refreshed
            .iter()
            .filter(|found| found.refreshed_at.is_some())
            .count(),
        1
    );
}

#[tokio::test]
async fn what_nobody_finished_in_time_goes_and_its_grant_is_ended() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let [connections] = hosts::<1>(&zoom, &store);
    zoom.authorize(&connections, "rep").await;
    connections.park(&zoom.install(), &session()).await.unwrap();
    let keeper = Keeper::new(connections.clone());
    let rows = async || {
        let found = store.find(&Filter::all(), PageToken::first()).await;
        found.unwrap().items.len()
    };
    for (minutes, left) in [(9, 2), (1, 2), (1, 1), (20, 0)] {
        zoom.pass(SignedDuration::from_mins(minutes));
        keeper.once().await;
        assert_eq!(rows().await, left, "after {minutes} more minutes");
    }
    connections.drain().await;
    while zoom.state().revoked.is_empty() {
        tokio::task::yield_now().await;
    }
}
