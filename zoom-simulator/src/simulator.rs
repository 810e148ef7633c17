//! The running simulator.

mod consent;
mod people;
mod steer;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    clock::VirtualClock,
    config::Config,
    control,
    error::Error,
    hold::{self, HeldMeeting, HoldMeeting},
    oauth, recordings,
    requests::{self, RequestLine},
    rest, server,
    webhooks::Webhooks,
    world::World,
};

/// What every handler sees.
pub(crate) type Shared = Arc<Inner>;

pub(crate) struct Inner {
    /// What it was started with.
    started: Config,
    /// The same after everything that was changed since.
    current: RwLock<Arc<Config>>,
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
    /// The rules as they are now.
    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change_config(&self, change: impl FnOnce(&mut Config)) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut current));
    }

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
            current: RwLock::new(Arc::new(config.clone())),
            started: config,
        });
        let noted = middleware::from_fn_with_state(Arc::clone(&inner), requests::note);
        let zoom_routes = Router::new()
            .merge(oauth::routes())
            .merge(rest::routes())
            .merge(recordings::download_routes())
            .merge(control::routes())
            .fallback(rest::unknown)
            .layer(noted.clone())
            .with_state(Arc::clone(&inner));
        let cdn_routes = recordings::cdn_routes()
            .fallback(rest::unknown)
            .layer(noted)
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
        &self.inner.started
    }

    /// Changes the rules from now on: lifetimes, rotation, `api_url`, limits, [`Quirks`](crate::Quirks). Ports, apps and
    /// users are looked at only at the start; there are [`change_app`](Self::change_app) and
    /// [`change_user`](Self::change_user) for them.
    pub fn change_config(&self, change: impl FnOnce(&mut Config)) {
        self.inner.change_config(change);
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> VirtualClock {
        self.inner.clock.clone()
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

    /// The default app's Secret Token, which signs webhooks.
    #[must_use]
    pub fn webhook_secret(&self) -> &str {
        &self.inner.started.webhook_secret
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

    /// The lines of all requests that arrived, at either origin, in their order; of very many, the last ten thousand.
    /// Tests of a client look here that it puts no secret into an address.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestLine> {
        self.inner.world().requests.all()
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
