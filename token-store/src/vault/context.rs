use crate::{ConnectionId, Generation, OwnerId};

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
    /// The associated data of a seal with a provider's key.
    pub(super) fn plain(&self) -> Vec<u8> {
        self.bytes("token-store.v1")
    }

    /// The associated data of a seal with a data key.
    pub(super) fn enveloped(&self) -> Vec<u8> {
        self.bytes("token-store.v2")
    }

    fn bytes(&self, form: &str) -> Vec<u8> {
        let mut bytes = parts([form, self.owner.as_str(), self.connection.as_str(), self.field]);
        bytes.extend_from_slice(&self.generation.get().to_be_bytes());
        bytes
    }
}

/// Every part with its length before it, so that no two lists of parts have the same bytes.
pub(super) fn parts<const N: usize>(parts: [&str; N]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| size_of::<u64>() + part.len()).sum();
    // Room for a generation, which mostly follows.
    let mut bytes = Vec::with_capacity(length + size_of::<u64>());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}
