//! One refresh for many callers, and what becomes of it when things go wrong.

mod flight;
mod intents;
mod refusals;
mod saving;

use std::sync::Arc;

use token_store::{Expect, MemoryStore, SealContext, Status, StoredConnection, TokenStore as _, Versioned};
use tokio::task::JoinHandle;
use zoom_core::{AccessToken, AuthError, TokenSource};
use zoom_oauth::Connections;

use crate::{
    stores::Difficult,
    zoom::{Zoom, owner, vault},
};

pub(super) async fn source(connections: &Connections) -> Arc<dyn TokenSource> {
    connections.token_source(&owner("rep")).await.unwrap()
}

pub(super) async fn status(connections: &Connections) -> (Status, Option<String>) {
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    (connection.status, connection.reason)
}

/// A refresh that stands still: Zoom has given new tokens, and they are not saved yet.
pub(super) struct Held {
    pub(super) zoom: Zoom,
    pub(super) store: Difficult,
    pub(super) connections: Connections,
    pub(super) caller: JoinHandle<Result<AccessToken, AuthError>>,
}

impl Held {
    pub(super) async fn before_its_save() -> Self {
        let (zoom, store) = (Zoom::start().await, Difficult::new());
        let connections = zoom.connections(store.clone());
        zoom.connect(&connections, "rep").await;
        zoom.pass_an_hour();
        store.hold_next_save();
        let caller = tokio::spawn({
            let source = source(&connections).await;
            async move { source.access_token().await }
        });
        store.save_arrives().await;
        Self {
            zoom,
            store,
            connections,
            caller,
        }
    }
}

/// Saves the record as `edit` leaves it, with the tokens it has, as a newer version of the crate might.
pub(super) async fn touch(store: &Difficult, edit: impl FnOnce(&mut StoredConnection)) {
    write_on(&store.inner, store.only_connection().await, edit).await;
}

pub(crate) async fn write_on(
    store: &MemoryStore,
    found: Versioned<StoredConnection>,
    edit: impl FnOnce(&mut StoredConnection),
) {
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
        .save(&record, Expect::Generation(found.generation))
        .await
        .unwrap();
}
