//! The style sheet and the icon, built into the program.

use axum::{
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};

const KEPT: &str = "max-age=300";

/// `GET /assets/style.css`
pub(crate) async fn style() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, KEPT)],
        include_str!("../../assets/style.css"),
    )
}

/// `GET /assets/icon.svg`
pub(crate) async fn icon() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, KEPT)],
        include_str!("../../assets/icon.svg"),
    )
}
