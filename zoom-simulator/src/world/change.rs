//! What can change about users and apps while the simulator runs.

use serde::Deserialize;
use serde_json::Value;

use super::{App, User};
use crate::config::{Role, UserKind, UserStatus};

/// What changes about a user; what is not given stays.
///
/// ```
/// use zoom_simulator::{UserChange, UserKind};
/// let lost_licence = UserChange { kind: Some(UserKind::Basic), ..UserChange::default() };
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "written as a literal, with the rest by default"
)]
pub struct UserChange {
    /// A licence given or taken.
    pub kind: Option<UserKind>,
    /// Switched off, or on again.
    pub status: Option<UserStatus>,
    /// Made an admin, or a member again.
    pub role: Option<Role>,
    /// Left for another account; what they allowed in the old one is gone.
    pub account_id: Option<String>,
    /// Another address to sign in with.
    pub email: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Time zone of the profile.
    pub timezone: Option<String>,
    /// Cloud recording switched on or off.
    pub cloud_recording: Option<bool>,
    /// Audio transcripts switched on or off.
    pub audio_transcript: Option<bool>,
    /// `local`, `cloud` or `none`.
    pub auto_recording: Option<String>,
    /// Laid over what `GET /users/{id}/settings` says.
    pub settings: Option<Value>,
}

/// What changes about an app; what is not given stays.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "written as a literal, with the rest by default"
)]
pub struct AppChange {
    /// Its developer switched it off, or on again: no consent, no tokens (4717).
    pub disabled: Option<bool>,
    /// Whether the default account's admins let their people use it. Without, its tokens are dead (4738).
    pub approved: Option<bool>,
    /// Its scopes. Tokens that are there keep theirs; a refresh token with scopes the app no longer has is dead (4711).
    pub scopes: Option<Vec<String>>,
    /// Scopes that may be declined.
    pub optional_scopes: Option<Vec<String>>,
    /// Redirect addresses it allows; empty allows every one.
    pub redirect_uris: Option<Vec<String>>,
    /// Its client secret was made anew.
    pub client_secret: Option<String>,
    /// Its Secret Token was made anew.
    pub webhook_secret: Option<String>,
}

impl std::fmt::Debug for AppChange {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppChange")
            .field("disabled", &self.disabled)
            .field("approved", &self.approved)
            .field("scopes", &self.scopes)
            .field("optional_scopes", &self.optional_scopes)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}

fn set<T>(field: &mut T, to: Option<T>) {
    if let Some(to) = to {
        *field = to;
    }
}

impl UserChange {
    pub(crate) fn apply(self, user: &mut User) {
        set(&mut user.kind, self.kind);
        set(&mut user.status, self.status);
        set(&mut user.role, self.role);
        set(&mut user.account_id, self.account_id);
        set(&mut user.email, self.email);
        set(&mut user.first_name, self.first_name);
        set(&mut user.last_name, self.last_name);
        set(&mut user.timezone, self.timezone);
        if let Some(settings) = self.settings {
            user.change_settings(settings);
        }
        set(&mut user.cloud_recording, self.cloud_recording);
        set(&mut user.audio_transcript, self.audio_transcript);
        set(&mut user.auto_recording, self.auto_recording);
    }
}

impl AppChange {
    pub(crate) fn apply(self, app: &mut App, account_id: &str) {
        set(&mut app.disabled, self.disabled);
        if let Some(approved) = self.approved {
            app.disapproved.retain(|account| account != account_id);
            if !approved {
                app.disapproved.push(account_id.to_owned());
            }
        }
        set(&mut app.scopes, self.scopes);
        set(&mut app.optional_scopes, self.optional_scopes);
        set(&mut app.redirect_uris, self.redirect_uris);
        set(&mut app.client_secret, self.client_secret);
        set(&mut app.webhook_secret, self.webhook_secret);
    }
}
