//! The simulator's time: the machine's, until somebody moves or stops it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A clock that can be moved, stopped and set going again. Clones show the same time.
///
/// Everything the simulator does by time (tokens and codes that expire, webhooks that are sent again, meetings that go
/// on, limits that reset) goes by this clock.
#[derive(Clone)]
pub struct VirtualClock {
    state: Arc<Mutex<State>>,
    moved: Arc<watch::Sender<()>>,
}

#[derive(Clone, Copy)]
enum State {
    /// Ahead of the machine's time by so much.
    Running(SignedDuration),
    Frozen(Timestamp),
}

impl State {
    fn now(self) -> Timestamp {
        match self {
            Self::Running(ahead) => machine_now().saturating_add(ahead).unwrap_or(Timestamp::MAX),
            Self::Frozen(at) => at,
        }
    }
}

fn machine_now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the simulator's clock")]
    Timestamp::now()
}

impl VirtualClock {
    /// The machine's time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Arc::new(Mutex::new(State::Running(SignedDuration::ZERO))),
            moved: Arc::new(watch::channel(()).0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.moved.send_replace(());
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    /// Moves the clock forward; a frozen one stays frozen.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.change(|state| match state {
            State::Running(ahead) => *ahead = ahead.saturating_add(by),
            State::Frozen(at) => *at = at.saturating_add(by).unwrap_or(Timestamp::MAX),
        });
    }

    /// Sets the clock; a running one runs on from there.
    pub fn set(&self, to: Timestamp) {
        self.change(|state| match state {
            State::Running(ahead) => *ahead = to.duration_since(machine_now()),
            State::Frozen(at) => *at = to,
        });
    }

    /// Stops the clock where it is.
    pub fn freeze(&self) {
        self.change(|state| *state = State::Frozen(state.now()));
    }

    /// Lets a frozen clock run on from where it stands.
    pub fn resume(&self) {
        self.change(|state| {
            if let State::Frozen(at) = *state {
                *state = State::Running(at.duration_since(machine_now()));
            }
        });
    }

    /// Whether the clock stands still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        matches!(*self.state(), State::Frozen(_))
    }

    /// Returns when the clock shows this time, however it gets there.
    pub async fn reach(&self, at: Timestamp) {
        let mut moved = self.moved.subscribe();
        loop {
            let state = *self.state();
            let left = at.duration_since(state.now());
            if left <= SignedDuration::ZERO {
                return;
            }
            let left = Duration::try_from(left).unwrap_or(Duration::MAX);
            match state {
                State::Frozen(_) => {
                    if moved.changed().await.is_err() {
                        return;
                    }
                }
                State::Running(_) => {
                    tokio::select! {
                        _ = moved.changed() => {}
                        () = tokio::time::sleep(left) => {}
                    }
                }
            }
        }
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock")
            .field("now", &self.now())
            .field("frozen", &self.is_frozen())
            .finish()
    }
}

/// Zoom's way to write a time: UTC, to the second.
pub(crate) fn zoom_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = VirtualClock::new();
        clock.freeze();
        let start = clock.now();
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().duration_since(start).as_secs(), 90);
        clock.resume();
        assert!(!clock.is_frozen());
        assert!(clock.now() >= start);
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_moved_past_its_time() {
        let clock = VirtualClock::new();
        clock.freeze();
        let at = clock.now() + SignedDuration::from_hours(1);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reach(at).await }
        });
        clock.advance(Duration::from_secs(3599));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }
}
