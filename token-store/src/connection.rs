use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ConnectionId, OwnerId, Sealed, StoreError, open_enum::open_enum};

/// How many times a record has been saved: 1 for a new one, one more with every save.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// What a record has after its first save.
    pub const FIRST: Self = Self(1);

    /// Takes the number as it is.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// What the record has after one more save.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value as it was at a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a pair with names; whoever writes a store builds it"
)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// The generation to state when replacing it.
    pub generation: Generation,
}

/// What a save expects to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every store must decide all three")]
pub enum Expect {
    /// No record of this id.
    Absent,
    /// The record at this generation.
    Generation(Generation),
    /// Whatever is there or not. Only for records without a sealed part: a sealed part is bound to the generation
    /// that the save produces, and here the caller cannot know it.
    Any,
}

impl Expect {
    /// The generation that a save produces, given what the store has now. A store calls this inside its transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the store has something else; [`StoreError::Invalid`] for `Any` with a sealed
    /// part.
    pub fn advance(
        self,
        record: &StoredConnection,
        current: Option<Generation>,
    ) -> Result<Generation, StoreError> {
        match (self, current) {
            (Self::Any, _) if record.sealed.is_some() => Err(StoreError::Invalid(
                "a sealed part is saved against a known generation",
            )),
            (Self::Absent | Self::Any, None) => Ok(Generation::FIRST),
            (Self::Any, Some(current)) => Ok(current.next()),
            (Self::Generation(expected), Some(current)) if expected == current => Ok(current.next()),
            (Self::Absent, Some(_)) | (Self::Generation(_), _) => Err(StoreError::Conflict),
        }
    }

    /// The generation that a save will produce if it succeeds: what the sealed part is bound to beforehand.
    /// `None` for `Any`.
    #[must_use]
    pub fn next(self) -> Option<Generation> {
        match self {
            Self::Absent => Some(Generation::FIRST),
            Self::Generation(generation) => Some(generation.next()),
            Self::Any => None,
        }
    }
}

open_enum! {
    /// What a record is for.
    RecordKind {
        /// An account that an owner connected.
        Connection = "connection",
        /// A connect that was started: its one-time state, waiting for the callback.
        Authorization = "authorization",
        /// The shared token of an app's own account.
        ServerToServer = "server_to_server",
        /// An installation that began at the provider: waiting for the owner who claims it.
        Installation = "installation",
        /// A mark beside a record whose sealed part did not open when the keys were rotated. The record itself stays as
        /// it is.
        Quarantine = "quarantine",
    }
}

open_enum! {
    /// How a connection is doing.
    Status {
        /// Started and not finished.
        Pending = "pending",
        /// Works.
        Active = "active",
        /// Works, and something that the product wants is missing; the reason says what.
        Degraded = "degraded",
        /// Its tokens are dead; the owner has to connect again.
        Expired = "expired",
        /// Left on purpose; kept as history, without tokens.
        Disconnected = "disconnected",
    }
}

/// One record of a store: parts that anybody with the database can read, and one sealed part that only a
/// [`Vault`](crate::Vault) opens.
///
/// Its serde form is stable: a store may keep it as one document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredConnection {
    /// Which record.
    pub id: ConnectionId,
    /// Whose.
    pub owner: OwnerId,
    /// What it is for.
    pub kind: RecordKind,
    /// The account at the provider, once known.
    #[serde(default)]
    pub provider_account: Option<String>,
    /// The user at the provider, once known.
    #[serde(default)]
    pub provider_user: Option<String>,
    /// The user's name, to show.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The user's address, to show.
    #[serde(default)]
    pub email: Option<String>,
    /// How it is doing.
    pub status: Status,
    /// Why it is not `Active`.
    #[serde(default)]
    pub status_reason: Option<String>,
    /// What the tokens may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What else the host of the record notes, by name: readable to anybody with the database, so never a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// When it was first made. Stores keep times to the microsecond.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When the access token, or the waiting authorization, runs out.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The tokens, sealed.
    #[serde(default)]
    pub sealed: Option<Sealed>,
}

impl StoredConnection {
    /// A record with the parts that every record has.
    #[must_use]
    pub fn new(id: ConnectionId, owner: OwnerId, kind: RecordKind, status: Status, now: Timestamp) -> Self {
        Self {
            id,
            owner,
            kind,
            provider_account: None,
            provider_user: None,
            display_name: None,
            email: None,
            status,
            status_reason: None,
            scopes: Vec::new(),
            attributes: BTreeMap::new(),
            created_at: now,
            updated_at: now,
            expires_at: None,
            sealed: None,
        }
    }
}

/// Ids, kind and status; never a person's name or address.
impl fmt::Debug for StoredConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredConnection")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("expires_at", &self.expires_at)
            .field("sealed", &self.sealed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_obj_safe;

    use super::*;
    use crate::{RefreshLock, TokenStore};

    assert_obj_safe!(TokenStore, RefreshLock);

    fn full() -> StoredConnection {
        let now = "2026-11-22T10:00:00.123456Z".parse().unwrap();
        let mut record = StoredConnection::new(
            "c0ffee".into(),
            "rep-7".into(),
            RecordKind::Connection,
            Status::Active,
            now,
        );
        record.provider_account = Some("acc".into());
        record.provider_user = Some("user".into());
        record.display_name = Some("Zoë Canary".into());
        record.email = Some("zoe@example.com".into());
        record.scopes = vec!["user:read".into()];
        record.attributes = BTreeMap::from([("app".into(), "brand-b".into())]);
        record.expires_at = Some(now);
        record.sealed = Some("v1.k1.AAECAwQFBgcICQoL.c2VhbGVk".parse().unwrap());
        record
    }

    #[test]
    fn the_record_s_json_form_is_stable() {
        let json = serde_json::to_string(&full()).unwrap();
        insta::assert_snapshot!(json, @r#"{"id":"c0ffee","owner":"rep-7","kind":"connection","provider_account":"acc","provider_user":"user","display_name":"Zoë Canary","email":"zoe@example.com","status":"active","status_reason":null,"scopes":["user:read"],"attributes":{"app":"brand-b"},"created_at":"2026-11-22T10:00:00.123456Z","updated_at":"2026-11-22T10:00:00.123456Z","expires_at":"2026-11-22T10:00:00.123456Z","sealed":"v1.k1.AAECAwQFBgcICQoL.c2VhbGVk"}"#);
        assert_eq!(serde_json::from_str::<StoredConnection>(&json).unwrap(), full());
    }

    #[test]
    fn a_record_of_an_older_version_is_read() {
        let json = r#"{"id":"c","owner":"o","kind":"connection","status":"active",
            "created_at":"2026-11-22T10:00:00Z","updated_at":"2026-11-22T10:00:00Z","a_later_field":1}"#;
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let expected = StoredConnection::new(
            "c".into(),
            "o".into(),
            RecordKind::Connection,
            Status::Active,
            now,
        );
        assert_eq!(serde_json::from_str::<StoredConnection>(json).unwrap(), expected);
    }

    #[test]
    fn debug_shows_no_person() {
        let shown = format!("{:?}", full());
        assert!(
            shown.contains("c0ffee") && !shown.contains("Canary") && !shown.contains("zoe@"),
            "{shown}"
        );
    }

    #[test]
    fn the_sealing_generation_is_the_one_a_save_produces() {
        let record = full();
        for (expect, current) in [
            (Expect::Absent, None),
            (Expect::Generation(Generation::new(7)), Some(Generation::new(7))),
        ] {
            assert_eq!(expect.next(), Some(expect.advance(&record, current).unwrap()));
        }
        assert_eq!(Expect::Any.next(), None);
    }
}
