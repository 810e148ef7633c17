//! Where a recap goes.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use zoom_recordings::StageError;

use super::{Recap, Receipt};

/// Tells people about a call.
///
/// # Contract
///
/// 1. *told_once*: one call of `notify` makes at most one message.
/// 2. *receipt*: `posted` is true only if people can see the message now.
/// 3. *inert*: nothing in a recap makes a mention, a link or markup, whatever people are called.
/// 4. *patience*: a transient error says how long to wait when the other side says so.
///
/// # Clone
///
/// Implementations are shared as `Arc<dyn Notifier>`.
///
/// # Cancellation
///
/// A dropped `notify` may have posted: the message cannot be called back.
///
/// # Errors
///
/// [`StageError`], which tells the pipeline whether to try again.
#[async_trait]
pub trait Notifier: fmt::Debug + Send + Sync + 'static {
    /// Posts the recap.
    async fn notify(&self, recap: &Recap) -> Result<Receipt, StageError>;
}

/// Writes one line to the log, with the id of the call and no word of what was said. Nobody is told, so the receipt says
/// `posted: false`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LogNotifier;

impl LogNotifier {
    /// The notifier.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, recap: &Recap) -> Result<Receipt, StageError> {
        tracing::info!(
            call = %recap.call_id,
            closing_score = recap.closing_score,
            next_steps = recap.next_steps.len(),
            objections = recap.objections.len(),
            "the recap of a call is ready"
        );
        Ok(Receipt::new("log", false))
    }
}

/// Keeps what it was told, and fails when told to. For tests.
#[derive(Debug, Default)]
pub struct StubNotifier {
    recaps: Mutex<Vec<Recap>>,
    failures: Mutex<Vec<StageError>>,
}

impl StubNotifier {
    /// A notifier that always succeeds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the next call with this error, once.
    #[must_use]
    pub fn failing_once(self, error: StageError) -> Self {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(error);
        self
    }

    /// What was posted, in order.
    #[must_use]
    pub fn recaps(&self) -> Vec<Recap> {
        self.recaps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notifier for StubNotifier {
    async fn notify(&self, recap: &Recap) -> Result<Receipt, StageError> {
        if let Some(error) = self.failures.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Err(error);
        }
        let mut recaps = self.recaps.lock().unwrap_or_else(PoisonError::into_inner);
        recaps.push(recap.clone());
        Ok(Receipt::new("stub", true).ts(recaps.len().to_string()))
    }
}
