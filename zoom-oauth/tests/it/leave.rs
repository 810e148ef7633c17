//! Disconnect and deauthorize.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use token_store::{
    Filter, Holder, LockKey, MemoryLock, MemoryStore, PageToken, RecordKind, RefreshLock as _, Status,
    TokenStore as _,
};
use zoom_core::{AccountId, UserId};
use zoom_oauth::{Connections, ErrorKind, Revoked};

use crate::{
    stores::Difficult,
    zoom::{Fault, Zoom, owner, quick, session},
};

fn zoom_user() -> (AccountId, UserId) {
    (AccountId::new("acc-1"), UserId::new("user-1"))
}

async fn revoked(connections: &Connections, name: &str) -> Revoked {
    connections.disconnect(&owner(name)).await.unwrap().revoked
}

#[tokio::test]
async fn a_disconnect_revokes_deletes_the_tokens_and_keeps_the_history() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    let connected = zoom.connect(&connections, "rep").await;
    assert_eq!(revoked(&connections, "rep").await, Revoked::Yes);
    assert_eq!(zoom.state().revoked.len(), 1);
    assert_eq!(store.only_connection().await.value.sealed, None);
    let left = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(
        (left.status, left.reason.as_deref()),
        (Status::Disconnected, Some("disconnected"))
    );
    assert_eq!(
        (left.id, left.display_name),
        (connected.id, connected.display_name)
    );
    let (account, user) = zoom_user();
    assert_eq!(connections.find_by_zoom(&account, Some(&user)).await.unwrap(), []);
    assert_eq!(
        connections.client_for(&owner("rep")).await.unwrap_err().kind(),
        ErrorKind::NotConnected
    );
}

#[tokio::test]
async fn the_tokens_go_at_once_even_if_zoom_is_down() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom.connections(store.clone());
    zoom.connect(&connections, "rep").await;
    zoom.state().revoke_is_down = true;
    assert_eq!(revoked(&connections, "rep").await, Revoked::Pending);
    let record = store.only_connection().await.value;
    assert_eq!((record.status, record.sealed), (Status::Disconnected, None));
}

#[tokio::test]
async fn a_token_that_has_run_out_is_refreshed_to_be_revoked() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass_an_hour();
    assert_eq!(revoked(&connections, "rep").await, Revoked::Yes);
    assert_eq!((zoom.calls("refresh_token"), zoom.state().revoked.len()), (1, 1));
}

#[tokio::test]
async fn leaving_twice_or_without_a_connection_is_fine() {
    let (_zoom, connections) = Zoom::connected().await;
    assert_eq!(revoked(&connections, "rep").await, Revoked::Yes);
    assert_eq!(revoked(&connections, "rep").await, Revoked::Nothing);
    assert_eq!(revoked(&connections, "nobody").await, Revoked::Nothing);
}

#[tokio::test]
async fn leaving_ends_a_connect_that_was_started() {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    connections.disconnect(&owner("rep")).await.unwrap();
    let error = connections.connect(&callback, &session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownState);
}

#[tokio::test]
async fn tokens_that_no_key_opens_are_deleted_all_the_same() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    zoom.connect(&zoom.connections(store.clone()), "rep").await;
    let connections = zoom.with_another_key(store.clone());
    assert_eq!(revoked(&connections, "rep").await, Revoked::Nothing);
    let filter = Filter::all().kind(RecordKind::Connection);
    let found = store
        .find(&filter, PageToken::first())
        .await
        .unwrap()
        .items
        .remove(0)
        .value;
    assert_eq!((found.status, found.sealed), (Status::Disconnected, None));
}

#[tokio::test]
async fn tokens_that_were_never_saved_are_revoked_too() {
    let zoom = Zoom::start().await;
    let (store, lock) = (Difficult::new(), MemoryLock::new());
    let builder = zoom.builder(store.clone()).lock(Arc::new(lock.clone()));
    let connections = builder.with_sleeper(quick()).build().unwrap();
    let connected = zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    store.fail_saves(6);
    let source = connections.token_source(&owner("rep")).await.unwrap();
    source.access_token().await.unwrap_err();
    assert_eq!(revoked(&connections, "rep").await, Revoked::Yes);
    let newest = zoom.newest_secret("access");
    assert_eq!(zoom.state().revoked, [newest]);
    let (key, holder) = (LockKey::connection(&connected.id), Holder::random().unwrap());
    let lease = lock.try_acquire(&key, &holder, Duration::from_secs(1)).await;
    assert!(
        lease.unwrap().is_some(),
        "the lease that was kept for them is given back"
    );
}

#[tokio::test]
async fn a_deauthorization_purges_all_connections_of_the_user_and_no_others() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.connect(&connections, "second home of the same user").await;
    zoom.state().user = ("acc-1".into(), "user-2".into());
    zoom.connect(&connections, "colleague").await;
    let (account, user) = zoom_user();
    assert_eq!(connections.deauthorize(&account, &user).await.unwrap(), 2);
    assert_eq!(
        connections.deauthorize(&account, &user).await.unwrap(),
        0,
        "news that come twice"
    );
    let gone = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(
        (gone.status, gone.reason.as_deref()),
        (Status::Disconnected, Some("deauthorized"))
    );
    let kept = connections
        .connection(&owner("colleague"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.status, Status::Active);
    assert!(zoom.state().revoked.is_empty(), "zoom has done that already");
}

#[tokio::test]
async fn news_of_a_deauthorization_that_come_late_leave_the_new_consent_alone() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass(SignedDuration::from_mins(1));
    let removed_at = zoom.clock().now();
    zoom.pass(SignedDuration::from_mins(1));
    zoom.connect(&connections, "rep").await;
    zoom.pass_an_hour();
    connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
    let (account, user) = zoom_user();
    assert_eq!(
        connections
            .deauthorize_at(&account, &user, removed_at)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        connections
            .connection(&owner("rep"))
            .await
            .unwrap()
            .unwrap()
            .status,
        Status::Active
    );
    assert_eq!(
        connections
            .deauthorize_at(&account, &user, zoom.clock().now())
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn a_refresh_that_fails_does_not_keep_anybody_from_leaving() {
    let (zoom, connections) = Zoom::connected().await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::Status(500));
    assert_eq!(revoked(&connections, "rep").await, Revoked::Pending);
    let left = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(left.status, Status::Disconnected);
}
