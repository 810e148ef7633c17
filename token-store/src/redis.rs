mod link;

use std::{fmt, time::Duration};

use ::redis::Script;
use async_trait::async_trait;

use self::link::Link;
use crate::{Clock, Fence, Holder, LockKey, RefreshLock, StoreError};

/// How long a key stays after its lease, so that numbers need not lean on the server's clock alone.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest lease: a hundred years. What is longer is cut.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// Leases in Redis 5 or newer, or Valkey, for any number of hosts. A holder that dies frees its key when its time is
/// up.
///
/// * **One round trip.** A lease is one hash, taken and given back by a script: nobody comes between a look and a
///   write. A script has one key, so a cluster serves as well.
/// * **One clock.** Leases end by the clock of the Redis server: how far the hosts' own clocks differ does not matter.
///   [`with_clock`](Self::with_clock) takes the hosts' clock instead; then one that is ahead ends the others' leases
///   early by as much.
/// * **Numbers grow.** They follow the server's clock in microseconds, and so keep growing when Redis restarts empty,
///   unless its clock was set back.
/// * **A slow Redis stalls nobody.** No answer within half a second, or what [`with_patience`](Self::with_patience)
///   says, is [`StoreError::Unavailable`]. After an error the next call makes a new connection.
///
/// A Redis that restarts empty, evicts the key, or fails over to a replica that has not heard of it yet gives the same
/// lease twice. That costs a second refresh at worst: what keeps tokens right is the conditional save. For work that
/// goes on while Redis is away, wrap it in [`Lenient`](crate::Lenient).
#[derive(Clone)]
pub struct RedisLock {
    link: Link,
    acquire: Script,
    release: Script,
    prefix: String,
    clock: Option<Clock>,
}

impl RedisLock {
    /// Opens `redis://host`, or `rediss://host` for TLS, and sees that it answers.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL is none, [`StoreError::Unavailable`] when Redis does not answer or refuses the
    /// password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let lock = Self::connect_later(url)?;
        lock.link.check().await?;
        Ok(lock)
    }

    /// As [`connect`](Self::connect), but reaches for Redis with the first lease only: a host starts without it.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL is none.
    pub fn connect_later(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            link: Link::new(url)?,
            acquire: Script::new(include_str!("redis/acquire.lua")),
            release: Script::new(include_str!("redis/release.lua")),
            prefix: "token-store:lease:".to_owned(),
            clock: None,
        })
    }

    /// Begins the names of its keys with this, `token-store:lease:` if not said. Hosts share leases if they say the
    /// same.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Waits so long for an answer, connecting included; 500 ms if not said.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.link.patience = patience;
        self
    }

    /// Reads the time from `clock`, not from the server. All hosts must then agree on the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    fn name(&self, key: &LockKey) -> String {
        format!("{}{key}", self.prefix)
    }
}

#[async_trait]
impl RefreshLock for RedisLock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let lease = lease.min(LONGEST);
        let now = self.clock.as_ref().map(|clock| clock.now().as_millisecond());
        // Leases are not re-entrant, so a lost answer must be told from a second attempt.
        let attempt = Holder::random()?;
        let mut call = self.acquire.prepare_invoke();
        call.key(self.name(key))
            .arg(holder.as_str())
            .arg(attempt.as_str())
            .arg(now.map_or_else(String::new, |now| now.to_string()))
            .arg(milliseconds(lease))
            .arg(milliseconds(lease + KEPT));
        let fence: Option<u64> = self.link.invoke(&call).await?;
        Ok(fence.map(Fence::new))
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        let mut call = self.release.prepare_invoke();
        call.key(self.name(key)).arg(holder.as_str());
        self.link.invoke(&call).await
    }
}

/// Rounded up: a lease is no shorter than asked for.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

impl fmt::Debug for RedisLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLock")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
