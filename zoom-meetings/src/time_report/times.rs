//! Counts and sums of meetings.

use serde::{Serialize, Serializer};

/// Counts and sums of some meetings, exact to the millisecond.
///
/// * What is not known is not zero: without a single meeting whose time is known, actual and delta are absent.
/// * `delta` compares like with like: the scheduled time of meetings whose actual time is unknown is left out of it.
/// * In JSON every sum stands there in milliseconds and in minutes with two decimals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// Meetings, the cancelled ones left out.
    pub meetings: u32,
    /// Both sides met.
    pub held: u32,
    /// The customer did not come.
    pub no_shows_customer: u32,
    /// Our side did not come.
    pub no_shows_host: u32,
    /// Nobody started it, or nobody stayed.
    pub not_started: u32,
    /// Held among ourselves.
    pub internal_only: u32,
    /// Held without an event in the calendar.
    pub unscheduled: u32,
    /// Meetings of which nobody knows how they turned out.
    pub unknown: u32,
    /// Called off; in no other number.
    pub cancelled: u32,
    /// What the calendar said.
    pub scheduled_ms: i64,
    /// The part of it whose actual time is not known.
    pub unknown_scheduled_ms: i64,
    /// What it really took; `None` when it is known of no meeting.
    pub actual_ms: Option<i64>,
}

impl Times {
    /// Actual minus scheduled, over the meetings whose actual time is known.
    #[must_use]
    pub fn delta_ms(&self) -> Option<i64> {
        self.actual_ms
            .map(|actual| actual - (self.scheduled_ms - self.unknown_scheduled_ms))
    }

    /// What the calendar said, in minutes with two decimals.
    #[must_use]
    pub fn scheduled_minutes(&self) -> f64 {
        minutes(self.scheduled_ms)
    }

    /// What it really took, in minutes with two decimals.
    #[must_use]
    pub fn actual_minutes(&self) -> Option<f64> {
        self.actual_ms.map(minutes)
    }

    /// Actual minus scheduled, in minutes with two decimals.
    #[must_use]
    pub fn delta_minutes(&self) -> Option<f64> {
        self.delta_ms().map(minutes)
    }

    /// Meetings that did not happen because one side was missing.
    #[must_use]
    pub fn no_shows(&self) -> u32 {
        self.no_shows_customer + self.no_shows_host
    }

    /// Adds the counts and sums of other meetings.
    pub fn merge(&mut self, other: &Self) {
        self.meetings += other.meetings;
        self.held += other.held;
        self.no_shows_customer += other.no_shows_customer;
        self.no_shows_host += other.no_shows_host;
        self.not_started += other.not_started;
        self.internal_only += other.internal_only;
        self.unscheduled += other.unscheduled;
        self.unknown += other.unknown;
        self.cancelled += other.cancelled;
        self.scheduled_ms += other.scheduled_ms;
        self.unknown_scheduled_ms += other.unknown_scheduled_ms;
        if let Some(actual) = other.actual_ms {
            *self.actual_ms.get_or_insert(0) += actual;
        }
    }
}

/// Hundredths of a minute, half away from zero.
pub(super) fn hundredths(ms: i64) -> i64 {
    let rounded = (ms.abs() + 300) / 600;
    if ms < 0 { -rounded } else { rounded }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "hundredths of minutes of any calendar are far below 2^53"
)]
fn minutes(ms: i64) -> f64 {
    hundredths(ms) as f64 / 100.0
}

#[derive(Serialize)]
struct Json {
    meetings: u32,
    held: u32,
    no_shows: u32,
    no_shows_customer: u32,
    no_shows_host: u32,
    not_started: u32,
    internal_only: u32,
    unscheduled: u32,
    unknown: u32,
    cancelled: u32,
    scheduled_ms: i64,
    unknown_scheduled_ms: i64,
    actual_ms: Option<i64>,
    delta_ms: Option<i64>,
    scheduled_minutes: f64,
    actual_minutes: Option<f64>,
    delta_minutes: Option<f64>,
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json {
            meetings: self.meetings,
            held: self.held,
            no_shows: self.no_shows(),
            no_shows_customer: self.no_shows_customer,
            no_shows_host: self.no_shows_host,
            not_started: self.not_started,
            internal_only: self.internal_only,
            unscheduled: self.unscheduled,
            unknown: self.unknown,
            cancelled: self.cancelled,
            scheduled_ms: self.scheduled_ms,
            unknown_scheduled_ms: self.unknown_scheduled_ms,
            actual_ms: self.actual_ms,
            delta_ms: self.delta_ms(),
            scheduled_minutes: self.scheduled_minutes(),
            actual_minutes: self.actual_minutes(),
            delta_minutes: self.delta_minutes(),
        }
        .serialize(serializer)
    }
}
