//! Requests per second and day, counted per account and label.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};

/// Zoom's name for how heavy a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    Light,
    Medium,
    Heavy,
}

impl Label {
    /// The value of `X-RateLimit-Category`.
    pub(crate) const fn category(self) -> &'static str {
        match self {
            Self::Light => "Light",
            Self::Medium => "Medium",
            Self::Heavy => "Heavy",
        }
    }
}

/// How many requests of one label an account may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// In one second.
    pub per_second: u32,
    /// In one day, which begins at 00:00 UTC.
    pub per_day: u32,
}

impl RateLimit {
    /// So many in a second, so many in a day.
    #[must_use]
    pub const fn new(per_second: u32, per_day: u32) -> Self {
        Self { per_second, per_day }
    }
}

/// The limits of an account's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimits {
    /// Calls with the label Light.
    pub light: RateLimit,
    /// Calls with the label Medium.
    pub medium: RateLimit,
    /// Calls with the label Heavy.
    pub heavy: RateLimit,
}

const UNLIMITED: u32 = u32::MAX;

impl RateLimits {
    /// More than any test needs.
    #[must_use]
    pub const fn generous() -> Self {
        let limit = RateLimit::new(100_000, UNLIMITED);
        Self {
            light: limit,
            medium: limit,
            heavy: limit,
        }
    }

    /// Zoom's free plan.
    #[must_use]
    pub const fn free() -> Self {
        Self {
            light: RateLimit::new(4, 6000),
            medium: RateLimit::new(2, 2000),
            heavy: RateLimit::new(1, 1000),
        }
    }

    /// Zoom's Pro plan.
    #[must_use]
    pub const fn pro() -> Self {
        Self {
            light: RateLimit::new(30, UNLIMITED),
            medium: RateLimit::new(20, UNLIMITED),
            heavy: RateLimit::new(10, 30_000),
        }
    }

    /// Zoom's Business plan and those above it.
    #[must_use]
    pub const fn business() -> Self {
        Self {
            light: RateLimit::new(80, UNLIMITED),
            medium: RateLimit::new(60, UNLIMITED),
            heavy: RateLimit::new(40, 60_000),
        }
    }

    const fn of(&self, label: Label) -> RateLimit {
        match label {
            Label::Light => self.light,
            Label::Medium => self.medium,
            Label::Heavy => self.heavy,
        }
    }
}

/// What the meter says about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass { limit: u32, remaining: u32 },
    TooManyThisSecond { limit: u32 },
    TooManyToday { limit: u32, again_at: Timestamp },
}

/// Counts requests, and changes of meetings per host.
#[derive(Debug, Default)]
pub(crate) struct RateMeter {
    seconds: HashMap<(String, Label), (i64, u32)>,
    days: HashMap<(String, Label), (i64, u32)>,
    meeting_changes: HashMap<String, (i64, u32)>,
}

const DAY_SECONDS: i64 = 24 * 3600;

/// When the next day begins in UTC.
pub(crate) fn next_midnight(now: Timestamp) -> Timestamp {
    now.to_zoned(TimeZone::UTC)
        .tomorrow()
        .and_then(|day| day.start_of_day())
        .map_or(Timestamp::MAX, |day| day.timestamp())
}

impl RateMeter {
    pub(crate) fn count(
        &mut self,
        account: &str,
        label: Label,
        limits: &RateLimits,
        now: Timestamp,
    ) -> Verdict {
        let limit = limits.of(label);
        let key = (account.to_owned(), label);
        let today = bump(
            self.days.entry(key.clone()).or_default(),
            now.as_second().div_euclid(DAY_SECONDS),
        );
        if today > limit.per_day {
            return Verdict::TooManyToday {
                limit: limit.per_day,
                again_at: next_midnight(now),
            };
        }
        let this_second = bump(self.seconds.entry(key).or_default(), now.as_second());
        if this_second > limit.per_second {
            return Verdict::TooManyThisSecond {
                limit: limit.per_second,
            };
        }
        Verdict::Pass {
            limit: limit.per_second,
            remaining: limit.per_second.saturating_sub(this_second),
        }
    }

    /// Whether the host's meetings may be created or changed once more today.
    pub(crate) fn meeting_change(&mut self, host: &str, per_day: u32, now: Timestamp) -> bool {
        bump(
            self.meeting_changes.entry(host.to_owned()).or_default(),
            now.as_second().div_euclid(DAY_SECONDS),
        ) <= per_day
    }
}

/// Counts one more in this window, from zero if the window is new.
fn bump((window, count): &mut (i64, u32), current: i64) -> u32 {
    if *window != current {
        (*window, *count) = (current, 0);
    }
    *count = count.saturating_add(1);
    *count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_and_a_day_are_counted_apart_and_start_anew() {
        let limits = RateLimits {
            light: RateLimit::new(2, 3),
            ..RateLimits::generous()
        };
        let mut meter = RateMeter::default();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut ask = |now: &str| meter.count("a", Label::Light, &limits, at(now));
        assert_eq!(
            ask("2026-01-05T10:00:00Z"),
            Verdict::Pass {
                limit: 2,
                remaining: 1
            }
        );
        assert_eq!(
            ask("2026-01-05T10:00:00Z"),
            Verdict::Pass {
                limit: 2,
                remaining: 0
            }
        );
        assert_eq!(
            ask("2026-01-05T10:00:00.9Z"),
            Verdict::TooManyThisSecond { limit: 2 }
        );
        let midnight = at("2026-01-06T00:00:00Z");
        assert_eq!(
            ask("2026-01-05T23:59:59Z"),
            Verdict::TooManyToday {
                limit: 3,
                again_at: midnight
            }
        );
        assert!(matches!(ask("2026-01-06T00:00:00Z"), Verdict::Pass { .. }));
    }
}
