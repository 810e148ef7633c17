use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use serde::de::DeserializeOwned;
use tracing::{Span, debug, field};
use url::Url;

use super::{RetryPolicy, Sleeper, TokenSource, places::Places};
use crate::{AccessToken, Answer, Clock, Error, Request};

/// More than any answer of the API; files have a crate of their own.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// Sends requests: token, time-out, tries.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    base_url: Url,
    timeout: Duration,
    retry: RetryPolicy,
    clock: Clock,
    sleeper: Sleeper,
    pub(super) places: Places,
}

/// An answer that is a success.
struct Received {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Transport {
    pub(super) const fn new(
        http: reqwest::Client,
        base_url: Url,
        timeout: Duration,
        retry: RetryPolicy,
        clock: Clock,
        sleeper: Sleeper,
    ) -> Self {
        Self {
            http,
            base_url,
            timeout,
            retry,
            clock,
            sleeper,
            places: Places::new(),
        }
    }

    pub(super) const fn base_url(&self) -> &Url {
        &self.base_url
    }

    #[tracing::instrument(
        name = "zoom.call",
        level = "debug",
        skip_all,
        fields(method = %request.method(), path = request.template(), status = field::Empty, attempts = field::Empty)
    )]
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        tokens: &dyn TokenSource,
        request: &Request,
    ) -> Result<T, Error> {
        let mut attempts = 1;
        let result = match self.exchange(tokens, request, &mut attempts).await {
            Ok(received) => {
                Span::current().record("status", received.status);
                Answer::new(
                    received.status,
                    &received.headers,
                    &received.body,
                    self.clock.now(),
                )
                .decode()
            }
            Err(error) => Err(error),
        };
        Span::current().record("attempts", attempts);
        result.map_err(|error| error.of_call(request, attempts))
    }

    async fn exchange(
        &self,
        tokens: &dyn TokenSource,
        request: &Request,
        attempts: &mut u32,
    ) -> Result<Received, Error> {
        let http_request = request.to_http(&self.base_url)?;
        let mut token = tokens.access_token().await?;
        let mut invalidated = false;
        let mut waited = Duration::ZERO;
        let mut tries = 1;
        loop {
            let error = match self.once(http_request.clone(), &token).await {
                Ok(received) => return Ok(received),
                Err(error) => error,
            };
            let status = error.status();
            // Zoom did nothing with a token it does not accept, so this is safe for every method.
            if error.is_unauthorized() && !invalidated {
                debug!(
                    status,
                    token = token.fingerprint(),
                    "the access token was refused"
                );
                invalidated = true;
                tokens.invalidate(&token).await?;
                token = tokens.access_token().await?;
            } else {
                let Some(wait) = self.retry.wait(tries, &error, request.is_idempotent(), waited) else {
                    return Err(error);
                };
                debug!(status, kind = ?error.kind(), wait_ms = wait.as_millis(), "the call will be sent again");
                self.sleeper.sleep(wait).await;
                waited = waited.saturating_add(wait);
                tries += 1;
                // It may have been refreshed by others in the meantime.
                token = tokens.access_token().await?;
            }
            *attempts += 1;
        }
    }

    async fn once(&self, request: http::Request<Bytes>, token: &AccessToken) -> Result<Received, Error> {
        let mut request = reqwest::Request::try_from(request)
            .map_err(|_| Error::invalid_request("the request does not make a url"))?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| Error::invalid_request("the access token does not fit into a header"))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        *request.timeout_mut() = Some(self.timeout);

        let _place = self.places.take().await;
        let mut response = self.http.execute(request).await.map_err(network_error)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(network_error)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(Error::unexpected_body(status, "more than 32 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        let received = Received {
            status,
            headers,
            body: body.freeze(),
        };
        Answer::new(status, &received.headers, &received.body, self.clock.now())
            .check()
            .map_err(|mut error| {
                error.scrub(token.expose_secret());
                error
            })?;
        Ok(received)
    }
}

/// The address is taken out of the source: its query may hold anything.
fn network_error(error: reqwest::Error) -> Error {
    let (timeout, connect) = (error.is_timeout(), error.is_connect());
    let error = error.without_url();
    match (connect, timeout) {
        (true, _) => Error::connect(error),
        (false, true) => Error::timeout(error),
        (false, false) => Error::transport(error),
    }
}
