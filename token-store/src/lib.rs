#![doc = include_str!("../README.md")]

mod clock;
#[cfg(feature = "conformance")]
#[doc(hidden)]
pub mod conformance;
mod connection;
mod error;
mod id;
mod lock;
mod memory;
mod open_enum;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod vault;

pub use clock::Clock;
pub use connection::{Expect, Generation, RecordKind, Status, StoredConnection, Versioned};
pub use error::{StoreError, VaultError};
pub use id::{ConnectionId, Holder, KeyId, LockKey, OwnerId};
pub use lock::{Fence, RefreshLock};
pub use memory::{MemoryLock, MemoryStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteLock, SqliteStore};
pub use store::{Filter, Page, PageToken, TokenStore, TokenStoreExt};
pub use vault::{Key, KeyFile, KeyProvider, SealContext, Sealed, StaticKeys, Vault};
