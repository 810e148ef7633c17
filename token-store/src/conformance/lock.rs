//! The rules of [`RefreshLock`].

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::Barrier;

use super::unique;
use crate::{Clock, Fence, Holder, LockKey, RefreshLock};

const LEASE: Duration = Duration::from_secs(60);

/// A clock that stands still until a rule turns it.
#[derive(Clone, Debug)]
pub struct HandTurned(Arc<Mutex<Timestamp>>);

impl Default for HandTurned {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Timestamp::UNIX_EPOCH)))
    }
}

impl HandTurned {
    /// The clock to give to the lock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let time = Arc::clone(&self.0);
        Clock::new(move || *time.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Turns it forward.
    pub fn turn(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

async fn acquire(lock: &Arc<dyn RefreshLock>, key: &LockKey, holder: &str) -> Option<Fence> {
    acquire_for(lock, key, holder, LEASE).await
}

async fn acquire_for(
    lock: &Arc<dyn RefreshLock>,
    key: &LockKey,
    holder: &str,
    lease: Duration,
) -> Option<Fence> {
    lock.try_acquire(key, &Holder::new(holder), lease)
        .await
        .expect("the lock answers")
}

async fn release(lock: &Arc<dyn RefreshLock>, key: &LockKey, holder: &str) {
    lock.release(key, &Holder::new(holder))
        .await
        .expect("the lock answers");
}

fn key() -> LockKey {
    LockKey::new(unique("key"))
}

/// Rule 1.
pub async fn a_free_key_is_acquired(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    assert!(acquire(&lock, &key(), "a").await.is_some());
}

/// Rule 2.
pub async fn a_held_key_is_refused(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let key = key();
    acquire(&lock, &key, "a").await;
    assert_eq!(acquire(&lock, &key, "b").await, None);
    assert_eq!(
        acquire(&lock, &key, "b").await,
        None,
        "a refused attempt takes nothing"
    );
}

/// Rule 3.
pub async fn a_lease_is_not_reentrant(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let key = key();
    acquire(&lock, &key, "a").await;
    assert_eq!(acquire(&lock, &key, "a").await, None);
}

/// Rule 4.
pub async fn a_released_key_is_free(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let key = key();
    acquire(&lock, &key, "a").await;
    release(&lock, &key, "a").await;
    assert!(acquire(&lock, &key, "b").await.is_some());
}

/// Rule 5.
pub async fn only_the_holder_releases(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let key = key();
    release(&lock, &key, "nobody").await;
    acquire(&lock, &key, "a").await;
    release(&lock, &key, "b").await;
    assert_eq!(acquire(&lock, &key, "b").await, None);
}

/// Rule 6.
pub async fn an_expired_lease_is_free(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    let key = key();
    acquire(&lock, &key, "a").await;
    time.turn(LEASE - Duration::from_millis(1));
    assert_eq!(acquire(&lock, &key, "b").await, None, "not a moment before");
    time.turn(Duration::from_millis(1));
    assert!(acquire(&lock, &key, "b").await.is_some());
}

/// Rule 7.
pub async fn a_late_release_takes_nothing(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    let key = key();
    acquire(&lock, &key, "a").await;
    time.turn(LEASE);
    acquire(&lock, &key, "b").await;
    release(&lock, &key, "a").await;
    assert_eq!(acquire(&lock, &key, "c").await, None);
}

/// Rule 8.
pub async fn fences_grow(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    let key = key();
    let mut fences = Vec::new();
    for number in 0..6 {
        fences.push(acquire(&lock, &key, "a").await.expect("a free key"));
        if number % 2 == 0 {
            release(&lock, &key, "a").await;
        } else {
            time.turn(LEASE);
        }
    }
    assert!(
        fences.is_sorted_by(|earlier, later| earlier < later),
        "{fences:?}"
    );
}

/// Rule 9.
pub async fn keys_are_independent(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let tail = unique("");
    let keys = ["ä", "a\u{308}", "Ä", "ä "].map(|name| LockKey::new(format!("{name}{tail}")));
    for key in &keys {
        assert!(acquire(&lock, key, "a").await.is_some(), "{key}");
    }
    let [first, second, ..] = &keys;
    release(&lock, first, "a").await;
    assert_eq!(acquire(&lock, second, "b").await, None);
}

/// Rule 10.
pub async fn one_of_many_racing_attempts_wins(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let key = key();
    for _ in 0..4 {
        let winner = race(&lock, &key).await;
        release(&lock, &key, &winner).await;
    }
}

/// Attempts from many tasks at once; one must win.
async fn race(lock: &Arc<dyn RefreshLock>, key: &LockKey) -> String {
    let start = Arc::new(Barrier::new(16));
    let racers = (0..16).map(|_| {
        let (lock, key, start) = (Arc::clone(lock), key.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            let holder = unique("holder");
            start.wait().await;
            acquire(&lock, &key, &holder).await.map(|_| holder)
        })
    });
    let mut winners = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        winners.extend(racer.await.expect("the racer finishes"));
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    winners.pop().expect("the winner")
}

/// Rule 11.
pub async fn contenders_never_hold_at_once(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let (key, is_held) = (key(), Arc::new(AtomicBool::new(false)));
    let fences = Arc::new(Mutex::new(Vec::new()));
    let contenders = (0..6).map(|_| {
        let (lock, key) = (Arc::clone(&lock), key.clone());
        let (is_held, fences) = (Arc::clone(&is_held), Arc::clone(&fences));
        tokio::spawn(async move {
            let mut turns = 0;
            while turns < 8 {
                let holder = unique("holder");
                if let Some(fence) = acquire(&lock, &key, &holder).await {
                    assert!(!is_held.swap(true, Ordering::SeqCst), "two hold the key");
                    fences.lock().unwrap_or_else(PoisonError::into_inner).push(fence);
                    tokio::task::yield_now().await;
                    is_held.store(false, Ordering::SeqCst);
                    release(&lock, &key, &holder).await;
                    turns += 1;
                }
                tokio::task::yield_now().await;
            }
        })
    });
    for contender in contenders.collect::<Vec<_>>() {
        contender
            .await
            .expect("nobody else holds it, and each gets its turns");
    }
    let fences = fences.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(
        fences.is_sorted_by(|earlier, later| earlier < later),
        "{fences:?}"
    );
}

/// Rule 12.
pub async fn one_of_many_racing_for_an_expired_lease_wins(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    let key = key();
    acquire(&lock, &key, "a").await;
    for _ in 0..4 {
        time.turn(LEASE);
        race(&lock, &key).await;
    }
}

/// Rule 13.
pub async fn a_failed_attempt_changes_nothing(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    for other in [Duration::ZERO, LEASE * 10] {
        let key = key();
        acquire(&lock, &key, "a").await;
        time.turn(LEASE / 2);
        assert_eq!(acquire_for(&lock, &key, "b", other).await, None);
        release(&lock, &key, "b").await;
        time.turn(LEASE / 2 - Duration::from_millis(1));
        assert_eq!(acquire(&lock, &key, "c").await, None, "the lease is no shorter");
        time.turn(Duration::from_millis(1));
        assert!(acquire(&lock, &key, "c").await.is_some(), "nor longer");
    }
    let key = key();
    acquire(&lock, &key, "a").await;
    assert_eq!(acquire(&lock, &key, "b").await, None);
    release(&lock, &key, "a").await;
    assert!(
        acquire(&lock, &key, "c").await.is_some(),
        "it is still its holder's to release"
    );
}

/// Rule 14.
pub async fn a_repeated_release_takes_nothing(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let key = key();
    acquire(&lock, &key, "a").await;
    release(&lock, &key, "a").await;
    release(&lock, &key, "a").await;
    assert!(acquire(&lock, &key, "b").await.is_some());
    release(&lock, &key, "a").await;
    assert_eq!(acquire(&lock, &key, "c").await, None);
}

/// Rule 15.
pub async fn an_endless_lease_does_not_overflow(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    for lease in [
        Duration::MAX,
        Duration::from_millis(u64::MAX),
        Duration::from_secs(u64::from(u32::MAX)),
    ] {
        let key = key();
        assert!(acquire_for(&lock, &key, "a", lease).await.is_some(), "{lease:?}");
        assert_eq!(acquire(&lock, &key, "b").await, None, "{lease:?}");
        time.turn(LEASE * 60 * 24 * 365);
        assert_eq!(acquire(&lock, &key, "b").await, None, "{lease:?} later");
        release(&lock, &key, "a").await;
        assert!(acquire(&lock, &key, "b").await.is_some(), "{lease:?}");
    }
}

/// Rule 16.
pub async fn a_lease_of_nothing_is_over_at_once(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    let key = key();
    let first = acquire_for(&lock, &key, "a", Duration::ZERO).await;
    let second = acquire_for(&lock, &key, "b", Duration::from_nanos(1)).await;
    time.turn(Duration::from_millis(1));
    let third = acquire(&lock, &key, "c").await;
    assert!(
        first.is_some() && first < second && second < third,
        "{first:?} {second:?} {third:?}"
    );
    assert_eq!(acquire(&lock, &key, "d").await, None);
}

/// Rule 17.
pub async fn odd_names_are_kept_apart(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let tail = unique("");
    let long = "x".repeat(480);
    // White space, separators, patterns, quotes, hash tags, and long ones that differ at their ends.
    let names = [
        "", " ", "\n", "a", "a ", "a:", "a:fence", "a:holder", "a/b", "*", "a*", "a?", "%", "_", "'; --",
        "\"", "\\", "{a}", "{", "}", "$1", "🦉", "İ", "i", "I",
    ];
    let mut names: Vec<String> = names.iter().map(|name| format!("{tail}{name}")).collect();
    names.extend([format!("{tail}{long}a"), format!("{tail}{long}b")]);
    let keys: Vec<LockKey> = names.iter().map(|name| LockKey::new(name.as_str())).collect();
    for (key, holder) in keys.iter().zip(&names) {
        assert!(acquire(&lock, key, holder).await.is_some(), "{key:?}");
    }
    for key in &keys {
        for stranger in &names {
            if stranger != key.as_str() {
                release(&lock, key, stranger).await;
            }
        }
        assert_eq!(acquire(&lock, key, "stranger").await, None, "{key:?}");
        release(&lock, key, key.as_str()).await;
        assert!(acquire(&lock, key, "next").await.is_some(), "{key:?}");
    }
}

/// Rule 18.
pub async fn many_keys_are_held_at_once(lock: Arc<dyn RefreshLock>, _time: &HandTurned) {
    let keys: Vec<LockKey> = (0..200).map(|_| key()).collect();
    let attempts = keys.iter().map(|key| {
        let (lock, key) = (Arc::clone(&lock), key.clone());
        tokio::spawn(async move { acquire(&lock, &key, "a").await })
    });
    for attempt in attempts.collect::<Vec<_>>() {
        assert!(attempt.await.expect("the attempt finishes").is_some());
    }
    for key in &keys {
        assert_eq!(
            acquire(&lock, key, "b").await,
            None,
            "none is forgotten for another"
        );
    }
}

/// Rule 19.
pub async fn a_dropped_attempt_ends_by_time(lock: Arc<dyn RefreshLock>, time: &HandTurned) {
    for round in 0..24 {
        let key = key();
        // Dropped sooner or later, in one round or another in the middle.
        let patience = Duration::from_micros(100 * round);
        let holder = Holder::new("a");
        drop(tokio::time::timeout(patience, lock.try_acquire(&key, &holder, LEASE)).await);
        let mut got = acquire(&lock, &key, "b").await;
        if got.is_none() {
            time.turn(LEASE);
            got = acquire(&lock, &key, "b").await;
        }
        assert!(got.is_some(), "round {round}");
        assert_eq!(acquire(&lock, &key, "c").await, None);
    }
}
