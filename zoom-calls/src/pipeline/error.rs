//! What goes wrong in the pipeline, and what is done about it.

use std::error::Error;
use std::time::Duration;

use job_queue::{JobError, QueueError};
use zoom_recordings::{DownloadError, StageError};

use crate::StoreError;
use crate::text::truncated;

/// Why the pipeline did not take something in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// There is no such call in the scope.
    #[error("there is no such call")]
    NoSuchCall,
    /// The file cannot be read, or is none that a call can be made of.
    #[error("the file cannot be read as a recording or a transcript")]
    File(#[source] std::io::Error),
    /// The store of calls does not answer.
    #[error("the store of calls failed")]
    Store(#[from] StoreError),
    /// The queue does not answer.
    #[error("the queue failed")]
    Queue(#[from] QueueError),
}

/// Why a step did not finish.
#[derive(Debug)]
pub(super) struct StepError(StageError);

impl StepError {
    pub(super) fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(StageError::permanent(source))
    }

    pub(super) fn transient(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(StageError::transient(source))
    }

    pub(super) fn is_transient(&self) -> bool {
        self.0.is_transient()
    }

    /// The chain of causes in a line for a reader. Errors of this family name no secret and no body.
    pub(super) fn reason(&self) -> String {
        let mut parts = Vec::new();
        let mut cause: Option<&dyn Error> = self.0.source();
        while let Some(error) = cause {
            parts.push(error.to_string());
            cause = error.source();
        }
        truncated(&parts.join(": "), 300)
    }
}

impl From<StageError> for StepError {
    fn from(error: StageError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        if error.is_retryable() {
            Self::transient(error)
        } else {
            Self::permanent(error)
        }
    }
}

impl From<QueueError> for StepError {
    fn from(error: QueueError) -> Self {
        if error.is_retryable() {
            Self::transient(error)
        } else {
            Self::permanent(error)
        }
    }
}

impl From<zoom_core::Error> for StepError {
    fn from(error: zoom_core::Error) -> Self {
        let wait: Option<Duration> = error.retry_after();
        // Zoom announces a recording a moment before it can be read.
        let again = error.is_retryable() || error.is_not_found();
        let stage = if again {
            StageError::transient(error)
        } else {
            StageError::permanent(error)
        };
        Self(match wait {
            Some(wait) => stage.retry_after(wait),
            None => stage,
        })
    }
}

impl From<DownloadError> for StepError {
    fn from(error: DownloadError) -> Self {
        Self(error.into())
    }
}

impl From<std::io::Error> for StepError {
    fn from(error: std::io::Error) -> Self {
        Self::transient(error)
    }
}

impl From<StepError> for JobError {
    fn from(error: StepError) -> Self {
        match (error.0.is_transient(), error.0.retry_delay()) {
            (true, Some(wait)) => Self::transient_after(error.0, wait),
            (true, None) => Self::transient(error.0),
            (false, _) => Self::permanent(error.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use zoom_recordings::DownloadErrorKind;

    use super::*;

    #[test]
    fn a_download_is_tried_again_when_zoom_said() {
        let wait = Some(Duration::from_secs(90));
        let error = DownloadError::new(DownloadErrorKind::RateLimited).with_retry_after(wait);
        let error = JobError::from(StepError::from(error));
        assert_eq!((error.is_permanent(), error.retry_after()), (false, wait));
    }
}
