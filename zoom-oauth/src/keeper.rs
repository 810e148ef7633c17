//! Looks after connections that nobody uses.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use token_store::{ConnectionId, Filter, LockKey, PageToken, RecordKind, Status, StoredConnection};

use crate::{
    Connections, Error, ErrorKind, InterruptedOutcome, attributes, detached::detached, digest::digest,
    refresh::live, state::sweep_started,
};

/// Longer than one connection takes, retries included.
const LEASE: Duration = Duration::from_secs(5 * 60);
/// How long a connection rests about which Zoom did not answer.
const REST: SignedDuration = SignedDuration::from_mins(15);
const SHORTEST_ROUND: Duration = Duration::from_secs(1);
const LONGEST_ROUND: Duration = Duration::from_secs(5 * 60);

/// Keeps connections alive that nobody uses, and looks at all of them now and then: a background task, one line for a
/// host, and as many hosts as there are.
///
/// * Tokens that were not refreshed for a month are: long before Zoom ends their refresh tokens, after about 90 days.
/// * Once a day each connection is [tested](Connections::test), so that what was switched off in Zoom is known before a
///   meeting is missed, and what was mended is, too. No two at the same time: the checks spread by themselves.
/// * A refresh that a process began and did not end is brought to an end, and so is a connect that Zoom was slow about.
/// * What nobody has finished in time goes: connects that were started, and installations, whose grants are ended.
///
/// Whatever the number of hosts, one of them looks after a connection when its time has come: a lease keeps them apart,
/// and [`checked_at`](crate::Connection::checked_at) tells the others. A store that fails or a panic costs one round or
/// one connection, not the task.
///
/// ```no_run
/// # fn example(connections: zoom_oauth::Connections) {
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let keeper = tokio::spawn(zoom_oauth::Keeper::new(connections).run(async { drop(stopped.await) }));
/// # }
/// ```
#[must_use = "it does nothing until it runs"]
#[derive(Debug)]
pub struct Keeper {
    connections: Connections,
    refresh_idle_after: Duration,
    check_every: Option<Duration>,
    jitter: f64,
    pause: Duration,
    /// Connections about which Zoom did not answer, until when they rest.
    resting: Mutex<HashMap<ConnectionId, Timestamp>>,
}

/// What one round has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Round {
    /// How many records there were.
    pub seen: usize,
    /// How many connections were tested.
    pub checked: usize,
    /// How many were refreshed for being idle, or for a refresh that was interrupted.
    pub refreshed: usize,
    /// How many unfinished connects were finished.
    pub finished: usize,
    /// How often something did not work; it is tried again.
    pub failed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Finish,
    Refresh,
    Check,
}

impl Keeper {
    /// With a check of each connection a day, and a refresh of those that were idle for 30 days.
    pub fn new(connections: Connections) -> Self {
        Self {
            connections,
            refresh_idle_after: Duration::from_secs(30 * 24 * 60 * 60),
            check_every: Some(Duration::from_secs(24 * 60 * 60)),
            jitter: 0.2,
            pause: Duration::from_millis(200),
            resting: Mutex::default(),
        }
    }

    /// Refreshes tokens that were not refreshed for so long.
    pub fn with_refresh_idle_after(mut self, idle: Duration) -> Self {
        self.refresh_idle_after = idle;
        self
    }

    /// Tests each connection so often. A test refreshes a token that has run out, so that none is idle for longer.
    pub fn with_check_every(mut self, cadence: Duration) -> Self {
        self.check_every = Some(cadence);
        self
    }

    /// Tests no connection, only keeps them alive.
    pub fn without_checks(mut self) -> Self {
        self.check_every = None;
        self
    }

    /// By which share of its time a connection's turn may come early, from 0 to 1, so that those which were connected
    /// at once are not looked at together: 0.2 unless you say otherwise. Each connection has its own, always the same.
    pub fn with_jitter(mut self, share: f64) -> Self {
        self.jitter = share.clamp(0.0, 1.0);
        self
    }

    /// How long to rest after each connection that was looked after: 200 ms unless you say otherwise.
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Runs until `shutdown` is ready, which may be a cancelled token, a signal, or a channel that closed. What is under
    /// way is brought to its end, and tokens that the store did not take are tried once more.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let stop = AtomicBool::new(false);
        let sleeper = &self.connections.inner.sleeper;
        loop {
            {
                let mut round = pin!(self.round(&stop));
                tokio::select! {
                    biased;
                    () = &mut shutdown => {
                        stop.store(true, Ordering::Relaxed);
                        round.await;
                        break;
                    }
                    done = &mut round => tracing::debug!(?done, "looked after the connections"),
                }
            }
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = sleeper.sleep(self.between_rounds()) => {}
            }
        }
        let left = self.connections.flush().await;
        if !left.is_empty() {
            tracing::error!(
                connections = left.len(),
                "new tokens are not saved, and this process ends"
            );
        }
    }

    /// One round through all connections, for hosts that have a scheduler of their own: those whose time has come are
    /// looked after, the others are not.
    pub async fn once(&self) -> Round {
        self.round(&AtomicBool::new(false)).await
    }

    /// Often enough that nothing is late by more than a twentieth of its time.
    fn between_rounds(&self) -> Duration {
        let shortest = self
            .check_every
            .unwrap_or(self.refresh_idle_after)
            .min(self.refresh_idle_after);
        (shortest / 20).clamp(SHORTEST_ROUND, LONGEST_ROUND)
    }

    async fn round(&self, stop: &AtomicBool) -> Round {
        let mut round = Round::default();
        self.sweep().await;
        let mut page = PageToken::first();
        loop {
            let found = match self.page(page).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the connections cannot be read now"
                    );
                    round.failed += 1;
                    return round;
                }
            };
            for found in found.items {
                if stop.load(Ordering::Relaxed) {
                    return round;
                }
                round.seen += 1;
                if self.attend(&found.value, &mut round).await {
                    self.connections.inner.sleeper.sleep(self.pause).await;
                }
            }
            match found.next {
                Some(next) => page = next,
                None => return round,
            }
        }
    }

    async fn page(
        &self,
        page: PageToken,
    ) -> Result<token_store::Page<token_store::Versioned<StoredConnection>>, Error> {
        let store = std::sync::Arc::clone(&self.connections.inner.records.store);
        detached(async move {
            let filter = Filter::all().kind(RecordKind::Connection);
            Ok(store.find(&filter, page).await?)
        })
        .await
    }

    /// Deletes what nobody has finished in time.
    async fn sweep(&self) {
        let connections = self.connections.clone();
        let swept = detached(async move {
            connections.sweep_installations().await;
            let inner = &connections.inner;
            sweep_started(&inner.records, inner.clock.now()).await;
            Ok(())
        });
        if let Err(error) = swept.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what nobody finished was not removed"
            );
        }
    }

    /// Looks after one connection if its time has come; returns whether anything was done.
    async fn attend(&self, record: &StoredConnection, round: &mut Round) -> bool {
        let inner = &self.connections.inner;
        let now = inner.clock.now();
        let times = self.times();
        let interrupted = attributes::refresh_intent(record).is_some();
        let due = inner.records.is_ours(record) && (interrupted || times.due(record, now).is_some());
        if !due || self.rests(&record.id, now) {
            return false;
        }
        let (connections, id) = (self.connections.clone(), record.id.clone());
        let cared = detached(async move { connections.care(&id, &times).await }).await;
        match cared {
            Ok(None) => return false,
            Ok(Some(Care::Finish)) => round.finished += 1,
            Ok(Some(Care::Refresh)) => round.refreshed += 1,
            Ok(Some(Care::Check)) => round.checked += 1,
            Err(error) => {
                tracing::warn!(connection = %record.id, error = &error as &dyn std::error::Error,
                    "a connection could not be looked after; it is tried again");
                round.failed += 1;
                self.rest(record.id.clone(), now);
            }
        }
        true
    }

    fn times(&self) -> Times {
        let signed = |time: Duration| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        Times {
            refresh_idle_after: signed(self.refresh_idle_after),
            check_every: self.check_every.map(signed),
            jitter: self.jitter,
        }
    }

    fn rests(&self, id: &ConnectionId, now: Timestamp) -> bool {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > now);
        resting.contains_key(id)
    }

    fn rest(&self, id: ConnectionId, now: Timestamp) {
        let cadence = self.times().check_every.unwrap_or(REST);
        let until = now.saturating_add(REST.min(cadence)).unwrap_or(Timestamp::MAX);
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(id, until);
    }
}

/// When a connection's time has come.
#[derive(Clone, Debug)]
struct Times {
    refresh_idle_after: SignedDuration,
    check_every: Option<SignedDuration>,
    jitter: f64,
}

impl Times {
    fn due(&self, record: &StoredConnection, now: Timestamp) -> Option<Care> {
        if record.status == Status::Pending {
            return Some(Care::Finish);
        }
        live(record).ok()?;
        let share = 1.0 - self.jitter * fraction(&record.id);
        let since = |then: Timestamp, time: SignedDuration| now.duration_since(then) >= time.mul_f64(share);
        // Access tokens live for an hour: what ran out an hour ago was refreshed two hours ago, near enough.
        let refreshed_at = attributes::refreshed_at(record).max(record.expires_at.filter(|at| *at <= now));
        let refreshed_at = refreshed_at.unwrap_or(record.created_at);
        if since(refreshed_at, self.refresh_idle_after) && record.expires_at.is_none_or(|at| at <= now) {
            return Some(Care::Refresh);
        }
        let checked_at = attributes::time(record, attributes::CHECKED_AT).unwrap_or(record.created_at);
        (self.check_every.is_some_and(|cadence| since(checked_at, cadence))).then_some(Care::Check)
    }
}

/// From 0 to 1, always the same for the same connection.
fn fraction(id: &ConnectionId) -> f64 {
    let digest = digest(&["keeper", id.as_str()]);
    let number = digest.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    f64::from(number.unwrap_or_default()) / f64::from(u32::MAX)
}

impl Connections {
    /// What a connection needs now, unless another host is at it or was faster.
    async fn care(&self, id: &ConnectionId, times: &Times) -> Result<Option<Care>, Error> {
        let key = LockKey::new(format!("keeper:{id}"));
        self.unless_taken(&key, LEASE, self.care_leased(id, times)).await
    }

    async fn care_leased(&self, id: &ConnectionId, times: &Times) -> Result<Option<Care>, Error> {
        let inner = &self.inner;
        // As it is now: somebody may have been here a moment ago.
        let Some(found) = inner.records.store.load(id).await? else {
            return Ok(None);
        };
        if attributes::refresh_intent(&found.value).is_some() {
            match self.settle_one(id).await {
                Some(InterruptedOutcome::Live | InterruptedOutcome::Expired) => {
                    return Ok(Some(Care::Refresh));
                }
                // Somebody is at it, or Zoom does not answer: there will be another round.
                Some(InterruptedOutcome::Open) => return Ok(None),
                None => {}
            }
        }
        let care = times.due(&found.value, inner.clock.now());
        match care {
            Some(Care::Finish) => {
                let finished = self.finish(&found.value.owner).await?;
                return Ok(finished.map(|_| Care::Finish));
            }
            Some(Care::Refresh) => match inner.refresher.force(id).await {
                Ok(_) => {}
                // That is an outcome, and it is saved.
                Err(error) if error.needs_reauthorization() => {}
                Err(error) => return Err(error),
            },
            Some(Care::Check) => {
                let health = self.examine(id).await?;
                if !health.answered {
                    return Err(Error::new(ErrorKind::Unavailable));
                }
            }
            None => {}
        }
        Ok(care)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spread_over_the_jitter_and_stay_where_they_are() {
        let fractions: Vec<f64> = (0..1000)
            .map(|number| fraction(&ConnectionId::new(number.to_string())))
            .collect();
        assert!(fractions.iter().all(|fraction| (0.0..=1.0).contains(fraction)));
        for tenth in 0..10 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            let inside = fractions
                .iter()
                .filter(|fraction| (from..to).contains(*fraction))
                .count();
            assert!((50..150).contains(&inside), "{inside} in tenth {tenth}");
        }
        assert_eq!(
            fraction(&ConnectionId::new("7")).to_bits(),
            fractions[7].to_bits()
        );
    }

    #[test]
    fn a_turn_comes_early_by_the_jitter_at_most_and_never_late() {
        let connected_at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let times = Times {
            refresh_idle_after: SignedDuration::from_hours(30 * 24),
            check_every: Some(SignedDuration::from_hours(24)),
            jitter: 0.5,
        };
        let mut early = 0;
        for number in 0..100 {
            let id = ConnectionId::new(number.to_string());
            let record = StoredConnection::new(
                id,
                "o".into(),
                RecordKind::Connection,
                Status::Active,
                connected_at,
            );
            let due = |hours| times.due(&record, connected_at + SignedDuration::from_hours(hours));
            assert_eq!((due(11), due(24)), (None, Some(Care::Check)), "{number}");
            early += usize::from(due(18).is_some());
        }
        assert!((30..70).contains(&early), "{early}");
    }
}
