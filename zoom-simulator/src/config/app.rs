//! The apps of the Marketplace.

use std::fmt;

/// Who installs an app, and whose data its tokens reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AppKind {
    /// Each user installs it for themselves.
    UserManaged,
    /// An admin installs it for the whole account.
    AccountManaged,
    /// It belongs to one account and needs no user.
    ServerToServer,
}

/// An app beside the default two.
#[derive(Clone)]
#[non_exhaustive]
pub struct AppSpec {
    /// Who installs it.
    pub kind: AppKind,
    /// Its name on the consent page.
    pub name: String,
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: String,
    /// Redirect addresses it allows; empty allows every one.
    pub redirect_uris: Vec<String>,
    /// Its scopes, classic or granular.
    pub scopes: Vec<String>,
    /// Scopes that may be declined.
    pub optional_scopes: Vec<String>,
    /// Its Secret Token.
    pub webhook_secret: String,
    /// The account a Server-to-Server app belongs to; the default account if not given.
    pub account_id: Option<String>,
}

impl AppSpec {
    /// An app with the scopes that the default app of its kind has.
    #[must_use]
    pub fn new(kind: AppKind, client_id: &str, client_secret: &str) -> Self {
        Self {
            kind,
            name: "Another app".to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            redirect_uris: Vec::new(),
            scopes: default_scopes(kind),
            optional_scopes: Vec::new(),
            webhook_secret: format!("{client_id}-secret-token"),
            account_id: None,
        }
    }

    /// The same with scopes in the classic naming, as apps made before April 2024 have them.
    #[must_use]
    pub fn classic(mut self) -> Self {
        let wide = self.kind != AppKind::UserManaged;
        let suffix = if wide { ":admin" } else { "" };
        self.scopes = CLASSIC_SCOPES
            .iter()
            .map(|scope| format!("{scope}{suffix}"))
            .chain(wide.then(|| "report:read:admin".to_owned()))
            .collect();
        self
    }

    /// The same with this name on the consent page.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same with scopes that a user may decline.
    #[must_use]
    pub fn optional_scopes(mut self, scopes: &[&str]) -> Self {
        self.optional_scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self
    }
}

impl fmt::Debug for AppSpec {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppSpec")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// What an app that makes meetings and reads recordings asks for, in granular names.
const SCOPES: &[&str] = &[
    "user:read:user",
    "user:read:settings",
    "meeting:write:meeting",
    "meeting:read:meeting",
    "meeting:update:meeting",
    "meeting:update:status",
    "meeting:delete:meeting",
    "meeting:read:list_meetings",
    "meeting:read:past_meeting",
    "meeting:read:list_past_instances",
    "meeting:read:list_past_participants",
    "cloud_recording:read:list_user_recordings",
    "cloud_recording:read:list_recording_files",
    "cloud_recording:read:meeting_transcript",
    "cloud_recording:delete:meeting_recording",
    "cloud_recording:delete:recording_file",
    "cloud_recording:update:recover_meeting_recordings",
];

/// What only account-wide apps can have.
const ADMIN_SCOPES: &[&str] = &[
    "user:read:list_users:admin",
    "cloud_recording:read:list_account_recordings:admin",
    "report:read:meeting:admin",
    "report:read:list_meeting_participants:admin",
    "report:read:user:admin",
];

/// The same in classic names.
const CLASSIC_SCOPES: &[&str] = &[
    "user:read",
    "meeting:read",
    "meeting:write",
    "recording:read",
    "recording:write",
];

pub(super) fn default_scopes(kind: AppKind) -> Vec<String> {
    if kind == AppKind::UserManaged {
        return SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    }
    let wide = SCOPES.iter().map(|scope| format!("{scope}:admin"));
    wide.chain(ADMIN_SCOPES.iter().map(|scope| (*scope).to_owned()))
        .collect()
}
