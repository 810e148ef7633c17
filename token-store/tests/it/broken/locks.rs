use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use token_store::{Clock, Fence, Holder, LockKey, RefreshLock, StoreError, conformance::lock::*};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    NeverGives,
    AlwaysGives,
    IsReentrant,
    NeverFrees,
    FreesForAnybody,
    NeverExpires,
    RepeatsNumbers,
    FoldsKeys,
    LooksThenTakes,
    LooksThenTakesWhatExpired,
    ProlongsWhenRefused,
    RemembersPastHolders,
    CountsMillisecondsInFewBits,
    RefusesNothing,
    TrimsKeys,
    ForgetsTheOldest,
    StaysBusyWhenDropped,
}

/// A lock that is right but for its defect.
#[derive(Debug)]
struct Lock {
    defect: Defect,
    clock: Clock,
    leases: Mutex<HashMap<LockKey, Lease>>,
}

#[derive(Clone, Debug)]
struct Lease {
    holder: Option<Holder>,
    until: Timestamp,
    fence: u64,
    past: Vec<Holder>,
    is_busy: bool,
}

impl Lock {
    fn fold(&self, key: &LockKey) -> LockKey {
        match self.defect {
            Defect::FoldsKeys => LockKey::new(key.as_str().to_lowercase()),
            Defect::TrimsKeys => LockKey::new(key.as_str().trim()),
            _ => key.clone(),
        }
    }

    fn until(&self, lease: Duration) -> Timestamp {
        let now = self.clock.now();
        match self.defect {
            Defect::NeverExpires => Timestamp::MAX,
            Defect::CountsMillisecondsInFewBits => {
                let short = i64::from(lease.as_millis() as u32);
                now + SignedDuration::from_millis(short)
            }
            _ => now.checked_add(lease).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether the key may be taken.
    fn is_free(&self, key: &LockKey, holder: &Holder) -> bool {
        let now = self.clock.now();
        self.leases.lock().unwrap().get(key).is_none_or(|lease| {
            let is_own = self.defect == Defect::IsReentrant && lease.holder.as_ref() == Some(holder);
            lease.holder.is_none() || lease.until <= now || is_own || self.defect == Defect::AlwaysGives
        })
    }

    fn was_held(&self, key: &LockKey) -> bool {
        let leases = self.leases.lock().unwrap();
        leases.get(key).is_some_and(|lease| lease.holder.is_some())
    }

    fn take(&self, key: &LockKey, holder: &Holder, lease: Duration) -> Fence {
        let until = self.until(lease);
        let mut leases = self.leases.lock().unwrap();
        let taken = leases.entry(key.clone()).or_insert(Lease {
            holder: None,
            until,
            fence: 0,
            past: Vec::new(),
            is_busy: false,
        });
        if self.defect != Defect::RepeatsNumbers || taken.fence == 0 {
            taken.fence += 1;
        }
        taken.holder = Some(holder.clone());
        taken.past.push(holder.clone());
        taken.until = until;
        let fence = Fence::new(taken.fence);
        if self.defect == Defect::ForgetsTheOldest && leases.len() > 128 {
            let other = leases.keys().find(|other| *other != key).cloned();
            leases.remove(&other.unwrap());
        }
        fence
    }

    fn busy(&self, key: &LockKey, is_busy: bool) -> bool {
        let mut leases = self.leases.lock().unwrap();
        let lease = leases.entry(key.clone()).or_insert(Lease {
            holder: None,
            until: Timestamp::MIN,
            fence: 0,
            past: Vec::new(),
            is_busy: false,
        });
        std::mem::replace(&mut lease.is_busy, is_busy)
    }
}

#[async_trait]
impl RefreshLock for Lock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let key = &self.fold(key);
        if self.defect == Defect::RefusesNothing && lease.is_zero() {
            return Err(StoreError::Invalid("a lease of nothing"));
        }
        if self.defect == Defect::StaysBusyWhenDropped {
            if self.busy(key, true) {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.busy(key, false);
        }
        let pauses = match self.defect {
            Defect::LooksThenTakes => true,
            Defect::LooksThenTakesWhatExpired => self.was_held(key),
            _ => false,
        };
        if pauses {
            if !self.is_free(key, holder) {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            return Ok(Some(self.take(key, holder, lease)));
        }
        if self.defect != Defect::NeverGives && self.is_free(key, holder) {
            return Ok(Some(self.take(key, holder, lease)));
        }
        if self.defect == Defect::ProlongsWhenRefused {
            let until = self.until(lease);
            self.leases.lock().unwrap().get_mut(key).unwrap().until = until;
        }
        Ok(None)
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        let mut leases = self.leases.lock().unwrap();
        let Some(lease) = leases.get_mut(&self.fold(key)) else {
            return Ok(());
        };
        let frees = match self.defect {
            Defect::NeverFrees => false,
            Defect::FreesForAnybody => true,
            Defect::RemembersPastHolders => lease.past.contains(holder),
            _ => lease.holder.as_ref() == Some(holder),
        };
        if frees {
            lease.holder = None;
        }
        Ok(())
    }
}

#[test]
fn each_lock_rule_catches_its_defect() {
    macro_rules! caught {
        ($($rule:ident: $defect:ident,)+) => {
            $({
                let time = HandTurned::default();
                let lock = Arc::new(Lock {
                    defect: Defect::$defect,
                    clock: time.clock(),
                    leases: Mutex::default(),
                });
                assert!(
                    super::fails($rule(lock, &time)),
                    "{} does not see that a lock {:?}",
                    stringify!($rule),
                    Defect::$defect,
                );
            })+
        };
    }
    caught! {
        a_free_key_is_acquired: NeverGives,
        a_held_key_is_refused: AlwaysGives,
        a_lease_is_not_reentrant: IsReentrant,
        a_released_key_is_free: NeverFrees,
        only_the_holder_releases: FreesForAnybody,
        an_expired_lease_is_free: NeverExpires,
        a_late_release_takes_nothing: RemembersPastHolders,
        fences_grow: RepeatsNumbers,
        keys_are_independent: FoldsKeys,
        one_of_many_racing_attempts_wins: LooksThenTakes,
        contenders_never_hold_at_once: LooksThenTakes,
        one_of_many_racing_for_an_expired_lease_wins: LooksThenTakesWhatExpired,
        a_failed_attempt_changes_nothing: ProlongsWhenRefused,
        a_repeated_release_takes_nothing: RemembersPastHolders,
        an_endless_lease_does_not_overflow: CountsMillisecondsInFewBits,
        a_lease_of_nothing_is_over_at_once: RefusesNothing,
        odd_names_are_kept_apart: TrimsKeys,
        many_keys_are_held_at_once: ForgetsTheOldest,
        a_dropped_attempt_ends_by_time: StaysBusyWhenDropped,
    }
}
