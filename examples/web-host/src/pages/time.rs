//! `GET /time` and `GET /time.csv`: what the calendar said, and what Zoom saw.

use anyhow::Result;
use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use backend::TimeReported;
use jiff::tz::TimeZone;
use zoom_meetings::{CalendarWarning, IcsCalendar, MeetingStatus, MeetingTime, TimeRow};

use crate::{
    app::App,
    failure::Failure,
    format::{difference, minutes, or_dash, when},
    notice::Notice,
    page::{Page, html},
};

#[derive(Template)]
#[template(path = "time.html")]
struct Time {
    page: Page,
    rows: Vec<Row>,
    meetings: Vec<MeetingRow>,
    hint: &'static str,
    warnings: Vec<String>,
}

/// A customer's week.
#[derive(Debug)]
struct Row {
    customer: String,
    rep: String,
    week: String,
    meetings: u32,
    scheduled: String,
    actual: String,
    delta: String,
    no_shows: u32,
    /// Lengths of the bars, in hundredths of the longest one.
    scheduled_share: i64,
    actual_share: i64,
}

/// A meeting behind the sums.
#[derive(Debug)]
struct MeetingRow {
    topic: String,
    when: String,
    scheduled: String,
    actual: String,
    delta: String,
    status: &'static str,
    tone: &'static str,
}

/// Shows the report.
pub(crate) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let page = app.page("time", query.as_deref());
    let hint = hint(&app).await?;
    let Some(reported) = report(&app).await? else {
        let (rows, meetings, warnings) = (Vec::new(), Vec::new(), Vec::new());
        return html(&Time {
            page,
            rows,
            meetings,
            hint,
            warnings,
        });
    };
    let report = &reported.report;
    let longest = report
        .rows
        .iter()
        .map(|row| row.times.scheduled_ms.max(row.times.actual_ms.unwrap_or(0)))
        .max()
        .unwrap_or(0);
    html(&Time {
        page,
        rows: report.rows.iter().map(|row| Row::of(row, longest)).collect(),
        meetings: report
            .meetings
            .iter()
            .rev()
            .map(|meeting| MeetingRow::of(meeting, app.zone()))
            .collect(),
        hint,
        warnings: reported.warnings.iter().map(warning).collect(),
    })
}

/// The same as a table for spreadsheets.
pub(crate) async fn csv(State(app): State<App>) -> Result<Response, Failure> {
    let Some(reported) = report(&app).await? else {
        return Ok(Notice::ConnectFirst.at("/integrations").into_response());
    };
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"time-report.csv\""),
    ];
    Ok((headers, reported.report.to_csv()?).into_response())
}

/// The report over the calendar of the environment, else over what was held; `None` without a live connection.
async fn report(app: &App) -> Result<Option<TimeReported>> {
    if !is_connected(app).await? {
        return Ok(None);
    }
    let (backend, owner) = (app.backend(), app.owner());
    let Some(path) = app.calendar().cloned() else {
        return backend.time_report(&owner, app.held()).await.map(Some);
    };
    // Read anew each time: a calendar changes.
    let calendar = tokio::task::spawn_blocking(move || IcsCalendar::open(path)).await??;
    backend.time_report(&owner, &calendar).await.map(Some)
}

async fn is_connected(app: &App) -> Result<bool> {
    let connection = app.backend().connections.connection(&app.owner()).await?;
    Ok(connection.is_some_and(|connection| connection.is_live()))
}

/// What to do so that there is something to see.
async fn hint(app: &App) -> Result<&'static str> {
    Ok(
        match (is_connected(app).await?, app.calendar(), app.is_simulated()) {
            (false, ..) => "Connect Zoom first: past meetings are read there.",
            (true, Some(_), _) => {
                "The calendar has no Zoom meetings in the four weeks before and after today."
            }
            (true, None, true) => {
                "Hold a sales call under Integrations: it is booked for an hour and over after 45 minutes."
            }
            (true, None, false) => "Set ZOOM_CALENDAR to a calendar file (ICS).",
        },
    )
}

impl Row {
    fn of(row: &TimeRow, longest: i64) -> Self {
        let times = &row.times;
        let share = |ms: i64| {
            if longest > 0 {
                (ms.clamp(0, longest) * 100 + longest / 2) / longest
            } else {
                0
            }
        };
        Self {
            customer: row.customer.to_string(),
            rep: or_dash(row.rep.as_ref()),
            week: row.week.to_string(),
            meetings: times.meetings,
            scheduled: minutes(times.scheduled_ms),
            actual: or_dash(times.actual_ms.map(minutes)),
            delta: or_dash(times.delta_ms().map(difference)),
            no_shows: times.no_shows(),
            scheduled_share: share(times.scheduled_ms),
            actual_share: share(times.actual_ms.unwrap_or(0)),
        }
    }
}

impl MeetingRow {
    fn of(meeting: &MeetingTime, zone: &TimeZone) -> Self {
        let (status, tone) = match meeting.status {
            MeetingStatus::Held => ("Held", "good"),
            MeetingStatus::NoShowCustomer => ("Customer did not come", "warn"),
            MeetingStatus::NoShowHost => ("We did not come", "bad"),
            MeetingStatus::InternalOnly => ("Among ourselves", ""),
            MeetingStatus::NotStarted => ("Not started", "warn"),
            MeetingStatus::Cancelled => ("Cancelled", ""),
            MeetingStatus::HeldUnscheduled => ("Held, not in the calendar", "good"),
            _ => ("Not known", ""),
        };
        Self {
            topic: meeting
                .topic
                .clone()
                .unwrap_or_else(|| "Without a topic".to_owned()),
            when: when(meeting.start, zone),
            scheduled: minutes(meeting.scheduled_ms),
            actual: or_dash(meeting.actual_ms().map(minutes)),
            delta: or_dash(meeting.delta_ms().map(difference)),
            status,
            tone,
        }
    }
}

/// What the report does not contain, and why.
fn warning(warning: &CalendarWarning) -> String {
    match warning {
        CalendarWarning::UnsupportedRecurrence { uid, .. } => {
            format!(
                "The series {uid} repeats in a way that is not read here: only its first and its moved events are in the report."
            )
        }
        CalendarWarning::TooManyOccurrences { uid } => {
            format!("The series {uid} has too many events: the later ones are missing.")
        }
        CalendarWarning::UnknownTimeZone { uid, zone } => {
            format!("The event {uid} is missing: its time zone {zone} is not known.")
        }
        CalendarWarning::Malformed { uid, property } => {
            format!("The event {uid} has a {property} that cannot be read.")
        }
        CalendarWarning::UnreadableLines { count } => {
            format!("{count} lines of the calendar could not be read.")
        }
        _ => "A part of the calendar could not be read.".to_owned(),
    }
}
