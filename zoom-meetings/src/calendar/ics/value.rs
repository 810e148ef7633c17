//! Dates, times and lengths as they stand in a file, before a zone makes moments of them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// A value of `DTSTART` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Day(Date),
    Local(DateTime),
    Utc(Timestamp),
}

impl When {
    /// `20261122`, `20261122T150000` or `20261122T150000Z`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let Some((date, time)) = text.split_once(['T', 't']) else {
            return parse_date(text).map(Self::Day);
        };
        let (time, utc) = match time.strip_suffix(['Z', 'z']) {
            Some(time) => (time, true),
            None => (time, false),
        };
        let local = parse_date(date)?.to_datetime(parse_time(time)?);
        if utc {
            local
                .to_zoned(TimeZone::UTC)
                .ok()
                .map(|zoned| Self::Utc(zoned.timestamp()))
        } else {
            Some(Self::Local(local))
        }
    }

    /// The wall clock in a zone.
    pub(super) fn wall(self, zone: &TimeZone) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(Time::midnight()),
            Self::Local(local) => local,
            Self::Utc(moment) => zone.to_datetime(moment),
        }
    }

    /// The moment in a zone; a wall clock that was skipped moves on, one that came twice is the first.
    pub(super) fn moment(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Utc(moment) => Some(moment),
            other => zone.to_timestamp(other.wall(zone)).ok(),
        }
    }

    /// Whether this names the occurrence at a wall clock; a bare date names whatever is on that day.
    pub(super) fn names(self, wall: DateTime, zone: &TimeZone) -> bool {
        match self {
            Self::Day(date) => date == wall.date(),
            other => other
                .moment(zone)
                .is_some_and(|moment| zone.to_timestamp(wall).is_ok_and(|at| at == moment)),
        }
    }
}

fn parse_date(text: &str) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    Date::new(
        number(text, 0, 4)?,
        number(text, 4, 6)?.try_into().ok()?,
        number(text, 6, 8)?.try_into().ok()?,
    )
    .ok()
}

fn parse_time(text: &str) -> Option<Time> {
    let seconds = match text.len() {
        4 => 0,
        // A leap second has no place of its own on the clock.
        6 => number(text, 4, 6)?.min(59),
        _ => return None,
    };
    Time::new(
        number(text, 0, 2)?.try_into().ok()?,
        number(text, 2, 4)?.try_into().ok()?,
        seconds.try_into().ok()?,
        0,
    )
    .ok()
}

fn number(text: &str, from: usize, to: usize) -> Option<i16> {
    let digits = text.get(from..to)?;
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// How long an event is, in the way that the file says it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Length {
    /// The same number of seconds at every occurrence.
    Exact(SignedDuration),
    /// Whole days on the wall calendar, whatever the clocks do in between.
    Days(i32),
    /// `DURATION`: days by the calendar, hours by the clock.
    Span(Span),
}

impl Length {
    /// `PT1H30M`, `P1D`, `P2W`; a negative one is no length.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('+');
        if !text.starts_with(['P', 'p']) {
            return None;
        }
        let span: Span = text.parse().ok()?;
        if span.is_negative() {
            None
        } else {
            Some(Self::Span(span))
        }
    }

    pub(super) fn end(self, wall: DateTime, zone: &TimeZone) -> Option<Timestamp> {
        let start = wall.to_zoned(zone.clone()).ok()?;
        match self {
            Self::Exact(length) => start.timestamp().checked_add(length).ok(),
            Self::Days(days) => wall
                .checked_add(Span::new().try_days(days).ok()?)
                .ok()?
                .to_zoned(zone.clone())
                .ok()
                .map(|end| end.timestamp()),
            Self::Span(span) => start.checked_add(span).ok().map(|end| end.timestamp()),
        }
    }
}
