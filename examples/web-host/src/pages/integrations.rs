//! `GET /integrations`: connected, or not, why, and what to do.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use jiff::tz::TimeZone;
use zoom_oauth::{Action, Cause, Connection, Missing, Status};

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
    /// Whether connecting again mends something.
    reconnect: bool,
    name: String,
    email: String,
    reason: &'static str,
    todo: &'static str,
    missing: Vec<Missing>,
    account: String,
    since: String,
    refreshed: Option<String>,
    webhook: Option<String>,
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
        let cause = connection.cause();
        let live = connection.is_live();
        let mends = connection
            .missing
            .iter()
            .any(|missing| missing.action() == Action::Reconnect);
        Self {
            status,
            tone,
            live,
            reconnect: !live || mends,
            name: connection.display_name.clone().unwrap_or_else(|| email.clone()),
            email,
            reason: cause.as_ref().map_or("The connection has ended.", Cause::message),
            todo: cause.map_or("", |cause| cause.action().instruction()),
            missing: connection.missing.clone(),
            account: connection.account_id.to_string(),
            since: when(connection.connected_at, zone),
            refreshed: connection.refreshed_at.map(|at| when(at, zone)),
            webhook: connection.last_webhook_at.map(|at| when(at, zone)),
            scopes: connection.scopes.clone(),
        }
    }
}
