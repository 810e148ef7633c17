use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    Clock, Counts, Enqueued, Fence, Job, JobFilter, JobId, JobQueue, JobRecord, JobState, Lease, NewJob,
    QueueError, Signal, Wakeups, WorkerId, clock::later,
};

/// A queue that lives as long as the process; for tests and demos.
///
/// It is the simplest thing that keeps the contract: a claim looks at every unfinished job.
#[derive(Clone, Debug, Default)]
pub struct MemoryQueue {
    state: Arc<Mutex<State>>,
    clock: Clock,
    signal: Signal,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    /// Waiting and running jobs.
    active: BTreeMap<JobId, JobRecord>,
    /// Done and dead jobs.
    finished: BTreeMap<JobId, JobRecord>,
    /// Kind and dedupe key of every kept job.
    dedupe: HashMap<(String, String), JobId>,
}

impl MemoryQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// A panic while the lock was held can only have come from this file, between whole steps.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, new: &NewJob, now: Timestamp) -> Enqueued {
        let key = new.dedupe().map(|key| (new.kind().to_owned(), key.to_owned()));
        if let Some(id) = key.as_ref().and_then(|key| self.dedupe.get(key)) {
            return Enqueued::Duplicate(*id);
        }
        self.last_id = self.last_id.saturating_add(1);
        let id = JobId::new(self.last_id);
        if let Some(key) = key {
            self.dedupe.insert(key, id);
        }
        self.active
            .insert(id, JobRecord::waiting(Job::new(id, new.clone(), now)));
        Enqueued::New(id)
    }

    /// The running job that this lease is the newest one of.
    fn leased(&mut self, lease: &Lease) -> Result<&mut JobRecord, QueueError> {
        self.active
            .get_mut(&lease.job.id)
            .filter(|record| record.state == JobState::Running && record.fence == lease.fence)
            .ok_or(QueueError::LeaseLost)
    }

    fn finish(&mut self, id: JobId, state: JobState, now: Timestamp, reason: Option<&str>) {
        if let Some(mut record) = self.active.remove(&id) {
            record.state = state;
            record.worker = None;
            record.lease_expires_at = None;
            record.finished_at = Some(now);
            if let Some(reason) = reason {
                record.last_error = Some(reason.to_owned());
            }
            self.finished.insert(id, record);
        }
    }

    /// Jobs whose last attempt was never acknowledged.
    fn bury_expired(&mut self, kinds: &[String], now: Timestamp) {
        let spent: Vec<JobId> = self
            .active
            .values()
            .filter(|record| {
                is_expired(record, now) && record.job.is_last_attempt() && kinds.contains(&record.job.kind)
            })
            .map(|record| record.job.id)
            .collect();
        for id in spent {
            self.finish(id, JobState::Dead, now, Some(crate::lease::EXPIRED));
        }
    }

    /// The jobs that may be handed out now, first due first.
    fn due(&self, kinds: &[String], now: Timestamp) -> Vec<JobId> {
        let is_running = |record: &&JobRecord| record.state == JobState::Running;
        let mut turns: HashMap<&str, JobId> = HashMap::new();
        for record in self
            .active
            .values()
            .filter(is_running)
            .chain(self.active.values())
        {
            if let Some(key) = &record.job.ordering_key {
                turns.entry(key).or_insert(record.job.id);
            }
        }
        let has_turn = |job: &Job| match &job.ordering_key {
            Some(key) => turns.get(key.as_str()) == Some(&job.id),
            None => true,
        };
        let mut due: Vec<(Timestamp, JobId)> = self
            .active
            .values()
            .filter(|record| match record.state {
                JobState::Waiting => record.job.run_at <= now,
                _ => is_expired(record, now),
            })
            .filter(|record| kinds.contains(&record.job.kind) && has_turn(&record.job))
            .map(|record| (record.job.run_at, record.job.id))
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).collect()
    }
}

fn is_expired(record: &JobRecord, now: Timestamp) -> bool {
    record
        .lease_expires_at
        .is_some_and(|expires_at| expires_at <= now)
}

#[async_trait]
impl JobQueue for MemoryQueue {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Enqueued>, QueueError> {
        let now = self.clock.now();
        let mut state = self.state();
        let enqueued = jobs.iter().map(|job| state.insert(job, now)).collect();
        drop(state);
        self.signal.ring();
        Ok(enqueued)
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        kinds: &[String],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        let now = self.clock.now();
        let expires_at = later(now, lease);
        let mut state = self.state();
        state.bury_expired(kinds, now);
        let mut leases = Vec::new();
        for id in state.due(kinds, now).into_iter().take(limit) {
            if let Some(record) = state.active.get_mut(&id) {
                record.state = JobState::Running;
                record.job.attempt = record.job.attempt.saturating_add(1);
                record.fence = Fence::new(record.fence.get().saturating_add(1));
                record.worker = Some(worker.clone());
                record.lease_expires_at = Some(expires_at);
                leases.push(Lease::new(record.job.clone(), record.fence, expires_at));
            }
        }
        Ok(leases)
    }

    async fn renew(&self, lease: &Lease, by: Duration) -> Result<Timestamp, QueueError> {
        let expires_at = later(self.clock.now(), by);
        self.state().leased(lease)?.lease_expires_at = Some(expires_at);
        Ok(expires_at)
    }

    async fn complete(&self, lease: &Lease, next: &[NewJob]) -> Result<(), QueueError> {
        let now = self.clock.now();
        let mut state = self.state();
        state.leased(lease)?;
        state.finish(lease.job.id, JobState::Done, now, None);
        for job in next {
            state.insert(job, now);
        }
        drop(state);
        self.signal.ring();
        Ok(())
    }

    async fn retry(&self, lease: &Lease, run_at: Timestamp, reason: &str) -> Result<(), QueueError> {
        let now = self.clock.now();
        let mut state = self.state();
        let record = state.leased(lease)?;
        if record.job.is_last_attempt() {
            state.finish(lease.job.id, JobState::Dead, now, Some(reason));
        } else {
            wait(record, run_at);
            record.last_error = Some(reason.to_owned());
        }
        drop(state);
        self.signal.ring();
        Ok(())
    }

    async fn bury(&self, lease: &Lease, reason: &str) -> Result<(), QueueError> {
        let now = self.clock.now();
        let mut state = self.state();
        state.leased(lease)?;
        state.finish(lease.job.id, JobState::Dead, now, Some(reason));
        drop(state);
        self.signal.ring();
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        let mut state = self.state();
        let record = state.leased(lease)?;
        wait(record, record.job.run_at);
        record.job.attempt = record.job.attempt.saturating_sub(1);
        drop(state);
        self.signal.ring();
        Ok(())
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, QueueError> {
        let state = self.state();
        Ok(state.active.get(&id).or_else(|| state.finished.get(&id)).cloned())
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, QueueError> {
        let state = self.state();
        let mut records: Vec<JobRecord> = state
            .active
            .values()
            .chain(state.finished.values())
            .filter(|record| filter.matches(record))
            .cloned()
            .collect();
        drop(state);
        records.sort_unstable_by_key(|record| record.job.id);
        records.truncate(usize::try_from(filter.page_size()).unwrap_or(usize::MAX));
        Ok(records)
    }

    async fn requeue(&self, id: JobId) -> Result<bool, QueueError> {
        let now = self.clock.now();
        let mut state = self.state();
        if state
            .finished
            .get(&id)
            .is_none_or(|record| record.state != JobState::Dead)
        {
            return Ok(false);
        }
        if let Some(mut record) = state.finished.remove(&id) {
            wait(&mut record, now);
            record.job.attempt = 0;
            record.finished_at = None;
            state.active.insert(id, record);
        }
        drop(state);
        self.signal.ring();
        Ok(true)
    }

    async fn purge(&self, done_before: Timestamp, limit: u32) -> Result<u64, QueueError> {
        let mut state = self.state();
        let old: Vec<JobId> = state
            .finished
            .values()
            .filter(|record| {
                record.state == JobState::Done && record.finished_at.is_some_and(|at| at < done_before)
            })
            .map(|record| record.job.id)
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect();
        for id in &old {
            if let Some(record) = state.finished.remove(id)
                && let Some(key) = record.job.dedupe_key
            {
                state.dedupe.remove(&(record.job.kind, key));
            }
        }
        Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
    }

    async fn counts(&self) -> Result<Counts, QueueError> {
        let state = self.state();
        let mut counts = Counts::zero();
        for record in state.active.values().chain(state.finished.values()) {
            counts.add(record.state, 1);
        }
        Ok(counts)
    }

    fn wakeups(&self) -> Wakeups {
        self.signal.subscribe()
    }
}

fn wait(record: &mut JobRecord, run_at: Timestamp) {
    record.state = JobState::Waiting;
    record.job.run_at = run_at;
    record.worker = None;
    record.lease_expires_at = None;
}
