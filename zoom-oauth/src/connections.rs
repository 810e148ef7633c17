use std::{fmt, sync::Arc, time::Duration};

use token_store::{
    ConnectionId, Filter, History, MemoryLock, OwnerId, RecordKind, RefreshLock, Status, StoredConnection,
    TokenStore, Vault, Versioned,
};
use zoom_core::{AccessToken, AccountId, Client, Clock, Sleeper, StaticToken, TokenSource, UserId};

use crate::{
    App, Connection, ConnectionEvents, Endpoints, Error, ErrorKind, Feature, StateKind,
    access::ConnectionTokens,
    attributes,
    cache::{self, TokenCache},
    events::Announcer,
    exchange::UserExchange,
    http::Http,
    records::Records,
    refresh::{Grant, Refresher, live},
    region::Regions,
    revocation::Revocations,
    state::States,
};

/// The Zoom accounts of a product's owners: connected, kept alive, looked up, left. Cheap to clone.
///
/// Every method may be called from any number of tasks, processes and machines that share the store and the lock.
#[derive(Clone)]
pub struct Connections {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) records: Records,
    pub(crate) exchange: UserExchange,
    pub(crate) refresher: Arc<Refresher>,
    pub(crate) lock: Arc<dyn RefreshLock>,
    pub(crate) announcer: Announcer,
    pub(crate) revocations: Revocations,
    pub(crate) clock: Clock,
    pub(crate) sleeper: Sleeper,
    pub(crate) states: States,
    pub(crate) state_lifetime: Duration,
    /// What the host does with Zoom, sorted.
    pub(crate) features: Vec<Feature>,
    pub(crate) installation_lifetime: Duration,
    /// A client of nobody, whose network connections all clients share.
    pub(crate) client: Client,
    pub(crate) regions: Regions,
    pub(crate) app: App,
}

impl Connections {
    /// Begins with the app that users connect to, the store for their records, and the vault for their tokens.
    pub fn builder(app: App, store: Arc<dyn TokenStore>, vault: Vault) -> ConnectionsBuilder {
        ConnectionsBuilder {
            app,
            store,
            vault,
            endpoints: Endpoints::zoom(),
            lock: None,
            history: None,
            events: None,
            clock: Clock::system(),
            sleeper: Sleeper::tokio(),
            state: StateKind::Stored,
            state_lifetime: Duration::from_secs(10 * 60),
            cache_lifetime: cache::USUAL_LIFETIME,
            features: Vec::new(),
            installation_lifetime: Duration::from_secs(30 * 60),
        }
    }

    /// The app that users connect to.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// The owner's connection, whatever its status; after a disconnect, the one that was left last.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn connection(&self, owner: &OwnerId) -> Result<Option<Connection>, Error> {
        Ok(self
            .latest(owner)
            .await?
            .and_then(|found| Connection::from_record(&found.value)))
    }

    /// The connections to a Zoom account, or to one user of it, that have not been disconnected: whose a webhook is.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn find_by_zoom(
        &self,
        account: &AccountId,
        user: Option<&UserId>,
    ) -> Result<Vec<Connection>, Error> {
        let found = self.records_of_zoom(account, user).await?;
        let kept = found
            .iter()
            .filter(|found| found.value.status != Status::Disconnected);
        Ok(kept
            .filter_map(|found| Connection::from_record(&found.value))
            .collect())
    }

    /// All connections, those that were left included.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn list(&self) -> Result<Vec<Connection>, Error> {
        let found = self
            .inner
            .records
            .find(&Filter::all().kind(RecordKind::Connection))
            .await?;
        Ok(found
            .iter()
            .filter_map(|found| Connection::from_record(&found.value))
            .collect())
    }

    /// Zoom's API on behalf of the owner. Its tokens are refreshed as long as it is used.
    ///
    /// # Errors
    /// [`ErrorKind::NotConnected`], [`ErrorKind::Expired`], [`ErrorKind::Storage`].
    pub async fn client_for(&self, owner: &OwnerId) -> Result<Client, Error> {
        let found = self.live_record(owner).await?;
        let tokens = self.tokens_of(found.id.clone());
        Ok(self.inner.regions.client(attributes::api_url(&found), tokens))
    }

    /// The owner's access tokens, for calls that are not made through a [`Client`], such as downloads.
    ///
    /// # Errors
    /// [`ErrorKind::NotConnected`], [`ErrorKind::Expired`], [`ErrorKind::Storage`].
    pub async fn token_source(&self, owner: &OwnerId) -> Result<Arc<dyn TokenSource>, Error> {
        Ok(self.tokens_of(self.live_record(owner).await?.id))
    }

    async fn live_record(&self, owner: &OwnerId) -> Result<StoredConnection, Error> {
        let mut found = self.latest(owner).await?;
        if found.as_ref().is_none_or(|found| live(&found.value).is_err())
            && let Ok(Some(_)) = self.finish(owner).await
        {
            found = self.latest(owner).await?;
        }
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotConnected))?;
        live(&found.value)?;
        Ok(found.value)
    }

    /// Refreshes the owner's tokens now, however good they are: to see whether they can be. Whoever refreshes them at the
    /// same time, here or elsewhere, shares one exchange.
    ///
    /// # Errors
    /// [`ErrorKind::NotConnected`], [`ErrorKind::Expired`]; [`ErrorKind::Unavailable`] and [`ErrorKind::NotSaved`], which
    /// pass; [`ErrorKind::Storage`].
    pub async fn refresh(&self, owner: &OwnerId) -> Result<Connection, Error> {
        let missing = || Error::new(ErrorKind::NotConnected);
        let found = self.latest(owner).await?.ok_or_else(missing)?;
        self.inner.refresher.force(&found.value.id).await?;
        self.connection(owner).await?.ok_or_else(missing)
    }

    pub(crate) fn tokens_of(&self, id: ConnectionId) -> Arc<dyn TokenSource> {
        Arc::new(ConnectionTokens::new(Arc::clone(&self.inner.refresher), id))
    }

    /// The owner's record that counts: one that was not left, else the one that was changed last.
    pub(crate) async fn latest(&self, owner: &OwnerId) -> Result<Option<Versioned<StoredConnection>>, Error> {
        let mut found = self.records_of_owner(owner).await?;
        found.retain(|found| found.value.status != Status::Pending);
        Ok(found.into_iter().max_by_key(|found| {
            let kept = found.value.status != Status::Disconnected;
            (kept, found.value.updated_at)
        }))
    }

    pub(crate) async fn records_of_owner(
        &self,
        owner: &OwnerId,
    ) -> Result<Vec<Versioned<StoredConnection>>, Error> {
        let filter = Filter::all().kind(RecordKind::Connection).owner(owner.clone());
        self.inner.records.find(&filter).await
    }

    pub(crate) async fn records_of_zoom(
        &self,
        account: &AccountId,
        user: Option<&UserId>,
    ) -> Result<Vec<Versioned<StoredConnection>>, Error> {
        let mut filter = Filter::all()
            .kind(RecordKind::Connection)
            .provider_account(account.as_str());
        if let Some(user) = user {
            filter = filter.provider_user(user.as_str());
        }
        self.inner.records.find(&filter).await
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("store", &self.inner.records.store)
            .finish_non_exhaustive()
    }
}

/// Makes [`Connections`].
#[must_use]
#[derive(Debug)]
pub struct ConnectionsBuilder {
    app: App,
    store: Arc<dyn TokenStore>,
    vault: Vault,
    endpoints: Endpoints,
    lock: Option<Arc<dyn RefreshLock>>,
    history: Option<Arc<dyn History>>,
    events: Option<Arc<dyn ConnectionEvents>>,
    clock: Clock,
    sleeper: Sleeper,
    state: StateKind,
    state_lifetime: Duration,
    cache_lifetime: Duration,
    features: Vec<Feature>,
    installation_lifetime: Duration,
}

impl ConnectionsBuilder {
    /// What the product does with Zoom. A connection that lacks what it takes is `Degraded`, and says what is missing,
    /// what follows from it and what to do. Nothing unless you say otherwise.
    pub fn features(mut self, features: impl IntoIterator<Item = Feature>) -> Self {
        self.features = features.into_iter().collect();
        self.features.sort_unstable();
        self.features.dedup();
        self
    }

    /// Where Zoom is; Zoom itself unless you say otherwise.
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// The lock that refreshes are made under. Needed as soon as more than one process uses the store; in this process
    /// alone unless you say otherwise.
    pub fn lock(mut self, lock: Arc<dyn RefreshLock>) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Where to write down what happens to each connection.
    pub fn history(mut self, history: Arc<dyn History>) -> Self {
        self.history = Some(history);
        self
    }

    /// Whom to tell what happens to connections.
    pub fn events(mut self, events: Arc<dyn ConnectionEvents>) -> Self {
        self.events = Some(events);
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

    /// Where the state of a started connect is kept: in the store unless you say otherwise.
    pub fn with_state(mut self, state: StateKind) -> Self {
        self.state = state;
        self
    }

    /// How long an installation that began in Zoom's Marketplace waits for the user to sign in and claim it: 30 minutes
    /// unless you say otherwise, and never longer than its first access token lives, which is an hour.
    pub fn with_installation_lifetime(mut self, lifetime: Duration) -> Self {
        self.installation_lifetime = lifetime;
        self
    }

    /// How long a user may take to consent: 10 minutes unless you say otherwise.
    pub fn with_state_lifetime(mut self, lifetime: Duration) -> Self {
        self.state_lifetime = lifetime;
        self
    }

    /// How long an access token is served from memory before the store is asked again: 30 seconds unless you say
    /// otherwise, zero to ask at every call.
    ///
    /// What this process saves it sees at once. A disconnect in another process is seen when this time is over at the
    /// latest; until then calls may be sent with a token that Zoom has revoked and refuses.
    pub fn with_cache_lifetime(mut self, lifetime: Duration) -> Self {
        self.cache_lifetime = lifetime;
        self
    }

    /// Makes them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`] for credentials or addresses that cannot be right.
    pub fn build(self) -> Result<Connections, Error> {
        let Wire {
            http,
            client,
            regions,
        } = wire(&self.endpoints, &self.clock, &self.sleeper)?;
        let exchange = UserExchange::new(&self.app, &self.endpoints, http, self.clock.clone())?;
        let cache = TokenCache::new(self.cache_lifetime, self.clock.clone());
        let records = Records::new(self.store, self.vault, &self.app.name, cache);
        let announcer = Announcer::new(self.history, self.events, self.clock.clone());
        let lock = self.lock.unwrap_or_else(|| Arc::new(MemoryLock::new()));
        let refresher = Refresher::new(
            records.clone(),
            Grant::User(Box::new(exchange.clone())),
            Arc::clone(&lock),
            announcer.clone(),
            self.clock.clone(),
            self.sleeper.clone(),
        )?;
        let inner = Inner {
            records,
            exchange,
            refresher: Arc::new(refresher),
            lock,
            announcer,
            revocations: Revocations::new(),
            clock: self.clock,
            sleeper: self.sleeper,
            states: States::new(self.state),
            state_lifetime: self.state_lifetime,
            features: self.features,
            installation_lifetime: self.installation_lifetime,
            client,
            regions,
            app: self.app,
        };
        Ok(Connections {
            inner: Arc::new(inner),
        })
    }
}

/// One pool of network connections for the token endpoint and the API.
pub(crate) struct Wire {
    pub(crate) http: Http,
    pub(crate) client: Client,
    pub(crate) regions: Regions,
}

pub(crate) fn wire(endpoints: &Endpoints, clock: &Clock, sleeper: &Sleeper) -> Result<Wire, Error> {
    let http = zoom_core::http::client_builder()
        .build()
        .map_err(|error| Error::with_source(ErrorKind::InvalidConfig, error.without_url()))?;
    let nobody = Arc::new(StaticToken::new(AccessToken::new("")));
    let mut client = Client::builder(nobody)
        .base_url(endpoints.api()?)
        .with_clock(clock.clone())
        .with_sleeper(sleeper.clone())
        .with_http(http.clone());
    if endpoints.plain_http() {
        client = client.with_plain_http();
    }
    let client = client
        .build()
        .map_err(|error| Error::with_source(ErrorKind::InvalidConfig, error))?;
    let regions = Regions {
        endpoints: endpoints.clone(),
        http: http.clone(),
        clock: clock.clone(),
        sleeper: sleeper.clone(),
        home: client.clone(),
    };
    Ok(Wire {
        http: Http::new(http, clock.clone()),
        client,
        regions,
    })
}
