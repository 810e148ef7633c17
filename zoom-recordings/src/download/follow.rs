//! One request, followed through its redirects by hand: the token stays with the host it was meant for.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use reqwest::Response;
use url::Url;
use zoom_core::AccessToken;

use super::range::Version;
use super::{DownloadError, DownloadErrorKind, HostAllowList};

const MAX_REDIRECTS: usize = 5;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) link: &'a Url,
    pub(super) token: &'a AccessToken,
    pub(super) version: &'a Version,
    /// How many bytes of that version are there already.
    pub(super) have: u64,
}

/// Why an attempt failed, and whether another one at once may succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: DownloadError,
    pub(super) again: bool,
}

impl Failure {
    pub(super) fn again(error: impl Into<DownloadError>) -> Self {
        Self {
            error: error.into(),
            again: true,
        }
    }

    /// The connection failed. The link is taken out of the cause, which would show its query.
    pub(super) fn network(error: reqwest::Error) -> Self {
        Self::again(DownloadError::new(DownloadErrorKind::Network).with_source(error.without_url()))
    }
}

impl From<DownloadErrorKind> for Failure {
    fn from(kind: DownloadErrorKind) -> Self {
        Self {
            error: kind.into(),
            again: false,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self {
            error: DownloadError::new(DownloadErrorKind::Disk).with_source(error),
            again: false,
        }
    }
}

/// Asks, follows at most five redirects, and returns the answer if its status promises bytes.
pub(super) async fn follow(
    http: &reqwest::Client,
    hosts: &HostAllowList,
    ask: Ask<'_>,
) -> Result<Response, Failure> {
    let mut link = ask.link.clone();
    let mut with_token = true;
    if !hosts.may_start(&link) {
        return Err(not_allowed(&link).into());
    }
    for _ in 0..=MAX_REDIRECTS {
        let mut request = http.get(link.clone()).header(header::ACCEPT_ENCODING, "identity");
        if with_token {
            request = request.bearer_auth(ask.token.expose_secret());
        }
        for (name, value) in ask.version.ask_for_rest(ask.have).into_iter().flatten() {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(Failure::network)?;
        if !answer.status().is_redirection() {
            return judge_status(answer, with_token);
        }
        let location = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|location| location.to_str().ok());
        let next = location
            .and_then(|location| link.join(location).ok())
            .ok_or(DownloadErrorKind::BadRedirect)?;
        if !hosts.may_follow(&next) {
            return Err(not_allowed(&next).into());
        }
        // Once away from the first host the token does not come back, even if the redirects do.
        with_token &= next.origin() == link.origin();
        link = next;
    }
    Err(DownloadErrorKind::BadRedirect.into())
}

fn judge_status(answer: Response, with_token: bool) -> Result<Response, Failure> {
    let kind = match answer.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            return Ok(answer);
        }
        StatusCode::UNAUTHORIZED if with_token => return Err(DownloadErrorKind::Unauthorized.into()),
        StatusCode::FORBIDDEN if with_token => return Err(DownloadErrorKind::Forbidden.into()),
        // The content network refuses its own signature: it expired, and the link makes a new one.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(Failure::again(DownloadErrorKind::Forbidden));
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(DownloadErrorKind::NotFound.into()),
        StatusCode::TOO_MANY_REQUESTS => DownloadErrorKind::RateLimited,
        status => DownloadErrorKind::Status(status.as_u16()),
    };
    let again = match kind {
        DownloadErrorKind::Status(status) => status >= 500 || status == StatusCode::REQUEST_TIMEOUT.as_u16(),
        _ => true,
    };
    let error = DownloadError::new(kind).with_retry_after(retry_after(answer.headers()));
    Err(Failure { error, again })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

fn not_allowed(link: &Url) -> DownloadErrorKind {
    DownloadErrorKind::HostNotAllowed {
        host: link.host_str().unwrap_or(link.scheme()).to_owned(),
    }
}
