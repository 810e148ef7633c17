//! Weeks, as reports count them.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

/// A week of the ISO calendar: Monday to Sunday, `2026-W47`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoWeek {
    year: i16,
    week: i8,
}

impl IsoWeek {
    /// The week that a moment is in, in a zone.
    #[must_use]
    pub fn of(moment: Timestamp, zone: &TimeZone) -> Self {
        let date = zone.to_datetime(moment).date().iso_week_date();
        Self {
            year: date.year(),
            week: date.week(),
        }
    }

    /// The year that the week is counted in, which around New Year is not always that of the date.
    #[must_use]
    pub fn year(self) -> i16 {
        self.year
    }

    /// From 1 to 53.
    #[must_use]
    pub fn week(self) -> i8 {
        self.week
    }
}

impl fmt::Display for IsoWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.week)
    }
}

impl Serialize for IsoWeek {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
