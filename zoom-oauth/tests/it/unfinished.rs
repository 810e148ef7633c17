//! Connects whose user Zoom is slow to name, and stores that are slow to take what Zoom has given.

use std::sync::Arc;

use jiff::SignedDuration;
use token_store::{Expect, Filter, MemoryStore, PageToken, Status, TokenStore};
use zoom_core::TokenSource as _;
use zoom_oauth::{AuthorizeRequest, Connections, ErrorKind, EventKind, Revoked};

use crate::{
    events::Heard,
    stores::{Difficult, LostLock, Naps},
    zoom::{Zoom, owner, quick, session},
};

/// The user consents, and Zoom does not say who it is.
pub(crate) async fn begin(zoom: &Zoom, connections: &Connections) {
    let started = zoom.authorize(connections, "rep").await;
    let callback = zoom.consent(&started.url);
    zoom.state().refusals.extend([(503, 0); 4]);
    let error = connections.connect(&callback, &session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unfinished);
}

async fn me(connections: &Connections) {
    let client = connections.client_for(&owner("rep")).await.unwrap();
    client.users().me().await.unwrap();
}

#[tokio::test]
async fn new_tokens_are_not_lost_while_zoom_does_not_say_whose_they_are() {
    let zoom = Zoom::start().await;
    let heard = Heard::default();
    let store = MemoryStore::new();
    let connections = zoom
        .builder(store.clone())
        .with_sleeper(quick())
        .events(Arc::new(heard.clone()))
        .build()
        .unwrap();
    let rep = owner("rep");
    let first = zoom.connect(&connections, "rep").await;
    for hours in [0, 2] {
        let request = AuthorizeRequest::new(&rep, &session());
        let started = connections.authorize_with(&request).await.unwrap();
        let callback = zoom.consent(&started.url);
        zoom.state().refusals.extend([(503, 0); 4]);
        let error = connections.connect(&callback, &session()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unfinished);
        // What there was stays as it is, although Zoom has ended its tokens.
        let before = connections.connection(&rep).await.unwrap().unwrap();
        assert_eq!((before.status, before.id), (Status::Active, first.id.clone()));
        assert_eq!(
            connections.list().await.unwrap().len(),
            1,
            "it is no connection yet"
        );

        zoom.pass(SignedDuration::from_hours(hours));
        zoom.state().refusals.extend([(503, 0); 4]);
        let error = connections.finish(&rep).await.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        let finished = connections.finish(&rep).await.unwrap().unwrap();
        assert_eq!((&finished.id, &finished.status), (&first.id, &Status::Active));
        let renewed = usize::from(hours > 0);
        assert_eq!(
            zoom.calls("refresh_token"),
            renewed,
            "new tokens are saved before they are used"
        );
        connections
            .client_for(&rep)
            .await
            .unwrap()
            .users()
            .me()
            .await
            .unwrap();
        assert_eq!(connections.finish(&rep).await.unwrap(), None, "once");
    }
    assert_eq!(
        heard.kinds(),
        [
            EventKind::Connected,
            EventKind::Reconnected,
            EventKind::Reconnected
        ]
    );
}

#[tokio::test]
async fn an_unfinished_first_connect_is_finished_when_it_is_needed() {
    let zoom = Zoom::start().await;
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(quick())
        .build()
        .unwrap();
    let rep = owner("rep");
    begin(&zoom, &connections).await;
    assert_eq!(connections.connection(&rep).await.unwrap(), None);
    me(&connections).await;
}

#[tokio::test]
async fn an_older_consent_that_is_finished_late_does_not_replace_a_newer_one() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let connections = zoom.builder(store.clone()).with_sleeper(quick()).build().unwrap();
    begin(&zoom, &connections).await;
    let pending = Filter::all().status(Status::Pending);
    let mut waiting = store.find(&pending, PageToken::first()).await.unwrap().items;
    let late = waiting.remove(0).value;
    zoom.pass(SignedDuration::from_secs(1));
    zoom.connect(&connections, "rep").await;
    // Another process had read it before the newer one came.
    store.save(&late, Expect::Absent).await.unwrap();
    zoom.allow_all_access_tokens();
    connections.finish(&owner("rep")).await.unwrap();
    zoom.end_all_but_the_newest_access_token();
    me(&connections).await;
    assert_eq!(
        zoom.calls("refresh_token"),
        0,
        "the newest token is the one that is used"
    );
}

#[tokio::test]
async fn whoever_disconnects_forgets_what_is_unfinished() {
    let zoom = Zoom::start().await;
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(quick())
        .build()
        .unwrap();
    begin(&zoom, &connections).await;
    connections.disconnect(&owner("rep")).await.unwrap();
    assert_eq!(zoom.state().revoked.len(), 1);
    assert_eq!(connections.finish(&owner("rep")).await.unwrap(), None);
    assert_eq!(connections.connection(&owner("rep")).await.unwrap(), None);
}

#[tokio::test]
async fn a_disconnect_of_an_unfinished_connect_leaves_a_grant_that_another_lives_on() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    zoom.connect(&connections, "colleague").await;
    begin(&zoom, &connections).await;
    let left = connections.disconnect(&owner("rep")).await.unwrap();
    assert_eq!(
        left.revoked,
        Revoked::Shared,
        "only Zoom knows that it is the same user"
    );
    assert!(zoom.state().revoked.is_empty());
}

#[tokio::test]
async fn whoever_loses_without_a_lock_does_not_throw_away_what_the_winner_brings() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let host = |builder: zoom_oauth::ConnectionsBuilder| {
        let builder = builder.lock(Arc::new(LostLock)).with_sleeper(quick());
        builder.build().unwrap()
    };
    let (winner, loser) = (
        host(zoom.builder(store.clone())),
        host(zoom.builder(store.inner.clone())),
    );
    begin(&zoom, &winner).await;
    zoom.pass(SignedDuration::from_hours(2));
    store.hold_next_save();
    let won = tokio::spawn({
        let winner = winner.clone();
        async move { winner.finish(&owner("rep")).await }
    });
    store.save_arrives().await;
    let error = loser.finish(&owner("rep")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Expired, Some("invalid_grant"))
    );
    assert_eq!(loser.finish(&owner("rep")).await.unwrap(), None);
    store.open_gate();
    let connection = won.await.unwrap().unwrap().unwrap();
    assert_eq!(connection.status, Status::Active);
    me(&loser).await;
    assert_eq!(zoom.calls("refresh_token"), 2);
}

#[tokio::test]
async fn tokens_that_are_dead_wait_for_a_winner_and_then_go() {
    let (zoom, store) = (Zoom::start().await, MemoryStore::new());
    let connections = zoom.connections(store.clone());
    begin(&zoom, &connections).await;
    zoom.pass(SignedDuration::from_hours(2));
    zoom.revoke_all();
    let rows = async || {
        let found = store
            .find(&Filter::all().status(Status::Pending), PageToken::first())
            .await;
        found.unwrap().items.len()
    };
    connections.finish(&owner("rep")).await.unwrap_err();
    for (minutes, left) in [(4, 1), (1, 0)] {
        zoom.pass(SignedDuration::from_mins(minutes));
        assert_eq!(connections.finish(&owner("rep")).await.unwrap(), None);
        assert_eq!(rows().await, left);
    }
    assert_eq!(zoom.calls("refresh_token"), 1, "nobody tries them again");
}

#[tokio::test]
async fn an_owner_who_leaves_while_tokens_are_renewed_has_left() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    begin(&zoom, &connections).await;
    zoom.pass(SignedDuration::from_hours(2));
    store.hold_next_save();
    let finish = tokio::spawn({
        let connections = connections.clone();
        async move { connections.finish(&owner("rep")).await }
    });
    store.save_arrives().await;
    connections.disconnect(&owner("rep")).await.unwrap();
    store.open_gate();
    assert_eq!(finish.await.unwrap().unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(connections.connection(&owner("rep")).await.unwrap(), None);
    let newest = zoom.newest_secret("access");
    assert_eq!(
        zoom.state().revoked,
        [newest],
        "and what came after that is given back"
    );
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_costs_no_consent() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    for failures in [1, 5] {
        let started = zoom.authorize(&connections, "rep").await;
        store.fail_saves(failures);
        let callback = zoom.consent(&started.url);
        connections.connect(&callback, &session()).await.unwrap();
        me(&connections).await;
    }
}

#[tokio::test]
async fn tokens_that_wait_to_be_saved_outlive_an_older_consent_that_is_finished_late() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let builder = zoom.builder(store.clone()).with_sleeper(Naps::new().sleeper());
    let connections = builder.build().unwrap();
    begin(&zoom, &connections).await;
    let late = store.only_connection().await.value;
    zoom.pass(SignedDuration::from_secs(1));
    zoom.connect(&connections, "rep").await;
    store.fail_saves(6);
    let error = connections.refresh(&owner("rep")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSaved);
    store.inner.save(&late, Expect::Absent).await.unwrap();
    zoom.allow_all_access_tokens();
    connections.finish(&owner("rep")).await.unwrap();
    zoom.end_all_but_the_newest_access_token();
    let source = connections.token_source(&owner("rep")).await.unwrap();
    let token = source.access_token().await.unwrap();
    assert_eq!(token.expose_secret(), zoom.newest_secret("access"));
    me(&connections).await;
    assert_eq!(zoom.calls("refresh_token"), 1);
}
