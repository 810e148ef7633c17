//! The rules of [`RefreshLock`].

use std::{
    sync::{Arc, Mutex, PoisonError},
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
    lock.try_acquire(key, &Holder::new(holder), LEASE)
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
    for round in 0..4 {
        let start = Arc::new(Barrier::new(16));
        let racers = (0..16).map(|number| {
            let (lock, key, start) = (Arc::clone(&lock), key.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                let holder = format!("{round}-{number}");
                start.wait().await;
                acquire(&lock, &key, &holder).await.map(|_| holder)
            })
        });
        let mut winners = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            winners.extend(racer.await.expect("the racer finishes"));
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        for winner in winners {
            release(&lock, &key, &winner).await;
        }
    }
}
