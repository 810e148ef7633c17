//! Installations that began in Zoom's Marketplace: nobody is connected before the user has seen who, and said yes.

use askama::Template;
use axum::{
    Extension,
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use zoom_oauth::{Callback, Parked};

use super::connect::told;
use crate::{
    app::App,
    page::{Page, html},
    query,
    session::Session,
};

#[derive(Template)]
#[template(path = "install.html")]
struct Confirm {
    page: Page,
    name: String,
    email: String,
    ticket: String,
}

/// Asks whether the Zoom user who installed the app is the one who sits here.
pub(super) async fn confirm(app: &App, session: &Session, callback: &Callback) -> Response {
    let parked = app
        .backend()
        .connections
        .park(callback, &session.binding(app.owner()))
        .await;
    match parked {
        Ok(Parked { ticket, view, .. }) => {
            let email = view.email.unwrap_or_default();
            html(&Confirm {
                page: app.page("integrations", None),
                name: view.display_name.unwrap_or_else(|| email.clone()),
                email,
                ticket,
            })
            .into_response()
        }
        Err(error) => told(Err(&error)).into_response(),
    }
}

/// `POST /claim`: yes, that is me. The form of the page above.
pub(crate) async fn claim(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Redirect {
    let form = String::from_utf8_lossy(&body);
    let ticket = query::param(Some(&form), "ticket").unwrap_or_default();
    let owner = app.owner();
    let connections = &app.backend().connections;
    let claimed = connections
        .claim(&ticket, &session.binding(owner.clone()), &owner)
        .await;
    told(claimed.as_ref())
}
