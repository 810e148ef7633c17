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
    async fn access_token(&self) -> Result<AccessToken, AuthError> {
        match self.refresher.cached(&self.id) {
            Some(token) => Ok(token),
            // In a box of its own, so that the short way needs little room.
            None => Ok(Box::pin(self.refresher.access(&self.id, None)).await?),
        }
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
