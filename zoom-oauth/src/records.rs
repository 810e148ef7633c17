//! The store and the vault as one: records with their tokens open.

use std::sync::Arc;

use token_store::{
    ConnectionId, Expect, Filter, Generation, RecordKind, SealContext, Status, StoreError, StoredConnection,
    TokenStore, TokenStoreExt as _, Vault, Versioned,
};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, attributes, cache::TokenCache, refresh::live, tokens::Tokens};

const TOKENS: &str = "tokens";
pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const INSTALLATION: &str = "installation";

/// The [fields](SealContext::field) that this crate seals: what a rotation of the keys has to know.
pub const SEALED_FIELDS: &[&str] = &[TOKENS, AUTHORIZATION, INSTALLATION];

/// A record as it was at a generation, with its tokens if it has any.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) record: StoredConnection,
    /// What a save of the record has to expect.
    pub(crate) expect: Expect,
    pub(crate) tokens: Option<Tokens>,
}

/// Why a save failed.
#[derive(Debug)]
pub(crate) enum SaveError {
    /// Somebody else saved in between. Load again and decide anew.
    Conflict,
    Failed(Error),
}

impl From<SaveError> for Error {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Conflict => StoreError::Conflict.into(),
            SaveError::Failed(error) => error,
        }
    }
}

impl From<Error> for SaveError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for SaveError {
    fn from(error: StoreError) -> Self {
        if error.is_conflict() {
            Self::Conflict
        } else {
            Self::Failed(error.into())
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) vault: Vault,
    /// Whose records these are: several apps may share a store.
    app: Arc<str>,
    /// Tokens that were read or saved a moment ago; every save here drops what it has of the record.
    pub(crate) cache: Arc<TokenCache>,
}

impl Records {
    pub(crate) fn new(store: Arc<dyn TokenStore>, vault: Vault, app: &str, cache: TokenCache) -> Self {
        Self {
            store,
            vault,
            app: app.into(),
            cache: Arc::new(cache),
        }
    }

    /// Whether the record is one of this app's.
    pub(crate) fn is_ours(&self, record: &StoredConnection) -> bool {
        attributes::app(record) == &*self.app
    }

    /// Notes in a new record that it is one of this app's.
    pub(crate) fn sign(&self, record: &mut StoredConnection) {
        attributes::set_app(record, &self.app);
    }

    pub(crate) fn app(&self) -> &str {
        &self.app
    }

    /// This app's records that match.
    pub(crate) async fn find(&self, filter: &Filter) -> Result<Vec<Versioned<StoredConnection>>, Error> {
        let mut found = self.store.find_all(filter).await?;
        found.retain(|found| self.is_ours(&found.value));
        Ok(found)
    }

    /// Whether a connection lives on the grant of a Zoom user, or an installation waits with it. Zoom knows one grant
    /// for each user and app, and a revocation ends it for everybody.
    pub(crate) async fn is_lived_on(&self, account: &str, user: &str) -> Result<bool, Error> {
        let filter = Filter::all().provider_account(account).provider_user(user);
        let found = self.find(&filter).await?;
        Ok(found.iter().any(|found| match found.value.kind {
            RecordKind::Connection => live(&found.value).is_ok(),
            RecordKind::Installation => found.value.status == Status::Pending,
            _ => false,
        }))
    }

    pub(crate) async fn load(&self, id: &ConnectionId) -> Result<Option<Slot>, Error> {
        let Some(found) = self.store.load(id).await? else {
            return Ok(None);
        };
        let tokens = match self.open(&found, TOKENS).await? {
            Some(bytes) => Some(Tokens::from_bytes(&bytes)?),
            None => None,
        };
        Ok(Some(Slot {
            record: found.value,
            expect: Expect::Generation(found.generation),
            tokens,
        }))
    }

    /// Saves the slot's record with the slot's tokens, or without any.
    pub(crate) async fn save(&self, slot: &Slot) -> Result<Generation, SaveError> {
        match &slot.tokens {
            Some(tokens) => {
                let bytes = tokens.to_bytes().map_err(SaveError::Failed)?;
                self.save_sealed(slot.record.clone(), TOKENS, &bytes, slot.expect)
                    .await
            }
            None => {
                let mut record = slot.record.clone();
                record.sealed = None;
                self.put(&record, slot.expect).await
            }
        }
    }

    /// Seals `secret` for the generation that the save makes, and saves.
    pub(crate) async fn save_sealed(
        &self,
        mut record: StoredConnection,
        field: &str,
        secret: &[u8],
        expect: Expect,
    ) -> Result<Generation, SaveError> {
        let generation = expect.next().ok_or(StoreError::Invalid(
            "a sealed part is saved against a known generation",
        ))?;
        let place = SealContext {
            owner: &record.owner,
            connection: &record.id,
            field,
            generation,
        };
        let sealed = self
            .vault
            .seal(&place, secret)
            .await
            .map_err(|error| SaveError::Failed(error.into()))?;
        record.sealed = Some(sealed);
        self.put(&record, expect).await
    }

    /// Deletes a record, and what the cache has of it.
    pub(crate) async fn delete(&self, id: &ConnectionId) -> Result<(), Error> {
        let deleted = self.store.delete(id).await;
        self.cache.forget(id);
        Ok(deleted?)
    }

    /// A save that failed may have happened all the same, so the cache hears of each.
    async fn put(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, SaveError> {
        let saved = self.store.save(record, expect).await;
        self.cache.forget(&record.id);
        Ok(saved?)
    }

    pub(crate) async fn open(
        &self,
        found: &Versioned<StoredConnection>,
        field: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Some(sealed) = &found.value.sealed else {
            return Ok(None);
        };
        let place = SealContext {
            owner: &found.value.owner,
            connection: &found.value.id,
            field,
            generation: found.generation,
        };
        let opened = self.vault.open(&place, sealed).await;
        opened
            .map(Some)
            .map_err(|error| Error::with_source(ErrorKind::Vault, error))
    }
}
