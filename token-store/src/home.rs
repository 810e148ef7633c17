use std::sync::Arc;

use crate::{History, MemoryHistory, MemoryLock, MemoryStore, RefreshLock, StoreError, TokenStore};

/// Everything that has to outlive a process, in one place: records, leases and history.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Home {
    /// The records.
    pub store: Arc<dyn TokenStore>,
    /// Leases that all who open the same home share.
    pub lock: Arc<dyn RefreshLock>,
    /// What happened to the connections.
    pub history: Arc<dyn History>,
}

impl Home {
    fn new(store: impl TokenStore, lock: impl RefreshLock, history: impl History) -> Self {
        Self {
            store: Arc::new(store),
            lock: Arc::new(lock),
            history: Arc::new(history),
        }
    }
}

/// Opens the home that a URL names, and brings its tables up to date; any number of hosts may do so at once.
///
/// * `memory:` forgets everything with the process, and no two calls share it.
/// * `sqlite://path`, made if it is not there, with the feature `sqlite`: any number of processes on one machine.
/// * `postgres://user:password@host/database`, with the feature `postgres`: any number of machines.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let home = token_store::connect("memory:").await?;
/// assert!(home.store.load(&"nobody".into()).await?.is_none());
/// # Ok::<_, token_store::StoreError>(()) }).unwrap();
/// ```
///
/// # Errors
/// [`StoreError::UnknownHome`] for any other URL, [`StoreError::FeatureOff`] when this build lacks the feature, and what
/// the home's own `connect` says. None of them shows the URL, for a password may stand in it.
pub async fn connect(url: &str) -> Result<Home, StoreError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("memory") => Ok(Home::new(
            MemoryStore::new(),
            MemoryLock::new(),
            MemoryHistory::new(),
        )),
        #[cfg(feature = "sqlite")]
        Some("sqlite") => {
            let store = crate::SqliteStore::connect(url).await?;
            let (lock, history) = (store.lock(), store.history());
            Ok(Home::new(store, lock, history))
        }
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => {
            let store = crate::PostgresStore::connect(url).await?;
            let (lock, history) = (store.lock(), store.history());
            Ok(Home::new(store, lock, history))
        }
        #[cfg(not(feature = "sqlite"))]
        Some("sqlite") => Err(StoreError::FeatureOff("sqlite")),
        #[cfg(not(feature = "postgres"))]
        Some("postgres" | "postgresql") => Err(StoreError::FeatureOff("postgres")),
        _ => Err(StoreError::UnknownHome),
    }
}
