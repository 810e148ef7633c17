//! Whose turn it is: of all processes one spends the refresh token, the others wait for what it brings.
//!
//! The lock saves work. What keeps us right is the intent on the record, whose save is conditional: without the lock,
//! with a lock that forgot everything, or with a lease that ran out, the second to save conflicts, reads, and waits.

use std::time::Duration;

use token_store::{ConnectionId, Holder, LockKey};
use zoom_core::AccessToken;

use super::{
    Grant, Refresher, STILL_GOOD, good_for,
    intent::{Doubt, Intent, Standing},
};
use crate::{
    Error,
    lease::{self, Held, try_lease},
    records::Slot,
};

/// How long to wait for another process: longer than one that has died keeps others off, so that they go on in its
/// place and do not fail.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A lease on a record's refresh, to be given back.
#[derive(Debug)]
pub(super) struct Lease {
    key: LockKey,
    holder: Holder,
    held: Held,
}

impl Lease {
    pub(super) fn of(id: &ConnectionId) -> Result<Self, Error> {
        Ok(Self {
            key: LockKey::connection(id),
            holder: Holder::random()?,
            held: Held::No,
        })
    }
}

/// Whose turn it is.
pub(super) enum Whose {
    /// Ours, and this is the record as it is.
    Ours { slot: Box<Slot>, doubt: Option<Doubt> },
    /// There is a token, so nobody has to refresh.
    Nobodys(AccessToken),
}

impl Refresher {
    /// Waits until nobody else is at it; ends early when somebody has brought a token.
    pub(super) async fn turn(
        &self,
        id: &ConnectionId,
        lease: &mut Lease,
        refused: Option<&AccessToken>,
    ) -> Result<Whose, Error> {
        let mut waited = Duration::ZERO;
        let mut taken = false;
        loop {
            // Not while somebody is seen at it: asking costs the lock's home a write each time.
            if lease.held == Held::No && !taken {
                self.acquire(lease).await;
            }
            // Always after the lease: what was read before it may be old.
            let slot = self.records.load(id).await?;
            if let Some(token) = self.usable(slot.as_ref(), refused)? {
                tracing::debug!(connection = %id, "another task or process has refreshed");
                return Ok(Whose::Nobodys(token));
            }
            let slot = match slot {
                Some(slot) => slot,
                None => self.first_slot(id),
            };
            let standing = self.standing(&slot);
            taken = standing == Standing::Taken;
            if let (Standing::Free(doubt), true) = (standing, lease.held != Held::No) {
                return Ok(Whose::Ours {
                    slot: Box::new(slot),
                    doubt,
                });
            }
            if let Some(token) = self.spare(&slot, refused) {
                return Ok(Whose::Nobodys(token));
            }
            if waited > LONGEST_WAIT {
                return Err(Error::unavailable("another process is refreshing"));
            }
            let pause = pause(waited);
            self.sleeper.sleep(pause).await;
            waited += pause;
        }
    }

    pub(super) fn standing(&self, slot: &Slot) -> Standing {
        Intent::read(&slot.record, slot.tokens.as_ref()).map_or(Standing::Free(None), |intent| {
            intent.standing(&self.process, self.lease(), self.clock.now())
        })
    }

    /// While others refresh a user's token that has a few minutes left, it serves: nobody has to wait. The token of an
    /// app's own account does not, for the next one may end it.
    fn spare(&self, slot: &Slot, refused: Option<&AccessToken>) -> Option<AccessToken> {
        match self.grant {
            Grant::User(_) => good_for(slot, refused, STILL_GOOD, self.clock.now()),
            Grant::Account(_) => None,
        }
    }

    async fn acquire(&self, lease: &mut Lease) {
        let time = self.lease().unsigned_abs();
        lease.held = try_lease(&*self.lock, &lease.key, &lease.holder, time).await;
    }

    pub(super) async fn release(&self, lease: Lease) {
        let lock = std::sync::Arc::clone(&self.lock);
        let Lease { key, holder, held } = lease;
        let release = async move { lease::release(&lock, &key, &holder).await };
        match held {
            Held::No => {}
            Held::Yes => release.await,
            // Nobody waits for a lock that does not answer.
            Held::Unknown => drop(tokio::spawn(release)),
        }
    }
}

/// A sixteenth of the time that was waited already: whoever waits for a quick one sees it quickly, and for a slow one
/// the store is not asked all the time.
pub(super) fn pause(waited: Duration) -> Duration {
    (waited / 16).clamp(Duration::from_millis(5), Duration::from_millis(100))
}
