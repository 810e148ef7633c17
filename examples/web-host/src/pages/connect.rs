//! To Zoom, back from Zoom, and away from Zoom.

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header::HOST, header::LOCATION},
    response::{IntoResponse as _, Redirect, Response},
};
use url::{Host, Url};
use zoom_oauth::{Callback, Connection, Error};

use super::install;
use crate::{app::App, failure::Failure, notice::Notice, session::Session};

/// `GET /connect`: to Zoom's page of consent.
pub(crate) async fn start(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if let Some(there) = other_name_of_here(host, app.redirect()) {
        return Ok(found(&there));
    }
    match app
        .backend()
        .connections
        .authorize(&app.owner(), &session.binding(app.owner()))
        .await
    {
        Ok(authorization) => Ok(found(&authorization.url)),
        Err(error) if error.is_retryable() => Ok(Notice::from(&error).at("/integrations").into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `GET /oauth/callback`: back from Zoom. Whatever came of it, the next page's address has neither code nor state.
pub(crate) async fn finish(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Response {
    let callback = Callback::from_query(query.as_deref().unwrap_or_default());
    if callback.is_installation() {
        return install::confirm(&app, &session, &callback).await;
    }
    let connected = app
        .backend()
        .connections
        .connect(&callback, &session.binding(app.owner()))
        .await;
    told(connected.as_ref()).into_response()
}

/// To the page of connections, with the news.
pub(super) fn told(connected: Result<&Connection, &Error>) -> Redirect {
    let notice = match connected {
        Ok(_) => Notice::Connected,
        Err(error) => {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "a connect came to nothing"
            );
            Notice::from(error)
        }
    };
    notice.at("/integrations")
}

/// `POST /disconnect`
pub(crate) async fn leave(State(app): State<App>) -> Result<Redirect, Failure> {
    let gone = app.backend().connections.disconnect(&app.owner()).await?;
    let notice = if gone.is_revoked() {
        Notice::Disconnected
    } else {
        Notice::DisconnectedHere
    };
    Ok(notice.at("/integrations"))
}

fn found(url: &Url) -> Response {
    (StatusCode::FOUND, [(LOCATION, url.as_str())]).into_response()
}

/// A cookie made at `localhost` is not sent to `127.0.0.1`, where Zoom may send the browser back to: then the connect has to
/// begin there. Answers where, if this is another name of the same machine and port.
fn other_name_of_here(host: &str, redirect: &Url) -> Option<Url> {
    let here = Url::parse(&format!("{}://{host}", redirect.scheme())).ok()?;
    let is_other_name = is_loopback(&here) && is_loopback(redirect) && here.host() != redirect.host();
    let is_same_port = here.port_or_known_default() == redirect.port_or_known_default();
    (is_other_name && is_same_port)
        .then(|| redirect.join("/connect").ok())
        .flatten()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_begins_under_the_name_that_zoom_sends_back_to() {
        let there = |host: &str, redirect: &str| {
            other_name_of_here(host, &Url::parse(redirect).unwrap()).map(|url| url.to_string())
        };
        let callback = "http://127.0.0.1:8080/oauth/callback";
        assert_eq!(
            there("localhost:8080", callback).as_deref(),
            Some("http://127.0.0.1:8080/connect")
        );
        assert_eq!(there("127.0.0.1:8080", callback), None);
        assert_eq!(there("localhost:9090", callback), None);
        assert_eq!(
            there("localhost:8080", "https://calls.example/oauth/callback"),
            None
        );
        assert_eq!(there("evil.example", callback), None);
        assert_eq!(there("", callback), None);
    }
}
