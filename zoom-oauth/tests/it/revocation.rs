//! Grants that Zoom could not end at once.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use token_store::{MemoryStore, Status};
use tokio::sync::Semaphore;
use zoom_core::Sleeper;
use zoom_oauth::{Connections, Revoked};

use crate::zoom::{Fault, Slow, Zoom, owner};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Pauses that are written down, and end when the test says so.
#[derive(Clone, Debug)]
struct Pauses {
    begun: Arc<Mutex<Vec<Duration>>>,
    over: Arc<Semaphore>,
}

impl Pauses {
    fn new() -> Self {
        Self {
            begun: Arc::default(),
            over: Arc::new(Semaphore::new(0)),
        }
    }

    fn sleeper(&self) -> Sleeper {
        let this = self.clone();
        Sleeper::new(move |pause| {
            this.begun.lock().unwrap().push(pause);
            let over = Arc::clone(&this.over);
            async move { over.acquire().await.unwrap().forget() }
        })
    }

    fn end(&self, count: usize) {
        self.over.add_permits(count);
    }

    fn list(&self) -> Vec<Duration> {
        self.begun.lock().unwrap().clone()
    }
}

async fn set_up() -> (Zoom, Connections, Pauses) {
    let (zoom, pauses) = (Zoom::start().await, Pauses::new());
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(pauses.sleeper())
        .build()
        .unwrap();
    zoom.connect(&connections, "rep").await;
    (zoom, connections, pauses)
}

/// A rep who has left while Zoom was down.
async fn left() -> (Zoom, Connections, Pauses) {
    let (zoom, connections, pauses) = set_up().await;
    zoom.state().revoke_is_down = true;
    let gone = connections.disconnect(&owner("rep")).await.unwrap();
    assert_eq!((gone.revoked, gone.is_revoked()), (Revoked::Pending, false));
    (zoom, connections, pauses)
}

async fn settled(connections: &Connections) {
    until(|| connections.revocations().is_empty()).await;
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_grant_is_ended_as_soon_as_zoom_is_back() {
    let (zoom, connections, pauses) = left().await;
    let waiting = connections.revocations();
    assert_eq!((waiting.len(), &waiting[0].owner), (1, &owner("rep")));
    pauses.end(1);
    until(|| connections.revocations()[0].tries == 2).await;
    assert!(zoom.state().revoked.is_empty());
    zoom.state().revoke_is_down = false;
    pauses.end(1);
    settled(&connections).await;
    let state = zoom.state();
    assert_eq!((state.revoked.len(), state.revoke_calls), (1, 3));
}

#[tokio::test]
async fn it_is_given_up_after_a_day_with_pauses_that_grow() {
    let (zoom, connections, pauses) = left().await;
    pauses.end(1000);
    settled(&connections).await;
    let pauses = pauses.list();
    let tried: Duration = pauses.iter().take(pauses.len() - 1).sum();
    assert!(tried <= DAY && tried > DAY / 2, "{tried:?}");
    assert!((25..=70).contains(&pauses.len()), "{}", pauses.len());
    assert!(
        pauses[0] <= Duration::from_secs(2) && pauses[5] >= Duration::from_secs(32),
        "{pauses:?}"
    );
    assert_eq!(zoom.state().revoke_calls, 1 + pauses.len());
}

#[tokio::test]
async fn zoom_is_not_asked_before_the_time_that_it_names() {
    let (zoom, connections, pauses) = set_up().await;
    {
        let mut state = zoom.state();
        (state.revoke_is_down, state.revoke_retry_after) = (true, Some(900));
    }
    connections.disconnect(&owner("rep")).await.unwrap();
    until(|| !pauses.list().is_empty()).await;
    assert!(
        pauses.list()[0] >= Duration::from_secs(900),
        "{:?}",
        pauses.list()
    );
}

#[tokio::test]
async fn a_process_that_ends_tries_once_more_and_names_who_is_left() {
    let (zoom, connections, _pauses) = left().await;
    assert_eq!(connections.drain().await, [owner("rep")]);
    assert_eq!(zoom.state().revoke_calls, 2, "one last try");
    assert_eq!(connections.revocations(), []);
    assert_eq!(connections.drain().await, [], "told once");
}

#[tokio::test]
async fn the_last_try_may_be_the_one_that_works() {
    let (zoom, connections, _pauses) = left().await;
    zoom.state().revoke_is_down = false;
    assert_eq!(connections.drain().await, []);
    assert_eq!(zoom.state().revoked.len(), 1);
}

#[tokio::test]
async fn a_grant_that_another_owner_lives_on_is_left_alone() {
    let (zoom, connections, _) = set_up().await;
    zoom.connect(&connections, "second home of the same user").await;
    let gone = connections.disconnect(&owner("rep")).await.unwrap();
    assert_eq!(gone.revoked, Revoked::Shared);
    assert_eq!(zoom.state().revoke_calls, 0);
    let other = owner("second home of the same user");
    connections
        .client_for(&other)
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
    assert!(
        connections.disconnect(&other).await.unwrap().is_revoked(),
        "the last one ends it"
    );
}

#[tokio::test]
async fn tokens_that_come_after_an_owner_has_left_do_not_end_a_grant_that_another_lives_on() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    zoom.connect(&connections, "second home of the same user").await;
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    let (slow, go) = Slow::new();
    zoom.fail_next(Fault::Slow(Arc::clone(&slow)));
    let rep = connections.token_source(&owner("rep")).await.unwrap();
    let refresh = tokio::spawn(async move { rep.access_token().await });
    slow.call_arrives().await;
    let gone = connections.disconnect(&owner("rep")).await.unwrap();
    assert_eq!(gone.revoked, Revoked::Shared);
    drop(go);
    refresh.await.unwrap().unwrap_err();
    assert_eq!((zoom.calls("refresh_token"), zoom.state().revoke_calls), (1, 0));
}

#[tokio::test]
async fn whoever_connects_again_meanwhile_is_not_logged_out() {
    let (zoom, connections, pauses) = left().await;
    zoom.connect(&connections, "rep").await;
    zoom.state().revoke_is_down = false;
    pauses.end(1);
    settled(&connections).await;
    assert_eq!(zoom.state().revoke_calls, 1, "the one while zoom was down");
    connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
    let now = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(now.status, Status::Active);
}

#[tokio::test]
async fn a_token_that_runs_out_while_zoom_is_down_is_renewed_once_to_be_revoked() {
    let (zoom, connections, pauses) = left().await;
    zoom.pass_an_hour();
    pauses.end(2);
    until(|| connections.revocations()[0].tries == 3).await;
    zoom.state().revoke_is_down = false;
    pauses.end(1);
    settled(&connections).await;
    assert_eq!((zoom.calls("refresh_token"), zoom.state().revoked.len()), (1, 1));
}

#[test]
fn the_answer_s_form_is_stable() {
    let all = [Revoked::Nothing, Revoked::Shared, Revoked::Yes, Revoked::Pending];
    let written = serde_json::to_string(&all).unwrap();
    assert_eq!(written, r#"["nothing","shared","yes","pending"]"#);
    for one in all {
        assert_eq!(serde_json::to_value(one).unwrap(), one.as_str());
    }
}
