//! Keys as people write them: `id:key` entries.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::keys::Key;
use crate::{KeyId, VaultError};

/// Of 32 random bytes about 30 are different; fewer than 16 happen to nobody.
const FEWEST_DIFFERENT: usize = 16;

/// What is wrong with an entry in a list of keys. Nothing of the entry is repeated: where an id should stand somebody may
/// have put the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyProblem {
    /// There is no colon between an id and a key.
    NoColon,
    /// The id is not 1 to 64 letters, digits, `-` and `_`.
    Id,
    /// The key is neither hex nor base64.
    Encoding,
    /// The key is not 32 bytes long.
    Length(usize),
    /// The key has fewer than 16 different bytes.
    Repetitive,
    /// The bytes of the key are a sequence: each is the one before it plus the same step.
    Sequence,
    /// The bytes of the key are printable text: a passphrase, or a key that was encoded twice.
    Text,
    /// An earlier entry has the same id.
    DuplicateId(usize),
    /// An earlier entry has the same key.
    DuplicateKey(usize),
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColon => f.write_str("is not of the form id:key"),
            Self::Id => f.write_str("has an id that is not 1 to 64 letters, digits, - and _"),
            Self::Encoding => f.write_str("has a key that is neither hex nor base64"),
            Self::Length(length) => write!(f, "has a key of {length} bytes instead of 32"),
            Self::Repetitive => f.write_str("has a weak key: few different bytes"),
            Self::Sequence => f.write_str("has a weak key: its bytes are a sequence"),
            Self::Text => f.write_str("has a weak key: its bytes are text; a passphrase is not a key"),
            Self::DuplicateId(earlier) => write!(f, "has the id of entry {earlier}"),
            Self::DuplicateKey(earlier) => write!(f, "has the key of entry {earlier}"),
        }
    }
}

/// The entries of a list, in its order; there is at least one.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, VaultError> {
    let mut keys: Vec<Key> = Vec::new();
    for entry in entries(text) {
        let number = keys.len() + 1;
        let refuse = |problem| VaultError::KeyEntry { number, problem };
        let key = read(entry).map_err(refuse)?;
        for (earlier, other) in (1..).zip(&keys) {
            if other.id() == key.id() {
                return Err(refuse(KeyProblem::DuplicateId(earlier)));
            }
            if other.cipher().bytes() == key.cipher().bytes() {
                return Err(refuse(KeyProblem::DuplicateKey(earlier)));
            }
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(VaultError::NoKeys);
    }
    Ok(keys)
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter(|piece| !piece.is_empty() && !piece.starts_with('#'))
}

/// Entries, comments and empty lines, each on its own. A comment goes to the end of its line, commas and all.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| {
        let is_comment = line.trim_start().starts_with('#');
        line.split(move |character| character == ',' && !is_comment)
            .map(str::trim)
    })
}

/// The text without the entry of this id; comments stay.
pub(super) fn without(text: &str, id: &KeyId) -> Zeroizing<String> {
    let mut kept = Zeroizing::new(String::with_capacity(text.len() + 1));
    for piece in pieces(text) {
        let is_entry = !piece.starts_with('#');
        if is_entry
            && piece
                .split_once(':')
                .is_some_and(|(found, _)| found == id.as_str())
        {
            continue;
        }
        kept.push_str(piece);
        kept.push('\n');
    }
    kept
}

fn read(entry: &str) -> Result<Key, KeyProblem> {
    let (id, encoded) = entry.split_once(':').ok_or(KeyProblem::NoColon)?;
    let id = KeyId::new(id).map_err(|_| KeyProblem::Id)?;
    let decoded = decode(encoded.trim())?;
    let bytes: [u8; 32] = decoded
        .as_slice()
        .try_into()
        .map_err(|_| KeyProblem::Length(decoded.len()))?;
    let bytes = Zeroizing::new(bytes);
    match weakness(&bytes) {
        Some(problem) => Err(problem),
        None => Ok(Key::from_bytes(id, bytes)),
    }
}

/// Hex if it could be: 64 hex digits are 48 bytes of base64, and no key is so long.
fn decode(encoded: &str) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    if encoded.len() == 64
        && let Ok(bytes) = hex::decode(encoded)
    {
        return Ok(Zeroizing::new(bytes));
    }
    let unpadded = encoded
        .strip_suffix("==")
        .or_else(|| encoded.strip_suffix('='))
        .unwrap_or(encoded);
    let standard = Zeroizing::new(unpadded.replace('-', "+").replace('_', "/"));
    let bytes = STANDARD_NO_PAD.decode(standard.as_bytes());
    bytes.map(Zeroizing::new).map_err(|_| KeyProblem::Encoding)
}

/// What no random key looks like. A key that passes may be a bad one all the same; a key that does not was made by
/// hand.
fn weakness(bytes: &[u8; 32]) -> Option<KeyProblem> {
    if bytes
        .windows(3)
        .all(|of| matches!(of, [a, b, c] if b.wrapping_sub(*a) == c.wrapping_sub(*b) && a != b))
    {
        return Some(KeyProblem::Sequence);
    }
    let mut seen = [false; 256];
    let different = bytes
        .iter()
        .filter(|byte| {
            seen.get_mut(usize::from(**byte))
                .is_some_and(|seen| !std::mem::replace(seen, true))
        })
        .count();
    if different < FEWEST_DIFFERENT {
        return Some(KeyProblem::Repetitive);
    }
    let is_text = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    is_text.then_some(KeyProblem::Text)
}

#[cfg(test)]
mod tests;
