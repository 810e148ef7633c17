//! Reports as tables: RFC 4180, safe to open in a spreadsheet.

use ::csv::{Terminator, Writer, WriterBuilder};

use super::TimeReport;
use super::times::hundredths;
use crate::meeting_time::MeetingTime;

/// A table could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the report could not be written as csv")]
pub struct CsvError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<::csv::Error> for CsvError {
    fn from(error: ::csv::Error) -> Self {
        Self(error.into())
    }
}

impl TimeReport {
    /// The sums as a table, one line per customer, rep and week. What is not known is an empty cell.
    ///
    /// # Errors
    ///
    /// [`CsvError`] when there is no memory left for it.
    pub fn to_csv(&self) -> Result<String, CsvError> {
        let mut table = table();
        table.write_record([
            "customer",
            "rep",
            "week",
            "meetings",
            "held",
            "no_shows_customer",
            "no_shows_host",
            "not_started",
            "internal_only",
            "unscheduled",
            "unknown",
            "cancelled",
            "scheduled_ms",
            "unknown_scheduled_ms",
            "actual_ms",
            "delta_ms",
            "scheduled_minutes",
            "actual_minutes",
            "delta_minutes",
        ])?;
        for row in &self.rows {
            let times = &row.times;
            let counts = [
                times.meetings,
                times.held,
                times.no_shows_customer,
                times.no_shows_host,
                times.not_started,
                times.internal_only,
                times.unscheduled,
                times.unknown,
                times.cancelled,
            ];
            let mut line = vec![
                text(&row.customer.to_string()),
                text(row.rep.as_deref().unwrap_or("")),
                row.week.to_string(),
            ];
            line.extend(counts.iter().map(u32::to_string));
            line.extend(
                [times.scheduled_ms, times.unknown_scheduled_ms]
                    .iter()
                    .map(i64::to_string),
            );
            line.extend([times.actual_ms, times.delta_ms()].map(number));
            line.push(minutes(times.scheduled_ms));
            line.extend([times.actual_ms, times.delta_ms()].map(|ms| ms.map(minutes).unwrap_or_default()));
            table.write_record(line)?;
        }
        finish(table)
    }

    /// Every meeting as a table, one line each.
    ///
    /// # Errors
    ///
    /// [`CsvError`] when there is no memory left for it.
    pub fn meetings_csv(&self) -> Result<String, CsvError> {
        let mut table = table();
        table.write_record([
            "start",
            "week",
            "customer",
            "rep",
            "topic",
            "meeting_id",
            "instances",
            "status",
            "scheduled_ms",
            "actual_ms",
            "delta_ms",
            "scheduled_minutes",
            "actual_minutes",
            "delta_minutes",
            "late_start_ms",
            "overrun_ms",
            "early_end_ms",
        ])?;
        for meeting in &self.meetings {
            table.write_record(line(meeting))?;
        }
        finish(table)
    }
}

fn line(meeting: &MeetingTime) -> Vec<String> {
    let measured = meeting.measured.as_ref();
    let uuids: Vec<&str> = meeting
        .instances
        .iter()
        .map(zoom_core::MeetingUuid::as_str)
        .collect();
    let mut line = vec![
        meeting.start.to_string(),
        meeting.week.to_string(),
        text(&meeting.customer.to_string()),
        text(meeting.rep.as_deref().unwrap_or("")),
        text(meeting.topic.as_deref().unwrap_or("")),
        meeting.meeting_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&uuids.join(" ")),
        meeting.status.as_str().to_owned(),
        meeting.scheduled_ms.to_string(),
    ];
    line.extend([meeting.actual_ms(), meeting.delta_ms()].map(number));
    line.push(minutes(meeting.scheduled_ms));
    line.extend([meeting.actual_ms(), meeting.delta_ms()].map(|ms| ms.map(minutes).unwrap_or_default()));
    line.push(number(measured.and_then(|measured| measured.late_start_ms)));
    line.push(number(measured.map(|measured| measured.overrun_ms)));
    line.push(number(measured.map(|measured| measured.early_end_ms)));
    line
}

fn table() -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new())
}

fn finish(table: Writer<Vec<u8>>) -> Result<String, CsvError> {
    let bytes = table
        .into_inner()
        .map_err(|error| CsvError(error.to_string().into()))?;
    String::from_utf8(bytes).map_err(|error| CsvError(error.into()))
}

/// A cell of somebody else's words. A spreadsheet would run one that looks like a formula.
fn text(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn number(number: Option<i64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn minutes(ms: i64) -> String {
    let hundredths = hundredths(ms);
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}
