use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{Backoff, Clock, Handler, JobFilter, JobQueue, JobState, QueueError, Wakeups, WorkerId};

mod run;

use run::Runner;

/// Takes jobs from a queue and runs their handlers, several at a time.
///
/// A lease is renewed by a task of its own for as long as the handler runs. A handler that panics has failed for now.
pub struct Worker {
    runner: Arc<Runner>,
    handlers: HashMap<String, Arc<dyn Handler>>,
    id: WorkerId,
    kinds: Vec<String>,
    concurrency: usize,
    poll_interval: Duration,
    drain: Duration,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("id", &self.id)
            .field("kinds", &self.kinds)
            .finish_non_exhaustive()
    }
}

/// Sets up a [`Worker`].
pub struct WorkerBuilder {
    queue: Arc<dyn JobQueue>,
    handlers: HashMap<String, Arc<dyn Handler>>,
    id: Option<WorkerId>,
    concurrency: usize,
    lease: Duration,
    poll_interval: Duration,
    drain: Duration,
    backoff: Backoff,
    clock: Clock,
}

impl fmt::Debug for WorkerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder")
            .field("queue", &self.queue)
            .field("kinds", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker on this queue that handles nothing yet.
    #[must_use]
    pub fn builder(queue: Arc<dyn JobQueue>) -> WorkerBuilder {
        WorkerBuilder {
            queue,
            handlers: HashMap::new(),
            id: None,
            concurrency: 4,
            lease: Duration::from_secs(60),
            poll_interval: Duration::from_secs(1),
            drain: Duration::from_secs(30),
            backoff: Backoff::default(),
            clock: Clock::system(),
        }
    }

    /// Runs jobs until `shutdown` is cancelled, then drains: no new job is taken; running ones finish, or are released
    /// when they take longer than [`WorkerBuilder::drain`].
    ///
    /// # Errors
    ///
    /// When the queue is damaged. While it is unavailable the worker waits and asks again.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), QueueError> {
        self.work(&shutdown, false).await
    }

    /// Like [`Worker::run`], but also ends once no job of the handled kinds waits or runs, here or elsewhere.
    ///
    /// # Errors
    ///
    /// As [`Worker::run`].
    pub async fn run_until_empty(self, shutdown: CancellationToken) -> Result<(), QueueError> {
        self.work(&shutdown, true).await
    }

    async fn work(self, shutdown: &CancellationToken, until_empty: bool) -> Result<(), QueueError> {
        let mut wakeups = self.runner.queue.wakeups();
        let mut jobs = JoinSet::new();
        let outcome = loop {
            while jobs.try_join_next().is_some() {}
            if shutdown.is_cancelled() {
                break Ok(());
            }
            wakeups.clear();
            let claimed = match self.claim(&mut jobs).await {
                Ok(claimed) => claimed,
                Err(error) if error.is_retryable() => {
                    warn!(error = &error as &dyn std::error::Error, worker = %self.id, "no jobs could be claimed");
                    0
                }
                Err(error) => break Err(error),
            };
            if claimed > 0 && jobs.len() < self.concurrency {
                continue;
            }
            if until_empty && jobs.is_empty() && self.is_empty().await {
                break Ok(());
            }
            self.wait(&mut jobs, &mut wakeups, shutdown).await;
        };
        self.drain(jobs).await;
        outcome
    }

    /// Starts as many due jobs as there are free places.
    async fn claim(&self, jobs: &mut JoinSet<()>) -> Result<usize, QueueError> {
        let free = self.concurrency.saturating_sub(jobs.len());
        if free == 0 || self.kinds.is_empty() {
            return Ok(0);
        }
        let leases = self
            .runner
            .queue
            .claim(&self.id, &self.kinds, free, self.runner.lease)
            .await?;
        let claimed = leases.len();
        for lease in leases {
            if let Some(handler) = self.handlers.get(&lease.job.kind) {
                jobs.spawn(Arc::clone(&self.runner).run(lease, Arc::clone(handler)));
            }
        }
        Ok(claimed)
    }

    /// Until there may be something to claim: a place became free, a job arrived, or it is time to look.
    async fn wait(&self, jobs: &mut JoinSet<()>, wakeups: &mut Wakeups, shutdown: &CancellationToken) {
        let has_place = jobs.len() < self.concurrency;
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(_) = jobs.join_next(), if !jobs.is_empty() => {}
            () = wakeups.next(), if has_place => {}
            () = tokio::time::sleep(self.poll_interval), if has_place => {}
        }
    }

    /// Whether surely no job of the handled kinds is left.
    async fn is_empty(&self) -> bool {
        for kind in &self.kinds {
            for state in [JobState::Waiting, JobState::Running] {
                let filter = JobFilter::new().kind(kind).state(state).limit(1);
                if !self
                    .runner
                    .queue
                    .list(&filter)
                    .await
                    .is_ok_and(|left| left.is_empty())
                {
                    return false;
                }
            }
        }
        true
    }

    async fn drain(&self, mut jobs: JoinSet<()>) {
        if jobs.is_empty() {
            return;
        }
        debug!(worker = %self.id, running = jobs.len(), "waiting for running jobs");
        let finished =
            tokio::time::timeout(self.drain, async { while jobs.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            self.runner.give_up.cancel();
            while jobs.join_next().await.is_some() {}
        }
    }
}

impl WorkerBuilder {
    /// Jobs of this kind are run by this handler; a second handler of a kind replaces the first.
    #[must_use]
    pub fn handle(mut self, kind: impl Into<String>, handler: Arc<dyn Handler>) -> Self {
        self.handlers.insert(kind.into(), handler);
        self
    }

    /// The name that leases carry; a random one unless set.
    #[must_use]
    pub fn id(mut self, id: WorkerId) -> Self {
        self.id = Some(id);
        self
    }

    /// How many jobs run at the same time; four unless set, at least one.
    #[must_use]
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.concurrency = jobs.max(1);
        self
    }

    /// How long a vanished worker's jobs stay its own; a minute unless set. Leases are renewed each third of it.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How often to look for jobs that other processes enqueued or whose time has come; a second unless set. Jobs
    /// enqueued by this process are taken at once.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// How long a shutdown waits for running jobs before it releases them; half a minute unless set.
    #[must_use]
    pub fn drain(mut self, at_most: Duration) -> Self {
        self.drain = at_most;
        self
    }

    /// How long failed jobs wait.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Takes the time from this clock; it should be the queue's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The worker.
    #[must_use]
    pub fn build(self) -> Worker {
        let id = self
            .id
            .unwrap_or_else(|| WorkerId::random().unwrap_or_else(|_| WorkerId::new("worker")));
        let mut kinds: Vec<String> = self.handlers.keys().cloned().collect();
        kinds.sort_unstable();
        Worker {
            runner: Arc::new(Runner {
                queue: self.queue,
                lease: self.lease,
                backoff: self.backoff,
                clock: self.clock,
                give_up: CancellationToken::new(),
            }),
            handlers: self.handlers,
            id,
            kinds,
            concurrency: self.concurrency,
            poll_interval: self.poll_interval,
            drain: self.drain,
        }
    }
}
