use std::{fmt, sync::Arc};

use async_trait::async_trait;
use token_store::ConnectionId;
use zoom_core::{AccessToken, AuthError, TokenSource};

use crate::refresh::Refresher;

/// The access tokens of one record.
pub(crate) struct ConnectionTokens {
    refresher: Arc<Refresher>,
    id: ConnectionId,
}

impl ConnectionTokens {
    pub(crate) fn new(refresher: Arc<Refresher>, id: ConnectionId) -> Self {
        Self { refresher, id }
    }
}

#[async_trait]
impl TokenSource for ConnectionTokens {
    /// From the store at every call, so that a disconnect anywhere holds everywhere at once.
    async fn access_token(&self) -> Result<AccessToken, AuthError> {
        Ok(self.refresher.access(&self.id, None).await?)
    }

    async fn invalidate(&self, refused: &AccessToken) -> Result<(), AuthError> {
        self.refresher.access(&self.id, Some(refused)).await?;
        Ok(())
    }
}

impl fmt::Debug for ConnectionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionTokens")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
