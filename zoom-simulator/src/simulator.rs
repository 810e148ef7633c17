//! The running simulator.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    clock::VirtualClock,
    config::Config,
    control,
    error::Error,
    faults::Failure,
    hold::{self, HeldMeeting, HoldMeeting},
    oauth::{self, Consent, Decision},
    params::Params,
    recordings, rest, server,
    webhooks::{self, Webhooks},
    world::World,
};

/// What every handler sees.
pub(crate) type Shared = Arc<Inner>;

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) clock: VirtualClock,
    /// Scheme, host and port, without a slash.
    pub(crate) base: String,
    /// The same for the origin that serves files.
    pub(crate) cdn: String,
    /// What files are signed with; nobody else knows it.
    pub(crate) cdn_key: String,
    pub(crate) http: reqwest::Client,
    pub(crate) stop: CancellationToken,
    world: Mutex<World>,
}

impl fmt::Debug for Inner {
    /// Where it is; the rest is full of tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("base", &self.base)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops everything when the last handle goes.
#[derive(Debug)]
struct Guard(CancellationToken);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// A Zoom on this machine. Clones are handles to the same one; it stops when the last is dropped.
#[derive(Clone)]
pub struct Simulator {
    inner: Shared,
    base_url: Url,
    _guard: Arc<Guard>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Simulator {
    /// Listens: one port for Zoom, another for the origin that serves the files.
    ///
    /// # Errors
    ///
    /// When a port cannot be had, or the client that sends webhooks cannot be made.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let zoom = TcpListener::bind((config.bind, config.port))
            .await
            .map_err(Error::listen)?;
        let cdn = TcpListener::bind((config.bind, config.cdn_port))
            .await
            .map_err(Error::listen)?;
        let base_url = origin(config.public_url.as_ref(), &zoom)?;
        let cdn_url = origin(config.public_cdn_url.as_ref(), &cdn)?;
        let clock = VirtualClock::new();
        if config.frozen {
            clock.freeze();
        }
        if let Some(start) = config.start_at {
            clock.set(start);
        }
        let http = zoom_core::http::client_builder()
            .timeout(config.webhook_deadline)
            .user_agent("Zoom Marketplace/1.0a")
            .build()
            .map_err(Error::client)?;
        let mut world = World::new(&config);
        let stop = CancellationToken::new();
        let inner = Arc::new(Inner {
            clock,
            base: base_url.as_str().trim_end_matches('/').to_owned(),
            cdn: cdn_url.as_str().trim_end_matches('/').to_owned(),
            cdn_key: world.random.hex(4),
            http,
            stop: stop.clone(),
            world: Mutex::new(world),
            config,
        });
        let zoom_routes = Router::new()
            .merge(oauth::routes())
            .merge(rest::routes())
            .merge(recordings::download_routes())
            .merge(control::routes())
            .fallback(rest::unknown)
            .with_state(Arc::clone(&inner));
        let cdn_routes = recordings::cdn_routes()
            .fallback(rest::unknown)
            .with_state(Arc::clone(&inner));
        server::serve(zoom, zoom_routes, stop.clone());
        server::serve(cdn, cdn_routes, stop.clone());
        Ok(Self {
            inner,
            base_url,
            _guard: Arc::new(Guard(stop)),
        })
    }

    /// Where it listens: OAuth is below `/oauth`, REST below `/v2`, control below `/control`.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.base_url.clone()
    }

    /// The other origin, to which downloads are redirected.
    #[must_use]
    pub fn media_origin(&self) -> String {
        self.inner.cdn.clone()
    }

    /// What it was started with: ids, secrets, users.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> VirtualClock {
        self.inner.clock.clone()
    }

    /// Says yes to an authorization request as this user (id or address), without a browser. Returns where the browser
    /// would go next: the redirect address with `code` and `state`.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when Zoom would show an error instead, or the user may not install the app.
    pub fn allow(&self, authorize: &Url, user: &str) -> Result<Url, Error> {
        let optional_scopes = self.inner.config.optional_scopes.clone();
        self.decide(
            authorize,
            &Decision::Allow {
                user: user.to_owned(),
                optional_scopes,
            },
        )
    }

    /// Says no to an authorization request.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when Zoom would show an error instead.
    pub fn deny(&self, authorize: &Url) -> Result<Url, Error> {
        self.decide(authorize, &Decision::Deny)
    }

    fn decide(&self, authorize: &Url, decision: &Decision) -> Result<Url, Error> {
        let mut world = self.inner.world();
        let consent = Consent::read(&world, &Params::parse(authorize.query()))
            .map_err(|answer| Error::refused(String::from_utf8_lossy(&answer.body).into_owned()))?;
        consent
            .decide(&self.inner, &mut world, decision)
            .map_err(Error::refused)
    }

    /// Holds a meeting. What lies in the past by the simulator's clock has happened when this returns: participants came
    /// and went, the recording is there, the webhooks are on their way. What lies ahead happens when the clock gets there.
    ///
    /// # Errors
    ///
    /// [`Error::is_unknown`] when the host or the scheduled meeting is not there; [`Error::is_refused`] when somebody leaves
    /// before they come.
    pub fn hold_meeting(&self, meeting: HoldMeeting) -> Result<HeldMeeting, Error> {
        hold::hold(&self.inner, meeting)
    }

    /// Sends webhooks of the default apps to this address from now on, after the URL validation that Zoom does.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when the endpoint does not answer the challenge as it must.
    pub async fn subscribe(&self, url: &Url) -> Result<(), Error> {
        self.webhooks().subscribe(url).await.map(drop)
    }

    /// Everything about webhooks.
    #[must_use]
    pub fn webhooks(&self) -> Webhooks {
        Webhooks::new(Arc::clone(&self.inner))
    }

    /// The next chance this goes wrong: a [`Fault`](crate::Fault), or a [`Failure`] that also says where and how often.
    pub fn fail_next(&self, failure: impl Into<Failure>) {
        self.inner.world().faults.add(failure.into());
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.inner.world().faults.clear();
    }

    /// All access tokens expire now; refresh tokens live. Returns how many it were.
    pub fn expire_access_tokens(&self) -> usize {
        let now = self.inner.clock.now();
        self.inner.world().tokens.expire_access(|_, _| true, now)
    }

    /// The access tokens of one user (id or address) expire now; refresh tokens live. Returns how many it were.
    pub fn expire_access_tokens_of(&self, user: &str) -> usize {
        let now = self.inner.clock.now();
        let mut world = self.inner.world();
        let Some(id) = world.user(user).map(|user| user.id.clone()) else {
            return 0;
        };
        world.tokens.expire_access(|_, caller| caller.user_id == id, now)
    }

    /// The refresh tokens of one user (id or address), or of all, are dead: the next refresh says `invalid_grant`.
    pub fn expire_refresh_tokens(&self, user: Option<&str>) -> usize {
        let mut world = self.inner.world();
        let id = user.map(|user| world.user(user).map(|user| user.id.clone()).unwrap_or_default());
        world.tokens.expire_refresh(id.as_deref())
    }

    /// The user (id or address) removes the app in the Marketplace: tokens die, `app_deauthorized` goes out. Returns how
    /// many apps they had connected.
    pub fn deauthorize(&self, user: &str) -> usize {
        webhooks::deauthorize(&self.inner, user)
    }

    /// The default app's Secret Token, which signs webhooks.
    #[must_use]
    pub fn webhook_secret(&self) -> &str {
        &self.inner.config.webhook_secret
    }

    /// How often what was asked for: `token.refresh_token` (and `.granted`, `.refused`), `revoke`, `authorize`,
    /// `GET /v2/users/{userId}`, `GET /v2/users/me`, `download`, `cdn`, `webhook.recording.completed`…
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.inner.world().counters.clone()
    }

    /// One of [`counters`](Self::counters); 0 for what never happened.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.inner.world().counters.get(what).copied().unwrap_or_default()
    }

    /// Everything that is there, as the control API shows it: apps, users, meetings, instances, connections. No tokens.
    #[must_use]
    pub fn world(&self) -> serde_json::Value {
        control::world(&self.inner)
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.inner.clock.advance(by);
    }
}

fn origin(public: Option<&Url>, listener: &TcpListener) -> Result<Url, Error> {
    if let Some(public) = public {
        return Ok(public.clone());
    }
    let address = listener.local_addr().map_err(Error::listen)?;
    Url::parse(&format!("http://{address}")).map_err(|_| Error::refused("the address makes no URL"))
}
