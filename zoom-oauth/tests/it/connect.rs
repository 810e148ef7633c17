//! From the consent page to a saved connection, and everything that must not pass.

use std::sync::Arc;

use jiff::SignedDuration;
use token_store::{Filter, MemoryStore, PageToken, RecordKind, Status, TokenStore as _};
use tokio::sync::Barrier;
use zoom_oauth::{Callback, Error, ErrorKind, SessionBinding};

use crate::{
    stores::Difficult,
    zoom::{Fault, Zoom, owner, session},
};

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn a_consent_becomes_an_active_connection() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    assert_eq!(connections.connection(&owner("rep")).await.unwrap(), None);
    let connected = zoom.connect(&connections, "rep").await;
    assert_eq!(connected.status, Status::Active);
    assert_eq!(
        (connected.account_id.as_str(), connected.user_id.as_str()),
        ("acc-1", "user-1")
    );
    assert_eq!(connected.display_name.as_deref(), Some("Riley Rep"));
    assert_eq!(connected.email.as_deref(), Some("riley@sim.example"));
    assert_eq!(connected.scopes, ["meeting:read:meeting", "user:read:user"]);
    assert_eq!(
        connected.access_expires_at.unwrap(),
        connected.connected_at + SignedDuration::from_secs(3599)
    );
    assert_eq!(
        connections.connection(&owner("rep")).await.unwrap(),
        Some(connected.clone())
    );
    assert_eq!(
        connections.list().await.unwrap(),
        std::slice::from_ref(&connected)
    );
    let account = connected.account_id.clone();
    assert_eq!(
        connections
            .find_by_zoom(&account, Some(&connected.user_id))
            .await
            .unwrap(),
        [connected]
    );
    assert_eq!(
        connections
            .find_by_zoom(&account, Some(&"nobody".parse().unwrap()))
            .await
            .unwrap(),
        []
    );
    let me = connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
    assert_eq!(me.id.unwrap().as_str(), "user-1");
}

#[tokio::test]
async fn a_state_works_once() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let connections = zoom.connections(store.clone());
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    connections.connect(&callback, &session()).await.unwrap();
    assert_eq!(
        kind(connections.connect(&callback, &session()).await),
        ErrorKind::UnknownState
    );
    assert_eq!(zoom.calls("authorization_code"), 1);
    let left = store
        .find(&Filter::all().kind(RecordKind::Authorization), PageToken::first())
        .await
        .unwrap();
    assert!(left.items.is_empty(), "nothing of it is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_bring_the_same_state_one_gets_in() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    let barrier = Arc::new(Barrier::new(16));
    let racers: Vec<_> = (0..16)
        .map(|_| {
            let (connections, callback, barrier) =
                (connections.clone(), callback.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                connections.connect(&callback, &session()).await
            })
        })
        .collect();
    let mut connected = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => connected += 1,
            Err(error) => assert_eq!(error.kind(), ErrorKind::UnknownState),
        }
    }
    assert_eq!((connected, zoom.calls("authorization_code")), (1, 1));
}

#[tokio::test]
async fn a_change_of_keys_does_not_use_a_state_up() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    let started = zoom.authorize(&connections, "rep").await;
    store.rotate(2);
    let callback = zoom.consent(&started.url);
    connections.connect(&callback, &session()).await.unwrap();
}

#[tokio::test]
async fn an_expired_state_is_refused() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    zoom.pass(SignedDuration::from_mins(10));
    assert_eq!(
        kind(connections.connect(&callback, &session()).await),
        ErrorKind::ExpiredState
    );
    assert_eq!(
        kind(connections.connect(&callback, &session()).await),
        ErrorKind::UnknownState,
        "and removed"
    );
}

#[tokio::test]
async fn a_foreign_session_is_refused_and_does_not_use_the_state_up() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    let foreign = SessionBinding::new("another cookie");
    assert_eq!(
        kind(connections.connect(&callback, &foreign).await),
        ErrorKind::ForeignSession
    );
    connections.connect(&callback, &session()).await.unwrap();
}

#[tokio::test]
async fn another_owner_is_refused_even_in_the_same_session() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    let other = session().with_owner(owner("other"));
    assert_eq!(
        kind(connections.connect(&callback, &other).await),
        ErrorKind::ForeignSession
    );
    assert_eq!(
        kind(connections.authorize(&owner("rep"), &other).await),
        ErrorKind::ForeignSession
    );
    let connected = connections
        .connect(&callback, &session().with_owner(owner("rep")))
        .await
        .unwrap();
    assert_eq!(connected.owner, owner("rep"));
}

#[tokio::test]
async fn a_started_connect_that_was_given_to_another_owner_does_not_open() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let connections = zoom.connections(store.clone());
    let started = zoom.authorize(&connections, "rep").await;
    let filter = Filter::all().kind(RecordKind::Authorization);
    let mut found = store
        .find(&filter, PageToken::first())
        .await
        .unwrap()
        .items
        .remove(0);
    store.delete(&found.value.id).await.unwrap();
    found.value.owner = owner("attacker");
    store
        .save(&found.value, token_store::Expect::Absent)
        .await
        .unwrap();
    let callback = zoom.consent(&started.url);
    assert_eq!(
        kind(connections.connect(&callback, &session()).await),
        ErrorKind::Vault
    );
}

#[tokio::test]
async fn an_unknown_state_or_half_a_callback_is_refused_before_zoom_is_asked() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    for (query, expected) in [
        ("code=c&state=forged", ErrorKind::UnknownState),
        ("code=c", ErrorKind::InvalidCallback),
        ("state=s", ErrorKind::InvalidCallback),
        ("", ErrorKind::InvalidCallback),
    ] {
        assert_eq!(
            kind(
                connections
                    .connect(&Callback::from_query(query), &session())
                    .await
            ),
            expected,
            "{query}"
        );
    }
    assert_eq!(zoom.calls("authorization_code"), 0);
}

#[tokio::test]
async fn a_denial_is_an_error_of_its_own_and_uses_the_state_up() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    let started = zoom.authorize(&connections, "rep").await;
    let denied = Callback::from_query(&format!("error=access_denied&state={}", started.state));
    let error = connections.connect(&denied, &session()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Denied, Some("access_denied"))
    );
    assert_eq!(
        kind(connections.connect(&denied, &session()).await),
        ErrorKind::UnknownState
    );
    let stateless = Callback::from_query("error=access_denied");
    assert_eq!(
        kind(connections.connect(&stateless, &session()).await),
        ErrorKind::Denied
    );
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_by_zoom() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    let (one, other) = (
        zoom.authorize(&connections, "rep").await,
        zoom.authorize(&connections, "rep").await,
    );
    // A code of one connect with the state of another: PKCE keeps them apart.
    zoom.consent(&one.url);
    let code = zoom.state().secrets.last().unwrap().clone();
    let error = connections
        .connect(&Callback::new(code, other.state), &session())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::InvalidCode, Some("invalid_grant"))
    );
}

#[tokio::test]
async fn reconnecting_keeps_the_id_and_replaces_the_tokens() {
    let (zoom, connections) = Zoom::connected().await;
    let first = connections.connection(&owner("rep")).await.unwrap().unwrap();
    zoom.pass_an_hour();
    let second = zoom.connect(&connections, "rep").await;
    assert_eq!((&second.id, second.connected_at), (&first.id, first.connected_at));
    assert_eq!(connections.list().await.unwrap().len(), 1);
    connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_old_tokens_stay_until_the_new_ones_work() {
    let (zoom, connections) = Zoom::connected().await;
    let before = connections.connection(&owner("rep")).await.unwrap();
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    zoom.fail_next(Fault::Status(500));
    let error = connections.connect(&callback, &session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(connections.connection(&owner("rep")).await.unwrap(), before);
    connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
}

#[tokio::test]
async fn reconnecting_as_another_zoom_user_is_refused_and_given_back() {
    let (zoom, connections) = Zoom::connected().await;
    let before = connections.connection(&owner("rep")).await.unwrap();
    zoom.state().user = ("acc-1".into(), "user-2".into());
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    assert_eq!(
        kind(connections.connect(&callback, &session()).await),
        ErrorKind::AnotherUser
    );
    assert_eq!(connections.connection(&owner("rep")).await.unwrap(), before);
    assert_eq!(zoom.state().revoked.len(), 1, "the grant that nobody wanted");
}

#[tokio::test]
async fn a_refused_user_who_is_connected_elsewhere_keeps_that_grant() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.state().user = ("acc-1".into(), "user-2".into());
    zoom.connect(&connections, "colleague").await;
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    assert_eq!(
        kind(connections.connect(&callback, &session()).await),
        ErrorKind::AnotherUser
    );
    assert_eq!(zoom.state().revoked.len(), 0);
}

#[tokio::test]
async fn after_a_disconnect_another_zoom_user_is_welcome_and_the_history_stays() {
    let (zoom, connections) = Zoom::connected().await;
    connections.disconnect(&owner("rep")).await.unwrap();
    // On a machine whose clock is behind.
    zoom.pass(SignedDuration::from_secs(-5));
    zoom.state().user = ("acc-1".into(), "user-2".into());
    let second = zoom.connect(&connections, "rep").await;
    assert_eq!(connections.connection(&owner("rep")).await.unwrap(), Some(second));
    assert_eq!(connections.list().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_connect_an_owner_at_once_as_different_users_do_not_both_get_in() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.builder(store.clone()).build().unwrap();
    store.hold_next_save();
    let mut tabs = Vec::new();
    for user in ["user-1", "user-2"] {
        zoom.state().user = ("acc-1".into(), user.into());
        let started = zoom.authorize(&connections, "rep").await;
        let (connections, callback) = (connections.clone(), zoom.consent(&started.url));
        tabs.push(tokio::spawn(async move {
            connections.connect(&callback, &session()).await
        }));
        if user == "user-1" {
            store.save_arrives().await;
        }
    }
    // The second knows who it is; all that it can do now is wait for the first.
    while zoom.state().looks < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    store.open_gate();
    let second = tabs.remove(1).await.unwrap();
    let first = tabs.remove(0).await.unwrap().unwrap();
    assert_eq!(kind(second), ErrorKind::AnotherUser);
    assert_eq!(connections.list().await.unwrap(), [first]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_tabs_of_the_same_user_make_one_connection() {
    let zoom = Zoom::start().await;
    let connections = zoom.builder(MemoryStore::new()).build().unwrap();
    let mut tabs = Vec::new();
    for _ in 0..4 {
        let started = zoom.authorize(&connections, "rep").await;
        let (connections, callback) = (connections.clone(), zoom.consent(&started.url));
        tabs.push(tokio::spawn(async move {
            connections.connect(&callback, &session()).await
        }));
    }
    for tab in tabs {
        if let Err(error) = tab.await.unwrap() {
            // A later consent ends the token of an earlier one while that is still asking who it is.
            assert_eq!(error.kind(), ErrorKind::Api, "{error:?}");
        }
    }
    assert_eq!(connections.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn started_connects_that_ran_out_are_swept() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let connections = zoom.connections(store.clone());
    for _ in 0..3 {
        zoom.authorize(&connections, "rep").await;
        zoom.pass(SignedDuration::from_mins(11));
    }
    let left = store.find(&Filter::all(), PageToken::first()).await.unwrap();
    assert_eq!(left.items.len(), 1);
}
