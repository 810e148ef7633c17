use std::{fmt, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Counts, Enqueued, JobFilter, JobId, JobRecord, Lease, NewJob, QueueError, Wakeups, WorkerId};

/// A durable queue of jobs.
///
/// Hosts that bring a store of their own prove it with one line of `job_queue_conformance!` (feature `conformance`).
///
/// # Contract
///
/// 1. **enqueued_jobs_are_claimed_once**: an enqueued job is handed out, to one claimer only, with its first fence.
/// 2. **enqueue_is_all_or_nothing**: an enqueue that fails leaves no job behind.
/// 3. **a_dedupe_key_is_unique_per_kind**: while a job of a kind is kept, even done or dead, the same key makes no second one.
/// 4. **only_asked_kinds_are_claimed**: a claim hands out jobs of the kinds asked for, and no more than the limit.
/// 5. **due_jobs_come_in_order**: by `run_at`, then in the order of enqueueing; never before `run_at`.
/// 6. **an_ordering_key_runs_one_at_a_time**: of the waiting and running jobs of a key only the earliest is handed out; one
///    that waits for its retry holds the others back; a done or dead one does not.
/// 7. **an_expired_lease_is_claimed_again**: from the moment a lease expires somebody else may be handed the job, with a
///    higher fence, as the next attempt.
/// 8. **a_stale_fence_changes_nothing**: after that, every call with the old lease is `LeaseLost` and without effect.
/// 9. **a_renewed_lease_is_kept**: `renew` counts from now; a lease that ran out but went to nobody can still be renewed or
///    completed.
/// 10. **complete_enqueues_the_follow_ups_in_one_step**: the acknowledgement and the jobs that follow happen together or not
///     at all; follow-ups that are duplicates are left out.
/// 11. **a_finished_job_cannot_be_finished_again**: done and dead are final, but for `requeue`.
/// 12. **spent_attempts_make_a_dead_letter**: by `retry`, or when the lease of the last attempt expires.
/// 13. **a_released_job_has_not_been_tried**: `release` gives the attempt back.
/// 14. **a_dead_letter_can_be_requeued**: with all its attempts, in its old place of its ordering key.
/// 15. **records_tell_where_jobs_stand**: `job`, `list` and `counts` agree with what was done.
/// 16. **purge_forgets_done_jobs_only**: with their dedupe keys; never waiting, running or dead ones.
/// 17. **concurrent_claims_hand_out_each_job_once**: whatever the number of claimers.
/// 18. **work_rings_the_bell**: who waits on `wakeups` is woken by an enqueue of the same process.
///
/// # Clone
///
/// Homes are handles: a clone is the same queue.
///
/// # Cancellation
///
/// Dropping a call's future leaves the call done or not done, never half done.
///
/// # Errors
///
/// [`QueueError::Unavailable`] is worth another try; [`QueueError::LeaseLost`] means: drop the work.
#[async_trait]
pub trait JobQueue: fmt::Debug + Send + Sync + 'static {
    /// Takes the jobs in, all or none; answers for each whether it was new.
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Enqueued>, QueueError>;

    /// Hands out at most `limit` due jobs of these kinds until `lease` from now.
    async fn claim(
        &self,
        worker: &WorkerId,
        kinds: &[String],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Lease>, QueueError>;

    /// Keeps the lease until `by` from now; answers when that is.
    async fn renew(&self, lease: &Lease, by: Duration) -> Result<Timestamp, QueueError>;

    /// The job is done; what follows from it is enqueued in the same transaction.
    async fn complete(&self, lease: &Lease, next: &[NewJob]) -> Result<(), QueueError>;

    /// The job failed for now: it runs again at `run_at`, or is a dead letter if this was its last attempt.
    async fn retry(&self, lease: &Lease, run_at: Timestamp, reason: &str) -> Result<(), QueueError>;

    /// The job failed for good: it becomes a dead letter.
    async fn bury(&self, lease: &Lease, reason: &str) -> Result<(), QueueError>;

    /// The job was not tried: it waits as before, and the attempt does not count.
    async fn release(&self, lease: &Lease) -> Result<(), QueueError>;

    /// One job, if the queue keeps it.
    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, QueueError>;

    /// Jobs by id, a page at a time.
    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, QueueError>;

    /// A dead letter gets all its attempts again; false when there is no dead letter of this id.
    async fn requeue(&self, id: JobId) -> Result<bool, QueueError>;

    /// Forgets at most `limit` jobs that were done before this time; answers how many.
    async fn purge(&self, done_before: Timestamp, limit: u32) -> Result<u64, QueueError>;

    /// How many jobs stand where.
    async fn counts(&self) -> Result<Counts, QueueError>;

    /// Hears when work may have arrived.
    fn wakeups(&self) -> Wakeups;
}
