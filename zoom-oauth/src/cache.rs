use std::{
    collections::HashMap,
    fmt,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use token_store::ConnectionId;
use zoom_core::{AccessToken, Clock};

/// How long a token is served without a look at the store, unless the host says otherwise.
pub(crate) const USUAL_LIFETIME: Duration = Duration::from_secs(30);
/// Of so many connections the tokens are kept in memory.
const ROOM: usize = 10_000;

/// Access tokens that were read from the store a moment ago, so that not every call has to.
///
/// Every save of this process drops what is here of the record. What another process saves is seen when the lifetime is
/// over, or when Zoom refuses the token.
pub(crate) struct TokenCache {
    lifetime: SignedDuration,
    clock: Clock,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// How often something was dropped.
    drops: u64,
    tokens: HashMap<ConnectionId, Cached>,
}

struct Cached {
    token: AccessToken,
    read_at: Timestamp,
    until: Timestamp,
}

/// When a read began: what was read may be kept if nothing was dropped since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Ticket {
    /// The same moment, where the one drop that follows is the holder's own.
    pub(crate) fn after_own_save(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl TokenCache {
    /// A lifetime of zero keeps nothing.
    pub(crate) fn new(lifetime: Duration, clock: Clock) -> Self {
        Self {
            lifetime: SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX),
            clock,
            state: RwLock::default(),
        }
    }

    /// The host wants the store to be asked at every call.
    pub(crate) fn is_off(&self) -> bool {
        self.lifetime.is_zero()
    }

    pub(crate) fn get(&self, id: &ConnectionId) -> Option<AccessToken> {
        if self.is_off() {
            return None;
        }
        let now = self.clock.now();
        let state = self.read();
        let cached = state.tokens.get(id)?;
        // A clock that was set back makes it as unknown as one that went on.
        (cached.read_at..cached.until)
            .contains(&now)
            .then(|| cached.token.clone())
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.read().drops)
    }

    /// Keeps a token that serves `until` then, unless something was dropped since the ticket was taken: it may have been
    /// this one.
    pub(crate) fn put(&self, id: &ConnectionId, token: &AccessToken, until: Timestamp, ticket: Ticket) {
        if self.is_off() {
            return;
        }
        let read_at = self.clock.now();
        let lifetime_ends = read_at.saturating_add(self.lifetime).unwrap_or(Timestamp::MAX);
        let mut state = self.write();
        if state.drops != ticket.0 {
            return;
        }
        if state.tokens.len() >= ROOM && !state.tokens.contains_key(id) {
            state.tokens.retain(|_, cached| read_at < cached.until);
            if state.tokens.len() >= ROOM {
                state.tokens.clear();
            }
        }
        let cached = Cached {
            token: token.clone(),
            read_at,
            until: until.min(lifetime_ends),
        };
        state.tokens.insert(id.clone(), cached);
    }

    pub(crate) fn forget(&self, id: &ConnectionId) {
        let mut state = self.write();
        state.drops = state.drops.wrapping_add(1);
        state.tokens.remove(id);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // Every change is one insert or remove, so a panic elsewhere leaves nothing half done.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn cache(lifetime: u64) -> (TokenCache, Arc<Mutex<Timestamp>>) {
        let time = Arc::new(Mutex::new(at(0)));
        let clock = {
            let time = Arc::clone(&time);
            Clock::new(move || *time.lock().unwrap())
        };
        (TokenCache::new(Duration::from_secs(lifetime), clock), time)
    }

    fn put(cache: &TokenCache, until: i64) {
        cache.put(&"c".into(), &AccessToken::new("a"), at(until), cache.ticket());
    }

    #[test]
    fn a_token_is_served_for_the_lifetime_and_not_beyond_its_own() {
        let (cache, time) = cache(30);
        put(&cache, 1000);
        for (second, served) in [(0, true), (29, true), (30, false), (-1, false)] {
            *time.lock().unwrap() = at(second);
            assert_eq!(cache.get(&"c".into()).is_some(), served, "{second}");
        }
        *time.lock().unwrap() = at(0);
        put(&cache, 10);
        *time.lock().unwrap() = at(10);
        assert!(cache.get(&"c".into()).is_none());
        assert!(cache.get(&"another".into()).is_none());
    }

    #[test]
    fn what_was_read_before_a_save_is_not_kept_after_it() {
        let (cache, _) = cache(30);
        let before = cache.ticket();
        cache.forget(&"c".into());
        let token = AccessToken::new("a");
        cache.put(&"c".into(), &token, at(1000), before);
        assert!(cache.get(&"c".into()).is_none());
        cache.put(&"c".into(), &token, at(1000), before.after_own_save());
        assert!(cache.get(&"c".into()).is_some(), "but what that save brought is");
        cache.forget(&"c".into());
        assert!(cache.get(&"c".into()).is_none());
    }

    #[test]
    fn without_a_lifetime_nothing_is_kept() {
        let (cache, _) = cache(0);
        put(&cache, 1000);
        assert!(cache.get(&"c".into()).is_none());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (cache, _) = cache(30);
        for number in 0..=ROOM {
            let id = ConnectionId::new(number.to_string());
            cache.put(&id, &AccessToken::new("a"), at(1000), cache.ticket());
            assert!(cache.get(&id).is_some());
        }
        assert!(cache.read().tokens.len() <= ROOM);
    }
}
