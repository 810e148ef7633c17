use std::{error::Error, time::Duration};

use thiserror::Error;

type Source = Box<dyn Error + Send + Sync>;

/// Why a queue could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// Somebody else was handed the job, or it is finished: this lease decides nothing any more.
    #[error("the lease on the job was lost")]
    LeaseLost,
    /// The job cannot be queued as it is.
    #[error("invalid job: {0}")]
    InvalidJob(&'static str),
    /// The payload does not turn into JSON, or the JSON is not what the handler expects.
    #[error("the job's payload does not have the expected shape")]
    Payload(#[source] Source),
    /// The store holds something that this crate did not write.
    #[error("the queue holds a damaged job")]
    Corrupt(#[source] Source),
    /// The store did not answer; the same call may work later.
    #[error("the queue is unavailable")]
    Unavailable(#[source] Source),
}

impl QueueError {
    /// The store did not answer, because of `source`.
    #[must_use]
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    /// The store holds something odd, as `source` tells.
    #[must_use]
    pub fn corrupt(source: impl Into<Source>) -> Self {
        Self::Corrupt(source.into())
    }

    /// The payload has not the expected shape, as `source` tells.
    #[must_use]
    pub fn payload(source: impl Into<Source>) -> Self {
        Self::Payload(source.into())
    }

    /// Whether the same call may work later. What to do: wait a little and call again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether the lease is gone. What to do: drop the work, somebody else does it.
    #[must_use]
    pub fn is_lease_lost(&self) -> bool {
        matches!(self, Self::LeaseLost)
    }
}

/// Why a handler did not do its job, and whether trying again can help.
///
/// The messages of the source chain are kept with the job for people to read, so they must hold no secret.
#[derive(Debug, Error)]
#[error("{}", if *permanent { "the job failed for good" } else { "the job failed for now" })]
pub struct JobError {
    permanent: bool,
    retry_after: Option<Duration>,
    #[source]
    source: Source,
}

impl JobError {
    /// Trying again can help: the job waits for its backoff and runs again, until its attempts are spent.
    #[must_use]
    pub fn transient(source: impl Into<Source>) -> Self {
        Self {
            permanent: false,
            retry_after: None,
            source: source.into(),
        }
    }

    /// Trying again can help, after this time (a `Retry-After`, a rate limit's reset).
    #[must_use]
    pub fn transient_after(source: impl Into<Source>, after: Duration) -> Self {
        Self {
            permanent: false,
            retry_after: Some(after),
            source: source.into(),
        }
    }

    /// Trying again cannot help: the job becomes a dead letter at once.
    #[must_use]
    pub fn permanent(source: impl Into<Source>) -> Self {
        Self {
            permanent: true,
            retry_after: None,
            source: source.into(),
        }
    }

    /// Whether trying again cannot help.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// The wait the handler asked for, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The source chain in one line, for the job's record.
    pub(crate) fn reason(&self) -> String {
        let mut reason = self.source.to_string();
        let mut next = self.source.source();
        while let Some(error) = next {
            reason.push_str(": ");
            reason.push_str(&error.to_string());
            next = error.source();
        }
        reason
    }
}

/// A payload that does not parse will not parse the next time either.
impl From<QueueError> for JobError {
    fn from(error: QueueError) -> Self {
        if error.is_retryable() {
            Self::transient(error)
        } else {
            Self::permanent(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_leaves_the_source_to_the_chain() {
        let error = JobError::permanent(QueueError::unavailable("disk gone"));
        assert_eq!(error.to_string(), "the job failed for good");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("the queue is unavailable")
        );
    }

    #[test]
    fn a_reason_tells_the_whole_chain_in_one_line() {
        let error = JobError::transient(QueueError::unavailable("disk gone"));
        assert_eq!(error.reason(), "the queue is unavailable: disk gone");
    }

    #[test]
    fn a_queue_error_is_permanent_unless_the_store_may_come_back() {
        assert!(JobError::from(QueueError::payload("not a number")).is_permanent());
        assert!(!JobError::from(QueueError::unavailable("busy")).is_permanent());
    }
}
