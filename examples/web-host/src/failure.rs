//! Requests that end without their page: the reader gets a proper one all the same.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Why there is no page. What went wrong inside is logged and never shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// There is no such page.
    NotFound,
    /// There is such a page, but not to be asked like this.
    NotAllowed,
    /// The request did not come from a page of ours.
    Forged,
    /// The form holds something that our pages do not send.
    Malformed,
    /// Something broke.
    Broken,
}

impl Failure {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::NotFound => "There is nothing here",
            Self::NotAllowed => "This does not work like that",
            Self::Forged => "This was not sent from here",
            Self::Malformed => "That was not understood",
            Self::Broken => "Something went wrong",
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NotFound => {
                "The page or the call that you are looking for does not exist, or is not yours."
            }
            Self::NotAllowed => "This address takes what our forms send, and nothing else.",
            Self::Forged => {
                "Forms are only accepted from this site's own pages, with its cookie. Open the page again and press the button there."
            }
            Self::Malformed => "Go back, and use the form as it is.",
            Self::Broken => "It was logged, and it is not your fault. Please try again in a moment.",
        }
    }
}

/// Bare; [`crate::security::dress`] makes a page of it.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: anyhow::Error = error.into();
        tracing::error!("a page could not be shown: {error:#}");
        Self::Broken
    }
}
