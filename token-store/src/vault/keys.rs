use std::{env, fmt, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{KeyId, VaultError};

/// A 256-bit encryption key and its name. The bytes are wiped from memory when it is dropped, and nothing prints them.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    bytes: Zeroizing<[u8; 32]>,
}

impl Key {
    /// A key that somebody else made.
    #[must_use]
    pub fn new(id: KeyId, bytes: [u8; 32]) -> Self {
        Self {
            id,
            bytes: Zeroizing::new(bytes),
        }
    }

    /// A fresh random key, named after a hash of itself.
    ///
    /// # Errors
    /// [`VaultError::Random`] when the system gives no random bytes.
    pub fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).map_err(|_| VaultError::Random)?;
        let digest = hex::encode(Sha256::digest(bytes.as_ref()));
        let name: String = digest.chars().take(8).collect();
        Ok(Self {
            id: KeyId::new(format!("k-{name}"))?,
            bytes,
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The text form `id:base64` that [`StaticKeys::parse`] reads. It is the secret itself.
    #[must_use]
    pub fn expose_secret(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(STANDARD.encode(self.bytes.as_ref()));
        Zeroizing::new(format!("{}:{}", self.id, encoded.as_str()))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, [redacted])", self.id)
    }
}

/// Where a [`Vault`](crate::Vault) gets its keys: the environment, a file, or a key service of the host's.
///
/// # Contract
///
/// 1. `primary` is the key to seal with; `key` of its id returns the same key.
/// 2. A key that sealed something is returned by `key` for as long as it must open; `None` means never known.
///
/// # Clone
///
/// Use it as `Arc<dyn KeyProvider>`.
///
/// # Cancellation
///
/// Dropping a call changes nothing.
///
/// # Errors
///
/// A provider that does not answer says [`VaultError::Unavailable`], never `None`.
#[async_trait]
pub trait KeyProvider: fmt::Debug + Send + Sync + 'static {
    /// The key that new secrets are sealed with.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    async fn primary(&self) -> Result<Key, VaultError>;

    /// The key of this name, if there is or was one.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError>;
}

macro_rules! through_pointer {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<K: KeyProvider + ?Sized> KeyProvider for $pointer<K> {
            async fn primary(&self) -> Result<Key, VaultError> {
                (**self).primary().await
            }

            async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError> {
                (**self).key(id).await
            }
        }
    };
}
through_pointer!(Arc);
through_pointer!(Box);

/// Keys that are known from the start: the first seals, all of them open.
///
/// To change the key, put the new one in front and keep the old one behind it until nothing is sealed with it.
#[derive(Clone, Debug)]
pub struct StaticKeys {
    primary: Key,
    older: Vec<Key>,
}

impl StaticKeys {
    /// One key to seal with, and others that still open.
    #[must_use]
    pub fn new(primary: Key, older: impl IntoIterator<Item = Key>) -> Self {
        Self {
            primary,
            older: older.into_iter().collect(),
        }
    }

    /// Reads `id:base64key[,id2:base64key2…]` from an environment variable; the first key is the one that seals.
    /// `echo "k1:$(openssl rand -base64 32)"` makes one.
    ///
    /// # Errors
    /// [`VaultError::MissingVariable`], [`VaultError::KeyFormat`].
    pub fn from_env(variable: &str) -> Result<Self, VaultError> {
        let text = env::var(variable).map_err(|_| VaultError::MissingVariable(variable.to_owned()))?;
        Self::parse(&Zeroizing::new(text))
    }

    /// Reads `id:base64key` entries with commas or line ends between them; empty entries and those that begin with
    /// `#` are skipped, and the first key is the one that seals.
    ///
    /// # Errors
    /// [`VaultError::KeyFormat`] when an entry is not that, an id stands twice, or there is none.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let mut keys: Vec<Key> = Vec::new();
        let entries = text.split([',', '\n']).map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty() && !entry.starts_with('#')) {
            let (id, encoded) = entry.split_once(':').ok_or(VaultError::KeyFormat)?;
            let id = KeyId::new(id)?;
            let decoded = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| VaultError::KeyFormat)?);
            let bytes = decoded.as_slice().try_into().map_err(|_| VaultError::KeyFormat)?;
            if keys.iter().any(|key| key.id == id) {
                return Err(VaultError::KeyFormat);
            }
            keys.push(Key::new(id, bytes));
        }
        let mut keys = keys.into_iter();
        let primary = keys.next().ok_or(VaultError::KeyFormat)?;
        Ok(Self::new(primary, keys))
    }
}

#[async_trait]
impl KeyProvider for StaticKeys {
    async fn primary(&self) -> Result<Key, VaultError> {
        Ok(self.primary.clone())
    }

    async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError> {
        let mut all = std::iter::once(&self.primary).chain(&self.older);
        Ok(all.find(|key| key.id == *id).cloned())
    }
}
