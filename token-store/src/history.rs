use std::{fmt, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ConnectionId, OwnerId, Status, StoreError};

/// Something that happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built with a literal, so that nothing is left out"
)]
pub struct Entry {
    /// Which connection.
    pub connection: ConnectionId,
    /// Whose it was.
    pub owner: OwnerId,
    /// When. Histories keep times to the microsecond.
    pub at: Timestamp,
    /// What happened, in one word such as `expired`.
    pub event: String,
    /// What the connection was afterwards.
    pub status: Status,
    /// Why, as a short code. Never a secret.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What happened to each connection, in order. Entries are added and never changed.
///
/// # Contract
///
/// Each rule is a test of the same name in `history_conformance!`.
///
/// 1. `entries_come_newest_first`: in the reverse of the order in which they were appended, whatever their times say.
/// 2. `no_more_than_asked_for`: at most `limit` entries, the newest ones.
/// 3. `what_was_appended_is_returned`: every field as it was, times to the microsecond.
/// 4. `connections_are_kept_apart`: one connection's entries never show up in another's.
/// 5. `the_same_entry_twice_is_two`: nothing is merged.
/// 6. `erase_forgets_one_owner`: all entries of the owner go, nobody else's do.
///
/// # Clone
///
/// Use it as `Arc<dyn History>`.
///
/// # Cancellation
///
/// An append whose future is dropped has happened or has not.
///
/// # Errors
///
/// A home that does not answer is [`StoreError::Unavailable`].
#[async_trait]
pub trait History: fmt::Debug + Send + Sync + 'static {
    /// Adds an entry.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn append(&self, entry: &Entry) -> Result<(), StoreError>;

    /// The newest entries of a connection, newest first, `limit` at most.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn entries(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Forgets all entries of an owner, for good. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn erase(&self, owner: &OwnerId) -> Result<u64, StoreError>;
}

macro_rules! through_pointer {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<H: History + ?Sized> History for $pointer<H> {
            async fn append(&self, entry: &Entry) -> Result<(), StoreError> {
                (**self).append(entry).await
            }

            async fn entries(
                &self,
                connection: &ConnectionId,
                limit: usize,
            ) -> Result<Vec<Entry>, StoreError> {
                (**self).entries(connection, limit).await
            }

            async fn erase(&self, owner: &OwnerId) -> Result<u64, StoreError> {
                (**self).erase(owner).await
            }
        }
    };
}
through_pointer!(Arc);
through_pointer!(Box);
