//! What the simulated world is made of, and where it differs from what Zoom documents.

mod app;
mod quirks;
mod user;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use jiff::Timestamp;
use url::Url;

use self::app::default_scopes;
pub use self::{
    app::{AppKind, AppSpec},
    quirks::{ApiUrl, EventTs, Quirks, Rotation, TokenReasons},
    user::{Role, UserKind, UserSpec, UserStatus},
};
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
    /// What `api_url` says in answers of the token endpoint.
    pub api_url: ApiUrl,
    /// How long a device code lives.
    pub device_code_life: Duration,
    /// How long a device waits between two questions.
    pub device_interval: Duration,
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
            api_url: ApiUrl::Own,
            device_code_life: Duration::from_secs(900),
            device_interval: Duration::from_secs(5),
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
