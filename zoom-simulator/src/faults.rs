//! What can be made to go wrong, by name.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Something that goes wrong the next time it can.
///
/// Each has a surface where it belongs; [`Failure`] picks one route on it, or more than one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// REST: 500 with a JSON body.
    Http500,
    /// REST: 502 with a gateway's HTML page.
    Http502,
    /// REST: 503 with `Retry-After` in seconds.
    Http503,
    /// REST: 429, too many this second.
    Http429,
    /// REST: 429, too many today, with `Retry-After` as a date and time.
    Http429Daily,
    /// REST: 429, a hundred meetings made for this host today; no `Retry-After`.
    Http429MeetingChanges,
    /// REST: 429, a lock on the user is held.
    Http429Concurrent,
    /// REST: 401 with code 124 `Invalid access token.` although the token is good.
    RefuseToken,
    /// REST: the access token that comes next has expired, for good.
    ExpiredAccess,
    /// REST: 400 with code 4711 although the scopes are there.
    MissingScope,
    /// REST: 200 with an error in the body.
    RefusalWith200,
    /// REST: 200 with JSON that ends in the middle.
    BrokenJson,
    /// REST: 200 with a web page.
    HtmlInsteadOfJson,
    /// REST: the page token that comes with the next page is the one that asked for it.
    RepeatedPageToken,
    /// REST: the page token that comes next has expired.
    ExpiredPageToken,

    /// Token endpoint: 500.
    TokenHttp500,
    /// Token endpoint: 429.
    TokenHttp429,
    /// Token endpoint: a refresh is refused and the refresh token dies.
    InvalidGrant,
    /// Token endpoint: `invalid_client`.
    InvalidClient,
    /// Token endpoint: the tokens are rotated, but the connection ends before the answer.
    LoseTokenResponse,
    /// Token endpoint: `api_url` points somewhere else.
    ForeignApiUrl,
    /// Token endpoint, or wherever the route says: the request is there, and nothing is done about it until
    /// [`Simulator::release`](crate::Simulator::release).
    HoldRequest,
    /// Token endpoint, or wherever the route says: it is done, tokens are rotated, but the answer stays back until
    /// [`Simulator::release`](crate::Simulator::release).
    HoldAnswer,
    /// Consent page: no code comes of a yes (4732).
    CodeNotMade,

    /// Download: 200 with a page that says who may download.
    HtmlInsteadOfFile,
    /// Download: 200 with a page that asks for the passcode.
    PasscodePage,
    /// Download: the file is not there yet, 404.
    NotReady,
    /// Other origin: a complete answer with half of the file.
    Truncated,
    /// Other origin: 200 and no bytes.
    EmptyFile,
    /// Other origin: other bytes of the right length.
    Corrupted,
    /// Other origin: the signed address has expired, 403.
    LinkExpired,
    /// Other origin: the range is ignored, 200 with the whole file.
    RangeIgnored,
    /// Other origin: the connection ends in the middle of the file.
    ResetMidBody,

    /// REST, or wherever the route says: the connection is reset before an answer.
    ConnectionReset,
    /// REST, or wherever the route says: the answer comes late (two seconds unless [`Failure::delay`] says otherwise).
    Slow,
    /// REST, or wherever the route says: the answer comes in pieces, all of it after [`Failure::delay`].
    Trickle,
    /// REST, or wherever the route says: there is never an answer.
    Timeout,
}

/// The part of Zoom a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Rest,
    Authorize,
    Token,
    /// Only faults whose route names it.
    Revoke,
    Download,
    Cdn,
}

impl Fault {
    /// Where the fault belongs; none is REST, or wherever a route says.
    const fn surface(self) -> Option<Surface> {
        match self {
            Self::ConnectionReset | Self::Slow | Self::Trickle | Self::Timeout => None,
            Self::CodeNotMade => Some(Surface::Authorize),
            Self::TokenHttp500
            | Self::TokenHttp429
            | Self::InvalidGrant
            | Self::InvalidClient
            | Self::LoseTokenResponse
            | Self::ForeignApiUrl
            | Self::HoldRequest
            | Self::HoldAnswer => Some(Surface::Token),
            Self::HtmlInsteadOfFile | Self::PasscodePage | Self::NotReady => Some(Surface::Download),
            Self::Truncated
            | Self::EmptyFile
            | Self::Corrupted
            | Self::LinkExpired
            | Self::RangeIgnored
            | Self::ResetMidBody => Some(Surface::Cdn),
            _ => Some(Surface::Rest),
        }
    }

    /// Whether it makes sense on another surface when a route says so.
    const fn travels(self) -> bool {
        matches!(
            self,
            Self::Http500
                | Self::Http502
                | Self::Http503
                | Self::Http429
                | Self::ResetMidBody
                | Self::Truncated
                | Self::LoseTokenResponse
                | Self::HoldRequest
                | Self::HoldAnswer
        )
    }
}

/// A [`Fault`] with where, how often and when.
///
/// ```
/// use zoom_simulator::{Failure, Fault};
/// let failure = Failure::new(Fault::Http500).on("GET /v2/users/*/recordings").after(1).times(2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    fault: Fault,
    route: Option<String>,
    skip: u32,
    times: u32,
    delay: Duration,
}

impl Failure {
    /// Once, the next time it can happen.
    #[must_use]
    pub const fn new(fault: Fault) -> Self {
        Self {
            fault,
            route: None,
            skip: 0,
            times: 1,
            delay: Duration::from_secs(2),
        }
    }

    /// Only for requests like this: `GET /v2/users/me`, `/oauth/token`, `/v2/meetings/*/recordings`; `*` is any text.
    #[must_use]
    pub fn on(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }

    /// So many times, one after the other.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Not before so many requests have passed unharmed.
    #[must_use]
    pub const fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// How late a [`Fault::Slow`] or [`Fault::Trickle`] answer is, in real time.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn wants(&self, surface: Surface, request: &str) -> bool {
        let place = match (&self.route, self.fault.surface()) {
            (_, None) => self.route.is_some() || surface == Surface::Rest,
            (None, Some(own)) => own == surface,
            (Some(_), Some(own)) => own == surface || self.fault.travels(),
        };
        place && self.route.as_deref().is_none_or(|route| like(route, request))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

/// Whether a request (`GET /path`) is like a pattern, whose method may be left out.
fn like(pattern: &str, request: &str) -> bool {
    let path = request.split_once(' ').map_or(request, |(_, path)| path);
    glob(pattern, if pattern.starts_with('/') { path } else { request })
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            rest.is_empty() || (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| glob(rest, tail)))
        }),
    }
}

/// A fault that has come to happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Struck {
    pub(crate) fault: Fault,
    pub(crate) delay: Duration,
    /// What was held before this has been released so often.
    ticket: u64,
}

/// Faults that are still to happen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: VecDeque<Failure>,
    released: watch::Sender<u64>,
}

impl Faults {
    pub(crate) fn add(&mut self, failure: Failure) {
        self.pending.push_back(failure);
    }

    /// What struck too early is to strike later. Returns nothing, for the request goes on unharmed.
    pub(crate) fn put_back(&mut self, struck: Struck) -> Option<Struck> {
        self.pending
            .push_front(Failure::new(struck.fault).delay(struck.delay));
        None
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Everything that is held goes on.
    pub(crate) fn release(&mut self) {
        self.released.send_modify(|times| *times += 1);
    }

    /// Returns when what struck is released.
    pub(crate) fn released(&self, struck: Struck) -> impl Future<Output = ()> + use<> {
        let mut released = self.released.subscribe();
        async move {
            let _ = released.wait_for(|times| *times > struck.ticket).await;
        }
    }

    pub(crate) fn pending(&self) -> Vec<Fault> {
        self.pending.iter().map(|failure| failure.fault).collect()
    }

    /// The first fault that wants this request, once less to come.
    pub(crate) fn strike(&mut self, surface: Surface, request: &str) -> Option<Struck> {
        let at = self.pending.iter_mut().position(|failure| {
            let wanted = failure.wants(surface, request);
            if wanted && failure.skip > 0 {
                failure.skip -= 1;
                return false;
            }
            wanted && failure.times > 0
        })?;
        let failure = self.pending.get_mut(at)?;
        failure.times -= 1;
        let struck = Struck {
            fault: failure.fault,
            delay: failure.delay,
            ticket: *self.released.borrow(),
        };
        if failure.times == 0 {
            self.pending.remove(at);
        }
        Some(struck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_for_its_route_and_its_turn() {
        let mut faults = Faults::default();
        faults.add(
            Failure::new(Fault::Http500)
                .on("GET /v2/users/*/recordings")
                .after(1)
                .times(2),
        );
        let mut ask = |request: &str| faults.strike(Surface::Rest, request).map(|struck| struck.fault);
        assert_eq!(ask("GET /v2/users/me"), None);
        assert_eq!(ask("GET /v2/users/me/recordings"), None, "the first one passes");
        assert_eq!(ask("GET /v2/users/me/recordings"), Some(Fault::Http500));
        assert_eq!(ask("DELETE /v2/users/me/recordings"), None);
        assert_eq!(ask("GET /v2/users/me/recordings"), Some(Fault::Http500));
        assert_eq!(ask("GET /v2/users/me/recordings"), None, "twice is enough");
    }

    #[test]
    fn a_fault_without_a_route_stays_on_its_surface() {
        let mut faults = Faults::default();
        faults.add(Fault::InvalidGrant.into());
        assert!(faults.strike(Surface::Rest, "GET /v2/users/me").is_none());
        assert!(faults.strike(Surface::Token, "POST /oauth/token").is_some());
    }
}
