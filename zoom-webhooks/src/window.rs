use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How old a delivery may be, and how far ahead of our clock.
///
/// Zoom does not say whether a retry, up to 85 minutes after the first attempt, is signed anew. What protects from replay
/// is the deduplication; the window bounds how long that has to remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    past: Duration,
    future: Duration,
}

impl Window {
    /// Five minutes, either way.
    #[must_use]
    pub const fn strict() -> Self {
        Self::new(Duration::from_secs(5 * 60), Duration::from_secs(5 * 60))
    }

    /// Ninety minutes back, so that the last retry passes whatever its time stamp says; five minutes ahead.
    #[must_use]
    pub const fn retry_aware() -> Self {
        Self::new(Duration::from_secs(90 * 60), Duration::from_secs(5 * 60))
    }

    /// So much back, so much ahead.
    #[must_use]
    pub const fn new(past: Duration, future: Duration) -> Self {
        Self { past, future }
    }

    pub(crate) fn is_too_old(&self, signed_at: Timestamp, now: Timestamp) -> bool {
        now.duration_since(signed_at) > signed(self.past)
    }

    pub(crate) fn is_too_new(&self, signed_at: Timestamp, now: Timestamp) -> bool {
        signed_at.duration_since(now) > signed(self.future)
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::retry_aware()
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
