use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use token_store::{ConnectionId, MemoryLock, RefreshLock, TokenStore, Vault};
use zoom_core::{AccessToken, AccountId, AuthError, Client, Clock, Sleeper, TokenSource};

use crate::{
    ClientSecret, Endpoints, Error,
    attributes::DEFAULT_APP,
    cache::{self, TokenCache},
    connections::{Wire, wire},
    digest::digest,
    events::Announcer,
    exchange::{AccountExchange, Credentials},
    records::Records,
    refresh::{Grant, Refresher},
};

/// The tokens of a Server-to-Server app: the product's own account.
///
/// Some accounts allow one token at a time, and each new one ends the one before; so all processes share one through
/// the store, and one of them has the next.
#[derive(Clone)]
pub struct ServerToServer {
    refresher: Arc<Refresher>,
    id: ConnectionId,
    client: Client,
}

impl ServerToServer {
    /// Begins with the account, the app's credentials, the store for the shared token, and the vault for sealing it.
    pub fn builder(
        account_id: AccountId,
        client_id: impl Into<String>,
        client_secret: ClientSecret,
        store: Arc<dyn TokenStore>,
        vault: Vault,
    ) -> ServerToServerBuilder {
        ServerToServerBuilder {
            account_id,
            client_id: client_id.into(),
            client_secret,
            store,
            vault,
            endpoints: Endpoints::zoom(),
            lock: None,
            clock: Clock::system(),
            sleeper: Sleeper::tokio(),
            token_index: None,
            cache_lifetime: cache::USUAL_LIFETIME,
        }
    }

    /// Zoom's API on behalf of the account.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.with_token_source(Arc::new(self.clone()))
    }
}

#[async_trait]
impl TokenSource for ServerToServer {
    async fn access_token(&self) -> Result<AccessToken, AuthError> {
        match self.refresher.cached(&self.id) {
            Some(token) => Ok(token),
            None => Ok(Box::pin(self.refresher.access(&self.id, None)).await?),
        }
    }

    async fn invalidate(&self, refused: &AccessToken) -> Result<(), AuthError> {
        self.refresher.access(&self.id, Some(refused)).await?;
        Ok(())
    }
}

impl fmt::Debug for ServerToServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerToServer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Makes a [`ServerToServer`].
#[must_use]
#[derive(Debug)]
pub struct ServerToServerBuilder {
    account_id: AccountId,
    client_id: String,
    client_secret: ClientSecret,
    store: Arc<dyn TokenStore>,
    vault: Vault,
    endpoints: Endpoints,
    lock: Option<Arc<dyn RefreshLock>>,
    clock: Clock,
    sleeper: Sleeper,
    token_index: Option<u32>,
    cache_lifetime: Duration,
}

impl ServerToServerBuilder {
    /// Where Zoom is; Zoom itself unless you say otherwise.
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// The lock that a token is had under. Needed as soon as more than one process uses the store; in this process
    /// alone unless you say otherwise.
    pub fn lock(mut self, lock: Arc<dyn RefreshLock>) -> Self {
        self.lock = Some(lock);
        self
    }

    /// The clock that tells which tokens have run out.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How to wait between tries.
    pub fn with_sleeper(mut self, sleeper: Sleeper) -> Self {
        self.sleeper = sleeper;
        self
    }

    /// How long the token is served from memory before the store is asked again: 30 seconds unless you say otherwise,
    /// zero to ask at every call.
    pub fn with_cache_lifetime(mut self, lifetime: Duration) -> Self {
        self.cache_lifetime = lifetime;
        self
    }

    /// Which of the tokens to have, for an account that Zoom allows several.
    pub fn token_index(mut self, index: u32) -> Self {
        self.token_index = Some(index);
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) for credentials or addresses that cannot be right.
    pub fn build(self) -> Result<ServerToServer, Error> {
        if self.client_id.is_empty() || self.client_secret.expose_secret().is_empty() {
            return Err(Error::invalid_config("the app's credentials are empty"));
        }
        let index = self
            .token_index
            .map(|index| index.to_string())
            .unwrap_or_default();
        let mut id = digest(&[
            "server-to-server",
            self.account_id.as_str(),
            &self.client_id,
            &index,
        ]);
        id.truncate(32);
        let Wire { http, client, .. } = wire(&self.endpoints, &self.clock, &self.sleeper)?;
        let exchange = AccountExchange::new(
            self.account_id.as_str().to_owned(),
            self.token_index,
            Credentials::new(self.client_id, self.client_secret),
            &self.endpoints,
            http,
            self.clock.clone(),
        )?;
        let cache = TokenCache::new(self.cache_lifetime, self.clock.clone());
        let refresher = Refresher::new(
            Records::new(self.store, self.vault, DEFAULT_APP, cache),
            Grant::Account(Box::new(exchange)),
            self.lock.unwrap_or_else(|| Arc::new(MemoryLock::new())),
            Announcer::new(None, None, self.clock.clone()),
            self.clock,
            self.sleeper,
        )?;
        Ok(ServerToServer {
            refresher: Arc::new(refresher),
            id: ConnectionId::new(id),
            client,
        })
    }
}
