//! Several apps on one store see nothing of each other.

use std::sync::Arc;

use token_store::MemoryStore;
use zoom_core::{AccountId, UserId};
use zoom_oauth::{App, ClientSecret, Connections, ErrorKind};

use crate::zoom::{Zoom, owner, session, vault};

fn brand(zoom: &Zoom, store: &MemoryStore, name: &str) -> Connections {
    let redirect = "https://app.example/zoom/callback".parse().unwrap();
    let app = App::new("client-1", ClientSecret::new("canary-client-secret"), redirect).with_name(name);
    Connections::builder(app, Arc::new(store.clone()), vault())
        .endpoints(zoom.endpoints())
        .clock(zoom.clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn one_app_s_connections_are_none_of_another_s() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let (one, other) = (brand(&zoom, &store, "one"), brand(&zoom, &store, "other"));
    let rep = owner("rep");
    let connection = zoom.connect(&one, "rep").await;
    assert!(other.connection(&rep).await.unwrap().is_none());
    assert!(other.list().await.unwrap().is_empty());
    let (account, user) = (AccountId::new("acc-1"), UserId::new("user-1"));
    assert!(
        other
            .find_by_zoom(&account, Some(&user))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(other.deauthorize(&account, &user).await.unwrap(), 0);
    other.disconnect(&rep).await.unwrap();
    assert!(one.connection(&rep).await.unwrap().unwrap().is_live());

    let elsewhere = zoom.connect(&other, "rep").await;
    assert_ne!(elsewhere.id, connection.id);
    assert_eq!(one.connection(&rep).await.unwrap().unwrap().id, connection.id);
}

#[tokio::test]
async fn a_state_of_one_app_is_unknown_to_another() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let (one, other) = (brand(&zoom, &store, "one"), brand(&zoom, &store, "other"));
    let started = zoom.authorize(&one, "rep").await;
    let callback = zoom.consent(&started.url);
    let refused = other.connect(&callback, &session()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnknownState);
    assert!(one.connect(&callback, &session()).await.is_ok());
}
