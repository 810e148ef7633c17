//! A simulated Zoom and a backend in this process that speak HTTP with each other. What is special about the simulator
//! stays in here.

use std::{future::IntoFuture as _, path::PathBuf, time::Duration};

use backend::{Backend, Config, Credentials, SimulatedZoom, SystemAccount, Zoom};
use jiff::{SignedDuration, Timestamp};
use job_queue::{Backoff, Counts, Worker};
use sqlx::{Row as _, SqlitePool, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;
use zoom_calls::{Call, CallFilter, CallStatus, Scope};
use zoom_core::{Clock, MeetingId};
use zoom_oauth::{Callback, Connection, OwnerId, SessionBinding};
use zoom_simulator::{DeliveryState, Simulator};

use crate::wait::until;

/// A Monday before a Friday the 27th: the day on which the people of the sample call speak.
pub(crate) const MONDAY: &str = "2026-11-23T14:00:00Z";
pub(crate) const REP: &str = "maya";
pub(crate) const REP_EMAIL: &str = "maya.chen@brightwave.example";

/// Zoom and a backend on a file in a folder of its own.
pub(crate) struct World {
    pub(crate) zoom: SimulatedZoom,
    pub(crate) backend: Backend,
    pub(crate) folder: TempDir,
    pub(crate) webhooks: Url,
    shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    /// Webhooks are received and worked on; nobody is connected yet.
    pub(crate) async fn start() -> Self {
        Self::start_with(simulator_config(), |_| {}).await
    }

    pub(crate) async fn start_with(
        simulator: zoom_simulator::Config,
        edit: impl FnOnce(&mut Config),
    ) -> Self {
        let mut world = Self::open(simulator, edit).await;
        let worker = world.worker();
        let stop = world.shutdown.clone();
        world
            .tasks
            .push(tokio::spawn(async move { worker.run(stop).await.unwrap() }));
        world
    }

    /// The same without a worker: what arrives stays in the queue.
    pub(crate) async fn open(simulator: zoom_simulator::Config, edit: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let zoom = SimulatedZoom::from(Simulator::start(simulator).await.unwrap());
        let mut config = config_for(&zoom, folder.path().join("zoom.sqlite"));
        edit(&mut config);
        let backend = Backend::open(config).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let webhooks = Url::parse(&format!("http://{address}/webhooks/zoom")).unwrap();
        let routes = axum::Router::new().nest("/webhooks/zoom", backend.webhooks());
        let server = tokio::spawn(async move { axum::serve(listener, routes).into_future().await.unwrap() });
        zoom.subscribe(&webhooks).await.unwrap();
        let (shutdown, tasks) = (CancellationToken::new(), vec![server]);
        Self {
            zoom,
            backend,
            folder,
            webhooks,
            shutdown,
            tasks,
        }
    }

    fn worker(&self) -> Worker {
        let worker = self.backend.worker_builder().backoff(Backoff::none());
        worker.poll_interval(Duration::from_millis(50)).build()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("zoom.sqlite")
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.zoom.simulator().clock().now()
    }

    /// Moves the time of Zoom and of the backend.
    pub(crate) fn advance(&self, minutes: u64) {
        self.zoom
            .simulator()
            .clock()
            .advance(Duration::from_secs(minutes * 60));
    }

    /// What a person does in the browser: Connect, then Allow on Zoom's page.
    pub(crate) async fn connect(&self, owner: &OwnerId) -> Connection {
        let session = SessionBinding::new(format!("{owner}'s browser"));
        let started = self.backend.connections.authorize(owner, &session).await.unwrap();
        let back = self.zoom.approve(&started.url).await.unwrap();
        let callback = Callback::from_query(back.query().unwrap_or_default());
        self.backend
            .connections
            .connect(&callback, &session)
            .await
            .unwrap()
    }

    /// A meeting that has just ended after 45 minutes.
    pub(crate) fn hold(&self, sample: &str) -> String {
        let ends = self.now();
        let starts = ends - SignedDuration::from_mins(45);
        self.hold_at(sample, None, starts, ends)
    }

    /// The uuid of the meeting.
    pub(crate) fn hold_at(
        &self,
        sample: &str,
        id: Option<MeetingId>,
        from: Timestamp,
        to: Timestamp,
    ) -> String {
        self.zoom.hold(sample, id, from, to).unwrap().uuid
    }

    /// Zoom sends the last webhook of this name once more.
    pub(crate) fn send_again(&self, event: &str) {
        assert!(self.zoom.simulator().webhooks().duplicate(event));
    }

    /// The body of the last webhook of this name.
    pub(crate) fn last_body(&self, event: &str) -> serde_json::Value {
        let deliveries = self.zoom.simulator().webhooks().deliveries();
        let last = deliveries
            .iter()
            .rfind(|delivery| delivery.event == event)
            .unwrap();
        serde_json::from_str(&last.body).unwrap()
    }

    /// Zoom signs and sends this.
    pub(crate) fn send_body(&self, body: &serde_json::Value) {
        self.zoom.simulator().webhooks().send(body);
    }

    /// Faults that have not happened yet will not.
    pub(crate) fn clear_faults(&self) {
        self.zoom.simulator().clear_faults();
    }

    /// How often a webhook of this name was answered with 200.
    pub(crate) fn acknowledged(&self, event: &str) -> usize {
        let deliveries = self.zoom.simulator().webhooks().deliveries();
        let named = deliveries.iter().filter(|delivery| delivery.event == event);
        named
            .filter(|delivery| delivery.state == DeliveryState::Delivered)
            .count()
    }

    /// Every webhook was answered with 200 and nothing is left to do.
    pub(crate) async fn settled(&self) -> Counts {
        until("every webhook is answered and every job is over", async || {
            let deliveries = self.zoom.simulator().webhooks().deliveries();
            let answered = deliveries
                .iter()
                .all(|delivery| delivery.state == DeliveryState::Delivered);
            let counts = self.backend.queue.counts().await.unwrap();
            (answered && counts.waiting == 0 && counts.running == 0).then_some(counts)
        })
        .await
    }

    pub(crate) async fn calls(&self) -> Vec<Call> {
        let calls = &self.backend.calls;
        let mut found = Vec::new();
        for line in calls.list(&Scope::All, &CallFilter::new()).await.unwrap() {
            found.extend(calls.load(&Scope::All, &line.id).await.unwrap());
        }
        found
    }

    /// The only call, once it is ready and everything else is over, too.
    pub(crate) async fn the_call(&self) -> Call {
        let counts = self.settled().await;
        assert_eq!(counts.dead, 0, "no job fails for good");
        let calls = self.calls().await;
        assert_eq!(calls.len(), 1, "one call");
        assert_eq!(calls[0].status, CallStatus::Ready, "{:?}", calls[0].status_reason);
        calls.into_iter().next().unwrap()
    }

    /// The rows of connections as they lie on the disk: status and sealed tokens.
    pub(crate) async fn connection_rows(&self) -> Vec<(String, Option<String>)> {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(self.database()))
            .await
            .unwrap();
        let query = "SELECT status, sealed FROM token_store_records WHERE kind = 'connection'";
        let rows = sqlx::query(query).fetch_all(&pool).await.unwrap();
        pool.close().await;
        rows.iter()
            .map(|row| (row.get("status"), row.get("sealed")))
            .collect()
    }

    /// Lets the worker finish and closes the door; Zoom, the file and the folder stay.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        let server = self.tasks.remove(0);
        server.abort();
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A Zoom where it is Monday afternoon.
pub(crate) fn simulator_config() -> zoom_simulator::Config {
    let mut config = zoom_simulator::Config::default();
    config.start_at = Some(MONDAY.parse().unwrap());
    config
}

/// A backend for this Zoom on this file, by the same clock.
pub(crate) fn config_for(zoom: &SimulatedZoom, database: PathBuf) -> Config {
    let simulator = zoom.simulator();
    let theirs = simulator.config();
    let mut credentials = Credentials::new(
        theirs.client_id.as_str(),
        theirs.client_secret.as_str(),
        theirs.webhook_secret.as_str(),
    );
    let (account, app) = (theirs.account_id.as_str(), theirs.s2s_client_id.as_str());
    credentials.system = Some(SystemAccount::new(
        account,
        app,
        theirs.s2s_client_secret.as_str(),
    ));
    credentials.base = Some(simulator.base_url());
    credentials.media_origin = Some(Url::parse(&simulator.media_origin()).unwrap());
    let clock = simulator.clock();
    let mut config = Config::simulated(database).unwrap();
    config.zoom = Zoom::Real(Box::new(credentials));
    config.clock = Some(Clock::new(move || clock.now()));
    config
}

pub(crate) fn rep() -> OwnerId {
    OwnerId::new(REP)
}
