//! Series that repeat daily or weekly, walked on the wall calendar of their zone.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::value::When;

/// More than fifty years of days.
const MAX_STEPS: usize = 20_000;

/// `FREQ=DAILY` or `FREQ=WEEKLY`, with what usually comes with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    weekly: bool,
    interval: i32,
    count: Option<usize>,
    until: Option<When>,
    days: Vec<Weekday>,
    week_start: Weekday,
}

/// Wall clocks of a series up to an end, and whether the walk was cut short.
pub(super) struct Walk {
    pub(super) starts: Vec<DateTime>,
    pub(super) cut_short: bool,
}

impl Rule {
    /// Reads an `RRULE`; `None` for everything that is not walked here, so that nothing is half understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut frequency = None;
        let mut rule = Self {
            weekly: false,
            interval: 1,
            count: None,
            until: None,
            days: Vec::new(),
            week_start: Weekday::Monday,
        };
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => frequency = Some(value.to_ascii_uppercase()),
                "INTERVAL" => rule.interval = interval(value)?,
                "COUNT" => rule.count = Some(value.parse().ok().filter(|count| *count > 0)?),
                "UNTIL" => rule.until = Some(When::parse(value)?),
                "WKST" => rule.week_start = weekday(value)?,
                "BYDAY" => rule.days = value.split(',').map(weekday).collect::<Option<_>>()?,
                _ => return None,
            }
        }
        rule.weekly = match frequency?.as_str() {
            "DAILY" => false,
            "WEEKLY" => true,
            _ => return None,
        };
        Some(rule)
    }

    /// Every start from the first on, until `to` is passed. The first always counts.
    pub(super) fn walk(&self, first: DateTime, zone: &TimeZone, to: Timestamp) -> Walk {
        let mut walk = Walk {
            starts: Vec::new(),
            cut_short: false,
        };
        let mut taken = 0_usize;
        let mut steps = 0_usize;
        let mut period = Some(if self.weekly {
            week_of(first, self.week_start)
        } else {
            first
        });
        while let Some(current) = period {
            for start in self.starts_in(current, first) {
                let Ok(moment) = zone.to_timestamp(start) else {
                    return walk;
                };
                let full = self.count.is_some_and(|count| taken >= count);
                if full || moment >= to || self.is_past_end(start, moment) {
                    return walk;
                }
                taken += 1;
                walk.starts.push(start);
            }
            steps += 1;
            if steps >= MAX_STEPS {
                walk.cut_short = true;
                return walk;
            }
            let step = Span::new().try_days(if self.weekly {
                self.interval * 7
            } else {
                self.interval
            });
            period = step.ok().and_then(|step| current.checked_add(step).ok());
        }
        walk
    }

    /// The starts of one day or week, in order, none before the first.
    fn starts_in(&self, period: DateTime, first: DateTime) -> Vec<DateTime> {
        if !self.weekly {
            let matches = self.days.is_empty() || self.days.contains(&period.weekday()) || period == first;
            return if matches { vec![period] } else { Vec::new() };
        }
        (0..7)
            .filter_map(|day| period.checked_add(Span::new().days(day)).ok())
            .filter(|start| *start >= first)
            .filter(|start| {
                let on_day = if self.days.is_empty() {
                    start.weekday() == first.weekday()
                } else {
                    self.days.contains(&start.weekday())
                };
                on_day || *start == first
            })
            .collect()
    }

    fn is_past_end(&self, start: DateTime, moment: Timestamp) -> bool {
        match self.until {
            None => false,
            Some(When::Day(day)) => start.date() > day,
            Some(When::Local(until)) => start > until,
            Some(When::Utc(until)) => moment > until,
        }
    }
}

/// The first day of the week that a start is in, at the start's time of day.
fn week_of(start: DateTime, week_start: Weekday) -> DateTime {
    let back = start.weekday().since(week_start);
    start.checked_sub(Span::new().days(back)).unwrap_or(start)
}

fn interval(text: &str) -> Option<i32> {
    text.parse().ok().filter(|interval| (1..=1000).contains(interval))
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.trim().to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}
