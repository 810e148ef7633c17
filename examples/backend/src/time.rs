//! What the calendar said against what Zoom saw.

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use zoom_meetings::{Calendar, CalendarWarning, Directory, TimeReport, TimeWindow};
use zoom_oauth::OwnerId;

use crate::Backend;

/// A time report and what could not be read on the way.
#[derive(Debug)]
#[non_exhaustive]
pub struct TimeReported {
    /// The report.
    pub report: TimeReport,
    /// Events of the calendar that were left out, and why.
    pub warnings: Vec<CalendarWarning>,
}

impl Backend {
    /// The last and the next four weeks of a calendar, against the past meetings of an owner's account.
    pub async fn time_report(&self, owner: &OwnerId, calendar: &dyn Calendar) -> Result<TimeReported> {
        let now = self.clock.now();
        let weeks = SignedDuration::from_hours(4 * 7 * 24);
        let window = TimeWindow {
            from: now.checked_sub(weeks)?,
            to: now.checked_add(weeks)?,
        };
        let found = calendar
            .events(window)
            .await
            .context("the calendar could not be read")?;
        let meetings: Vec<_> = found
            .events
            .iter()
            .filter_map(|event| event.meeting_id())
            .collect();
        let client = self
            .connections
            .client_for(owner)
            .await
            .context("the time report needs a live connection")?;
        let histories = self.past_meetings.load(&client, meetings, window).await?;
        let directory = self
            .domains
            .iter()
            .fold(Directory::new(), |directory, domain| directory.internal(domain));
        let report = TimeReport::builder(now)
            .directory(directory)
            .window(window)
            .build(&found.events, &histories);
        Ok(TimeReported {
            report,
            warnings: found.warnings,
        })
    }
}
