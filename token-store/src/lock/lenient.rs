use std::{
    collections::HashMap,
    error::Error,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::{Clock, Fence, Holder, LockKey, MemoryLock, RefreshLock, StoreError};

/// A lock that does without its home while that does not answer: leases are then held within this process only, and
/// other hosts may refresh the same connection at the same time. Their conditional saves keep tokens right; what is
/// lost is the saved work.
///
/// * A lease is always taken in this process first, so its own tasks exclude each other in every case, when the home
///   goes away between two of them too.
/// * An answer takes half a second at most, or what [`with_patience`](Self::with_patience) says. After a failure the
///   home is left alone for five seconds, or what [`with_rest`](Self::with_rest) says, so that a slow one costs a wait
///   now and then, not with every lease.
/// * One warning says that the home is away, and one line that it is back.
/// * While it is away, numbers go on from the greatest that this process has seen. They exceed those of other
///   processes as long as the home's own do, as [`RedisLock`](crate::RedisLock)'s do by the server's clock.
///
/// ```
/// # async fn start() -> Result<(), token_store::StoreError> {
/// use std::sync::Arc;
/// use token_store::{Lenient, RedisLock, RefreshLock};
///
/// let redis = RedisLock::connect_later("redis://locks.example.com")?;
/// let lock: Arc<dyn RefreshLock> = Arc::new(Lenient::new(Arc::new(redis)));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Lenient {
    inner: Arc<dyn RefreshLock>,
    local: MemoryLock,
    clock: Clock,
    patience: Duration,
    rest: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The home did not answer; it is asked again then.
    away_until: Option<Timestamp>,
    /// The greatest number seen, of any key.
    greatest: u64,
    /// The last number of each key whose last lease the home did not give.
    own: HashMap<LockKey, u64>,
}

impl Lenient {
    /// Wraps a lock whose home may go away.
    #[must_use]
    pub fn new(inner: Arc<dyn RefreshLock>) -> Self {
        Self {
            inner,
            local: MemoryLock::new(),
            clock: Clock::system(),
            patience: Duration::from_millis(500),
            rest: Duration::from_secs(5),
            state: Arc::default(),
        }
    }

    /// Waits so long for an answer; 500 ms if not said.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Leaves the home alone for so long after a failure; 5 s if not said.
    #[must_use]
    pub fn with_rest(mut self, rest: Duration) -> Self {
        self.rest = rest;
        self
    }

    /// Reads the time from `clock`. The inner lock has its own.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.local = self.local.with_clock(clock.clone());
        self.clock = clock;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_resting(&self) -> bool {
        let now = self.clock.now();
        self.state().away_until.is_some_and(|until| now < until)
    }

    /// What the home answers within the patience; no answer is an error as any other that says it is away.
    async fn ask<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let answer = timeout(self.patience, answer)
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable(io::Error::from(io::ErrorKind::TimedOut))));
        match &answer {
            Err(error @ StoreError::Unavailable(_)) => self.note_away(error),
            _ => self.note_back(),
        }
        answer
    }

    fn note_away(&self, error: &StoreError) {
        let until = self.clock.now().checked_add(self.rest).unwrap_or(Timestamp::MAX);
        if self.state().away_until.replace(until).is_none() {
            tracing::warn!(
                error = error as &dyn Error,
                "the home of the locks is away; until it is back, leases are held in this process only"
            );
        }
    }

    fn note_back(&self) {
        if self.state().away_until.take().is_some() {
            tracing::info!("the home of the locks is back");
        }
    }

    /// A number for a lease that the home did not give.
    fn own_fence(&self, key: &LockKey) -> Fence {
        let mut state = self.state();
        state.greatest += 1;
        let fence = state.greatest;
        state.own.insert(key.clone(), fence);
        Fence::new(fence)
    }

    /// The home's number, unless one of our own was as great.
    fn greater_fence(&self, key: &LockKey, fence: Fence) -> Fence {
        let mut state = self.state();
        let fence = match state.own.remove(key) {
            Some(own) if own >= fence.get() => {
                state.own.insert(key.clone(), own + 1);
                own + 1
            }
            _ => fence.get(),
        };
        state.greatest = state.greatest.max(fence);
        Fence::new(fence)
    }
}

#[async_trait]
impl RefreshLock for Lenient {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        if self.local.try_acquire(key, holder, lease).await?.is_none() {
            return Ok(None);
        }
        if self.is_resting() {
            return Ok(Some(self.own_fence(key)));
        }
        match self.ask(self.inner.try_acquire(key, holder, lease)).await {
            Ok(Some(fence)) => Ok(Some(self.greater_fence(key, fence))),
            Err(StoreError::Unavailable(_)) => Ok(Some(self.own_fence(key))),
            refused => {
                self.local.release(key, holder).await?;
                refused
            }
        }
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        self.local.release(key, holder).await?;
        if self.is_resting() {
            // An attempt that had no answer in time may have got the lease all the same. Nobody waits for this.
            let (inner, patience) = (Arc::clone(&self.inner), self.patience);
            let (key, holder) = (key.clone(), holder.clone());
            tokio::spawn(async move { timeout(patience, inner.release(&key, &holder)).await });
            return Ok(());
        }
        match self.ask(self.inner.release(key, holder)).await {
            // The lease ends by time.
            Err(StoreError::Unavailable(_)) => Ok(()),
            answer => answer,
        }
    }
}
