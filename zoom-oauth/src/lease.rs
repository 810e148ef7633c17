//! Leases that keep apart those who would do the same at once. They save work; what is done under them is right
//! without, so a lock that fails or does not answer turns nobody away.

use std::time::Duration;

use token_store::{Holder, LockKey, RefreshLock};

use crate::{Connections, Error};

/// How long to wait for the lock itself, which is somebody's server.
const LOCK_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// Longer than what is usually done under it.
const LEASE: Duration = Duration::from_secs(60);
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

/// Gives a lease back that is held, or may be.
pub(crate) async fn release(lock: &dyn RefreshLock, key: &LockKey, holder: &Holder) {
    match tokio::time::timeout(LOCK_ANSWERS_WITHIN, lock.release(key, holder)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%key, error = &error as &dyn std::error::Error,
                "a lease was not given back; it ends by time");
        }
        Err(_) => tracing::warn!(%key, "a lease was not given back; it ends by time"),
    }
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
        let lock = std::sync::Arc::clone(&self.inner.lock);
        if held == Held::Unknown {
            // Nobody waits for a lock that does not answer.
            let key = key.clone();
            tokio::spawn(async move { release(&*lock, &key, &holder).await });
        } else {
            release(&*lock, key, &holder).await;
        }
    }
}
