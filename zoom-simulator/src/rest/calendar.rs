//! Dates of a series, and local times.

use jiff::{SignedDuration, Span, Timestamp, civil, tz::TimeZone};
use serde_json::Value;

use crate::{json::Fields as _, world::Occurrence};

/// `2026-02-01T15:00:00Z` is UTC; without the Z it is local in the time zone that stands beside it.
pub(super) fn start_time(text: &str, timezone: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local: civil::DateTime = text.parse().ok()?;
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    local.to_zoned(zone).ok().map(|zoned| zoned.timestamp())
}

/// The dates of a series; an end is always there, because Zoom never makes more than 60.
pub(super) fn occurrences(
    recurrence: &Value,
    start: Timestamp,
    duration: i64,
    timezone: &str,
) -> Vec<Occurrence> {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    let first = start.to_zoned(zone);
    let every = recurrence
        .field("repeat_interval")
        .as_i64()
        .unwrap_or(1)
        .clamp(1, 99);
    let until = recurrence
        .field("end_date_time")
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    let times = match recurrence.field("end_times").as_u64() {
        Some(0) | None if until.is_some() => 60,
        Some(0) => 60,
        None => 1,
        Some(times) => usize::try_from(times).unwrap_or(60).min(60),
    };
    let weekdays: Vec<i8> = recurrence
        .field("weekly_days")
        .as_str()
        .map(|days| {
            days.split(',')
                .filter_map(|day| day.trim().parse().ok())
                .collect()
        })
        .unwrap_or_default();
    let kind = recurrence.field("type").as_i64().unwrap_or(1);
    let mut found = Vec::new();
    for step in 0..(60 * 7 * 8) {
        let span = match kind {
            1 => Span::new().days(step * every),
            2 if weekdays.is_empty() => Span::new().days(step * 7 * every),
            2 => Span::new().days(step),
            _ => Span::new().months(step.saturating_mul(every).min(12 * 60)),
        };
        let Ok(at) = first.checked_add(span) else { break };
        let off = kind == 2 && !weekdays.is_empty() && {
            // Sunday is 1
            let day = at.weekday().to_sunday_one_offset();
            !weekdays.contains(&day) || (step / 7) % every != 0
        };
        let timestamp = at.timestamp();
        if until.is_some_and(|until| timestamp > until) || found.len() == times {
            break;
        }
        if !off {
            found.push(Occurrence {
                id: timestamp.as_millisecond().to_string(),
                start: timestamp,
                duration,
                deleted: false,
            });
        }
    }
    found
}

/// `yyyy-mm-dd`, in UTC. Clients also send a time behind it, and Zoom takes it.
pub(super) fn date(text: &str) -> Option<civil::Date> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    if !time.is_empty() && start_time(text, "UTC").is_none() {
        return None;
    }
    date.parse().ok()
}

pub(super) fn today(now: Timestamp) -> civil::Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// From 00:00 of the first day to 24:00 of the last, in UTC.
pub(super) fn days(from: civil::Date, to: civil::Date) -> (Timestamp, Timestamp) {
    let begin = |date: civil::Date| {
        date.to_zoned(TimeZone::UTC)
            .map_or(Timestamp::MIN, |zoned| zoned.timestamp())
    };
    (
        begin(from),
        begin(to)
            .saturating_add(SignedDuration::from_hours(24))
            .unwrap_or(Timestamp::MAX),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_series_has_the_dates_zoom_would_make() {
        let start: Timestamp = "2026-01-06T09:00:00Z".parse().unwrap();
        let dates = |recurrence: Value| -> Vec<String> {
            occurrences(&recurrence, start, 15, "UTC")
                .iter()
                .map(|one| one.start.to_string())
                .collect()
        };
        assert_eq!(
            dates(json!({ "type": 1, "repeat_interval": 2, "end_times": 2 })),
            ["2026-01-06T09:00:00Z", "2026-01-08T09:00:00Z"]
        );
        // Tuesday and Friday
        assert_eq!(
            dates(json!({ "type": 2, "weekly_days": "3,6", "end_times": 3 })),
            [
                "2026-01-06T09:00:00Z",
                "2026-01-09T09:00:00Z",
                "2026-01-13T09:00:00Z"
            ]
        );
        assert_eq!(
            dates(json!({ "type": 1, "end_date_time": "2026-01-08T23:00:00Z" })).len(),
            3
        );
        assert_eq!(dates(json!({ "type": 3, "end_times": 0 })).len(), 60);
    }

    #[test]
    fn a_day_may_come_with_a_time() {
        let day = civil::date(2026, 11, 22);
        for text in ["2026-11-22", "2026-11-22T05:45:00Z", "2026-11-22T05:45:00"] {
            assert_eq!(date(text), Some(day), "{text}");
        }
        for text in ["", "nonsense", "2026-11-22Tnoon", "2026-13-01"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_z_is_local() {
        let utc = start_time("2026-02-01T15:00:00Z", "Europe/Lisbon").unwrap();
        assert_eq!(utc.to_string(), "2026-02-01T15:00:00Z");
        assert_eq!(
            start_time("2026-07-01T15:00:00", "UTC").unwrap().to_string(),
            "2026-07-01T15:00:00Z"
        );
        assert!(start_time("next week", "UTC").is_none());
    }
}
