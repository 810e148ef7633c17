#![doc = include_str!("../README.md")]
//! ## A store of your own
//!
//! Four methods; `Expect::advance` and `Filter::matches` carry the rules, and the suite proves the rest.
//!
//! ```
#![doc = include_str!("../tests/it/custom_store.rs")]
//! ```
//!
//! ## A lock of your own
//!
//! Two methods. A store's own database serves best: whoever can reach the records can then reach the leases.
//!
//! ```
#![doc = include_str!("../tests/it/custom_lock.rs")]
//! ```

mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connection;
mod error;
mod history;
mod home;
mod id;
mod lock;
mod memory;
mod open_enum;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "rotation")]
mod rotation;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod vault;

pub use clock::Clock;
pub use connection::{Expect, Generation, RecordKind, Status, StoredConnection, Versioned};
pub use error::{StoreError, VaultError};
pub use history::{Entry, History};
pub use home::{Home, connect};
pub use id::{ConnectionId, Holder, KeyId, LockKey, OwnerId};
#[cfg(feature = "redis")]
pub use lock::Lenient;
pub use lock::{Fence, RefreshLock};
pub use memory::{MemoryHistory, MemoryLock, MemoryStore};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresHistory, PostgresLock, PostgresStore};
#[cfg(feature = "redis")]
pub use redis::RedisLock;
#[cfg(feature = "rotation")]
pub use rotation::{Progress, Quarantined, Rotation, RotationError};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteHistory, SqliteLock, SqliteStore, open_sqlite};
pub use store::{Filter, Page, PageToken, TokenStore, TokenStoreExt};
pub use vault::{
    DataKey, Envelope, Key, KeyFile, KeyProblem, KeyProvider, KeyWrapper, LocalWrapper, SealContext, Sealed,
    StaticKeys, Vault, WrapContext, Wrapped, Wrappers,
};
