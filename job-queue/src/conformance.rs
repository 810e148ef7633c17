//! Proves that a queue keeps the contract of [`JobQueue`]: one test per numbered rule.
//!
//! ```
//! # use job_queue::{MemoryQueue, job_queue_conformance};
//! mod memory {
//! #   use super::*;
//!     job_queue_conformance!(async |clock| MemoryQueue::new().with_clock(clock));
//! }
//! # fn main() {}
//! ```
//!
//! The expression makes a fresh, empty queue that takes its time from `clock`; a [`Home`] can keep something alive beside it,
//! such as a temporary folder.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a rule that is broken panics: that is the test's failure"
)]

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{Clock, JobId, JobQueue, JobRecord, JobState, Lease, NewJob, QueueError, WorkerId};

mod lease_rules;
mod order_rules;
mod record_rules;

pub use lease_rules::*;
pub use order_rules::*;
pub use record_rules::*;

/// A fresh queue, and what must live as long as it.
pub struct Home {
    queue: Arc<dyn JobQueue>,
    _kept: Box<dyn Any + Send + Sync>,
}

impl Home {
    /// A queue and something to keep until the test is over.
    pub fn keeping(queue: Arc<dyn JobQueue>, kept: impl Any + Send + Sync) -> Self {
        Self {
            queue,
            _kept: Box::new(kept),
        }
    }
}

impl<Q: JobQueue> From<Q> for Home {
    fn from(queue: Q) -> Self {
        Self::keeping(Arc::new(queue), ())
    }
}

impl From<Arc<dyn JobQueue>> for Home {
    fn from(queue: Arc<dyn JobQueue>) -> Self {
        Self::keeping(queue, ())
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// A clock that stands still until told otherwise.
#[derive(Clone, Debug)]
pub struct ManualTime(Arc<Mutex<Timestamp>>);

impl ManualTime {
    /// Stands at a fixed, arbitrary moment.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(
            Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000),
        )))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some seconds later.
    pub fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += SignedDuration::from_secs(seconds);
    }

    /// This time as a queue's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || time.now())
    }
}

impl Default for ManualTime {
    fn default() -> Self {
        Self::new()
    }
}

/// What a rule works on: a fresh queue and its time.
#[derive(Debug)]
pub struct Bench {
    home: Home,
    /// The queue's time.
    pub time: ManualTime,
}

/// Leases of the rules last this long.
const LEASE: Duration = Duration::from_secs(60);

impl Bench {
    /// A bench for the queue that takes its time from `time`.
    pub fn new(home: impl Into<Home>, time: ManualTime) -> Self {
        Self {
            home: home.into(),
            time,
        }
    }

    fn queue(&self) -> &Arc<dyn JobQueue> {
        &self.home.queue
    }

    async fn enqueue(&self, job: NewJob) -> JobId {
        self.queue().enqueue(&[job]).await.unwrap()[0].id()
    }

    async fn claim(&self, limit: usize) -> Vec<Lease> {
        self.claim_kinds(&["a", "b"], limit).await
    }

    async fn claim_kinds(&self, kinds: &[&str], limit: usize) -> Vec<Lease> {
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        self.queue()
            .claim(&WorkerId::new("worker"), &kinds, limit, LEASE)
            .await
            .unwrap()
    }

    /// The one job that can be claimed now.
    async fn claim_only(&self) -> Lease {
        let mut leases = self.claim(10).await;
        assert_eq!(leases.len(), 1, "exactly one job can be claimed");
        leases.remove(0)
    }

    async fn claimed_ids(&self) -> Vec<JobId> {
        self.claim(100)
            .await
            .into_iter()
            .map(|lease| lease.job.id)
            .collect()
    }

    async fn record(&self, id: JobId) -> JobRecord {
        self.queue().job(id).await.unwrap().unwrap()
    }

    async fn state(&self, id: JobId) -> JobState {
        self.record(id).await.state
    }

    fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.time.now() + SignedDuration::from_secs(seconds)
    }
}

fn job(kind: &str) -> NewJob {
    NewJob::new(kind, "payload").unwrap()
}

fn assert_lease_lost<T: fmt::Debug>(outcome: Result<T, QueueError>) {
    assert!(
        matches!(outcome, Err(QueueError::LeaseLost)),
        "expected a lost lease, got {outcome:?}"
    );
}

/// One `#[tokio::test]` per rule of the [contract](crate::JobQueue), each on a fresh queue.
///
/// Takes a closure from a [`Clock`] to a future of the queue (or a [`Home`]); use it once per module.
#[macro_export]
macro_rules! job_queue_conformance {
    ($open:expr) => {
        $crate::__job_queue_rules! { ($open)
            enqueued_jobs_are_claimed_once
            enqueue_is_all_or_nothing
            a_dedupe_key_is_unique_per_kind
            only_asked_kinds_are_claimed
            due_jobs_come_in_order
            an_ordering_key_runs_one_at_a_time
            an_expired_lease_is_claimed_again
            a_stale_fence_changes_nothing
            a_renewed_lease_is_kept
            complete_enqueues_the_follow_ups_in_one_step
            a_finished_job_cannot_be_finished_again
            spent_attempts_make_a_dead_letter
            a_released_job_has_not_been_tried
            a_dead_letter_can_be_requeued
            records_tell_where_jobs_stand
            purge_forgets_done_jobs_only
            concurrent_claims_hand_out_each_job_once
            work_rings_the_bell
        }
    };
}

/// Unfolds the list of rules.
#[doc(hidden)]
#[macro_export]
macro_rules! __job_queue_rules {
    (($open:expr) $($rule:ident)*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let time = $crate::conformance::ManualTime::new();
                let open = $open;
                let queue = open(time.clock()).await;
                $crate::conformance::$rule($crate::conformance::Bench::new(queue, time)).await;
            }
        )*
    };
}
