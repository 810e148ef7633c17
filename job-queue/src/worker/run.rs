use std::{error::Error, sync::Arc, time::Duration};

use tokio::task::{AbortHandle, JoinError};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::{Backoff, Clock, Handler, JobError, JobQueue, Lease, NewJob, QueueError, clock::later};

/// How often an acknowledgement is tried while the store does not answer; the lease is renewed meanwhile.
const ACK_ATTEMPTS: u32 = 8;
const ACK_BACKOFF: Backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(5));

/// Runs single jobs: handler, renewal, acknowledgement.
pub(super) struct Runner {
    pub(super) queue: Arc<dyn JobQueue>,
    pub(super) lease: Duration,
    pub(super) backoff: Backoff,
    pub(super) clock: Clock,
    /// Cancelled when a shutdown has waited long enough.
    pub(super) give_up: CancellationToken,
}

/// What is to be written down about a job that was run.
enum Verdict {
    Complete(Vec<NewJob>),
    Retry {
        after: Duration,
        reason: String,
    },
    Bury {
        reason: String,
    },
    Release,
    /// The lease is somebody else's by now.
    Nothing,
}

/// Stops the task when dropped, so that nothing is left running behind a dropped worker.
struct Stop(AbortHandle);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Runner {
    pub(super) async fn run(self: Arc<Self>, lease: Lease, handler: Arc<dyn Handler>) {
        let lease = Arc::new(lease);
        let lost = CancellationToken::new();
        let renewal = tokio::spawn(Arc::clone(&self).renew(Arc::clone(&lease), lost.clone()));
        let _stop_renewal = Stop(renewal.abort_handle());

        let leased = Arc::clone(&lease);
        let mut work = tokio::spawn(async move { handler.run(&leased.job).await });
        let stop_work = Stop(work.abort_handle());
        // A job is given away only when its handler has really stopped; it may even have finished meanwhile.
        let verdict = tokio::select! {
            done = &mut work => self.judge(&lease, done),
            () = lost.cancelled() => {
                drop(stop_work);
                let _stopped = work.await;
                Verdict::Nothing
            }
            () = self.give_up.cancelled() => {
                drop(stop_work);
                self.judge(&lease, work.await)
            }
        };
        self.record(&lease, verdict).await;
    }

    fn judge(&self, lease: &Lease, done: Result<Result<Vec<NewJob>, JobError>, JoinError>) -> Verdict {
        match done {
            Ok(Ok(next)) => Verdict::Complete(next),
            Ok(Err(error)) if error.is_permanent() => Verdict::Bury {
                reason: error.reason(),
            },
            Ok(Err(error)) => Verdict::Retry {
                after: error
                    .retry_after()
                    .unwrap_or_else(|| self.backoff.jittered(lease.job.attempt)),
                reason: error.reason(),
            },
            // A panic's message may hold anything, so only the fact is kept.
            Err(error) if error.is_panic() => Verdict::Retry {
                after: self.backoff.jittered(lease.job.attempt),
                reason: "the handler panicked".to_owned(),
            },
            Err(_) => Verdict::Release,
        }
    }

    /// Writes the verdict down, and asks again while the store does not answer.
    async fn record(&self, lease: &Lease, verdict: Verdict) {
        let job = &lease.job;
        let mut attempt = 1;
        loop {
            let recorded = match &verdict {
                Verdict::Complete(next) => self.queue.complete(lease, next).await,
                Verdict::Retry { after, reason } => {
                    self.queue
                        .retry(lease, later(self.clock.now(), *after), reason)
                        .await
                }
                Verdict::Bury { reason } => self.queue.bury(lease, reason).await,
                Verdict::Release => self.queue.release(lease).await,
                Verdict::Nothing => Err(QueueError::LeaseLost),
            };
            match recorded {
                Ok(()) => return tell(lease, &verdict),
                Err(error) if error.is_retryable() && attempt < ACK_ATTEMPTS => {
                    tokio::time::sleep(ACK_BACKOFF.jittered(attempt)).await;
                    attempt += 1;
                }
                Err(error) => {
                    let error: &dyn Error = &error;
                    warn!(error, job = %job.id, kind = job.kind, fence = %lease.fence, "what became of a job was not recorded");
                    return;
                }
            }
        }
    }

    /// Renews the lease for as long as this task lives; cancels `lost` when that is over.
    async fn renew(self: Arc<Self>, lease: Arc<Lease>, lost: CancellationToken) {
        let mut expires_at = lease.expires_at;
        loop {
            tokio::time::sleep(self.lease / 3).await;
            match self.queue.renew(&lease, self.lease).await {
                Ok(renewed) => expires_at = renewed,
                Err(error) if error.is_retryable() && self.clock.now() < expires_at => {
                    let error: &dyn Error = &error;
                    warn!(error, job = %lease.job.id, "a lease was not renewed");
                }
                Err(_) => return lost.cancel(),
            }
        }
    }
}

/// Logs what became of a job. Reasons stay in its record: they are for people who look after the queue.
fn tell(lease: &Lease, verdict: &Verdict) {
    let job = &lease.job;
    match verdict {
        Verdict::Complete(_) => debug!(job = %job.id, kind = job.kind, "a job is done"),
        Verdict::Retry { .. } if !job.is_last_attempt() => {
            warn!(job = %job.id, kind = job.kind, attempt = job.attempt, "a job failed and will be tried again");
        }
        Verdict::Retry { .. } | Verdict::Bury { .. } => {
            error!(job = %job.id, kind = job.kind, attempt = job.attempt, "a job is a dead letter");
        }
        Verdict::Release => debug!(job = %job.id, kind = job.kind, "a running job was released"),
        Verdict::Nothing => {}
    }
}
