//! The identifiers that this crate makes itself.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zoom_core::MeetingUuid;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The text of the identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id! {
    /// The host application's own id for the rep (or organisation) whose call it is. Every read of a store is scoped by it.
    OwnerId
}

string_id! {
    /// A call. The id follows from what the call is, so the same recording makes the same call however often it arrives.
    CallId
}

string_id! {
    /// A contact in the host's directory.
    ContactId
}

impl CallId {
    /// The call of one owner's recorded meeting. Equal input, equal id.
    #[must_use]
    pub fn for_meeting(owner: &OwnerId, uuid: &MeetingUuid) -> Self {
        Self::derived("meeting", owner, uuid.as_str())
    }

    /// The call made from a local file, known by the SHA-256 of its content in hex. Equal input, equal id.
    #[must_use]
    pub fn for_file(owner: &OwnerId, sha256_hex: &str) -> Self {
        Self::derived("file", owner, sha256_hex)
    }

    fn derived(kind: &str, owner: &OwnerId, what: &str) -> Self {
        let mut hash = Sha256::new();
        // A length before each part: ("a", "bc") and ("ab", "c") stay two calls.
        for part in [kind, owner.as_str(), what] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hex::encode(hash.finalize());
        Self(format!("call_{}", digest.get(..24).unwrap_or(&digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_recording_gives_the_same_call_and_another_owner_another() {
        let uuid = MeetingUuid::new("4444AAAiAAAAAiAiAiiAii==");
        let ana = CallId::for_meeting(&OwnerId::new("ana"), &uuid);
        assert_eq!(ana, CallId::for_meeting(&OwnerId::new("ana"), &uuid));
        assert_ne!(ana, CallId::for_meeting(&OwnerId::new("ben"), &uuid));
        assert_ne!(ana, CallId::for_file(&OwnerId::new("ana"), uuid.as_str()));
        assert_eq!(ana.as_str().len(), 29);
    }
}
