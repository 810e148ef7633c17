//! The way to Zoom's token endpoint: the family's HTTP stack, with what the `oauth2` crate would lose kept: status,
//! `Retry-After` and the [`Refusal`], and nothing else of its body.

use std::{pin::Pin, time::Duration};

use ::http::header::AUTHORIZATION;
use bytes::Bytes;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use zeroize::Zeroizing;
use zoom_core::Clock;

use crate::refusal::Refusal;

/// One exchange may take so long. It is less than the lease that is held meanwhile.
const TIMEOUT: Duration = Duration::from_secs(15);
const LONGEST_ANSWER: usize = 64 * 1024;
/// Room for the longest answers Zoom is known to give, so that growing leaves no copies behind.
const USUAL_ANSWER: usize = 16 * 1024;

/// Why there is no usable answer. The source never has an address in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The request did not reach Zoom.
    #[error("zoom could not be reached")]
    Connect(#[source] reqwest::Error),
    /// Nobody knows whether Zoom did what was asked.
    #[error("zoom did not answer")]
    NoAnswer(#[source] reqwest::Error),
    #[error("zoom answered with status {}", refusal.status)]
    Status {
        refusal: Refusal,
        retry_after: Option<Duration>,
    },
    #[error("zoom's answer is too long")]
    TooLong,
    #[error("the request cannot be made")]
    Request,
}

impl HttpError {
    /// Whether the same request may be answered a moment later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Connect(_) | Self::NoAnswer(_) => true,
            Self::Status { refusal, .. } => refusal.status >= 500,
            Self::TooLong | Self::Request => false,
        }
    }

    /// Whether Zoom may have done what was asked without our hearing of it.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::TooLong)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    clock: Clock,
}

impl Http {
    pub(crate) fn new(client: reqwest::Client, clock: Clock) -> Self {
        Self { client, clock }
    }

    /// Sends the request; the answer's status is 2xx.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.look(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(HttpError::Status {
            refusal: Refusal::read(answer.status().as_u16(), answer.body()),
            retry_after: zoom_core::http::retry_after(answer.headers(), self.clock.now()),
        })
    }

    /// Sends the request; the answer may be anything.
    pub(crate) async fn look(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // Wiped when it is sent.
        let request = request.map(|body| Bytes::from_owner(Zeroizing::new(body)));
        let mut request = reqwest::Request::try_from(request).map_err(|_| HttpError::Request)?;
        *request.timeout_mut() = Some(TIMEOUT);
        // So that nobody below us prints the app's secret.
        if let Some(credentials) = request.headers_mut().get_mut(AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        let mut answer = self.client.execute(request).await.map_err(|error| {
            let connect = error.is_connect();
            let error = error.without_url();
            if connect {
                HttpError::Connect(error)
            } else {
                HttpError::NoAnswer(error)
            }
        })?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = Zeroizing::new(Vec::with_capacity(USUAL_ANSWER));
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| HttpError::NoAnswer(error.without_url()))?
        {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = HttpResponse::new(std::mem::take(&mut *body));
        (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
        Ok(whole)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
