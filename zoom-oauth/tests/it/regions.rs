//! Where Zoom says the account's API is.

use serde_json::json;
use token_store::{ConnectionId, Expect, MemoryStore, TokenStore as _};

use crate::zoom::{Zoom, owner};

async fn noted(store: &MemoryStore, id: &ConnectionId) -> Option<String> {
    let found = store.load(id).await.unwrap().unwrap();
    found.value.attributes.get("api_url").cloned()
}

#[tokio::test]
async fn the_region_is_kept_at_connect_and_at_every_refresh() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let connections = zoom.connections(store.clone());
    zoom.state().api_url = Some(json!("not an address"));
    let connected = zoom.connect(&connections, "rep").await;
    assert_eq!(noted(&store, &connected.id).await, None);
    let own = zoom.address();
    zoom.state().api_url = Some(json!(own));
    zoom.pass_an_hour();
    let client = connections.client_for(&owner("rep")).await.unwrap();
    client.users().me().await.unwrap();
    assert_eq!(noted(&store, &connected.id).await, Some(own.clone()));
    // An answer that names none, or a bad one, leaves it.
    zoom.state().api_url = Some(json!("https://evil.example"));
    zoom.pass_an_hour();
    client.users().me().await.unwrap();
    assert_eq!(noted(&store, &connected.id).await, Some(own.clone()));
    let again = zoom.connect(&connections, "another").await;
    assert_eq!(noted(&store, &again.id).await, None);
    zoom.state().api_url = Some(json!(format!("{own}/")));
    let third = zoom.connect(&connections, "third").await;
    assert_eq!(noted(&store, &third.id).await, Some(own));
}

#[tokio::test]
async fn whatever_stands_in_its_place_spoils_no_tokens() {
    for odd in [
        json!(null),
        json!(7),
        json!(["https://api.zoom.us"]),
        json!({ "url": "https://api.zoom.us" }),
        json!(""),
        json!("x".repeat(10_000)),
        json!("https://169.254.169.254"),
        json!("http://127.0.0.1:1"),
        json!("https://api.zoom.us.evil.example"),
    ] {
        let zoom = Zoom::start().await;
        let store = MemoryStore::new();
        let connections = zoom.connections(store.clone());
        zoom.state().api_url = Some(odd.clone());
        let connected = zoom.connect(&connections, "rep").await;
        assert_eq!(noted(&store, &connected.id).await, None, "{odd}");
        assert_eq!(zoom.state().looks, 1, "zoom was asked at home");
    }
}

#[tokio::test]
async fn an_address_that_somebody_wrote_into_the_store_gets_no_token() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    let connections = zoom.connections(store.clone());
    let connected = zoom.connect(&connections, "rep").await;
    let home = connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .base_url()
        .clone();
    for planted in [
        "https://evil.example",
        "http://127.0.0.1:1",
        "https://api.zoom.us",
        "@",
        "",
    ] {
        let mut found = store.load(&connected.id).await.unwrap().unwrap();
        found.value.attributes.insert("api_url".into(), planted.into());
        // The sealed part belongs to a generation; for where the calls go it does not matter.
        let expect = Expect::Generation(found.generation);
        store.save(&found.value, expect).await.unwrap();
        let client = connections.client_for(&owner("rep")).await.unwrap();
        assert_eq!(*client.base_url(), home, "{planted}");
    }
}
