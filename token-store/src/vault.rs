mod cipher;
mod context;
mod envelope;
mod key_file;
mod key_text;
mod keys;
mod sealed;
mod wrapper;

use std::sync::Arc;

use zeroize::Zeroizing;

use self::sealed::SealedBy;
pub use self::{
    context::SealContext,
    envelope::Envelope,
    key_file::KeyFile,
    key_text::KeyProblem,
    keys::{Key, KeyProvider, StaticKeys},
    sealed::Sealed,
    wrapper::{DataKey, KeyWrapper, LocalWrapper, WrapContext, Wrapped, Wrappers},
};
use crate::VaultError;

/// Seals secrets with AES-256-GCM before they go to a store, and opens them after.
///
/// * The nonce is 96 random bits, fresh for every seal.
/// * The [`SealContext`] is the associated data.
/// * It seals with the provider's primary key and opens with any key the provider still has; or, in
///   [envelope mode](Self::enveloped), with a data key for each connection that another key wraps.
/// * A vault that seals one way can be told to open what was sealed the other way, so that records can move.
#[derive(Clone, Debug)]
pub struct Vault {
    seals: Seals,
    keys: Option<Arc<dyn KeyProvider>>,
    envelope: Option<Arc<Envelope>>,
}

#[derive(Clone, Debug)]
enum Seals {
    Plain(Arc<dyn KeyProvider>),
    Enveloped(Arc<Envelope>),
}

impl Vault {
    /// A vault that seals with these keys.
    #[must_use]
    pub fn new(keys: Arc<dyn KeyProvider>) -> Self {
        Self {
            seals: Seals::Plain(Arc::clone(&keys)),
            keys: Some(keys),
            envelope: None,
        }
    }

    /// A vault that seals each connection with a data key of its own.
    #[must_use]
    pub fn enveloped(envelope: Envelope) -> Self {
        let envelope = Arc::new(envelope);
        Self {
            seals: Seals::Enveloped(Arc::clone(&envelope)),
            keys: None,
            envelope: Some(envelope),
        }
    }

    /// Opens what these keys sealed before the vault went over to envelopes.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<dyn KeyProvider>) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Opens envelopes, on the way back from them.
    #[must_use]
    pub fn with_envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = Some(Arc::new(envelope));
        self
    }

    /// Seals `plaintext` for one place.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when there is no key to be had; [`VaultError::Refused`] when a key service does not
    /// wrap; [`VaultError::Random`].
    pub async fn seal(&self, context: &SealContext<'_>, plaintext: &[u8]) -> Result<Sealed, VaultError> {
        let (by, (nonce, ciphertext)) = match &self.seals {
            Seals::Plain(keys) => {
                let key = keys.primary().await?;
                let sealed = key.cipher().seal(&context.plain(), plaintext)?;
                (SealedBy::Key(key.id().clone()), sealed)
            }
            Seals::Enveloped(envelope) => {
                let (wrapped, key) = envelope.sealing_key(&wrap_context(context)).await?;
                let sealed = key.cipher().seal(&context.enveloped(), plaintext)?;
                (SealedBy::DataKey(wrapped), sealed)
            }
        };
        Ok(Sealed {
            by,
            nonce,
            ciphertext,
        })
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`], [`VaultError::DoesNotOpen`], [`VaultError::Unavailable`], [`VaultError::Refused`].
    pub async fn open(
        &self,
        context: &SealContext<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let unknown = || VaultError::UnknownKey(sealed.key_id().clone());
        match &sealed.by {
            SealedBy::Key(id) => {
                let keys = self.keys.as_ref().ok_or_else(unknown)?;
                let key = keys.key(id).await?.ok_or_else(unknown)?;
                key.cipher()
                    .open(sealed.nonce, &context.plain(), &sealed.ciphertext)
            }
            SealedBy::DataKey(wrapped) => {
                let envelope = self.envelope.as_ref().ok_or_else(unknown)?;
                let key = envelope.opening_key(&wrap_context(context), wrapped).await?;
                key.cipher()
                    .open(sealed.nonce, &context.enveloped(), &sealed.ciphertext)
            }
        }
    }

    /// Whether it is sealed as [`seal`](Self::seal) would seal it today: in the same way, under the primary key.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn is_current(&self, sealed: &Sealed) -> Result<bool, VaultError> {
        Ok(match (&self.seals, &sealed.by) {
            (Seals::Plain(keys), SealedBy::Key(id)) => keys.primary().await?.id() == id,
            (Seals::Enveloped(envelope), SealedBy::DataKey(wrapped)) => {
                envelope.wrapper().primary().await? == *wrapped.key_id()
            }
            _ => false,
        })
    }
}

fn wrap_context<'a>(context: &SealContext<'a>) -> WrapContext<'a> {
    WrapContext {
        owner: context.owner,
        connection: context.connection,
    }
}

#[cfg(test)]
mod tests;
