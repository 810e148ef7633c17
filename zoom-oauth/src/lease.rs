//! Leases that keep apart those who would do the same at once. They save work; what is done under them is right
//! without, so a lock that fails or does not answer turns nobody away.

use std::{sync::Arc, time::Duration};

use token_store::{Holder, LockKey, RefreshLock};

use crate::{Connections, Error};

/// How long to wait for the lock itself, which is somebody's server.
const LOCK_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// Longer than what is usually done under it.
const LEASE: Duration = Duration::from_secs(60);
/// The pauses before a lease is given back once more; together about as long as leases last: then it is free anyhow.
const AGAIN: [Duration; 6] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];
const LOOK: Duration = Duration::from_millis(50);

/// Whether a lease is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    /// Somebody else has it.
    No,
    /// The lock does not answer. It may have given the lease all the same.
    Unknown,
}

/// Asks for a lease once.
pub(crate) async fn try_lease(
    lock: &dyn RefreshLock,
    key: &LockKey,
    holder: &Holder,
    time: Duration,
) -> Held {
    match tokio::time::timeout(LOCK_ANSWERS_WITHIN, lock.try_acquire(key, holder, time)).await {
        Ok(Ok(Some(_))) => Held::Yes,
        Ok(Ok(None)) => Held::No,
        Ok(Err(error)) => {
            tracing::warn!(%key, error = &error as &dyn std::error::Error, "no lease to be had; going on without");
            Held::Unknown
        }
        Err(_) => {
            tracing::warn!(%key, "the lock does not answer; going on without");
            Held::Unknown
        }
    }
}

/// Gives a lease back that is held, or may be. Where that fails, such as while the lock's database restarts, it is tried
/// again in the background: others would wait for the end of a lease that nobody has.
pub(crate) async fn release(lock: &Arc<dyn RefreshLock>, key: &LockKey, holder: &Holder) {
    if try_release(&**lock, key, holder).await {
        return;
    }
    let (lock, key, holder) = (Arc::clone(lock), key.clone(), holder.clone());
    tokio::spawn(async move {
        for pause in AGAIN {
            tokio::time::sleep(pause).await;
            if try_release(&*lock, &key, &holder).await {
                return;
            }
        }
        tracing::warn!(%key, "a lease was not given back; it ends by time");
    });
}

async fn try_release(lock: &dyn RefreshLock, key: &LockKey, holder: &Holder) -> bool {
    match tokio::time::timeout(LOCK_ANSWERS_WITHIN, lock.release(key, holder)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => {
            tracing::debug!(%key, error = &error as &dyn std::error::Error, "a lease could not be given back");
        }
        Err(_) => tracing::debug!(%key, "the lock does not answer; a lease could not be given back"),
    }
    false
}

impl Connections {
    /// Does the work as soon as nobody else is at it.
    pub(crate) async fn alone<T>(
        &self,
        key: &LockKey,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        // On the heap: it is long, and stands in futures that are.
        let work = Box::pin(work);
        let (lock, holder) = (&*self.inner.lock, Holder::random()?);
        let mut waited = Duration::ZERO;
        let held = loop {
            match try_lease(lock, key, &holder, LEASE).await {
                Held::No if waited > LEASE => {
                    return Err(Error::unavailable("another process is at the same"));
                }
                Held::No => {}
                held => break held,
            }
            self.inner.sleeper.sleep(LOOK).await;
            waited += LOOK;
        };
        let done = work.await;
        self.end_lease(held, key, holder).await;
        done
    }

    /// The same, or `None` where somebody else is at it.
    pub(crate) async fn unless_taken<T>(
        &self,
        key: &LockKey,
        lease: Duration,
        work: impl Future<Output = Result<Option<T>, Error>>,
    ) -> Result<Option<T>, Error> {
        let work = Box::pin(work);
        let holder = Holder::random()?;
        let held = try_lease(&*self.inner.lock, key, &holder, lease).await;
        if held == Held::No {
            return Ok(None);
        }
        let done = work.await;
        self.end_lease(held, key, holder).await;
        done
    }

    async fn end_lease(&self, held: Held, key: &LockKey, holder: Holder) {
        let lock = Arc::clone(&self.inner.lock);
        if held == Held::Unknown {
            // Nobody waits for a lock that does not answer.
            let key = key.clone();
            tokio::spawn(async move { release(&lock, &key, &holder).await });
        } else {
            release(&lock, key, &holder).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use async_trait::async_trait;
    use token_store::{Fence, MemoryLock, StoreError};

    use super::*;

    /// Its database restarts: so many releases fail.
    #[derive(Debug)]
    struct Restarting(MemoryLock, AtomicU32);

    #[async_trait]
    impl RefreshLock for Restarting {
        async fn try_acquire(
            &self,
            key: &LockKey,
            holder: &Holder,
            lease: Duration,
        ) -> Result<Option<Fence>, StoreError> {
            self.0.try_acquire(key, holder, lease).await
        }

        async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
            if self
                .1
                .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
                .is_ok()
            {
                return Err(StoreError::unavailable("it restarts"));
            }
            self.0.release(key, holder).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_could_not_be_given_back_is_given_back_once_the_lock_is_back() {
        let lock: Arc<dyn RefreshLock> = Arc::new(Restarting(MemoryLock::new(), AtomicU32::new(3)));
        let (key, ours, other) = (LockKey::new("key"), Holder::new("ours"), Holder::new("other"));
        assert_eq!(try_lease(&*lock, &key, &ours, LEASE).await, Held::Yes);
        release(&lock, &key, &ours).await;
        assert_eq!(try_lease(&*lock, &key, &other, LEASE).await, Held::No);
        // The clock of the lease stands still: it does not end by time.
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(try_lease(&*lock, &key, &other, LEASE).await, Held::Yes);
    }
}
