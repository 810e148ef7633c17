use jiff::Timestamp;
use serde::Serialize;
use token_store::{ConnectionId, OwnerId, RecordKind, Status, StoredConnection};
use zoom_core::{AccountId, UserId};

use crate::{
    Cause, Licence, Missing,
    attributes::{self, DEFAULT_APP},
    digest::digest,
};

/// An owner's Zoom account, as it may be shown: no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Connection {
    /// Stays the same when the owner connects the same Zoom user again.
    pub id: ConnectionId,
    /// Whose it is, as the host calls them.
    pub owner: OwnerId,
    /// The account at Zoom.
    pub account_id: AccountId,
    /// The user at Zoom.
    pub user_id: UserId,
    /// The user's name.
    pub display_name: Option<String>,
    /// The user's address.
    pub email: Option<String>,
    /// How it is doing.
    pub status: Status,
    /// Why it is not active, as a short code; [`cause`](Self::cause) knows what it means.
    pub reason: Option<String>,
    /// What it lacks of what the host's [features](crate::ConnectionsBuilder::features) take.
    pub missing: Vec<Missing>,
    /// What its tokens may do.
    pub scopes: Vec<String>,
    /// When it was first connected.
    pub connected_at: Timestamp,
    /// When its access token runs out; it is refreshed before.
    pub access_expires_at: Option<Timestamp>,
    /// Who at the host opened it, if the host said; [`Viewer`](crate::Viewer) decides who sees it.
    pub opened_by: Option<String>,
    /// Where the API of the account's region is, as it stands in the store.
    #[serde(skip)]
    pub(crate) api_url: Option<String>,
    /// When its tokens were last refreshed.
    pub refreshed_at: Option<Timestamp>,
    /// When Zoom was last asked what it has and what it lacks.
    pub checked_at: Option<Timestamp>,
    /// When Zoom last sent a webhook for it, to the minute.
    pub last_webhook_at: Option<Timestamp>,
    /// Which licence the user had then.
    pub licence: Option<Licence>,
    /// Whether the user could record to the cloud then, if that could be seen.
    pub cloud_recording: Option<bool>,
    /// Whether Zoom made transcripts of recordings then, if that could be seen.
    pub audio_transcript: Option<bool>,
}

impl Connection {
    /// Why it is not active: what to tell its owner, and what they can do.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.reason.as_deref().map(Cause::from)
    }

    /// Whether calls can be made with it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        is_live(&self.status)
    }

    /// A record of another kind, or one that never knew its Zoom user, is none.
    pub(crate) fn from_record(record: &StoredConnection) -> Option<Self> {
        if record.kind != RecordKind::Connection {
            return None;
        }
        Some(Self {
            id: record.id.clone(),
            owner: record.owner.clone(),
            account_id: AccountId::new(record.provider_account.as_deref()?),
            user_id: UserId::new(record.provider_user.as_deref()?),
            display_name: record.display_name.clone(),
            email: record.email.clone(),
            status: record.status.clone(),
            reason: record.status_reason.clone(),
            missing: attributes::missing(record),
            scopes: record.scopes.clone(),
            connected_at: record.created_at,
            access_expires_at: record.expires_at,
            opened_by: attributes::opened_by(record).map(str::to_owned),
            api_url: attributes::api_url(record).map(str::to_owned),
            refreshed_at: attributes::refreshed_at(record),
            checked_at: attributes::time(record, attributes::CHECKED_AT),
            last_webhook_at: attributes::time(record, attributes::WEBHOOK_AT),
            licence: attributes::licence(record),
            cloud_recording: attributes::flag(record, attributes::CLOUD_RECORDING),
            audio_transcript: attributes::flag(record, attributes::AUDIO_TRANSCRIPT),
        })
    }
}

fn is_live(status: &Status) -> bool {
    !matches!(status, Status::Pending | Status::Expired | Status::Disconnected)
}

/// The id of an owner's connection to a Zoom user: always the same, so that connecting again finds it, and two tabs
/// that connect at once do not make two.
pub(crate) fn connection_id(app: &str, owner: &OwnerId, account: &AccountId, user: &UserId) -> ConnectionId {
    let whose = ["connection", owner.as_str(), account.as_str(), user.as_str(), app];
    // Without a name, as it was before apps had names.
    let named = usize::from(app != DEFAULT_APP);
    let mut id = digest(whose.get(..4 + named).unwrap_or_default());
    id.truncate(32);
    ConnectionId::new(id)
}
