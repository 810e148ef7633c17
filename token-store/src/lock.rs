#[cfg(feature = "redis")]
mod lenient;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

#[cfg(feature = "redis")]
pub use self::lenient::Lenient;
use crate::{Holder, LockKey, StoreError};

/// Which lease of a key this is: each one's number is greater than that of every lease before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(u64);

impl Fence {
    /// Takes the number as it is.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// A lease on a name, so that of many who want to refresh a token one does. It saves work; what keeps tokens right is
/// the conditional save of the [`TokenStore`](crate::TokenStore).
///
/// # Contract
///
/// Each rule is a test of the same name in `refresh_lock_conformance!`.
///
/// 1. `a_free_key_is_acquired`: the first attempt gets a fence.
/// 2. `a_held_key_is_refused`: others get `None` at once; nobody waits inside the lock.
/// 3. `a_lease_is_not_reentrant`: nor does the holder itself get it a second time.
/// 4. `a_released_key_is_free`: after `release` the next attempt gets it.
/// 5. `only_the_holder_releases`: a release by anybody else changes nothing and succeeds.
/// 6. `an_expired_lease_is_free`: once its time is up, another attempt gets it, and not a moment before.
/// 7. `a_late_release_takes_nothing`: who lost the lease by time does not release the next holder's.
/// 8. `fences_grow`: each lease of a key has a greater fence than the one before, released or expired.
/// 9. `keys_are_independent`: keys do not touch each other, and are compared byte by byte.
/// 10. `one_of_many_racing_attempts_wins`: of concurrent attempts on a free key exactly one gets it.
/// 11. `contenders_never_hold_at_once`: of many who try again and again, one holds at a time, each gets its turn, and
///     fences grow from turn to turn.
/// 12. `one_of_many_racing_for_an_expired_lease_wins`: rule 10 holds for a lease that has just run out.
/// 13. `a_failed_attempt_changes_nothing`: it makes the lease no longer, no shorter, and nobody else's.
/// 14. `a_repeated_release_takes_nothing`: a second release succeeds, and leaves the next holder's lease alone.
/// 15. `an_endless_lease_does_not_overflow`: [`Duration::MAX`] is a lease like others.
/// 16. `a_lease_of_nothing_is_over_at_once`: so is [`Duration::ZERO`]; a home may round up to the millisecond.
/// 17. `odd_names_are_kept_apart`: keys and holders are any text, of 512 bytes or none.
/// 18. `many_keys_are_held_at_once`: no lease is forgotten for the sake of another.
/// 19. `a_dropped_attempt_ends_by_time`: after it the key is free, or will be when the lease has run out.
///
/// # Clone
///
/// Use it as `Arc<dyn RefreshLock>`.
///
/// # Cancellation
///
/// An attempt whose future is dropped may have got the lease; rule 19 says what then holds.
///
/// # Errors
///
/// A held key is not an error. A home that does not answer is [`StoreError::Unavailable`].
#[async_trait]
pub trait RefreshLock: fmt::Debug + Send + Sync + 'static {
    /// The lease on `key` for as long as `lease`, or `None` if somebody has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError>;

    /// Gives the lease back, if `holder` still has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError>;
}

macro_rules! through_pointer {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<L: RefreshLock + ?Sized> RefreshLock for $pointer<L> {
            async fn try_acquire(
                &self,
                key: &LockKey,
                holder: &Holder,
                lease: Duration,
            ) -> Result<Option<Fence>, StoreError> {
                (**self).try_acquire(key, holder, lease).await
            }

            async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
                (**self).release(key, holder).await
            }
        }
    };
}
through_pointer!(Arc);
through_pointer!(Box);
