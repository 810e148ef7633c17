use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use tracing::{debug, error, warn};

use crate::{Accepted, Inbox, Verifier};

/// Bodies may have so many bytes. Zoom's largest are some tens of thousands.
pub const MAX_BODY: usize = 1024 * 1024;

/// From a request to its answer, without a web framework: verified, stored, and only then 200.
#[derive(Clone, Debug)]
pub struct Receiver {
    verifier: Verifier,
    inbox: Inbox,
}

impl Receiver {
    /// Stores what `verifier` accepts in `inbox`.
    #[must_use]
    pub fn new(verifier: Verifier, inbox: Inbox) -> Self {
        Self { verifier, inbox }
    }

    /// The answer to a POST with these headers and this body.
    ///
    /// 200: stored, or stored before, or Zoom's check of the address · 400: signed, but no webhook · 401: not signed
    /// by Zoom, or not lately · 413: too large · 503: not stored, Zoom sends it again.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Response<Bytes> {
        if body.len() > MAX_BODY {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let delivery = match self.verifier.verify(headers, body) {
            Ok(delivery) => delivery,
            Err(reason) => {
                warn!(%reason, "a webhook was refused");
                return empty(StatusCode::UNAUTHORIZED);
            }
        };
        if delivery.name().is_empty() {
            warn!("a signed request is no webhook");
            return empty(StatusCode::BAD_REQUEST);
        }
        if delivery.is_challenge() {
            // Answered without the store: Zoom disables an address that is slow here.
            let answer = self
                .verifier
                .answer_challenge(&delivery)
                .map(|answer| serde_json::to_vec(&answer));
            return match answer {
                Some(Ok(answer)) => json(answer.into()),
                _ => empty(StatusCode::BAD_REQUEST),
            };
        }
        match self.inbox.accept(&delivery).await {
            Ok(Accepted::Stored) => debug!(event = delivery.name(), "a webhook was stored"),
            Ok(Accepted::Duplicate) => debug!(event = delivery.name(), "a webhook came again"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                error!(error, event = delivery.name(), "a webhook was not stored");
                return empty(StatusCode::SERVICE_UNAVAILABLE);
            }
        }
        empty(StatusCode::OK)
    }
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn json(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
