use std::{env, fmt, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{cipher::Cipher, key_text};
use crate::{KeyId, VaultError};

/// A 256-bit encryption key and its name. The bytes are wiped from memory when it is dropped, and nothing prints them.
/// Clones share them.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    cipher: Arc<Cipher>,
}

impl Key {
    /// A key that somebody else made: 32 random bytes. It is not looked at; [`StaticKeys::parse`] refuses weak ones.
    #[must_use]
    pub fn new(id: KeyId, bytes: [u8; 32]) -> Self {
        Self::from_bytes(id, Zeroizing::new(bytes))
    }

    pub(super) fn from_bytes(id: KeyId, bytes: Zeroizing<[u8; 32]>) -> Self {
        Self {
            id,
            cipher: Arc::new(Cipher::new(bytes)),
        }
    }

    /// A fresh random key, named after a hash of itself.
    ///
    /// # Errors
    /// [`VaultError::Random`] when the system gives no random bytes.
    pub fn generate() -> Result<Self, VaultError> {
        let cipher = Cipher::generate()?;
        let digest = hex::encode(Sha256::digest(cipher.bytes()));
        let name: String = digest.chars().take(8).collect();
        Ok(Self {
            id: KeyId::new(format!("k-{name}"))?,
            cipher: Arc::new(cipher),
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
        let encoded = Zeroizing::new(STANDARD.encode(self.cipher.bytes()));
        Zeroizing::new(format!("{}:{}", self.id, encoded.as_str()))
    }

    pub(super) fn cipher(&self) -> &Cipher {
        &self.cipher
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

    /// Reads `id:key[,id2:key2…]` from an environment variable; the first key is the one that seals.
    /// `echo "k1:$(openssl rand -base64 32)"` makes one.
    ///
    /// # Errors
    /// [`VaultError::MissingVariable`], and those of [`parse`](Self::parse).
    pub fn from_env(variable: &str) -> Result<Self, VaultError> {
        let text = env::var(variable).map_err(|_| VaultError::MissingVariable(variable.to_owned()))?;
        Self::parse(&Zeroizing::new(text))
    }

    /// Reads `id:key` entries with commas or line ends between them; empty entries and those that begin with `#` are
    /// skipped, and the first key is the one that seals. A key is 32 bytes in hex or in base64: standard or url-safe,
    /// padded or not.
    ///
    /// A key that cannot have come from a random generator is refused: fewer than 16 different bytes, a sequence such
    /// as 00 01 02…, or printable text only. Neither an id nor a key may stand twice.
    ///
    /// # Errors
    /// [`VaultError::KeyEntry`], which says which entry and what is wrong with it; [`VaultError::NoKeys`].
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let mut keys = key_text::parse(text)?.into_iter();
        let primary = keys.next().ok_or(VaultError::NoKeys)?;
        Ok(Self::new(primary, keys))
    }

    /// The ids, the primary key's first.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.all().map(|key| key.id.clone()).collect()
    }

    pub(super) fn primary_key(&self) -> &Key {
        &self.primary
    }

    pub(super) fn find(&self, id: &KeyId) -> Option<&Key> {
        self.all().find(|key| key.id == *id)
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.primary).chain(&self.older)
    }
}

#[async_trait]
impl KeyProvider for StaticKeys {
    async fn primary(&self) -> Result<Key, VaultError> {
        Ok(self.primary.clone())
    }

    async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError> {
        Ok(self.find(id).cloned())
    }
}
