use std::sync::Arc;

use tokio::sync::watch;

/// What a queue rings when work may have arrived.
///
/// A store that hears of enqueues in its own process only (SQLite) rings it on each of them; other processes poll.
#[derive(Clone, Debug)]
pub struct Signal(Arc<watch::Sender<()>>);

impl Signal {
    /// A signal nobody listens to yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }

    /// Wakes everybody who subscribed.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Hears every ring from now on.
    #[must_use]
    pub fn subscribe(&self) -> Wakeups {
        Wakeups(self.0.subscribe())
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self::new()
    }
}

/// Hears that work may have arrived. A ring between two calls is not lost.
#[derive(Clone, Debug)]
pub struct Wakeups(watch::Receiver<()>);

impl Wakeups {
    /// Forgets the rings so far; call it before looking for work.
    pub fn clear(&mut self) {
        self.0.mark_unchanged();
    }

    /// Returns at the first ring since [`Wakeups::clear`] or the last return; never, once the queue is gone.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
