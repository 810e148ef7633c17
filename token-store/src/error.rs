use std::error::Error as StdError;

use crate::{ConnectionId, KeyId, KeyProblem};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a [`TokenStore`](crate::TokenStore) or a [`RefreshLock`](crate::RefreshLock) could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The record is not at the generation that the caller meant to replace. Load it again and decide anew.
    #[error("the record was changed by somebody else")]
    Conflict,
    /// The record is there and cannot be read. It is never reported as absent: somebody has to look at it.
    #[error("record {id} cannot be read")]
    Corrupt {
        /// Which one.
        id: ConnectionId,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// The store did not answer. Try again later.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The caller asked for something no store can do, and asking again will not help.
    #[error("{0}")]
    Invalid(&'static str),
    /// The URL names no home that this crate knows.
    #[error("the URL of a home begins with memory:, sqlite: or postgres:")]
    UnknownHome,
    /// This build has no such homes. Turn on the feature of `token-store`.
    #[error("this build of token-store lacks its feature `{0}`")]
    FeatureOff(&'static str),
    /// The system gave no random bytes.
    #[error("no random bytes from the system")]
    Random,
}

impl StoreError {
    /// Wraps what kept a home from answering.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Wraps what makes a record unreadable.
    pub fn corrupt(id: ConnectionId, source: impl Into<BoxError>) -> Self {
        Self::Corrupt {
            id,
            source: source.into(),
        }
    }

    /// Whether somebody else was faster. Load the record again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }

    /// Whether the same call may work later. Wait and repeat it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Why a [`Vault`](crate::Vault) could not seal or open, or keys could not be had. None of them says anything about
/// what is inside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No key of this id is known. Give it back to the key provider; nothing is lost.
    #[error("no key {0} is known")]
    UnknownKey(KeyId),
    /// The ciphertext does not open: it was changed, or it belongs to another record, field or generation.
    #[error("the sealed part does not open")]
    DoesNotOpen,
    /// A plaintext too long to seal.
    #[error("the plaintext cannot be sealed")]
    DoesNotSeal,
    /// A text that is not a sealed part.
    #[error("the text is not a sealed part")]
    SealedFormat,
    /// A key id outside its alphabet.
    #[error("a key id is 1 to 64 letters, digits, - and _")]
    KeyName,
    /// A list of keys without a key.
    #[error("there is no key in the list")]
    NoKeys,
    /// An entry of a list of keys cannot be used. Correct it, or leave it out.
    #[error("entry {number} of the keys {problem}")]
    KeyEntry {
        /// Which one, counted from 1; comments and empty entries are not counted.
        number: usize,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// The key that seals cannot be dropped. Put another in front of it first.
    #[error("the key {0} is the one that seals")]
    PrimaryKey(KeyId),
    /// Others than its owner can read the key file. Make it 0600, and take its keys for known: rotate.
    #[error("the key file is open to others than its owner; make it 0600")]
    KeyFileExposed,
    /// The environment variable is not set.
    #[error("the environment variable {0} is not set")]
    MissingVariable(String),
    /// The keys could not be read or written.
    #[error("the keys are unavailable")]
    Unavailable(#[source] BoxError),
    /// The key service answered and does not do it: wrong credentials, no permission, a key that is switched off. Asking
    /// again does not help, and no secret is lost.
    #[error("the key service refused")]
    Refused(#[source] BoxError),
    /// The system gave no random bytes.
    #[error("no random bytes from the system")]
    Random,
}

impl VaultError {
    /// Wraps what a key service said when it refused.
    pub fn refused(source: impl Into<BoxError>) -> Self {
        Self::Refused(source.into())
    }

    /// Wraps what kept a key provider from answering.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Whether the same call may work later. Wait and repeat it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
