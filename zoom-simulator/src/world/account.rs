//! Accounts, their users, and the apps they install.

use serde_json::{Value, json};

use crate::{
    config::{AppKind, AppSpec, Config, Role, UserKind, UserSpec, UserStatus},
    json::Fields as _,
    random::Random,
};

/// An app of the Marketplace.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) kind: AppKind,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) optional_scopes: Vec<String>,
    pub(crate) webhook_secret: String,
    /// Whose it is, if it is a Server-to-Server app.
    pub(crate) account_id: String,
    /// Its developer switched it off.
    pub(crate) disabled: bool,
    /// Accounts whose admins do not allow it, or not any more.
    pub(crate) disapproved: Vec<String>,
}

impl App {
    pub(crate) fn new(spec: AppSpec, config: &Config) -> Self {
        Self {
            kind: spec.kind,
            name: spec.name,
            client_id: spec.client_id,
            client_secret: spec.client_secret,
            redirect_uris: spec.redirect_uris,
            scopes: spec.scopes,
            optional_scopes: spec.optional_scopes,
            webhook_secret: spec.webhook_secret,
            account_id: spec.account_id.unwrap_or_else(|| config.account_id.clone()),
            disabled: false,
            disapproved: Vec::new(),
        }
    }

    /// Whether a redirect address is on the list; an empty list has all. `below` lets it go on with more of a path.
    pub(crate) fn allows_redirect(&self, uri: &str, below: bool) -> bool {
        let fits = |allowed: &String| {
            allowed == uri
                || (below
                    && uri
                        .strip_prefix(allowed.trim_end_matches('/'))
                        .is_some_and(|rest| rest.starts_with('/')))
        };
        let parses = url::Url::parse(uri).is_ok();
        parses && (self.redirect_uris.is_empty() || self.redirect_uris.iter().any(fits))
    }

    /// Everything the app can ask for.
    pub(crate) fn all_scopes(&self) -> Vec<String> {
        let optional = self
            .optional_scopes
            .iter()
            .filter(|scope| !self.scopes.contains(scope));
        self.scopes.iter().chain(optional).cloned().collect()
    }

    /// What a token of this app may do, after what the user declined.
    pub(crate) fn granted(&self, optional: &[String]) -> Vec<String> {
        let mut all = self.all_scopes();
        all.retain(|scope| !self.optional_scopes.contains(scope) || optional.contains(scope));
        all
    }

    /// Whether admins of this account let their people use it.
    pub(crate) fn approved_in(&self, account_id: &str) -> bool {
        !self.disapproved.iter().any(|account| account == account_id)
    }

    pub(crate) fn summary(&self) -> Value {
        json!({
            "name": self.name, "kind": self.kind, "client_id": self.client_id,
            "redirect_uris": self.redirect_uris, "scopes": self.scopes, "optional_scopes": self.optional_scopes,
            "disabled": self.disabled, "disapproved_in": self.disapproved,
        })
    }
}

/// Somebody with a Zoom account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) kind: UserKind,
    pub(crate) status: UserStatus,
    pub(crate) cloud_recording: bool,
    pub(crate) audio_transcript: bool,
    pub(crate) auto_recording: String,
    /// Laid over the settings that everybody has.
    pub(crate) settings: Value,
    pub(crate) timezone: String,
    pub(crate) role: Role,
    pub(crate) pmi: u64,
}

impl User {
    pub(crate) fn new(spec: &UserSpec, config: &Config, others: &[Self], random: &mut Random) -> Self {
        let account_id = spec
            .account_id
            .clone()
            .unwrap_or_else(|| config.account_id.clone());
        let first = !others.iter().any(|other| other.account_id == account_id);
        let mut user = Self {
            id: spec.id.clone(),
            email: spec.email.clone(),
            first_name: spec.first_name.clone(),
            last_name: spec.last_name.clone(),
            kind: spec.kind,
            status: spec.status,
            cloud_recording: spec.cloud_recording,
            audio_transcript: spec.audio_transcript,
            auto_recording: spec.auto_recording.clone(),
            settings: json!({}),
            timezone: spec.timezone.clone(),
            role: if first { Role::Owner } else { spec.role },
            pmi: 5_000_000_000 + random.below(999_999_999),
            account_id,
        };
        user.change_settings(spec.settings.clone());
        user
    }

    pub(crate) fn licensed(&self) -> bool {
        self.kind == UserKind::Licensed
    }

    /// Whether they can sign in, and what they allowed works.
    pub(crate) fn active(&self) -> bool {
        self.status == UserStatus::Active
    }

    /// Lays settings over those that are there. The three that decide what happens in meetings are more than text.
    pub(crate) fn change_settings(&mut self, mut change: Value) {
        if let Some(recording) = change.get_mut("recording").and_then(Value::as_object_mut) {
            if let Some(on) = recording
                .remove("cloud_recording")
                .and_then(|value| value.as_bool())
            {
                self.cloud_recording = on;
            }
            if let Some(on) = recording
                .remove("recording_audio_transcript")
                .and_then(|value| value.as_bool())
            {
                self.audio_transcript = on;
            }
            if let Some(Value::String(to)) = recording.remove("auto_recording") {
                self.auto_recording = to;
            }
        }
        self.settings.lay_over(change);
    }

    pub(crate) fn display_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim()
            .to_owned()
    }

    pub(crate) fn manages_account(&self) -> bool {
        matches!(self.role, Role::Owner | Role::Admin)
    }

    pub(crate) fn summary(&self) -> Value {
        json!({
            "id": self.id, "email": self.email, "name": self.display_name(), "account_id": self.account_id,
            "role": self.role, "kind": self.kind, "status": self.status, "licensed": self.licensed(),
            "cloud_recording": self.cloud_recording, "audio_transcript": self.audio_transcript,
            "auto_recording": self.auto_recording, "timezone": self.timezone,
        })
    }
}

impl Default for User {
    fn default() -> Self {
        let spec = UserSpec::basic("", "", "");
        Self {
            id: String::new(),
            account_id: String::new(),
            email: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            kind: spec.kind,
            status: spec.status,
            cloud_recording: false,
            audio_transcript: false,
            auto_recording: spec.auto_recording,
            settings: spec.settings,
            timezone: spec.timezone,
            role: Role::Member,
            pmi: 0,
        }
    }
}

/// How far a token reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The user's own data.
    Own,
    /// Every user of the account.
    Account,
}

/// Whose token a request carries.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) client_id: String,
    pub(crate) account_id: String,
    /// Who `me` is.
    pub(crate) user_id: String,
    pub(crate) scopes: Vec<String>,
}

impl Caller {
    /// Whether the app chose its scopes in the newer naming (`meeting:read:meeting`).
    pub(crate) fn is_granular(&self) -> bool {
        self.scopes.iter().any(|scope| granular(scope))
    }
}

/// `service:action:claim[:access]`, while the classic form is `resource:action[:access]`.
pub(crate) fn granular(scope: &str) -> bool {
    let parts: Vec<&str> = scope.split(':').collect();
    match parts.as_slice() {
        [_, _, third] => !matches!(*third, "admin" | "master"),
        parts => parts.len() > 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_and_granular_names_are_told_apart() {
        for scope in [
            "meeting:read",
            "recording:read:admin",
            "user:master",
            "user_info:read",
        ] {
            assert!(!granular(scope), "{scope}");
        }
        for scope in [
            "meeting:read:meeting",
            "cloud_recording:read:list_user_recordings:admin",
        ] {
            assert!(granular(scope), "{scope}");
        }
    }
}
