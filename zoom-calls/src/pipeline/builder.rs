//! Building a pipeline.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use job_queue::JobQueue;
use url::Url;
use zoom_core::Clock;
use zoom_recordings::{Downloader, Transcriber};

use super::{Inner, Pipeline};
use crate::{
    Analyzer, Attribution, CallId, CallStore, ClientSource, ContactDirectory, LogNotifier, MemoryDirectory,
    Notifier, OfflineAnalyzer, Organization,
};

const MINUTE: u64 = 60;
/// A little over a day: Zoom's transcript takes about twice the length of the meeting, sometimes a day.
const TRANSCRIPT_WAITS: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 60, 120, 120, 240, 240, 360, 360];

/// Collects what a [`Pipeline`] works with.
pub struct PipelineBuilder {
    inner: Inner,
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PipelineBuilder")
    }
}

impl PipelineBuilder {
    pub(super) fn new(
        queue: Arc<dyn JobQueue>,
        store: Arc<dyn CallStore>,
        clients: Arc<dyn ClientSource>,
        downloader: Downloader,
        work_dir: PathBuf,
    ) -> Self {
        let inner = Inner {
            queue,
            store,
            clients,
            downloader,
            work_dir,
            transcriber: None,
            analyzer: Arc::new(OfflineAnalyzer::new()),
            contacts: Arc::new(MemoryDirectory::default()),
            notifier: Arc::new(LogNotifier::new()),
            organization: Organization::new(),
            page: None,
            lookback_days: Attribution::DEFAULT_LOOKBACK_DAYS,
            transcript_waits: TRANSCRIPT_WAITS
                .iter()
                .map(|minutes| Duration::from_secs(minutes * MINUTE))
                .collect(),
            clock: Clock::system(),
        };
        Self { inner }
    }

    /// Takes the words from the sound, and from Zoom only who said them. Without it the words are Zoom's.
    #[must_use]
    pub fn transcriber(mut self, transcriber: Arc<dyn Transcriber>) -> Self {
        self.inner.transcriber = Some(transcriber);
        self
    }

    /// Judges calls with this instead of the offline analyzer.
    #[must_use]
    pub fn analyzer(mut self, analyzer: Arc<dyn Analyzer>) -> Self {
        self.inner.analyzer = analyzer;
        self
    }

    /// Looks contacts up here.
    #[must_use]
    pub fn contacts(mut self, contacts: Arc<dyn ContactDirectory>) -> Self {
        self.inner.contacts = contacts;
        self
    }

    /// Tells recaps here instead of the log.
    #[must_use]
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.inner.notifier = notifier;
        self
    }

    /// Says who belongs to the seller's side.
    #[must_use]
    pub fn organization(mut self, organization: Organization) -> Self {
        self.inner.organization = organization;
        self
    }

    /// The host's page of a call, for the button in the recap.
    #[must_use]
    pub fn page(mut self, page: impl Fn(&CallId) -> Option<Url> + Send + Sync + 'static) -> Self {
        self.inner.page = Some(Arc::new(page));
        self
    }

    /// How far back a touch counts; 90 days by default.
    #[must_use]
    pub fn lookback_days(mut self, days: u16) -> Self {
        self.inner.lookback_days = days;
        self
    }

    /// How long to wait before each further question for a transcript that Zoom has not finished; a little over a day in
    /// all by default. The event ends the wait at once.
    #[must_use]
    pub fn with_transcript_waits(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.inner.transcript_waits = waits.into_iter().collect();
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.inner.clock = clock;
        self
    }

    /// The pipeline.
    #[must_use]
    pub fn build(self) -> Pipeline {
        Pipeline {
            inner: Arc::new(self.inner),
        }
    }
}
