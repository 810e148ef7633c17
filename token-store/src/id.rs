use std::sync::Arc;

use crate::{StoreError, VaultError};

macro_rules! id_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::new(text))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    };
}

id_type! {
    /// Names one record of a store. Any text; ids made by [`ConnectionId::random`] are 32 hex digits.
    ///
    /// An id is not an owner, and the compiler knows:
    ///
    /// ```compile_fail
    /// let owner = token_store::OwnerId::new("rep-7");
    /// let id: token_store::ConnectionId = owner;
    /// ```
    ConnectionId
}

id_type! {
    /// The host's own id of whoever owns a connection: a rep, an organisation. Any text, Unicode included.
    OwnerId
}

id_type! {
    /// What a lease is held on.
    LockKey
}

id_type! {
    /// Who holds a lease. Take a fresh [`Holder::random`] for every attempt: leases are not re-entrant.
    Holder
}

impl ConnectionId {
    /// A fresh id: 128 random bits.
    ///
    /// # Errors
    /// [`StoreError::Random`] when the system gives no random bytes.
    pub fn random() -> Result<Self, StoreError> {
        random_hex().map(Self)
    }
}

impl LockKey {
    /// The key under which a connection's refresh is locked.
    #[must_use]
    pub fn connection(id: &ConnectionId) -> Self {
        Self(format!("connection:{id}"))
    }
}

impl Holder {
    /// A fresh holder: 128 random bits.
    ///
    /// # Errors
    /// [`StoreError::Random`] when the system gives no random bytes.
    pub fn random() -> Result<Self, StoreError> {
        random_hex().map(Self)
    }
}

fn random_hex() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Random)?;
    Ok(hex::encode(bytes))
}

/// The name of an encryption key; it stands in the clear beside every ciphertext.
///
/// * 1 to 64 characters of `A-Z a-z 0-9 - _`, so that it can stand in the text form of a [`Sealed`](crate::Sealed).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Checks the rule above.
    ///
    /// # Errors
    /// [`VaultError::KeyName`] when the text breaks it.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, VaultError> {
        let text = text.into();
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if plain && (1..=64).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(VaultError::KeyName)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for KeyId {
    type Err = VaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}
