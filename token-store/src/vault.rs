mod envelope;
mod key_file;
mod keys;

use std::{fmt, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

pub use self::{
    envelope::Sealed,
    key_file::KeyFile,
    keys::{Key, KeyProvider, StaticKeys},
};
use crate::{ConnectionId, Generation, OwnerId, VaultError};

/// Where a sealed part belongs. It opens there and nowhere else: not for another owner, record, field or generation.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built with a literal, so that nothing is left out"
)]
pub struct SealContext<'a> {
    /// Whose record.
    pub owner: &'a OwnerId,
    /// Which record.
    pub connection: &'a ConnectionId,
    /// Which part of it, for example `"tokens"`.
    pub field: &'a str,
    /// The generation that the save of the record produces: [`Expect::next`](crate::Expect::next).
    pub generation: Generation,
}

impl SealContext<'_> {
    /// The associated data: every part with its length before it, so that no two contexts have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [
            "token-store.v1",
            self.owner.as_str(),
            self.connection.as_str(),
            self.field,
        ] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(&self.generation.get().to_be_bytes());
        bytes
    }
}

/// Seals secrets with AES-256-GCM before they go to a store, and opens them after.
///
/// * The nonce is 96 random bits, fresh for every seal.
/// * The [`SealContext`] is the associated data.
/// * It seals with the provider's primary key and opens with any key the provider still has.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<dyn KeyProvider>,
}

impl Vault {
    /// A vault with these keys.
    #[must_use]
    pub fn new(keys: Arc<dyn KeyProvider>) -> Self {
        Self { keys }
    }

    /// Seals `plaintext` for one place.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when there is no key to be had; [`VaultError::Random`].
    pub async fn seal(&self, context: &SealContext<'_>, plaintext: &[u8]) -> Result<Sealed, VaultError> {
        let key = self.keys.primary().await?;
        let mut nonce = [0; Sealed::NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Random)?;
        let ciphertext = Aes256Gcm::new(key.bytes().into())
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: plaintext,
                    aad: &context.bytes(),
                },
            )
            .map_err(|_| VaultError::DoesNotSeal)?;
        Ok(Sealed::new(key.id().clone(), nonce, ciphertext))
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`], [`VaultError::DoesNotOpen`], [`VaultError::Unavailable`].
    pub async fn open(
        &self,
        context: &SealContext<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let Some(key) = self.keys.key(sealed.key_id()).await? else {
            return Err(VaultError::UnknownKey(sealed.key_id().clone()));
        };
        Aes256Gcm::new(key.bytes().into())
            .decrypt(
                &Nonce::from(*sealed.nonce()),
                Payload {
                    msg: sealed.ciphertext(),
                    aad: &context.bytes(),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| VaultError::DoesNotOpen)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys).finish()
    }
}

#[cfg(test)]
mod tests;
