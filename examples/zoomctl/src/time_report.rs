//! `zoomctl time-report`: what the calendar said against what Zoom saw.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use backend::{Backend, Config, Zoom};
use clap::{Args, ValueEnum};
use zoom_meetings::{IcsCalendar, TimeReport as Report};
use zoom_oauth::OwnerId;

use crate::{on_backend, output};

/// Arguments of `zoomctl time-report`.
#[derive(Debug, Args)]
pub(crate) struct TimeReport {
    /// The calendar, as an ICS file
    #[arg(long, env = "ZOOM_CALENDAR")]
    calendar: PathBuf,
    #[arg(long, default_value = "me")]
    owner: String,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl TimeReport {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        if matches!(config.zoom, Zoom::Simulated { .. }) {
            bail!("no Zoom to ask: set ZOOM_CLIENT_ID and the rest, or see `zoomctl demo`");
        }
        let calendar = IcsCalendar::open(&self.calendar);
        let calendar =
            calendar.with_context(|| format!("the calendar {} cannot be read", self.calendar.display()))?;
        on_backend(config, async |backend| self.on(backend, &calendar).await).await
    }

    async fn on(self, backend: &Backend, calendar: &IcsCalendar) -> Result<()> {
        let reported = backend.time_report(&OwnerId::new(self.owner), calendar).await?;
        match self.format {
            Format::Json => output::json(&reported.report),
            Format::Csv => {
                print!("{}", reported.report.to_csv()?);
                Ok(())
            }
            Format::Table => {
                table(&reported.report);
                for warning in &reported.warnings {
                    println!("left out: {warning:?}");
                }
                Ok(())
            }
        }
    }
}

/// One line per customer, rep and week.
pub(crate) fn table(report: &Report) {
    let minutes = |value: Option<f64>| output::or_dash(value.map(|minutes| format!("{minutes:.0} min")));
    output::table(
        [
            "customer",
            "rep",
            "week",
            "scheduled",
            "actual",
            "difference",
            "no-shows",
        ],
        report.rows.iter().map(|row| {
            [
                row.customer.to_string(),
                output::or_dash(row.rep.as_ref()),
                row.week.to_string(),
                minutes(Some(row.times.scheduled_minutes())),
                minutes(row.times.actual_minutes()),
                minutes(row.times.delta_minutes()),
                row.times.no_shows().to_string(),
            ]
        }),
    );
}
