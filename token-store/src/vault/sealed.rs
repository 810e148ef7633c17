use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{cipher::NONCE_LEN, wrapper::Wrapped};
use crate::{KeyId, VaultError};

/// A secret that only a [`Vault`](crate::Vault) with the right key opens, and only in its place.
///
/// Its text form is one line, and what stores keep; `Display`, `FromStr` and serde speak it. There is one for each of
/// the two ways to seal, and bytes stand in it as base64url without padding:
///
/// * `v1.<key id>.<nonce>.<ciphertext>`: sealed with a key of a [`KeyProvider`](crate::KeyProvider);
/// * `v2.<key id>.<wrapped data key>.<nonce>.<ciphertext>`: sealed with the connection's data key, which stands beside
///   the ciphertext, wrapped by a [`KeyWrapper`](crate::KeyWrapper) with the key of that id.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(super) by: SealedBy,
    pub(super) nonce: [u8; NONCE_LEN],
    /// With the 16-byte tag at its end.
    pub(super) ciphertext: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum SealedBy {
    Key(KeyId),
    DataKey(Wrapped),
}

impl Sealed {
    /// The key that opens it, or that unwraps the data key that does.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        match &self.by {
            SealedBy::Key(id) => id,
            SealedBy::DataKey(wrapped) => wrapped.key_id(),
        }
    }

    /// The wrapped data key, if it was sealed with one.
    #[must_use]
    pub fn wrapped(&self) -> Option<&Wrapped> {
        match &self.by {
            SealedBy::Key(_) => None,
            SealedBy::DataKey(wrapped) => Some(wrapped),
        }
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            SealedBy::Key(id) => write!(f, "v1.{id}")?,
            SealedBy::DataKey(wrapped) => write!(
                f,
                "v2.{}.{}",
                wrapped.key_id(),
                URL_SAFE_NO_PAD.encode(wrapped.bytes())
            )?,
        }
        let (nonce, ciphertext) = (
            URL_SAFE_NO_PAD.encode(self.nonce),
            URL_SAFE_NO_PAD.encode(&self.ciphertext),
        );
        write!(f, ".{nonce}.{ciphertext}")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.wrapped().is_some() {
            "SealedInEnvelope"
        } else {
            "Sealed"
        };
        write!(f, "{name}({}, {} bytes)", self.key_id(), self.ciphertext.len())
    }
}

impl FromStr for Sealed {
    type Err = VaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(VaultError::SealedFormat);
        let version = part()?;
        let key_id = KeyId::new(part()?).map_err(|_| VaultError::SealedFormat)?;
        let by = match version {
            "v1" => SealedBy::Key(key_id),
            "v2" => match decode(part()?)? {
                empty if empty.is_empty() => return Err(VaultError::SealedFormat),
                bytes => SealedBy::DataKey(Wrapped::new(key_id, bytes)),
            },
            _ => return Err(VaultError::SealedFormat),
        };
        let nonce = decode(part()?)?
            .try_into()
            .map_err(|_| VaultError::SealedFormat)?;
        let ciphertext = decode(part()?)?;
        if parts.next().is_some() {
            return Err(VaultError::SealedFormat);
        }
        Ok(Self {
            by,
            nonce,
            ciphertext,
        })
    }
}

fn decode(text: &str) -> Result<Vec<u8>, VaultError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| VaultError::SealedFormat)
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
