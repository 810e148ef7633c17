use async_trait::async_trait;

use crate::{Job, JobError, NewJob};

/// What a [`Worker`](crate::Worker) does with the jobs of one kind.
///
/// # Contract
///
/// 1. A job may run more than once: after a crash between the work and the acknowledgement it runs again. Effects must
///    bear that.
/// 2. The returned jobs are enqueued in the same transaction that acknowledges this one.
///
/// # Cancellation
///
/// The future is dropped when the lease is lost, or when a shutdown lasts longer than the worker waits for running jobs.
/// Work that blocks the thread belongs into `tokio::task::spawn_blocking`, or leases are not renewed meanwhile.
///
/// # Errors
///
/// [`JobError::transient`] is tried again, [`JobError::permanent`] becomes a dead letter, a panic counts as transient.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Does the job; returns the jobs that follow from it.
    async fn run(&self, job: &Job) -> Result<Vec<NewJob>, JobError>;
}
