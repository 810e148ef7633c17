use std::{fmt, hint};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::{Zeroize as _, Zeroizing};

use crate::VaultError;

pub(super) const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// A 256-bit key with its schedule, computed once: a seal or an open then costs what the bytes cost.
pub(super) struct Cipher {
    bytes: Zeroizing<[u8; 32]>,
    /// `None` only for a key of a wrong length, and there is none.
    schedule: Option<LessSafeKey>,
}

impl Cipher {
    pub(super) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self {
            schedule: schedule(&bytes),
            bytes,
        }
    }

    /// A fresh random key.
    pub(super) fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).map_err(|_| VaultError::Random)?;
        Ok(Self::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Encrypts under a fresh random nonce; the tag stands at the end of the ciphertext.
    pub(super) fn seal(
        &self,
        associated: &[u8],
        plaintext: &[u8],
    ) -> Result<([u8; NONCE_LEN], Vec<u8>), VaultError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Random)?;
        Ok((nonce, self.seal_with(nonce, associated, plaintext)?))
    }

    /// For `seal`, and for the test that pins the format. A nonce used twice breaks the cipher.
    pub(super) fn seal_with(
        &self,
        nonce: [u8; NONCE_LEN],
        associated: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let schedule = self.schedule.as_ref().ok_or(VaultError::DoesNotSeal)?;
        let mut buffer = Vec::with_capacity(plaintext.len() + TAG_LEN);
        buffer.extend_from_slice(plaintext);
        let nonce = Nonce::assume_unique_for_key(nonce);
        match schedule.seal_in_place_append_tag(nonce, Aad::from(associated), &mut buffer) {
            Ok(()) => Ok(buffer),
            Err(_) => {
                buffer.zeroize();
                Err(VaultError::DoesNotSeal)
            }
        }
    }

    pub(super) fn open(
        &self,
        nonce: [u8; NONCE_LEN],
        associated: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let schedule = self.schedule.as_ref().ok_or(VaultError::DoesNotOpen)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = schedule
            .open_in_place(nonce, Aad::from(associated), &mut buffer)
            .map_err(|_| VaultError::DoesNotOpen)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

fn schedule(bytes: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, bytes).ok().map(LessSafeKey::new)
}

/// The schedule gives the key away as well, and its type does not wipe itself: another one is written over it, in a way
/// that the compiler may not leave out.
impl Drop for Cipher {
    fn drop(&mut self) {
        self.schedule = schedule(&[0; 32]);
        hint::black_box(&self.schedule);
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
