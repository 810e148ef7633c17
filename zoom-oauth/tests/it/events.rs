//! Whoever asked hears what becomes of a connection, in order.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use token_store::{MemoryHistory, MemoryStore};
use zoom_core::{AccountId, UserId};
use zoom_oauth::{ConnectionEvent, ConnectionEvents, EventKind};

use crate::zoom::{Zoom, owner};

#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<ConnectionEvent>>>);

impl Heard {
    pub(crate) fn all(&self) -> Vec<ConnectionEvent> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn kinds(&self) -> Vec<EventKind> {
        self.all().iter().map(|event| event.kind).collect()
    }
}

#[async_trait]
impl ConnectionEvents for Heard {
    async fn notify(&self, event: &ConnectionEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[tokio::test]
async fn listener_stream_and_history_tell_the_same_story() {
    let zoom = Zoom::start().await;
    let heard = Heard::default();
    let connections = zoom
        .builder(MemoryStore::new())
        .events(Arc::new(heard.clone()))
        .history(Arc::new(MemoryHistory::new()))
        .build()
        .unwrap();
    let stream = connections.events();
    let rep = owner("rep");
    let connection = zoom.connect(&connections, "rep").await;
    zoom.connect(&connections, "rep").await;
    zoom.revoke_all();
    zoom.pass_an_hour();
    let client = connections.client_for(&rep).await.unwrap();
    client.users().me().await.unwrap_err();
    zoom.connect(&connections, "rep").await;
    connections.disconnect(&rep).await.unwrap();
    zoom.connect(&connections, "rep").await;
    let (account, user) = (AccountId::new("acc-1"), UserId::new("user-1"));
    connections.deauthorize(&account, &user).await.unwrap();

    let kinds: Vec<EventKind> = heard.0.lock().unwrap().iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::Connected,
        EventKind::Reconnected,
        EventKind::Expired,
        EventKind::Reconnected,
        EventKind::Disconnected,
        EventKind::Reconnected,
        EventKind::Deauthorized,
    ];
    assert_eq!(kinds, expected);
    let streamed: Vec<ConnectionEvent> = stream.take(expected.len()).collect().await;
    assert_eq!(streamed, *heard.0.lock().unwrap());
    let mut written = connections.history(&rep, 100).await.unwrap();
    written.reverse();
    let written: Vec<(&str, Option<&str>)> = written
        .iter()
        .map(|entry| {
            assert_eq!(entry.connection, connection.id);
            (entry.event.as_str(), entry.reason.as_deref())
        })
        .collect();
    assert_eq!(
        written,
        [
            ("connected", None),
            ("reconnected", None),
            ("expired", Some("invalid_grant")),
            ("reconnected", None),
            ("disconnected", Some("disconnected")),
            ("reconnected", None),
            ("deauthorized", Some("deauthorized")),
        ]
    );
    assert_eq!(connections.history(&rep, 2).await.unwrap().len(), 2);
    assert!(
        connections
            .history(&owner("another"), 100)
            .await
            .unwrap()
            .is_empty()
    );
}
