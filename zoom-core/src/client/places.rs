use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// So many requests are on their way at once, as long as they are answered quickly.
const PLACES: usize = 64;
/// Whoever has waited this long goes without a place: where answers are slow, nobody is to wait for others.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);

/// Places for requests. A thousand callers who begin in the same moment, when a token has been refreshed, would each open a
/// connection; like this, most of them find one that is open.
#[derive(Debug)]
pub(super) struct Places(Semaphore);

impl Places {
    pub(super) const fn new() -> Self {
        Self(Semaphore::const_new(PLACES))
    }

    /// A place until it is dropped, or none after a while of waiting.
    pub(super) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        timeout(PATIENCE, self.0.acquire()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_waits_a_while_and_goes_without() {
        let places = Places::new();
        let began = Instant::now();
        let mut taken = Vec::new();
        for _ in 0..PLACES {
            taken.push(places.take().await.unwrap());
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(places.take().await.is_none());
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_given_back_goes_to_whoever_waits() {
        let places = Arc::new(Places::new());
        let began = Instant::now();
        let mut taken = Vec::new();
        for _ in 0..PLACES {
            taken.push(places.take().await.unwrap());
        }
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await.is_some() }
        });
        tokio::task::yield_now().await;
        taken.pop();
        assert!(waiting.await.unwrap());
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
