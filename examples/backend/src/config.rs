//! What a host is told from outside: environment variables, all optional.

use std::{env, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use secrecy::SecretString;
use url::Url;
use zoom_core::Clock;
use zoom_oauth::AppKind;

/// Every variable with our name that [`Config::from_env`] reads.
pub const VARIABLES: &[&str] = &[
    "ZOOM_ACCOUNT_ID",
    "ZOOM_APP_KIND",
    "ZOOM_BASE_URL",
    "ZOOM_CALENDAR",
    "ZOOM_CLIENT_ID",
    "ZOOM_CLIENT_SECRET",
    "ZOOM_CONTACTS",
    "ZOOM_DATABASE",
    "ZOOM_LOCK",
    "ZOOM_MEDIA_ORIGIN",
    "ZOOM_MODELS_DIR",
    "ZOOM_ORG_DOMAINS",
    "ZOOM_REDIRECT_URL",
    "ZOOM_S2S_CLIENT_ID",
    "ZOOM_S2S_CLIENT_SECRET",
    "ZOOM_S2S_USER",
    "ZOOM_TOKEN_KEYS",
    "ZOOM_TOKEN_STORE",
    "ZOOM_WEBHOOK_SECRET",
];

/// Everything [`crate::Backend::open`] needs to know. [`Config::from_env`] reads it from the environment;
/// with nothing set, the backend runs on one SQLite file against a simulated Zoom of its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The one file that holds connections, jobs, calls and bookings (`ZOOM_DATABASE`).
    pub database: PathBuf,
    /// Where Zoom is and who we are there.
    pub zoom: Zoom,
    /// Where Zoom sends the browser back to (`ZOOM_REDIRECT_URL`).
    pub redirect_url: Url,
    /// Where tokens are kept, if not in the database (`ZOOM_TOKEN_STORE`: `postgres://…` or `sqlite://…`); it may have a
    /// password in it.
    pub token_store: Option<SecretString>,
    /// The lock that refreshes are made under, if not the token store's own (`ZOOM_LOCK`: `redis://…`).
    pub lock: Option<SecretString>,
    /// Keys for the token vault, `id:base64` or `id:hex` separated by commas (`ZOOM_TOKEN_KEYS`); otherwise a private
    /// key file is made beside the database.
    pub token_keys: Option<SecretString>,
    /// Slack's incoming webhook for recaps (`SLACK_WEBHOOK_URL`); otherwise recaps are only logged.
    pub slack_webhook: Option<SecretString>,
    /// Speech over HTTP: key and base URL of an OpenAI-compatible server (`OPENAI_API_KEY`, `OPENAI_BASE_URL`).
    pub openai: Option<OpenAi>,
    /// The folder that holds installed speech models (`ZOOM_MODELS_DIR`); needs feature `local`.
    pub models: Option<PathBuf>,
    /// Contacts as CSV (`ZOOM_CONTACTS`); otherwise the samples that go with the simulator.
    pub contacts: Option<PathBuf>,
    /// A calendar as an ICS file (`ZOOM_CALENDAR`).
    pub calendar: Option<PathBuf>,
    /// E-mail domains of the host's own people (`ZOOM_ORG_DOMAINS`, separated by commas).
    pub domains: Vec<String>,
    /// The time, for tests that move it; otherwise the simulator's in this process, else the machine's.
    pub clock: Option<Clock>,
}

/// Which Zoom the backend talks to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Zoom {
    /// A simulator in this process: no account, no key, nothing leaves the machine.
    Simulated {
        /// Where its clock begins; the machine's time if not given.
        start_at: Option<jiff::Timestamp>,
    },
    /// Zoom itself, or a simulator somewhere else when `base` is given (`ZOOM_BASE_URL`).
    Real(Box<Credentials>),
}

/// An app of the Zoom Marketplace.
#[derive(Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// `ZOOM_CLIENT_ID`
    pub client_id: String,
    /// `ZOOM_CLIENT_SECRET`
    pub client_secret: SecretString,
    /// `ZOOM_WEBHOOK_SECRET`, the app's Secret Token
    pub webhook_secret: SecretString,
    /// `ZOOM_APP_KIND`: who connects the app, `user` or `admin`
    pub kind: AppKind,
    /// The system account that stands in for owners without a connection.
    pub system: Option<SystemAccount>,
    /// `ZOOM_BASE_URL`: a simulator elsewhere instead of Zoom
    pub base: Option<Url>,
    /// `ZOOM_MEDIA_ORIGIN`: where that simulator serves recordings from
    pub media_origin: Option<Url>,
}

impl Credentials {
    /// An app at Zoom itself, without a system account.
    pub fn new(
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
        webhook_secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            webhook_secret: webhook_secret.into(),
            kind: AppKind::User,
            system: None,
            base: None,
            media_origin: None,
        }
    }
}

/// A Server-to-Server app.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SystemAccount {
    /// `ZOOM_ACCOUNT_ID`
    pub account_id: String,
    /// `ZOOM_S2S_CLIENT_ID`
    pub client_id: String,
    /// `ZOOM_S2S_CLIENT_SECRET`
    pub client_secret: SecretString,
    /// `ZOOM_S2S_USER`: the user (id or e-mail) under whom the system account makes meetings; `me` by default
    pub user: String,
}

impl SystemAccount {
    /// An app that acts as the user it belongs to.
    pub fn new(
        account_id: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            account_id: account_id.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            user: "me".to_owned(),
        }
    }
}

/// An OpenAI-compatible speech server.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenAi {
    /// The bearer key.
    pub key: SecretString,
    /// The server, without `/v1`.
    pub base: Url,
}

impl OpenAi {
    /// A server and its key.
    pub fn new(key: impl Into<SecretString>, base: Url) -> Self {
        Self {
            key: key.into(),
            base,
        }
    }
}

impl Config {
    /// A simulated Zoom on the SQLite file `database`.
    pub fn simulated(database: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self {
            database: database.into(),
            zoom: Zoom::Simulated { start_at: None },
            redirect_url: Url::parse("http://127.0.0.1:8080/oauth/callback")?,
            token_store: None,
            lock: None,
            token_keys: None,
            slack_webhook: None,
            openai: None,
            models: None,
            contacts: None,
            calendar: None,
            domains: vec!["brightwave.example".to_owned()],
            clock: None,
        })
    }

    /// Reads the environment; the README has the table of names.
    pub fn from_env() -> Result<Self> {
        let mut config = Self::simulated(text("ZOOM_DATABASE").unwrap_or_else(|| "zoom.sqlite".to_owned()))?;
        if let Some(client_id) = text("ZOOM_CLIENT_ID") {
            config.zoom = Zoom::Real(Box::new(Credentials {
                client_id,
                client_secret: required("ZOOM_CLIENT_SECRET")?,
                webhook_secret: required("ZOOM_WEBHOOK_SECRET")?,
                kind: app_kind()?,
                system: text("ZOOM_ACCOUNT_ID").map(system_account).transpose()?,
                base: url("ZOOM_BASE_URL")?,
                media_origin: url("ZOOM_MEDIA_ORIGIN")?,
            }));
        } else if let Some(orphan) = ["ZOOM_CLIENT_SECRET", "ZOOM_WEBHOOK_SECRET", "ZOOM_ACCOUNT_ID"]
            .iter()
            .find(|name| text(name).is_some())
        {
            bail!(
                "{orphan} is set but ZOOM_CLIENT_ID is not: set it too, or unset both to run on the simulator"
            );
        }
        if let Some(redirect) = url("ZOOM_REDIRECT_URL")? {
            config.redirect_url = redirect;
        }
        if let Some(domains) = text("ZOOM_ORG_DOMAINS") {
            config.domains = domains
                .split(',')
                .map(|domain| domain.trim().to_lowercase())
                .filter(|domain| !domain.is_empty())
                .collect();
        }
        config.token_store = secret("ZOOM_TOKEN_STORE");
        config.lock = secret("ZOOM_LOCK");
        config.token_keys = secret("ZOOM_TOKEN_KEYS");
        config.contacts = text("ZOOM_CONTACTS").map(PathBuf::from);
        config.calendar = text("ZOOM_CALENDAR").map(PathBuf::from);
        config.speech_and_slack_from_env()?;
        Ok(config)
    }

    /// Takes only what goes with any Zoom from the environment: who hears, and where recaps go.
    pub fn speech_and_slack_from_env(&mut self) -> Result<()> {
        if let Some(key) = secret("OPENAI_API_KEY") {
            let base = url("OPENAI_BASE_URL")?.map_or_else(|| Url::parse("https://api.openai.com"), Ok)?;
            self.openai = Some(OpenAi { key, base });
        }
        self.slack_webhook = secret("SLACK_WEBHOOK_URL");
        self.models = text("ZOOM_MODELS_DIR").map(PathBuf::from);
        Ok(())
    }
}

fn app_kind() -> Result<AppKind> {
    match text("ZOOM_APP_KIND").as_deref() {
        None | Some("user") => Ok(AppKind::User),
        Some("admin") => Ok(AppKind::Admin),
        Some(other) => bail!("ZOOM_APP_KIND is `{other}`; it is `user` or `admin`, as in the Marketplace"),
    }
}

fn system_account(account_id: String) -> Result<SystemAccount> {
    Ok(SystemAccount {
        account_id,
        client_id: text("ZOOM_S2S_CLIENT_ID")
            .context("ZOOM_ACCOUNT_ID needs ZOOM_S2S_CLIENT_ID beside it")?,
        client_secret: required("ZOOM_S2S_CLIENT_SECRET")?,
        user: text("ZOOM_S2S_USER").unwrap_or_else(|| "me".to_owned()),
    })
}

/// The variable's value; empty counts as unset.
fn text(name: &str) -> Option<String> {
    env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

fn secret(name: &str) -> Option<SecretString> {
    text(name).map(SecretString::from)
}

fn required(name: &str) -> Result<SecretString> {
    secret(name).with_context(|| format!("{name} is not set: it goes with ZOOM_CLIENT_ID"))
}

fn url(name: &str) -> Result<Option<Url>> {
    text(name)
        .map(|value| Url::parse(&value).with_context(|| format!("{name} is not a URL")))
        .transpose()
}
