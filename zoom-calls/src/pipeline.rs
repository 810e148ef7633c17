//! From a recording to a call that is ready, one job per step.
//!
//! `call.fetch` → `call.transcribe` → `call.analyze` → `call.match` → `call.recap` → `call.clean`. Each step reads the call,
//! does its work, writes what it found and what it did, and enqueues the next step together with its own acknowledgement.
//! A step that runs twice writes the same twice. Jobs carry ids, never a token and never a word that was said.

mod analyze;
mod builder;
mod clean;
mod error;
mod fetch;
mod files;
mod handler;
mod ingest;
mod job;
mod matching;
mod names;
mod recap;
mod transcribe;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use job_queue::{JobQueue, NewJob, QueueError, WorkerBuilder};
use url::Url;
use zoom_core::Clock;
use zoom_core::model::Recording;
use zoom_recordings::{Downloader, Transcriber};

use crate::{
    Analyzer, Call, CallId, CallStore, ClientSource, ContactDirectory, Notifier, Organization, OwnerId,
    Scope, Step,
};
use error::StepError;
use handler::{PollHandler, StepHandler};
use job::{CallJob, POLL};

pub use builder::PipelineBuilder;
pub use error::PipelineError;
pub use ingest::IngestFile;

/// Turns recordings into calls. Cloning is cheap; clones are one pipeline.
#[derive(Clone)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

/// The host's page of a call, if it has one.
type PageOf = Arc<dyn Fn(&CallId) -> Option<Url> + Send + Sync>;

struct Inner {
    queue: Arc<dyn JobQueue>,
    store: Arc<dyn CallStore>,
    clients: Arc<dyn ClientSource>,
    downloader: Downloader,
    work_dir: PathBuf,
    transcriber: Option<Arc<dyn Transcriber>>,
    analyzer: Arc<dyn Analyzer>,
    contacts: Arc<dyn ContactDirectory>,
    notifier: Arc<dyn Notifier>,
    organization: Organization,
    page: Option<PageOf>,
    lookback_days: u16,
    transcript_waits: Vec<Duration>,
    clock: Clock,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("queue", &self.inner.queue)
            .field("store", &self.inner.store)
            .field("transcriber", &self.inner.transcriber)
            .field("analyzer", &self.inner.analyzer)
            .field("notifier", &self.inner.notifier)
            .finish_non_exhaustive()
    }
}

impl Pipeline {
    /// A pipeline on a queue and a store. Media lie in `work_dir` while a call is worked on, and nowhere else. What is not
    /// set otherwise is offline: Zoom's transcript, [`OfflineAnalyzer`](crate::OfflineAnalyzer), no contacts,
    /// [`LogNotifier`](crate::LogNotifier).
    pub fn builder(
        queue: Arc<dyn JobQueue>,
        store: Arc<dyn CallStore>,
        clients: Arc<dyn ClientSource>,
        downloader: Downloader,
        work_dir: impl Into<PathBuf>,
    ) -> PipelineBuilder {
        PipelineBuilder::new(queue, store, clients, downloader, work_dir.into())
    }

    /// The job for a `recording.completed` of this owner. Enqueue it; a second one for the same recording is a duplicate.
    ///
    /// The recording serves to name the call only: the files are read at Zoom again when the job runs, so that neither the
    /// event's token nor its links are ever stored.
    ///
    /// # Errors
    ///
    /// When the payload cannot be written.
    pub fn recording_completed(&self, owner: &OwnerId, recording: &Recording) -> Result<NewJob, QueueError> {
        CallJob::for_recording(owner, recording).first("recording")
    }

    /// The job for a `recording.transcript_completed` of this owner: Zoom's transcript goes into the same call, whichever
    /// event came first.
    ///
    /// # Errors
    ///
    /// When the payload cannot be written.
    pub fn transcript_completed(&self, owner: &OwnerId, recording: &Recording) -> Result<NewJob, QueueError> {
        CallJob::for_recording(owner, recording).first("transcript")
    }

    /// Runs a call through all steps again, for instance after a failure; words and recap that are there stay.
    ///
    /// # Errors
    ///
    /// [`PipelineError::NoSuchCall`], or the store or queue does not answer.
    pub async fn retry(&self, scope: &Scope, id: &CallId) -> Result<(), PipelineError> {
        let call = self
            .inner
            .store
            .load(scope, id)
            .await?
            .ok_or(PipelineError::NoSuchCall)?;
        let job = CallJob::for_call(&call).first(&format!("retry {}", call.revision))?;
        self.inner.queue.enqueue(&[job]).await?;
        Ok(())
    }

    /// Adds the handlers of every step to a worker.
    #[must_use]
    pub fn register(&self, worker: WorkerBuilder) -> WorkerBuilder {
        let worker = worker.handle(POLL, Arc::new(PollHandler(self.clone())));
        Step::ALL.into_iter().fold(worker, |worker, step| {
            worker.handle(
                step.job_kind(),
                Arc::new(StepHandler {
                    pipeline: self.clone(),
                    step,
                }),
            )
        })
    }

    /// Deletes media that a crash left behind: of calls that are ready, failed or gone. Run it when the host starts.
    ///
    /// # Errors
    ///
    /// When the store does not answer or the folder cannot be read.
    pub async fn sweep_media(&self) -> Result<usize, PipelineError> {
        clean::sweep(&self.inner).await
    }
}

impl Inner {
    async fn load(&self, id: &CallId) -> Result<Option<Call>, StepError> {
        Ok(self.store.load(&Scope::All, id).await?)
    }

    /// Changes a call as it is now, whoever changed it meanwhile. `None` when it was deleted: then nothing comes back.
    async fn update(
        &self,
        id: &CallId,
        change: impl Fn(&mut Call) + Send,
    ) -> Result<Option<Call>, StepError> {
        const TRIES: u32 = 8;
        for attempt in 1..=TRIES {
            let Some(mut call) = self.load(id).await? else {
                return Ok(None);
            };
            let before = call.clone();
            change(&mut call);
            if call == before {
                return Ok(Some(call));
            }
            call.updated_at = self.clock.now();
            match self.store.save(&call).await {
                Ok(revision) => {
                    call.revision = revision;
                    return Ok(Some(call));
                }
                Err(crate::StoreError::Conflict) if attempt < TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(crate::StoreError::Conflict.into())
    }
}
