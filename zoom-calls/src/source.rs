//! Who gives the pipeline a way to ask Zoom.

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use zoom_core::Client;
use zoom_recordings::StageError;

use crate::OwnerId;

/// Gives the client of an owner's connection, so that no token is ever in a job or a row.
///
/// # Contract
///
/// 1. *own*: the client acts for this owner's connection and no other.
/// 2. *gone*: an owner without a live connection is a permanent error.
///
/// # Clone
///
/// Implementations are shared as `Arc<dyn ClientSource>`.
///
/// # Cancellation
///
/// Asking changes nothing that a second call would notice.
///
/// # Errors
///
/// [`StageError`]: transient when asking again may help.
#[async_trait]
pub trait ClientSource: fmt::Debug + Send + Sync + 'static {
    /// The client of this owner.
    async fn client(&self, owner: &OwnerId) -> Result<Client, StageError>;
}

/// Fixed clients per owner. For tests, and for hosts with one account.
#[derive(Clone, Debug, Default)]
pub struct StubClientSource {
    clients: HashMap<OwnerId, Client>,
}

impl StubClientSource {
    /// Nobody is connected.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects an owner.
    #[must_use]
    pub fn with(mut self, owner: OwnerId, client: Client) -> Self {
        self.clients.insert(owner, client);
        self
    }
}

#[async_trait]
impl ClientSource for StubClientSource {
    async fn client(&self, owner: &OwnerId) -> Result<Client, StageError> {
        self.clients
            .get(owner)
            .cloned()
            .ok_or_else(|| StageError::permanent("the owner has no live connection"))
    }
}
