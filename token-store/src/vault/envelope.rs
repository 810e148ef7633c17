use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{KeyId, VaultError};

/// A secret that only a [`Vault`](crate::Vault) with the right key opens, and only in its place.
///
/// Its text form is one line, and what stores keep: `v1.<key id>.<nonce>.<ciphertext>`, the last two in base64url
/// without padding. `Display`, `FromStr` and serde speak it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    key_id: KeyId,
    nonce: [u8; Self::NONCE_LEN],
    /// With the 16-byte tag at its end.
    ciphertext: Vec<u8>,
}

impl Sealed {
    pub(crate) const NONCE_LEN: usize = 12;

    pub(crate) fn new(key_id: KeyId, nonce: [u8; Self::NONCE_LEN], ciphertext: Vec<u8>) -> Self {
        Self {
            key_id,
            nonce,
            ciphertext,
        }
    }

    /// The key that opens it.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    pub(crate) fn nonce(&self) -> &[u8; Self::NONCE_LEN] {
        &self.nonce
    }

    pub(crate) fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "v1.{}.{}.{}",
            self.key_id,
            URL_SAFE_NO_PAD.encode(self.nonce),
            URL_SAFE_NO_PAD.encode(&self.ciphertext)
        )
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({}, {} bytes)", self.key_id, self.ciphertext.len())
    }
}

impl FromStr for Sealed {
    type Err = VaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let (Some("v1"), Some(key_id), Some(nonce), Some(ciphertext), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(VaultError::SealedFormat);
        };
        let decode = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| VaultError::SealedFormat);
        Ok(Self {
            key_id: KeyId::new(key_id).map_err(|_| VaultError::SealedFormat)?,
            nonce: decode(nonce)?.try_into().map_err(|_| VaultError::SealedFormat)?,
            ciphertext: decode(ciphertext)?,
        })
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text itself stays out of the error: it may be a secret that somebody stored by mistake.
        String::deserialize(deserializer)?
            .parse()
            .map_err(|error: VaultError| de::Error::custom(error))
    }
}
