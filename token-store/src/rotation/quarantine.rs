use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::progress::Stop;
use crate::{
    Clock, ConnectionId, Expect, Filter, KeyId, OwnerId, RecordKind, Status, StoreError, StoredConnection,
    TokenStore, TokenStoreExt as _, Vault, VaultError, Versioned,
};

const CONNECTION: &str = "connection";
const KEY: &str = "key";
const UNKNOWN_KEY: &str = "unknown_key";
const DOES_NOT_OPEN: &str = "does_not_open";

/// A record whose sealed part did not open when the keys were rotated.
///
/// The record stays as it was. To save a note into it would take it to another generation, where its sealed part would
/// not open even with the right key; so the note is a record of its own, of kind [`RecordKind::Quarantine`], without a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quarantined {
    /// Which record.
    pub connection: ConnectionId,
    /// Whose record.
    pub owner: OwnerId,
    /// `unknown_key`, or `does_not_open` for a key that is there and does not fit.
    pub reason: String,
    /// The key it says it was sealed with.
    pub key: Option<KeyId>,
    /// When this was first seen.
    pub since: Timestamp,
}

impl Quarantined {
    /// All that are marked, by the id of their mark.
    ///
    /// # Errors
    /// Those of [`TokenStore::find`].
    pub async fn list(store: &dyn TokenStore) -> Result<Vec<Self>, StoreError> {
        let marks = store
            .find_all(&Filter::all().kind(RecordKind::Quarantine))
            .await?;
        Ok(marks.iter().filter_map(|mark| Self::read(&mark.value)).collect())
    }

    fn read(mark: &StoredConnection) -> Option<Self> {
        Some(Self {
            connection: mark.attributes.get(CONNECTION)?.as_str().into(),
            owner: mark.owner.clone(),
            reason: mark.status_reason.clone()?,
            key: mark.attributes.get(KEY).and_then(|id| id.parse().ok()),
            since: mark.created_at,
        })
    }
}

#[derive(Debug)]
pub(super) struct Marks {
    store: Arc<dyn TokenStore>,
    clock: Clock,
}

impl Marks {
    pub(super) fn new(store: Arc<dyn TokenStore>, clock: Clock) -> Self {
        Self { store, clock }
    }

    pub(super) async fn set(
        &self,
        found: &Versioned<StoredConnection>,
        error: &VaultError,
    ) -> Result<(), Stop> {
        let record = &found.value;
        let reason = match error {
            VaultError::UnknownKey(_) => UNKNOWN_KEY,
            _ => DOES_NOT_OPEN,
        };
        tracing::warn!(connection = %record.id, reason, "a sealed part does not open; it is kept as it is");
        let id = ConnectionId::new(format!("quarantine:{}", record.id));
        let before = self.store.load(&id).await?;
        let now = self.clock.now();
        let mut mark = StoredConnection::new(
            id,
            record.owner.clone(),
            RecordKind::Quarantine,
            Status::Degraded,
            now,
        );
        mark.status_reason = Some(reason.to_owned());
        mark.attributes = BTreeMap::from([(CONNECTION.to_owned(), record.id.to_string())]);
        if let Some(sealed) = &record.sealed {
            mark.attributes
                .insert(KEY.to_owned(), sealed.key_id().to_string());
        }
        if let Some(before) = before {
            mark.created_at = before.value.created_at;
        }
        self.store.save(&mark, Expect::Any).await?;
        Ok(())
    }

    /// Removes the marks of records that are well again or gone, and says how many.
    pub(super) async fn sweep(&self, vault: &Vault) -> Result<u64, Stop> {
        let marks = self
            .store
            .find_all(&Filter::all().kind(RecordKind::Quarantine))
            .await?;
        let mut removed = 0;
        for mark in marks {
            let Some(quarantined) = Quarantined::read(&mark.value) else {
                continue;
            };
            let record = match self.store.load(&quarantined.connection).await {
                Err(StoreError::Corrupt { .. }) => continue,
                loaded => loaded?,
            };
            let is_well = match record.and_then(|record| record.value.sealed) {
                Some(sealed) => vault.is_current(&sealed).await?,
                None => true,
            };
            if is_well {
                self.store.delete(&mark.value.id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
