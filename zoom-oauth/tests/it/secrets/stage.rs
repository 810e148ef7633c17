//! A Zoom, a host and its databases, with the mark in every secret, and parts of the host that break when told to.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use token_store::{
    ConnectionId, Envelope, Expect, Filter, Generation, Home, Key, KeyFile, KeyId, KeyProvider, LocalWrapper,
    Page, PageToken, RedisLock, StoreError, StoredConnection, TokenStore, Vault, VaultError, Versioned,
};
use url::Url;
use zoom_core::{AccountId, Clock};
use zoom_oauth::{
    App, Authorization, Callback, ClientSecret, Connection, ConnectionEvent, ConnectionEvents, Connections,
    ConnectionsBuilder, Endpoints, Error, OwnerId, ServerToServer, SessionBinding,
};
use zoom_simulator::{AppKind, AppSpec, Config, Simulator};

use super::{homes::Databases, shown::Shown};
use crate::zoom::quick;

pub(crate) const MARK: &str = "canary-5e7a1b-bird";
pub(crate) const MAYA: &str = "maya.chen@brightwave.example";
pub(crate) const ELEANOR: &str = "eleanor.hart@brightwave.example";
pub(crate) const BASIL: &str = "basil.free@brightwave.example";

/// How a part of the host takes what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mood {
    Good,
    RefusesSaves,
    RefusesAll,
    PanicsAtSaves,
    PanicsAtLoads,
}

#[derive(Clone, Debug)]
pub(crate) struct Moody<T> {
    inner: T,
    mood: Arc<AtomicU8>,
}

impl<T> Moody<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            mood: Arc::default(),
        }
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    fn is(&self, mood: Mood) -> bool {
        self.mood.load(Ordering::SeqCst) == mood as u8
    }

    fn load(&self, what: &dyn std::fmt::Debug) -> Result<(), StoreError> {
        assert!(!self.is(Mood::PanicsAtLoads), "broken at {what:?}");
        if self.is(Mood::RefusesAll) {
            return Err(StoreError::unavailable("away"));
        }
        Ok(())
    }
}

#[async_trait]
impl<S: TokenStore> TokenStore for Moody<S> {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.load(id)?;
        self.inner.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        assert!(
            !self.is(Mood::PanicsAtSaves),
            "broken at {record:?} {record:#?} {expect:?}"
        );
        let refresh_is_noted = record.attributes.contains_key("refresh_intent");
        if self.is(Mood::RefusesAll) || (self.is(Mood::RefusesSaves) && !refresh_is_noted) {
            return Err(StoreError::unavailable("away"));
        }
        self.inner.save(record, expect).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.load(id)?;
        self.inner.delete(id).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        self.load(filter)?;
        self.inner.find(filter, page).await
    }
}

#[async_trait]
impl<K: KeyProvider> KeyProvider for Moody<K> {
    async fn primary(&self) -> Result<Key, VaultError> {
        let key = self.inner.primary().await?;
        assert!(!self.is(Mood::PanicsAtSaves), "broken at {key:?}");
        Ok(key)
    }

    async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError> {
        let key = self.inner.key(id).await?;
        assert!(!self.is(Mood::PanicsAtLoads), "broken at {key:?}");
        if self.is(Mood::RefusesAll) {
            return Ok(None);
        }
        Ok(key)
    }
}

/// The host's own code, to be told what happens.
#[derive(Clone)]
pub(crate) struct Listener(Arc<Shown>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

#[async_trait]
impl ConnectionEvents for Moody<Listener> {
    async fn notify(&self, event: &ConnectionEvent) {
        self.inner.0.json(event);
        assert!(!self.is(Mood::PanicsAtSaves), "broken at {event:?}");
    }
}

pub(crate) struct Stage {
    pub(crate) zoom: Simulator,
    pub(crate) databases: Databases,
    pub(crate) home: Home,
    pub(crate) lock: RedisLock,
    pub(crate) store: Moody<Arc<dyn TokenStore>>,
    pub(crate) key_file: KeyFile,
    pub(crate) keys: Moody<KeyFile>,
    pub(crate) listener: Moody<Listener>,
    enveloped: bool,
    pub(crate) shown: Arc<Shown>,
}

impl Stage {
    pub(crate) async fn open(kind: &str) -> Self {
        let shown = Arc::new(Shown::default());
        let databases = Databases::start(kind, MARK).await;
        let (home, lock) = databases.open(&shown).await;
        let path = databases.file("keys");
        // Not all of it text: that would be refused as a passphrase.
        let bytes = [
            MARK.as_bytes(),
            b"-\xff\x01\xee\x02\xdd\x03\xcc\x04\xbb\x05\xaa\x06\x99",
        ]
        .concat();
        let key = STANDARD.encode(bytes);
        fs::write(&path, format!("k1:{key}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let key_file = KeyFile::open(&path).unwrap();
        let mut config = Config::default();
        config.frozen = true;
        config.start_at = Some("2026-11-22T10:00:00Z".parse().unwrap());
        config.token_prefix = format!("{MARK}~");
        config.client_secret = format!("{MARK}-client");
        config.s2s_client_secret = format!("{MARK}-system");
        config.webhook_secret = format!("{MARK}-webhook");
        config.quirks.admin_apps_for_all = true;
        let admin = AppSpec::new(AppKind::AccountManaged, "AdminApp", &format!("{MARK}-admin"));
        config.apps.push(admin);
        Self {
            zoom: Simulator::start(config).await.unwrap(),
            databases,
            store: Moody::new(Arc::clone(&home.store)),
            home,
            lock,
            keys: Moody::new(key_file.clone()),
            key_file,
            listener: Moody::new(Listener(Arc::clone(&shown))),
            // Both ways to seal, one for each kind of database.
            enveloped: kind == "postgres",
            shown,
        }
    }

    pub(crate) fn vault(&self) -> Vault {
        let keys: Arc<dyn KeyProvider> = Arc::new(self.keys.clone());
        if self.enveloped {
            // Nothing is kept, so that a wrapper's moods are felt at once.
            let envelope = Envelope::new(Arc::new(LocalWrapper::new(keys))).with_cache(0, Duration::ZERO);
            Vault::enveloped(envelope)
        } else {
            Vault::new(keys)
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        let clock = self.zoom.clock();
        Clock::new(move || clock.now())
    }

    pub(crate) fn app(&self) -> App {
        let redirect = "https://app.example/zoom/callback".parse().unwrap();
        let secret = ClientSecret::new(format!("{MARK}-client"));
        App::new(self.zoom.config().client_id.clone(), secret, redirect)
    }

    pub(crate) fn builder_for(&self, app: App) -> ConnectionsBuilder {
        let builder = Connections::builder(app, Arc::new(self.store.clone()), self.vault())
            .endpoints(Endpoints::at(&self.zoom.base_url()))
            .lock(Arc::new(self.lock.clone()))
            .history(Arc::clone(&self.home.history))
            .events(Arc::new(self.listener.clone()))
            .clock(self.clock())
            .with_cache_lifetime(Duration::ZERO)
            .with_sleeper(quick());
        self.shown.debug(&builder);
        builder
    }

    pub(crate) fn connections(&self) -> Connections {
        let connections = self.builder_for(self.app()).build().unwrap();
        self.shown.debug(&connections);
        self.shown.debug(connections.app());
        connections
    }

    pub(crate) fn system(&self) -> ServerToServer {
        let config = self.zoom.config();
        let builder = ServerToServer::builder(
            AccountId::new(config.account_id.clone()),
            config.s2s_client_id.clone(),
            ClientSecret::new(config.s2s_client_secret.clone()),
            Arc::new(self.store.clone()),
            self.vault(),
        )
        .endpoints(Endpoints::at(&self.zoom.base_url()))
        .lock(Arc::new(self.lock.clone()))
        .clock(self.clock())
        .with_cache_lifetime(Duration::ZERO)
        .with_sleeper(quick());
        self.shown.debug(&builder);
        let system = builder.build().unwrap();
        self.shown.debug(&system);
        system
    }

    /// A connect that was started; its address holds what it must and nothing else.
    pub(crate) async fn authorize(&self, connections: &Connections, name: &str) -> Authorization {
        let started = connections.authorize(&owner(name), &session()).await.unwrap();
        self.shown.debug(&started);
        self.shown.secret(&started.state);
        let names: Vec<_> = started
            .url
            .query_pairs()
            .map(|(name, _)| name.into_owned())
            .collect();
        let expected = [
            "response_type",
            "client_id",
            "state",
            "code_challenge",
            "code_challenge_method",
            "redirect_uri",
        ];
        assert_eq!(names, expected);
        self.shown
            .text(started.url.as_str().replace(&started.state, "(the state)"));
        started
    }

    pub(crate) fn allow(&self, url: &Url, user: &str) -> Callback {
        let back = self.zoom.allow(url, user).unwrap();
        assert!(back.as_str().contains(MARK), "codes carry the mark");
        self.callback(back.query().unwrap())
    }

    pub(crate) fn callback(&self, query: &str) -> Callback {
        let callback = Callback::from_query(query);
        self.shown.debug(&callback);
        callback
    }

    /// The whole way.
    pub(crate) async fn connect(
        &self,
        connections: &Connections,
        name: &str,
        user: &str,
    ) -> Result<Connection, Error> {
        let started = self.authorize(connections, name).await;
        let connected = connections
            .connect(&self.allow(&started.url, user), &session())
            .await;
        if let Ok(connected) = &connected {
            self.shown.json(connected);
        }
        connected
    }

    pub(crate) fn pass(&self, minutes: u64) {
        self.zoom.advance(Duration::from_secs(60 * minutes));
    }
}

pub(crate) fn owner(name: &str) -> OwnerId {
    OwnerId::new(name)
}

pub(crate) fn session() -> SessionBinding {
    SessionBinding::new(format!("{MARK}-session"))
}
