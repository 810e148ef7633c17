//! Where tokens are kept, under which lock they are refreshed, and which keys seal them.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result};
use secrecy::ExposeSecret as _;
use sqlx::SqlitePool;
use token_store::{
    Filter, History, KeyFile, KeyId, KeyProvider, Lenient, RedisLock, RefreshLock, SqliteStore, StaticKeys,
    StoredConnection, TokenStore, TokenStoreExt as _, Vault, Versioned,
};
use zoom_core::Clock;

use crate::Config;

/// Where tokens are kept, and what keeps them safe there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenHome {
    /// The records.
    pub store: Arc<dyn TokenStore>,
    /// The lock that refreshes are made under.
    pub lock: Arc<dyn RefreshLock>,
    /// The one behind it that all hosts share, and that says so when it is away.
    pub shared_lock: Arc<dyn RefreshLock>,
    /// What happened to each connection.
    pub history: Arc<dyn History>,
    /// The keys.
    pub keys: Arc<dyn KeyProvider>,
    /// The file they are in, unless the environment has them.
    pub key_file: Option<KeyFile>,
    /// What seals and opens with them.
    pub vault: Vault,
    /// What the store is, to show.
    pub place: &'static str,
    /// What the lock is, to show.
    pub lock_place: &'static str,
}

impl TokenHome {
    /// The database's own tables, unless the environment names another store or lock.
    pub(crate) async fn open(config: &Config, pool: &SqlitePool, clock: &Clock) -> Result<Self> {
        let clock = clock.clone();
        let clock = token_store::Clock::new(move || clock.now());
        let (store, lock, history, place) = match &config.token_store {
            Some(url) => {
                let home = token_store::connect(url.expose_secret()).await;
                let home = home.context("ZOOM_TOKEN_STORE cannot be used")?;
                (home.store, home.lock, home.history, "ZOOM_TOKEN_STORE")
            }
            None => of_database(pool, clock).await?,
        };
        let (shared_lock, lock_place) = match &config.lock {
            Some(url) => {
                let redis = RedisLock::connect_later(url.expose_secret());
                let redis: Arc<dyn RefreshLock> = Arc::new(redis.context("ZOOM_LOCK cannot be used")?);
                (redis, "ZOOM_LOCK")
            }
            None => (lock, place),
        };
        // A Redis that is away keeps nobody from a refresh.
        let lock: Arc<dyn RefreshLock> = match &config.lock {
            Some(_) => Arc::new(Lenient::new(Arc::clone(&shared_lock))),
            None => Arc::clone(&shared_lock),
        };
        let Keys { provider, file } = Keys::of(config)?;
        Ok(Self {
            store,
            lock,
            shared_lock,
            history,
            vault: Vault::new(Arc::clone(&provider)),
            keys: provider,
            key_file: file,
            place,
            lock_place,
        })
    }

    /// The keys that still open and no longer seal, as far as the key file has any.
    pub fn older_keys(&self) -> Result<Vec<KeyId>> {
        let ids = self.key_file.as_ref().map(KeyFile::ids).transpose()?;
        Ok(ids.unwrap_or_default().into_iter().skip(1).collect())
    }

    /// How many records each key has sealed.
    pub async fn sealed_by(&self) -> Result<BTreeMap<KeyId, usize>> {
        Ok(sealed_by(&self.store.find_all(&Filter::all()).await?))
    }
}

/// How many of these records each key has sealed.
pub fn sealed_by(records: &[Versioned<StoredConnection>]) -> BTreeMap<KeyId, usize> {
    let mut counts = BTreeMap::new();
    for sealed in records.iter().filter_map(|found| found.value.sealed.as_ref()) {
        *counts.entry(sealed.key_id().clone()).or_default() += 1;
    }
    counts
}

type Parts = (
    Arc<dyn TokenStore>,
    Arc<dyn RefreshLock>,
    Arc<dyn History>,
    &'static str,
);

/// The token tables of the one database.
async fn of_database(pool: &SqlitePool, clock: token_store::Clock) -> Result<Parts> {
    let store = SqliteStore::from_pool(pool.clone()).await?;
    let (lock, history) = (store.lock().with_clock(clock), store.history());
    Ok((Arc::new(store), Arc::new(lock), Arc::new(history), "the database"))
}

/// The keys of the environment, else a private file beside the database.
struct Keys {
    provider: Arc<dyn KeyProvider>,
    file: Option<KeyFile>,
}

impl Keys {
    fn of(config: &Config) -> Result<Self> {
        if let Some(keys) = &config.token_keys {
            let keys = StaticKeys::parse(keys.expose_secret()).context("ZOOM_TOKEN_KEYS cannot be used")?;
            return Ok(Self {
                provider: Arc::new(keys),
                file: None,
            });
        }
        let path = config.database.with_extension("keys");
        let file = KeyFile::open_or_create(&path);
        let file = file.with_context(|| format!("the key file {} cannot be used", path.display()))?;
        Ok(Self {
            provider: Arc::new(file.clone()),
            file: Some(file),
        })
    }
}
