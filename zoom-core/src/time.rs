//! The clock, and Zoom's ways to write a time.

use std::{fmt, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};

/// Where the time comes from, so that tests can stop it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the machine's clock"
        )]
        Self::new(Timestamp::now)
    }

    /// A clock of your own.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Reads a time as Zoom writes it: RFC 3339, or the same without an offset (UTC then), with `T` or a space.
pub(crate) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let civil: DateTime = text.parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The start of a meeting in a zone, as Zoom wants it: the zone's wall clock, without an offset. Where that would not tell
/// which moment is meant (no zone, one that is not known, a clock that shows the time twice) it is UTC, with `Z`.
pub(crate) fn start_text(at: Timestamp, zone: Option<&str>) -> String {
    let wall = zone.and_then(|name| TimeZone::get(name).ok()).and_then(|zone| {
        let wall = zone.to_datetime(at);
        (!zone.to_ambiguous_timestamp(wall).is_ambiguous()).then_some(wall)
    });
    match wall {
        Some(wall) => wall.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        None => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// Reads what [`start_text`] writes, and everything that [`parse_timestamp`] reads.
pub(crate) fn parse_start(text: &str, zone: Option<&str>) -> Option<Timestamp> {
    let zone = zone.and_then(|name| TimeZone::get(name).ok());
    match (
        zone,
        text.trim().parse::<Timestamp>(),
        text.trim().parse::<DateTime>(),
    ) {
        (Some(zone), Err(_), Ok(wall)) => zone.to_timestamp(wall).ok(),
        _ => parse_timestamp(text),
    }
}

/// Reads `Retry-After` in the three ways it is sent: seconds, an ISO date (Zoom's daily limits), an HTTP date.
pub(crate) fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = parse_timestamp(text).or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))?;
    Some(until(at, now))
}

/// How long it is until the next midnight in UTC, when Zoom's daily limits start over.
pub(crate) fn until_midnight_utc(now: Timestamp) -> Duration {
    const DAY: i64 = 86_400;
    let seconds = DAY - now.as_second().rem_euclid(DAY);
    Duration::from_secs(seconds.unsigned_abs())
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    let left: SignedDuration = at.duration_since(now);
    Duration::try_from(left).unwrap_or(Duration::ZERO)
}

/// For bodies that Zoom must receive: UTC in whole seconds, `2026-02-01T15:00:00Z`.
pub(crate) mod whole_seconds {
    use jiff::Timestamp;
    use serde::Serializer;

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(at) => serializer.collect_str(&at.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_way_to_write_a_time_is_read() {
        for text in [
            "2026-01-06T09:00:12Z",
            "2026-01-06T10:00:12+01:00",
            "2026-01-06T09:00:12.000Z",
            "2026-01-06T09:00:12",
            "2026-01-06 09:00:12",
        ] {
            assert_eq!(parse_timestamp(text), Some(at("2026-01-06T09:00:12Z")), "{text}");
        }
        assert_eq!(parse_timestamp("soon"), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds_iso_date_and_http_date() {
        let now = at("2026-01-05T23:59:30Z");
        assert_eq!(parse_retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(
            parse_retry_after("2026-01-06T00:00:00Z", now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            parse_retry_after("Tue, 06 Jan 2026 00:00:00 GMT", now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            parse_retry_after("2026-01-05T00:00:00Z", now),
            Some(Duration::ZERO)
        );
        assert_eq!(parse_retry_after("later", now), None);
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        assert_eq!(
            until_midnight_utc(at("2026-01-05T23:59:30Z")),
            Duration::from_secs(30)
        );
        assert_eq!(
            until_midnight_utc(at("2026-01-06T00:00:00Z")),
            Duration::from_secs(86_400)
        );
    }
}
