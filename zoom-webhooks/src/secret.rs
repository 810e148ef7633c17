use std::{fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// An app's Secret Token, with which Zoom signs what it sends.
///
/// Development and production credentials have different ones, and so have several apps behind one address.
#[derive(Clone)]
pub struct WebhookSecret {
    id: Arc<str>,
    secret: SecretString,
    /// Keyed once; a clone of it hashes one message.
    keyed: Hmac<Sha256>,
}

/// This text is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the webhook secret is empty")]
#[non_exhaustive]
pub struct InvalidSecret;

impl WebhookSecret {
    /// Takes the secret's text. Its id is a short hash of it until [`WebhookSecret::with_id`] says otherwise.
    ///
    /// # Errors
    ///
    /// When there is nothing but white space: everybody could sign with that.
    pub fn new(secret: impl Into<String>) -> Result<Self, InvalidSecret> {
        let secret = SecretString::from(secret.into());
        let text = secret.expose_secret();
        if text.trim().is_empty() {
            return Err(InvalidSecret);
        }
        let keyed = Hmac::new_from_slice(text.as_bytes()).map_err(|_| InvalidSecret)?;
        let digest = Sha256::digest(text.as_bytes());
        let id: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            id: id.into(),
            secret,
            keyed,
        })
    }

    /// Names it, so that one can tell which of several matched.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = id.into();
        self
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret itself. Hand it to whoever must have it, and to nobody else.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.secret.expose_secret()
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// HMAC-SHA-256 of the parts, one after another, in lower-case hex.
    pub(crate) fn hmac_hex(&self, parts: &[&[u8]]) -> String {
        let mut hmac = self.keyed.clone();
        for part in parts {
            hmac.update(part);
        }
        hex::encode(hmac.finalize().into_bytes())
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecret({:?}, [redacted])", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_not_impl_any!(WebhookSecret: fmt::Display, PartialEq, serde::Serialize);

    #[test]
    fn an_empty_secret_is_refused() {
        for empty in ["", " ", "\n"] {
            assert_eq!(WebhookSecret::new(empty).unwrap_err(), InvalidSecret);
        }
    }

    #[test]
    fn debug_shows_the_id_and_not_the_secret() {
        let secret = WebhookSecret::new("canary").unwrap().with_id("production");
        assert_eq!(format!("{secret:?}"), "WebhookSecret(\"production\", [redacted])");
        assert!(!WebhookSecret::new("canary").unwrap().id().contains("canary"));
    }
}
