//! The crates, wired.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use job_queue::{JobQueue, SqliteQueue, Worker, WorkerBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::SqlitePool;
use url::Url;
use zoom_calls::{
    CallId, CallStore, ContactDirectory, CsvDirectory, LogNotifier, Notifier, Organization, Pipeline,
    SlackWebhook, SlackWebhookUrl, SqliteCallStore,
};
use zoom_core::{AccountId, Clock, UserId};
use zoom_meetings::{PastMeetings, Scheduler, SqliteBookingStore};
use zoom_oauth::{
    App, AppKind, ClientSecret, Connections, Endpoints, Feature, Keeper, Resolver, ServerToServer,
};
use zoom_recordings::{Downloader, HostAllowList};
use zoom_webhooks::{Inbox, Receiver, Verifier, WebhookSecret, Window};

use crate::{
    Config, SimulatedZoom,
    clients::ConnectedClients,
    config::{Credentials, SystemAccount, Zoom},
    database, speech,
    tokens::TokenHome,
    webhooks::Dispatch,
};

/// What this product does on a connected account.
const FEATURES: [Feature; 5] = [
    Feature::Profile,
    Feature::CreateMeetings,
    Feature::PastMeetings,
    Feature::DownloadRecordings,
    Feature::Transcripts,
];

/// One product's backend: open it, serve [`Backend::webhooks`], run [`Backend::worker`] and [`Backend::keeper`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Backend {
    /// Who is connected.
    pub connections: Connections,
    /// Where their tokens are.
    pub tokens: TokenHome,
    /// Analysed calls.
    pub calls: Arc<dyn CallStore>,
    /// What is to be done.
    pub queue: Arc<dyn JobQueue>,
    /// From recordings and files to calls.
    pub pipeline: Pipeline,
    /// On which account to act for whom.
    pub resolver: Resolver,
    /// Meetings on that account.
    pub scheduler: Scheduler,
    /// What was held, as Zoom tells it.
    pub past_meetings: PastMeetings,
    /// The simulated Zoom, when there is no real one.
    pub simulated: Option<SimulatedZoom>,
    /// The time.
    pub clock: Clock,
    /// Domains of the host's own people.
    pub domains: Vec<String>,
    receiver: Receiver,
    inbox: Inbox,
    pool: SqlitePool,
}

/// Where Zoom is, who we are there, and what time it is.
struct Place {
    app: App,
    endpoints: Endpoints,
    hosts: HostAllowList,
    webhook_secret: WebhookSecret,
    system: Option<SystemAccount>,
    simulated: Option<SimulatedZoom>,
    clock: Clock,
}

impl Backend {
    /// Opens the database, made if it is not there, and wires everything to it.
    pub async fn open(config: Config) -> Result<Self> {
        let pool = database::open(&config.database).await?;
        let place = Place::of(&config).await?;
        let clock = config.clock.clone().unwrap_or_else(|| place.clock.clone());
        let jobs_clock = {
            let clock = clock.clone();
            job_queue::Clock::new(move || clock.now())
        };

        let tokens = TokenHome::open(&config, &pool, &clock).await?;
        let connections = Connections::builder(place.app, Arc::clone(&tokens.store), tokens.vault.clone())
            .endpoints(place.endpoints.clone())
            .lock(Arc::clone(&tokens.lock))
            .history(Arc::clone(&tokens.history))
            .features(FEATURES)
            .clock(clock.clone())
            .build()?;

        let mut resolver = Resolver::new(connections.clone());
        if let Some(system) = place.system {
            let user = UserId::new(system.user.clone());
            let system = system_tokens(system, &tokens, place.endpoints, clock.clone())?;
            resolver = resolver.with_system(Arc::new(system), user);
        }
        let bookings = Arc::new(SqliteBookingStore::from_pool(pool.clone()).await?);
        let scheduler = Scheduler::new(resolver.clone(), bookings).with_clock(clock.clone());

        let queue: Arc<dyn JobQueue> =
            Arc::new(SqliteQueue::from_pool(pool.clone()).await?.with_clock(jobs_clock));
        let calls: Arc<dyn CallStore> = Arc::new(SqliteCallStore::from_pool(pool.clone()).await?);
        let pages = config.redirect_url.clone();
        let mut pipeline = Pipeline::builder(
            Arc::clone(&queue),
            Arc::clone(&calls),
            Arc::new(ConnectedClients(connections.clone())),
            Downloader::new(place.hosts)?,
            media_folder(&config),
        )
        .contacts(contacts(config.contacts.clone()).await?)
        .notifier(notifier(config.slack_webhook.as_ref())?)
        .organization(
            config
                .domains
                .iter()
                .fold(Organization::new(), |ours, domain| ours.domain(domain)),
        )
        .page(move |call| page(&pages, call))
        .with_clock(clock.clone());
        if let Some(transcriber) = speech::transcriber(&config)? {
            pipeline = pipeline.transcriber(transcriber);
        }
        let pipeline = pipeline.build();
        pipeline
            .sweep_media()
            .await
            .context("media that a crash left behind could not be deleted")?;

        let inbox = Inbox::new(Arc::clone(&queue));
        let verifier = Verifier::new(place.webhook_secret)
            .with_window(Window::retry_aware())
            .with_clock(clock.clone());
        Ok(Self {
            connections,
            tokens,
            calls,
            queue,
            pipeline,
            resolver,
            scheduler,
            past_meetings: PastMeetings::new().with_clock(clock.clone()),
            simulated: place.simulated,
            clock,
            domains: config.domains,
            receiver: Receiver::new(verifier, inbox.clone()),
            inbox,
            pool,
        })
    }

    /// Finishes what must not be lost, and closes the database, so that everything is in its one file. Stop the worker
    /// and the keeper before.
    pub async fn close(&self) {
        self.connections.drain().await;
        for connection in self.connections.flush().await {
            tracing::error!(%connection, "new tokens were not saved and are lost: its owner has to connect again");
        }
        self.pool.close().await;
    }

    /// Zoom's webhooks: mount it where the app's event subscription points.
    pub fn webhooks(&self) -> axum::Router {
        zoom_webhooks::axum::router(self.receiver.clone())
    }

    /// The worker that does what webhooks and files ask for.
    pub fn worker(&self) -> Worker {
        self.worker_builder().build()
    }

    /// What keeps connections alive that nobody uses, and tells of those that are not: run it beside the worker.
    pub fn keeper(&self) -> Keeper {
        Keeper::new(self.connections.clone())
    }

    /// The worker, for hosts that tune it.
    pub fn worker_builder(&self) -> WorkerBuilder {
        let dispatch = Dispatch {
            connections: self.connections.clone(),
            scheduler: self.scheduler.clone(),
            pipeline: self.pipeline.clone(),
        };
        let events = self.inbox.handler(move |delivery| {
            let dispatch = dispatch.clone();
            async move { dispatch.run(delivery).await }
        });
        let clock = self.clock.clone();
        let worker =
            Worker::builder(Arc::clone(&self.queue)).clock(job_queue::Clock::new(move || clock.now()));
        self.pipeline.register(worker.handle(Inbox::KIND, events))
    }
}

impl Place {
    async fn of(config: &Config) -> Result<Self> {
        match &config.zoom {
            Zoom::Real(credentials) => Self::real(credentials, &config.redirect_url),
            Zoom::Simulated { start_at } => Self::simulated(*start_at, &config.redirect_url).await,
        }
    }

    fn real(credentials: &Credentials, redirect: &Url) -> Result<Self> {
        let hosts = HostAllowList::zoom();
        let (endpoints, hosts) = match &credentials.base {
            Some(base) => {
                let hosts = hosts.with_origin(base);
                let media = credentials
                    .media_origin
                    .iter()
                    .fold(hosts, |hosts, origin| hosts.with_origin(origin));
                (Endpoints::at(base), media)
            }
            None => (Endpoints::zoom(), hosts),
        };
        let app = App::new(
            &credentials.client_id,
            client_secret(&credentials.client_secret),
            redirect.clone(),
        );
        let app = match credentials.kind {
            AppKind::Admin => app.managed_by_admin(),
            _ => app,
        };
        Ok(Self {
            app,
            endpoints,
            hosts,
            webhook_secret: WebhookSecret::new(credentials.webhook_secret.expose_secret())?,
            system: credentials.system.clone(),
            simulated: None,
            clock: Clock::system(),
        })
    }

    async fn simulated(start_at: Option<jiff::Timestamp>, redirect: &Url) -> Result<Self> {
        let zoom = SimulatedZoom::start(start_at)
            .await
            .context("the simulated Zoom did not start")?;
        let simulator = zoom.simulator();
        let config = simulator.config();
        let virtual_clock = simulator.clock();
        let media = Url::parse(&simulator.media_origin())?;
        Ok(Self {
            app: App::new(
                &config.client_id,
                ClientSecret::new(config.client_secret.as_str()),
                redirect.clone(),
            ),
            endpoints: Endpoints::at(&simulator.base_url()),
            hosts: HostAllowList::nothing()
                .with_origin(&simulator.base_url())
                .with_origin(&media),
            webhook_secret: WebhookSecret::new(config.webhook_secret.as_str())?,
            system: Some(SystemAccount {
                account_id: config.account_id.clone(),
                client_id: config.s2s_client_id.clone(),
                client_secret: config.s2s_client_secret.clone().into(),
                user: "me".to_owned(),
            }),
            clock: Clock::new(move || virtual_clock.now()),
            simulated: Some(zoom),
        })
    }
}

fn system_tokens(
    system: SystemAccount,
    home: &TokenHome,
    endpoints: Endpoints,
    clock: Clock,
) -> Result<ServerToServer> {
    let secret = client_secret(&system.client_secret);
    let tokens = ServerToServer::builder(
        AccountId::new(system.account_id),
        system.client_id,
        secret,
        Arc::clone(&home.store),
        home.vault.clone(),
    );
    let tokens = tokens.lock(Arc::clone(&home.lock));
    Ok(tokens.endpoints(endpoints).clock(clock).build()?)
}

fn client_secret(secret: &SecretString) -> ClientSecret {
    ClientSecret::new(secret.expose_secret())
}

async fn contacts(path: Option<PathBuf>) -> Result<Arc<dyn ContactDirectory>> {
    Ok(Arc::new(match path {
        Some(path) => CsvDirectory::open(&path)
            .await
            .with_context(|| format!("contacts in {}", path.display()))?,
        None => CsvDirectory::parse(include_bytes!("../samples/contacts.csv"))?,
    }))
}

fn notifier(slack: Option<&SecretString>) -> Result<Arc<dyn Notifier>> {
    Ok(match slack {
        Some(url) => Arc::new(SlackWebhook::new(
            &SlackWebhookUrl::new(url.expose_secret()),
            "slack",
        )?),
        None => Arc::new(LogNotifier::new()),
    })
}

/// Media lie beside the database while a call is worked on, so that a restart finds them.
fn media_folder(config: &Config) -> PathBuf {
    config.database.with_extension("media")
}

fn page(base: &Url, call: &CallId) -> Option<Url> {
    base.join(&format!("/calls/{call}")).ok()
}
