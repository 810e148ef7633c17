use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Fence, Job, JobId, WorkerId};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JobState {
    /// In the queue, perhaps until its time or its turn comes.
    Waiting,
    /// Handed out; the lease may have run out since.
    Running,
    /// Done.
    Done,
    /// A dead letter: failed for good, or out of attempts.
    Dead,
}

impl JobState {
    /// The state in one lower-case word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A job and everything the queue knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRecord {
    /// The job.
    pub job: Job,
    /// Where it stands.
    pub state: JobState,
    /// How often it was handed out.
    pub fence: Fence,
    /// Who runs it, while it runs.
    pub worker: Option<WorkerId>,
    /// Until when, while it runs.
    pub lease_expires_at: Option<Timestamp>,
    /// When it was done or given up.
    pub finished_at: Option<Timestamp>,
    /// Why it last failed.
    pub last_error: Option<String>,
}

impl JobRecord {
    /// A job that nobody was handed yet.
    #[must_use]
    pub fn waiting(job: Job) -> Self {
        Self {
            job,
            state: JobState::Waiting,
            fence: Fence::new(0),
            worker: None,
            lease_expires_at: None,
            finished_at: None,
            last_error: None,
        }
    }
}

/// Which jobs to list: everything, unless narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    kind: Option<String>,
    state: Option<JobState>,
    dedupe_key: Option<String>,
    ordering_key: Option<String>,
    after: Option<JobId>,
    limit: Option<u32>,
}

impl JobFilter {
    /// At most this many jobs are listed when [`JobFilter::limit`] was not called.
    pub const DEFAULT_LIMIT: u32 = 100;

    /// Every job.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only jobs of this kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only jobs in this state.
    #[must_use]
    pub fn state(mut self, state: JobState) -> Self {
        self.state = Some(state);
        self
    }

    /// Only jobs with this dedupe key.
    #[must_use]
    pub fn dedupe_key(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// Only jobs with this ordering key.
    #[must_use]
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.ordering_key = Some(key.into());
        self
    }

    /// Only jobs after this one: the last of the page before.
    #[must_use]
    pub fn after(mut self, id: JobId) -> Self {
        self.after = Some(id);
        self
    }

    /// At most this many.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Whether the job belongs on the list.
    #[must_use]
    pub fn matches(&self, record: &JobRecord) -> bool {
        let job = &record.job;
        self.after.is_none_or(|after| job.id > after)
            && self.state.is_none_or(|state| record.state == state)
            && self.kind.as_ref().is_none_or(|kind| job.kind == *kind)
            && self
                .dedupe_key
                .as_ref()
                .is_none_or(|key| job.dedupe_key.as_ref() == Some(key))
            && self
                .ordering_key
                .as_ref()
                .is_none_or(|key| job.ordering_key.as_ref() == Some(key))
    }

    /// The kind asked for.
    #[must_use]
    pub fn wanted_kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// The state asked for.
    #[must_use]
    pub fn wanted_state(&self) -> Option<JobState> {
        self.state
    }

    /// The dedupe key asked for.
    #[must_use]
    pub fn wanted_dedupe_key(&self) -> Option<&str> {
        self.dedupe_key.as_deref()
    }

    /// The ordering key asked for.
    #[must_use]
    pub fn wanted_ordering_key(&self) -> Option<&str> {
        self.ordering_key.as_deref()
    }

    /// The id after which the list begins; zero for the beginning.
    #[must_use]
    pub fn start_after(&self) -> JobId {
        self.after.unwrap_or(JobId::new(0))
    }

    /// How many jobs at most.
    #[must_use]
    pub fn page_size(&self) -> u32 {
        self.limit.unwrap_or(Self::DEFAULT_LIMIT)
    }
}

/// How many jobs stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// In the queue.
    pub waiting: u64,
    /// Handed out.
    pub running: u64,
    /// Done and still kept.
    pub done: u64,
    /// Dead letters.
    pub dead: u64,
}

impl Counts {
    /// No job anywhere.
    #[must_use]
    pub const fn zero() -> Self {
        Self {
            waiting: 0,
            running: 0,
            done: 0,
            dead: 0,
        }
    }

    /// Counts `many` more jobs in `state`.
    pub fn add(&mut self, state: JobState, many: u64) {
        let count = match state {
            JobState::Waiting => &mut self.waiting,
            JobState::Running => &mut self.running,
            JobState::Done => &mut self.done,
            JobState::Dead => &mut self.dead,
        };
        *count = count.saturating_add(many);
    }
}
