//! What goes with every answer: headers that keep browsers out of trouble, and a page for those that have none.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{
    app::App,
    failure::Failure,
    page::{Page, html},
};

/// `same-origin`, not `no-referrer`: with the latter browsers send `Origin: null` with our own forms, and the check of the
/// origin would refuse them. No other site learns an address either way.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    page: Page,
    failure: Failure,
}

/// Adds the headers; gives a failure its page.
pub(crate) async fn dress(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let mut response = match response.extensions().get::<Failure>().copied() {
        Some(failure) => explained(&app, failure, &response),
        None => response,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What people said is nothing for a cache.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn explained(app: &App, failure: Failure, bare: &Response) -> Response {
    let page = app.page("", None);
    let mut response =
        html(&FailurePage { page, failure }).unwrap_or_else(|_| failure.text().into_response());
    *response.status_mut() = failure.status();
    // A first visit gets its cookie here, too.
    for (name, value) in bare
        .headers()
        .iter()
        .filter(|(name, _)| *name != "content-type" && *name != "content-length")
    {
        response.headers_mut().append(name, value.clone());
    }
    response
}
