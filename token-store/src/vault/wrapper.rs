use std::{fmt, sync::Arc};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{
    cipher::{Cipher, NONCE_LEN},
    context,
    keys::KeyProvider,
};
use crate::{ConnectionId, KeyId, OwnerId, VaultError};

/// A 256-bit key that seals the secrets of one connection. It is kept wrapped; unwrapped it is wiped from memory when
/// the last clone is dropped, and nothing prints it.
#[derive(Clone)]
pub struct DataKey(Arc<Cipher>);

impl DataKey {
    /// What a key service unwrapped.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(Arc::new(Cipher::new(bytes)))
    }

    /// A fresh random key.
    ///
    /// # Errors
    /// [`VaultError::Random`] when the system gives no random bytes.
    pub fn generate() -> Result<Self, VaultError> {
        Ok(Self(Arc::new(Cipher::generate()?)))
    }

    /// The key itself, for a key service to wrap.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        self.0.bytes()
    }

    pub(super) fn cipher(&self) -> &Cipher {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey([redacted])")
    }
}

/// A data key that only its [`KeyWrapper`] unwraps, and only for the connection it was made for.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapped {
    key_id: KeyId,
    bytes: Vec<u8>,
}

impl Wrapped {
    /// What a key service made with the key that is known to us by this id.
    #[must_use]
    pub fn new(key_id: KeyId, bytes: Vec<u8>) -> Self {
        Self { key_id, bytes }
    }

    /// The key that wrapped it.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// What the key service made of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wrapped({}, {} bytes)", self.key_id, self.bytes.len())
    }
}

/// Whose data key it is. It unwraps for this connection of this owner, and for no other.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built with a literal, so that nothing is left out"
)]
pub struct WrapContext<'a> {
    /// Whose record.
    pub owner: &'a OwnerId,
    /// Which record.
    pub connection: &'a ConnectionId,
}

impl WrapContext<'_> {
    /// The context as bytes, different for any two contexts: associated data for a service that takes bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        context::parts([
            "token-store.wrap.v1",
            self.owner.as_str(),
            self.connection.as_str(),
        ])
    }
}

/// Wraps data keys with a key-encryption key that need not leave the service that keeps it.
///
/// # Contract
///
/// 1. `primary` names the key that `wrap` uses; what `wrap` makes carries that name.
/// 2. `unwrap` gives back what was wrapped, for the same context only.
/// 3. A key that wrapped something is known for as long as that must open.
///
/// # Clone
///
/// Use it as `Arc<dyn KeyWrapper>`.
///
/// # Cancellation
///
/// Dropping a call changes nothing.
///
/// # Errors
///
/// A key that is not this wrapper's is [`VaultError::UnknownKey`]; another context or changed bytes are
/// [`VaultError::DoesNotOpen`]; no answer is [`VaultError::Unavailable`]; any other refusal is
/// [`VaultError::Refused`].
#[async_trait]
pub trait KeyWrapper: fmt::Debug + Send + Sync + 'static {
    /// The name of the key that new data keys are wrapped with.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    async fn primary(&self) -> Result<KeyId, VaultError>;

    /// Wraps a data key with the primary key.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`], [`VaultError::Refused`].
    async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError>;

    /// Unwraps a data key.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`], [`VaultError::DoesNotOpen`], [`VaultError::Unavailable`], [`VaultError::Refused`].
    async fn unwrap(&self, wrapped: &Wrapped, context: &WrapContext<'_>) -> Result<DataKey, VaultError>;
}

macro_rules! through_pointer {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<W: KeyWrapper + ?Sized> KeyWrapper for $pointer<W> {
            async fn primary(&self) -> Result<KeyId, VaultError> {
                (**self).primary().await
            }

            async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError> {
                (**self).wrap(key, context).await
            }

            async fn unwrap(
                &self,
                wrapped: &Wrapped,
                context: &WrapContext<'_>,
            ) -> Result<DataKey, VaultError> {
                (**self).unwrap(wrapped, context).await
            }
        }
    };
}
through_pointer!(Arc);
through_pointer!(Box);

/// Wraps with the keys of a [`KeyProvider`]: envelopes without a key service.
#[derive(Clone, Debug)]
pub struct LocalWrapper {
    keys: Arc<dyn KeyProvider>,
}

impl LocalWrapper {
    /// Wraps with the primary key, and unwraps with any that the provider still has.
    #[must_use]
    pub fn new(keys: Arc<dyn KeyProvider>) -> Self {
        Self { keys }
    }
}

#[async_trait]
impl KeyWrapper for LocalWrapper {
    async fn primary(&self) -> Result<KeyId, VaultError> {
        Ok(self.keys.primary().await?.id().clone())
    }

    async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError> {
        let with = self.keys.primary().await?;
        let (nonce, ciphertext) = with.cipher().seal(&context.bytes(), key.expose_secret())?;
        Ok(Wrapped::new(
            with.id().clone(),
            [nonce.as_slice(), &ciphertext].concat(),
        ))
    }

    async fn unwrap(&self, wrapped: &Wrapped, context: &WrapContext<'_>) -> Result<DataKey, VaultError> {
        let Some(with) = self.keys.key(wrapped.key_id()).await? else {
            return Err(VaultError::UnknownKey(wrapped.key_id().clone()));
        };
        let (nonce, ciphertext) = wrapped
            .bytes()
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(VaultError::DoesNotOpen)?;
        let opened = with.cipher().open(*nonce, &context.bytes(), ciphertext)?;
        let bytes = opened
            .as_slice()
            .try_into()
            .map_err(|_| VaultError::DoesNotOpen)?;
        Ok(DataKey::new(Zeroizing::new(bytes)))
    }
}

/// Several wrappers as one: the first wraps, and whichever knows the key unwraps. So a host moves from one key or one
/// service to the next.
#[derive(Clone, Debug)]
pub struct Wrappers {
    first: Arc<dyn KeyWrapper>,
    older: Vec<Arc<dyn KeyWrapper>>,
}

impl Wrappers {
    /// One to wrap with, and others that still unwrap.
    #[must_use]
    pub fn new(first: Arc<dyn KeyWrapper>, older: impl IntoIterator<Item = Arc<dyn KeyWrapper>>) -> Self {
        Self {
            first,
            older: older.into_iter().collect(),
        }
    }
}

#[async_trait]
impl KeyWrapper for Wrappers {
    async fn primary(&self) -> Result<KeyId, VaultError> {
        self.first.primary().await
    }

    async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError> {
        self.first.wrap(key, context).await
    }

    async fn unwrap(&self, wrapped: &Wrapped, context: &WrapContext<'_>) -> Result<DataKey, VaultError> {
        for wrapper in std::iter::once(&self.first).chain(&self.older) {
            match wrapper.unwrap(wrapped, context).await {
                Err(VaultError::UnknownKey(_)) => {}
                known => return known,
            }
        }
        Err(VaultError::UnknownKey(wrapped.key_id().clone()))
    }
}
