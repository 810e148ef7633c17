//! Waiting for something that another task or process does.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Generous, because the machine may be busy; nobody waits that long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks until there is an answer.
pub(crate) async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(25)).await;
    }
}
