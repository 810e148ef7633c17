//! The error of a pipeline's stage: what went wrong, and whether trying again can help.

use std::error::Error;
use std::time::Duration;

/// Why a stage (transcribing, analysing, notifying) did not finish, and what a pipeline does about it: a transient
/// failure is tried again, a permanent one is not.
///
/// ```
/// use std::time::Duration;
/// use zoom_recordings::StageError;
///
/// let busy = StageError::transient("the model is loading").retry_after(Duration::from_secs(30));
/// assert!(busy.is_transient());
/// assert_eq!(busy.retry_delay(), Some(Duration::from_secs(30)));
/// assert!(!StageError::permanent("the file is not audio").is_transient());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{}", if *.transient { "the stage failed for now" } else { "the stage failed for good" })]
pub struct StageError {
    transient: bool,
    retry_after: Option<Duration>,
    source: Box<dyn Error + Send + Sync>,
}

impl StageError {
    /// A failure that may be gone when the stage is run again.
    #[must_use]
    pub fn transient(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            transient: true,
            retry_after: None,
            source: source.into(),
        }
    }

    /// A failure that the same input will always meet.
    #[must_use]
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            transient: false,
            retry_after: None,
            source: source.into(),
        }
    }

    /// Says how long to wait before the stage is run again, when the other side said so.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// What to do: run the stage again if so; else record the failure and go on without it.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.transient
    }

    /// What to do: wait this long if given, else as the pipeline's own backoff says.
    #[must_use]
    pub const fn retry_delay(&self) -> Option<Duration> {
        self.retry_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_display_never_repeats_the_source() {
        let error = StageError::permanent("secret detail");
        assert_eq!(error.to_string(), "the stage failed for good");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("secret detail")
        );
    }
}
