//! The pipeline asks for a client by its owner's name; connections have it.

use async_trait::async_trait;
use zoom_calls::{ClientSource, OwnerId, StageError};
use zoom_core::Client;
use zoom_oauth::Connections;

/// Clients of connected owners.
#[derive(Clone, Debug)]
pub(crate) struct ConnectedClients(pub(crate) Connections);

#[async_trait]
impl ClientSource for ConnectedClients {
    async fn client(&self, owner: &OwnerId) -> Result<Client, StageError> {
        let owner = token_store::OwnerId::new(owner.as_str());
        self.0
            .client_for(&owner)
            .await
            .map_err(|error| match error.is_retryable() {
                true => StageError::transient(error),
                false => StageError::permanent(error),
            })
    }
}
