//! The receiver as an axum router, feature `axum`.

use ::axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, Response},
    response::IntoResponse,
    routing::post,
};

use crate::{MAX_BODY, Receiver};

/// `POST /`, to be nested where Zoom was told to send: bodies over [`MAX_BODY`] are 413, other methods 405.
///
/// ```
/// # fn host(receiver: zoom_webhooks::Receiver) -> axum::Router {
/// let webhooks = zoom_webhooks::axum::router(receiver);
/// axum::Router::new().nest("/webhooks/zoom", webhooks)
/// # }
/// ```
pub fn router(receiver: Receiver) -> Router {
    Router::new()
        .route("/", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(receiver)
}

async fn receive(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    match body {
        Ok(body) => receiver.receive(&headers, &body).await.map(Body::from),
        Err(rejection) => rejection.into_response(),
    }
}
