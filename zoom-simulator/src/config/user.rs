//! The people who have an account.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a user may do in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Owns the account.
    Owner,
    /// Manages the account.
    Admin,
    /// Uses the account.
    Member,
}

impl Role {
    /// The role's number in the API, as Zoom writes it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Owner => "0",
            Self::Admin => "1",
            Self::Member => "2",
        }
    }

    /// The role's name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Member => "Member",
        }
    }
}

/// A user's `type`: the licence they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserKind {
    /// 1: the free plan.
    Basic,
    /// 2: a paid seat.
    Licensed,
    /// 3: an on-premise licence.
    OnPrem,
    /// 4: a seat without meetings.
    NoMeetings,
    /// 99: nothing, only with single sign-on.
    Unassigned,
}

impl UserKind {
    /// The number in the API.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Basic => 1,
            Self::Licensed => 2,
            Self::OnPrem => 3,
            Self::NoMeetings => 4,
            Self::Unassigned => 99,
        }
    }
}

/// A user's `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserStatus {
    /// They can sign in.
    Active,
    /// An admin switched them off: they cannot sign in, and their tokens open nothing until they are switched on again.
    Inactive,
    /// They were invited and have not come yet: no id in lists, no settings, no sign-in.
    Pending,
}

impl UserStatus {
    /// As the API has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Pending => "pending",
        }
    }
}

/// A user of the simulated Zoom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserSpec {
    /// Zoom's user id.
    pub id: String,
    /// Address to sign in with.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The licence: only Licensed users may record to the cloud.
    pub kind: UserKind,
    /// Whether they can sign in, cannot any more, or have not yet.
    pub status: UserStatus,
    /// Whether the user's settings have cloud recording switched on.
    pub cloud_recording: bool,
    /// Whether the user's settings have audio transcripts switched on.
    pub audio_transcript: bool,
    /// `local`, `cloud` or `none`.
    pub auto_recording: String,
    /// More of what `GET /users/{id}/settings` says, laid over the rest.
    pub settings: Value,
    /// Time zone of the profile.
    pub timezone: String,
    /// Role; the first user of an account is its owner whatever this says.
    pub role: Role,
    /// The account; the default one if not given.
    pub account_id: Option<String>,
}

impl UserSpec {
    /// A licensed user in New York; the id comes from the address.
    #[must_use]
    pub fn licensed(email: &str, first_name: &str, last_name: &str) -> Self {
        let stem: String = email
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(18)
            .collect();
        Self {
            id: format!("sim{stem:_<19}"),
            email: email.to_owned(),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            kind: UserKind::Licensed,
            status: UserStatus::Active,
            cloud_recording: true,
            audio_transcript: true,
            auto_recording: "none".to_owned(),
            settings: json!({}),
            timezone: "America/New_York".to_owned(),
            role: Role::Member,
            account_id: None,
        }
    }

    /// The same on the free plan.
    #[must_use]
    pub fn basic(email: &str, first_name: &str, last_name: &str) -> Self {
        Self {
            kind: UserKind::Basic,
            cloud_recording: false,
            audio_transcript: false,
            ..Self::licensed(email, first_name, last_name)
        }
    }

    /// The same with this role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// The same in another account.
    #[must_use]
    pub fn in_account(mut self, account_id: &str) -> Self {
        self.account_id = Some(account_id.to_owned());
        self
    }
}
