//! What `zoomctl demo --json` prints.

use std::{collections::BTreeMap, time::Instant};

use serde::Serialize;
use zoom_calls::CallReport;
use zoom_meetings::TimeReport;
use zoom_oauth::Connection;

/// The whole journey as data.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    pub(crate) connection: Connected,
    pub(crate) calls: Vec<CallReport>,
    pub(crate) time_report: Vec<Hours>,
    pub(crate) after_disconnect: After,
    pub(crate) timings_ms: BTreeMap<&'static str, u128>,
}

/// Who was connected.
#[derive(Debug, Serialize)]
pub(crate) struct Connected {
    status: String,
    display_name: Option<String>,
    email: Option<String>,
    scopes: Vec<String>,
}

impl From<&Connection> for Connected {
    fn from(connection: &Connection) -> Self {
        Self {
            status: connection.status.as_str().to_owned(),
            display_name: connection.display_name.clone(),
            email: connection.email.clone(),
            scopes: connection.scopes.clone(),
        }
    }
}

/// One customer's hours.
#[derive(Debug, Serialize)]
pub(crate) struct Hours {
    pub(crate) customer: String,
    pub(crate) scheduled_minutes: f64,
    pub(crate) actual_minutes: Option<f64>,
}

impl Hours {
    pub(crate) fn of(report: &TimeReport) -> Vec<Self> {
        let hours = report.rows.iter().map(|row| Self {
            customer: row.customer.to_string(),
            scheduled_minutes: row.times.scheduled_minutes(),
            actual_minutes: row.times.actual_minutes(),
        });
        hours.collect()
    }
}

/// What is left after leaving.
#[derive(Debug, Serialize)]
pub(crate) struct After {
    pub(crate) status: String,
    pub(crate) webhook_ignored: bool,
    pub(crate) call_still_searchable: bool,
}

/// How long each part took.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    began: Instant,
    since: Instant,
    parts: BTreeMap<&'static str, u128>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        Self {
            began: now,
            since: now,
            parts: BTreeMap::new(),
        }
    }

    /// The time since the last lap belongs to `part`.
    pub(crate) fn lap(&mut self, part: &'static str) {
        self.parts.insert(part, self.since.elapsed().as_millis());
        self.since = Instant::now();
    }

    pub(crate) fn stop(mut self) -> BTreeMap<&'static str, u128> {
        self.parts.insert("total", self.began.elapsed().as_millis());
        self.parts
    }
}
