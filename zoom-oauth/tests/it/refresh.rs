//! One refresh for many callers, and what becomes of it when things go wrong.

mod flight;
mod intents;
mod refusals;
mod saving;

use std::sync::Arc;

use token_store::{Expect, SealContext, Status, StoredConnection, TokenStore as _};
use zoom_core::TokenSource;
use zoom_oauth::Connections;

use crate::{
    stores::Difficult,
    zoom::{owner, vault},
};

pub(super) async fn source(connections: &Connections) -> Arc<dyn TokenSource> {
    connections.token_source(&owner("rep")).await.unwrap()
}

pub(super) async fn status(connections: &Connections) -> (Status, Option<String>) {
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    (connection.status, connection.reason)
}

/// Saves the record as `edit` leaves it, with the tokens it has, as a newer version of the crate might.
pub(super) async fn touch(store: &Difficult, edit: impl FnOnce(&mut StoredConnection)) {
    let found = store.only_connection().await;
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
        .inner
        .save(&record, Expect::Generation(found.generation))
        .await
        .unwrap();
}
