//! What the simulated world is made of, and where it differs from what Zoom documents.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use jiff::Timestamp;
use url::Url;

use crate::rate::RateLimits;

/// Settings of a [`Simulator`](crate::Simulator).
///
/// The default is one paid account with three users (an owner and a rep with licences, and one on the free plan), a
/// user-managed app and a Server-to-Server app.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Address to listen on; 127.0.0.1 by default.
    pub bind: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Port of the other origin, from which recordings are served; 0 takes a free one.
    pub cdn_port: u16,
    /// How clients reach it, if not by the address it listens on.
    pub public_url: Option<Url>,
    /// How clients reach the other origin, if not by the address it listens on.
    pub public_cdn_url: Option<Url>,

    /// The user-managed app's client id.
    pub client_id: String,
    /// The user-managed app's client secret.
    pub client_secret: String,
    /// Redirect addresses the user-managed app allows; empty allows every one.
    pub redirect_uris: Vec<String>,
    /// Scopes of the user-managed app.
    pub scopes: Vec<String>,
    /// Scopes of the user-managed app that a user may decline on the consent page.
    pub optional_scopes: Vec<String>,
    /// The Server-to-Server app's client id.
    pub s2s_client_id: String,
    /// The Server-to-Server app's client secret.
    pub s2s_client_secret: String,
    /// The Secret Token of the default apps, which signs webhooks.
    pub webhook_secret: String,
    /// More apps: account-managed ones, other secrets, other scopes.
    pub apps: Vec<AppSpec>,

    /// The account's id.
    pub account_id: String,
    /// Whether the account pays; a free one has no recordings and no reports.
    pub paid_account: bool,
    /// Users of all accounts; the first owns the default account.
    pub users: Vec<UserSpec>,

    /// How long an access token lives.
    pub access_token_life: Duration,
    /// How long an unused refresh token lives.
    pub refresh_token_life: Duration,
    /// How long an authorization code lives.
    pub code_life: Duration,
    /// What happens to a refresh token that was used.
    pub rotation: Rotation,
    /// A new Server-to-Server token kills the one before it.
    pub s2s_single_token: bool,
    /// Put in front of every token and code, so that a search for leaks can find them.
    pub token_prefix: String,

    /// Requests per second and day.
    pub rate_limits: RateLimits,
    /// How many meetings may be created or changed for one host per day.
    pub meeting_changes_per_day: u32,
    /// How long a webhook's receiver may take.
    pub webhook_deadline: Duration,
    /// How long Zoom works on a recording after the meeting.
    pub processing_time: Duration,
    /// How long after `recording.completed` the transcript is there.
    pub transcript_delay: Duration,
    /// Where sources about Zoom disagree: which of them the simulator follows.
    pub quirks: Quirks,

    /// Where the clock begins; the machine's time if not given.
    pub start_at: Option<Timestamp>,
    /// Whether the clock stands still from the start.
    pub frozen: bool,
    /// Ids and tokens come from this number.
    pub seed: u64,
}

/// What happens to a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// It is dead at once.
    Strict,
    /// A token that was replaced still works so many times.
    Tolerance(u32),
}

/// Who installs an app, and whose data its tokens reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
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
}

/// What a user may do in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// Licensed users may record to the cloud; Basic ones may not.
    pub licensed: bool,
    /// Whether the user's settings have cloud recording switched on.
    pub cloud_recording: bool,
    /// Whether the user's settings have audio transcripts switched on.
    pub audio_transcript: bool,
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
            licensed: true,
            cloud_recording: true,
            audio_transcript: true,
            timezone: "America/New_York".to_owned(),
            role: Role::Member,
            account_id: None,
        }
    }

    /// The same on the free plan.
    #[must_use]
    pub fn basic(email: &str, first_name: &str, last_name: &str) -> Self {
        Self {
            licensed: false,
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

/// Switches for what sources about Zoom tell differently. The defaults follow the better source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Quirks {
    /// `?access_token=` on a download works for OAuth tokens too, as it did before 2023. Webhook tokens always may.
    pub query_token: bool,
    /// A receiver that answers 4xx gets the event again.
    pub retry_4xx: bool,
    /// A webhook that is sent again is signed again with the new time.
    pub resign_retries: bool,
    /// Apps hear only of users and accounts that have them installed. Off, so that late events can be tried.
    pub only_installed: bool,
    /// `event_ts` in `app_deauthorized`.
    pub deauthorized_event_ts: EventTs,
    /// A `page_size` beyond 300 is an error instead of 300.
    pub page_size_error: bool,
    /// A range of dates longer than a month is an error instead of its last month.
    pub long_range_error: bool,
    /// Meeting ids in REST recordings are strings, and `type` is too.
    pub recording_ids_as_strings: bool,
    /// Meeting ids in `meeting.started` and its like are numbers, as in older samples.
    pub meeting_event_ids_as_numbers: bool,
    /// TIMELINE files have no id, status, size and type.
    pub bare_timeline: bool,
    /// `GET /meetings/{id}/transcript` knows only transcripts of AI Companion, so there is never one.
    pub ai_companion_transcripts_only: bool,
}

/// How `app_deauthorized` writes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventTs {
    /// Milliseconds.
    Number,
    /// `2026-01-07 12:00:00`.
    Text,
    /// Not at all, and with `user_data_retention`, as before 2024.
    Absent,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            query_token: false,
            retry_4xx: true,
            resign_retries: true,
            only_installed: false,
            deauthorized_event_ts: EventTs::Number,
            page_size_error: false,
            long_range_error: false,
            recording_ids_as_strings: false,
            meeting_event_ids_as_numbers: false,
            bare_timeline: false,
            ai_companion_transcripts_only: false,
        }
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

fn default_scopes(kind: AppKind) -> Vec<String> {
    if kind == AppKind::UserManaged {
        return SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    }
    let wide = SCOPES.iter().map(|scope| format!("{scope}:admin"));
    wide.chain(ADMIN_SCOPES.iter().map(|scope| (*scope).to_owned()))
        .collect()
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            cdn_port: 0,
            public_url: None,
            public_cdn_url: None,
            client_id: "SimClientId_01".to_owned(),
            client_secret: "sim-client-secret-0001".to_owned(),
            redirect_uris: Vec::new(),
            scopes: default_scopes(AppKind::UserManaged),
            optional_scopes: Vec::new(),
            s2s_client_id: "SimS2SClient_01".to_owned(),
            s2s_client_secret: "sim-s2s-secret-0001".to_owned(),
            webhook_secret: "zoom-sim-secret-token-1".to_owned(),
            apps: Vec::new(),
            account_id: "SimAcct-01_aBcDeFgHiJk".to_owned(),
            paid_account: true,
            users: vec![
                UserSpec::licensed("maya.chen@brightwave.example", "Maya", "Chen").role(Role::Owner),
                UserSpec::licensed("eleanor.hart@brightwave.example", "Eleanor", "Hart"),
                UserSpec::basic("basil.free@brightwave.example", "Basil", "Free"),
            ],
            access_token_life: Duration::from_secs(3600),
            refresh_token_life: DAY * 90,
            code_life: Duration::from_secs(300),
            rotation: Rotation::Strict,
            s2s_single_token: false,
            token_prefix: String::new(),
            rate_limits: RateLimits::generous(),
            meeting_changes_per_day: 100,
            webhook_deadline: Duration::from_secs(3),
            processing_time: Duration::ZERO,
            transcript_delay: Duration::ZERO,
            quirks: Quirks::default(),
            start_at: None,
            frozen: false,
            seed: 1,
        }
    }
}

impl fmt::Debug for Config {
    /// Without secrets, and without the prefix that marks them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("port", &self.port)
            .field("client_id", &self.client_id)
            .field("s2s_client_id", &self.s2s_client_id)
            .field("apps", &self.apps)
            .field("account_id", &self.account_id)
            .field("users", &self.users)
            .field("rotation", &self.rotation)
            .field("quirks", &self.quirks)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
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

impl Config {
    /// All apps: the two default ones first.
    pub(crate) fn all_apps(&self) -> Vec<AppSpec> {
        let user_managed = AppSpec {
            name: "Sim App".to_owned(),
            redirect_uris: self.redirect_uris.clone(),
            scopes: self.scopes.clone(),
            optional_scopes: self.optional_scopes.clone(),
            webhook_secret: self.webhook_secret.clone(),
            ..AppSpec::new(AppKind::UserManaged, &self.client_id, &self.client_secret)
        };
        let server = AppSpec {
            name: "Sim Server App".to_owned(),
            webhook_secret: self.webhook_secret.clone(),
            ..AppSpec::new(
                AppKind::ServerToServer,
                &self.s2s_client_id,
                &self.s2s_client_secret,
            )
        };
        [user_managed, server]
            .into_iter()
            .chain(self.apps.iter().cloned())
            .collect()
    }
}
