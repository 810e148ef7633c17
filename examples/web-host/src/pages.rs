//! One module per page, each with its view: what the template shows, formatted here.

pub(crate) mod assets;
pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod connect;
pub(crate) mod install;
pub(crate) mod integrations;
pub(crate) mod simulate;
pub(crate) mod time;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect},
};

use crate::app::App;

/// `GET /`
pub(crate) async fn home() -> Redirect {
    Redirect::to("/integrations")
}

/// `GET /health`: whether the one file answers.
pub(crate) async fn health(State(app): State<App>) -> impl IntoResponse {
    match app.backend().queue.counts().await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the queue does not answer"
            );
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
