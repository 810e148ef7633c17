//! A small Zoom, a queue, a store and a pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use job_queue::{JobFilter, JobQueue, MemoryQueue, NewJob, Worker};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;
use wiremock::matchers::{header, method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};
use zoom_calls::{
    Call, CallFilter, CallId, CallStatus, CallStore, CallSummary, CsvDirectory, OwnerId, Pipeline,
    PipelineBuilder, Scope, SearchHit, SearchQuery, SqliteCallStore, StoreError, StubClientSource,
    StubNotifier,
};
use zoom_core::model::Recording;
use zoom_core::{AccessToken, Client, RetryPolicy, StaticToken};
use zoom_recordings::{Downloader, HostAllowList};

/// Planted as the token: it must be nowhere but in headers.
pub(crate) const CANARY: &str = "canary-token-5f3a";
pub(crate) const UUID: &str = "/4444AAAiAAAAAiAiAiiAii==";
pub(crate) const SALES_VTT: &str =
    include_str!("../../../../zoom-simulator/samples/sales-call/transcript.vtt");
/// Enough of an M4A to be taken for one.
pub(crate) const M4A: &[u8] = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0not really sound";
const CONTACTS: &[u8] = b"id,email,name,company,lead_source,utm_medium,first_touch_at\n\
    c1,daniel.ortiz@tidewater-couriers.example,Daniel Ortiz,Tidewater Couriers,Google Ads,cpc,2026-11-01\n";

pub(crate) struct World {
    pub(crate) zoom: MockServer,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) store: Arc<WatchedStore>,
    pub(crate) notifier: Arc<StubNotifier>,
    pub(crate) pipeline: Pipeline,
    pub(crate) owner: OwnerId,
    pub(crate) work_dir: tempfile::TempDir,
    /// Seconds since 1970, for the queue, its worker and the pipeline.
    pub(crate) now: Arc<AtomicI64>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder, StubNotifier::new()).await
    }

    pub(crate) async fn with(
        configure: impl FnOnce(PipelineBuilder) -> PipelineBuilder,
        notifier: StubNotifier,
    ) -> Self {
        let zoom = MockServer::start().await;
        let origin: Url = zoom.uri().parse().unwrap();
        let client = Client::builder(Arc::new(StaticToken::new(AccessToken::new(CANARY))))
            .base_url(origin.join("/v2").unwrap())
            .with_retry(RetryPolicy::none())
            .build()
            .unwrap();
        let owner = OwnerId::new("rep-1");
        let downloader = Downloader::new(HostAllowList::zoom().with_origin(&origin))
            .unwrap()
            .with_retry(RetryPolicy::none());
        let now = Arc::new(AtomicI64::new(1_795_359_600));
        let queue = Arc::new(MemoryQueue::new().with_clock(job_queue::Clock::new(read(&now))));
        let store = Arc::new(WatchedStore::new(
            SqliteCallStore::connect("sqlite::memory:").await.unwrap(),
        ));
        let notifier = Arc::new(notifier);
        let work_dir = tempfile::tempdir().unwrap();
        let builder = Pipeline::builder(
            queue.clone(),
            store.clone(),
            Arc::new(StubClientSource::new().with(owner.clone(), client)),
            downloader,
            work_dir.path(),
        )
        .contacts(Arc::new(CsvDirectory::parse(CONTACTS).unwrap()))
        .notifier(notifier.clone())
        .with_clock(zoom_core::Clock::new(read(&now)))
        .page(|id| format!("https://host.example/calls/{id}").parse().ok());
        let pipeline = configure(builder).build();
        Self {
            zoom,
            queue,
            store,
            notifier,
            pipeline,
            owner,
            work_dir,
            now,
        }
    }

    /// Zoom has these files, from the next request on, for so many requests.
    pub(crate) async fn has_files(&self, files: Value, times: u64) {
        let recording = self.recording_json(files);
        Mock::given(method("GET"))
            .and(path_regex("^/v2/meetings/.+/recordings$"))
            .and(header("authorization", format!("Bearer {CANARY}")))
            .respond_with(ResponseTemplate::new(200).set_body_json(recording))
            .up_to_n_times(times)
            .mount(&self.zoom)
            .await;
    }

    /// Zoom serves the participants and the files' bytes.
    pub(crate) async fn serves(&self, vtt: &str) {
        let people = json!({"participants": [
            {"name": "Maya Chen", "user_email": "maya.chen@brightwave.example", "internal_user": true, "status": "in_meeting"},
            {"name": "Daniel Ortiz", "user_email": "daniel.ortiz@tidewater-couriers.example", "status": "in_meeting"},
            {"name": "Daniel Ortiz", "user_email": "", "status": "in_waiting_room"},
        ], "next_page_token": ""});
        let bearer = || header("authorization", format!("Bearer {CANARY}"));
        Mock::given(path_regex("^/v2/past_meetings/.+/participants$"))
            .respond_with(ResponseTemplate::new(200).set_body_json(people))
            .mount(&self.zoom)
            .await;
        let vtt = ResponseTemplate::new(200).set_body_raw(vtt.as_bytes(), "text/vtt");
        Mock::given(path("/dl/vtt"))
            .and(bearer())
            .respond_with(vtt)
            .mount(&self.zoom)
            .await;
        let m4a = ResponseTemplate::new(200).set_body_raw(M4A, "audio/mp4");
        Mock::given(path("/dl/m4a"))
            .and(bearer())
            .respond_with(m4a)
            .mount(&self.zoom)
            .await;
    }

    pub(crate) fn file(&self, kind: &str) -> Value {
        json!({
            "id": format!("file-{kind}"), "file_type": kind, "status": "completed", "file_extension": if kind == "M4A" { "M4A" } else { "VTT" },
            "file_size": if kind == "M4A" { M4A.len() } else { 100 },
            "recording_type": if kind == "M4A" { "audio_only" } else { "audio_transcript" },
            "recording_start": "2026-11-23T15:00:00Z", "recording_end": "2026-11-23T15:06:48Z",
            "download_url": format!("{}/dl/{}", self.zoom.uri(), if kind == "M4A" { "m4a" } else { "vtt" }),
        })
    }

    fn recording_json(&self, files: Value) -> Value {
        json!({
            "uuid": UUID, "id": 81_234_567_890_u64, "topic": "Brightwave intro", "host_email": "maya.chen@brightwave.example",
            "start_time": "2026-11-23T15:00:00Z", "timezone": "America/Toronto", "duration": 7, "recording_files": files,
        })
    }

    /// The recording as an event carries it.
    pub(crate) fn recording(&self) -> Recording {
        serde_json::from_value(self.recording_json(json!([]))).unwrap()
    }

    pub(crate) fn recording_completed(&self) -> NewJob {
        self.pipeline
            .recording_completed(&self.owner, &self.recording())
            .unwrap()
    }

    pub(crate) fn transcript_completed(&self) -> NewJob {
        self.pipeline
            .transcript_completed(&self.owner, &self.recording())
            .unwrap()
    }

    pub(crate) fn worker(&self) -> Worker {
        let backoff = job_queue::Backoff::none();
        self.pipeline
            .register(Worker::builder(self.queue.clone()))
            .concurrency(2)
            .backoff(backoff)
            .clock(job_queue::Clock::new(read(&self.now)))
            .build()
    }

    /// Takes the jobs in and works until nothing is left to do.
    pub(crate) async fn run(&self, jobs: &[NewJob]) {
        self.queue.enqueue(jobs).await.unwrap();
        let work = self.worker().run_until_empty(CancellationToken::new());
        tokio::time::timeout(Duration::from_secs(60), work)
            .await
            .expect("the work ends")
            .unwrap();
    }

    pub(crate) fn call_id(&self) -> CallId {
        CallId::for_meeting(&self.owner, &self.recording().uuid)
    }

    pub(crate) async fn call(&self) -> Call {
        self.load(&self.call_id()).await
    }

    pub(crate) async fn load(&self, id: &CallId) -> Call {
        self.store
            .load(&Scope::from(&self.owner), id)
            .await
            .unwrap()
            .expect("a call")
    }

    /// How often a path was asked for.
    pub(crate) async fn asked(&self, part: &str) -> usize {
        let requests = self.zoom.received_requests().await.unwrap();
        requests
            .iter()
            .filter(|request| request.url.path().contains(part))
            .count()
    }

    /// What lies in the folder for media.
    pub(crate) fn media(&self) -> Vec<std::path::PathBuf> {
        std::fs::read_dir(self.work_dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    /// Every job that there ever was, as text.
    pub(crate) async fn jobs(&self) -> String {
        format!("{:?}", self.queue.list(&JobFilter::new()).await.unwrap())
    }
}

/// Reads a clock that stands until somebody moves it.
fn read(now: &Arc<AtomicI64>) -> impl Fn() -> jiff::Timestamp + Send + Sync + 'static {
    let now = now.clone();
    move || jiff::Timestamp::from_second(now.load(Ordering::Relaxed)).unwrap()
}

/// A store that says when a call gets a new status, and can fail.
#[derive(Debug)]
pub(crate) struct WatchedStore {
    inner: SqliteCallStore,
    status: watch::Sender<Option<CallStatus>>,
    refuses_receipt: AtomicBool,
}

impl WatchedStore {
    fn new(inner: SqliteCallStore) -> Self {
        Self {
            inner,
            status: watch::Sender::new(None),
            refuses_receipt: AtomicBool::new(false),
        }
    }

    /// The next call that comes with a receipt is not stored.
    pub(crate) fn refuse_next_receipt(&self) {
        self.refuses_receipt.store(true, Ordering::SeqCst);
    }

    pub(crate) async fn until(&self, wanted: CallStatus) {
        let mut status = self.status.subscribe();
        let wait = status.wait_for(|status| *status == Some(wanted));
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .expect("the status comes")
            .unwrap();
    }
}

#[async_trait]
impl CallStore for WatchedStore {
    async fn load(&self, scope: &Scope, id: &CallId) -> Result<Option<Call>, StoreError> {
        self.inner.load(scope, id).await
    }
    async fn save(&self, call: &Call) -> Result<u64, StoreError> {
        if call.recap.is_some() && self.refuses_receipt.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable("locked".into()));
        }
        let saved = self.inner.save(call).await;
        if saved.is_ok() {
            self.status.send_replace(Some(call.status));
        }
        saved
    }
    async fn list(&self, scope: &Scope, filter: &CallFilter) -> Result<Vec<CallSummary>, StoreError> {
        self.inner.list(scope, filter).await
    }
    async fn search(
        &self,
        scope: &Scope,
        query: &SearchQuery,
        limit: usize,
    ) -> Result<Vec<SearchHit>, StoreError> {
        self.inner.search(scope, query, limit).await
    }
    async fn delete(&self, scope: &Scope, id: &CallId) -> Result<bool, StoreError> {
        self.inner.delete(scope, id).await
    }
}
