//! `GET /integrations`: connected, or not.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use jiff::tz::TimeZone;
use zoom_oauth::{Connection, Status};

use crate::{
    app::App,
    failure::Failure,
    format::when,
    page::{Page, html},
};

#[derive(Template)]
#[template(path = "integrations.html")]
struct Integrations {
    page: Page,
    connection: Option<ZoomCard>,
    connected: bool,
}

/// A connection as the card shows it.
#[derive(Debug)]
struct ZoomCard {
    status: &'static str,
    tone: &'static str,
    live: bool,
    name: String,
    email: String,
    reason: &'static str,
    account: String,
    since: String,
    scopes: Vec<String>,
}

/// Shows the page.
pub(crate) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let found = app.backend().connections.connection(&app.owner()).await?;
    let connection = found.map(|connection| ZoomCard::of(&connection, app.zone()));
    let connected = connection.as_ref().is_some_and(|zoom| zoom.live);
    html(&Integrations {
        page: app.page("integrations", query.as_deref()),
        connection,
        connected,
    })
}

impl ZoomCard {
    fn of(connection: &Connection, zone: &TimeZone) -> Self {
        let (status, tone) = match &connection.status {
            Status::Active => ("Connected", "good"),
            Status::Degraded => ("Connected, with gaps", "warn"),
            Status::Expired => ("Expired", "bad"),
            Status::Disconnected => ("Disconnected", ""),
            _ => ("Not connected", ""),
        };
        let email = connection.email.clone().unwrap_or_default();
        Self {
            status,
            tone,
            live: connection.is_live(),
            name: connection.display_name.clone().unwrap_or_else(|| email.clone()),
            email,
            reason: reason(connection.reason.as_deref()),
            account: connection.account_id.to_string(),
            since: when(connection.connected_at, zone),
            scopes: connection.scopes.clone(),
        }
    }
}

/// Why it is not live, for a reader.
fn reason(code: Option<&str>) -> &'static str {
    match code {
        Some("invalid_grant") => {
            "Zoom no longer accepts this connection: it was not used for long, or ended at Zoom. Your calls are still here."
        }
        Some("disconnected") => "You disconnected. Your calls are still here.",
        Some("deauthorized") => "The app was removed at Zoom. Your calls are still here.",
        _ => "The connection has ended. Your calls are still here.",
    }
}
