//! Faults, tokens that end, and waiting for what clients do.

use super::{Inner, Simulator};
use crate::faults::Failure;

impl Inner {
    pub(crate) async fn until_count(&self, what: &str, at_least: u64) {
        let mut counted = self.world().counted.subscribe();
        while self.world().counters.get(what).copied().unwrap_or_default() < at_least {
            tokio::select! {
                () = self.stop.cancelled() => return,
                changed = counted.changed() => if changed.is_err() { return },
            }
        }
    }
}

impl Simulator {
    /// The next chance this goes wrong: a [`Fault`](crate::Fault), or a [`Failure`] that also says where and how often.
    pub fn fail_next(&self, failure: impl Into<Failure>) {
        self.inner.world().faults.add(failure.into());
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.inner.world().faults.clear();
    }

    /// Lets everything go on that is held now by [`Fault::HoldRequest`](crate::Fault::HoldRequest) or
    /// [`Fault::HoldAnswer`](crate::Fault::HoldAnswer). What comes after is held again.
    pub fn release(&self) {
        self.inner.world().faults.release();
    }

    /// Returns when this was counted so often: `token.refresh_token` when the request has arrived,
    /// `token.refresh_token.granted` when the old token is spent, whether or not anybody got the answer.
    pub async fn until_count(&self, what: &str, at_least: u64) {
        self.inner.until_count(what, at_least).await;
    }

    /// All access tokens expire now; refresh tokens live. Returns how many it were.
    pub fn expire_access_tokens(&self) -> usize {
        let now = self.inner.clock.now();
        self.inner.world().tokens.expire_access(|_, _| true, now)
    }

    /// The access tokens of one user (id or address) expire now; refresh tokens live. Returns how many it were.
    pub fn expire_access_tokens_of(&self, user: &str) -> usize {
        let now = self.inner.clock.now();
        let mut world = self.inner.world();
        let Some(id) = world.user(user).map(|user| user.id.clone()) else {
            return 0;
        };
        world.tokens.expire_access(|_, caller| caller.user_id == id, now)
    }

    /// The refresh tokens of one user (id or address), or of all, are dead: the next refresh says `invalid_grant`.
    pub fn expire_refresh_tokens(&self, user: Option<&str>) -> usize {
        let mut world = self.inner.world();
        let id = user.map(|user| world.user(user).map(|user| user.id.clone()).unwrap_or_default());
        world.tokens.expire_refresh(id.as_deref())
    }
}
