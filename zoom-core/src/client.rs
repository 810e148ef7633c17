//! The client: the only place that touches the network.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::Stream;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{Clock, Error, Page, PageItem, Request};

mod auth;
mod meetings;
mod paging;
mod past_meetings;
mod places;
mod recordings;
mod retry;
mod transport;
mod users;

pub use auth::{AuthError, StaticToken, StubTokenSource, TokenSource};
pub use meetings::{ListMeetings, MeetingListType, Meetings};
pub use past_meetings::{ListParticipants, PastMeetings};
pub use recordings::{DeleteAction, ListRecordings, Recordings};
pub use retry::{RetryPolicy, Sleeper};
pub use users::Users;

use transport::Transport;

const BASE_URL: &str = "https://api.zoom.us/v2";
const TIMEOUT: Duration = Duration::from_secs(30);

/// Zoom's API on behalf of whoever the [`TokenSource`] speaks for. Cheap to clone.
///
/// Each call gets a time-out, is sent again within its [`RetryPolicy`], and survives one refused token: the token is
/// reported to its source and the call sent again with the next one.
#[derive(Clone)]
pub struct Client {
    tokens: Arc<dyn TokenSource>,
    transport: Arc<Transport>,
}

impl Client {
    /// Begins a client.
    pub fn builder(tokens: Arc<dyn TokenSource>) -> ClientBuilder {
        ClientBuilder {
            tokens,
            base_url: None,
            timeout: TIMEOUT,
            retry: RetryPolicy::default(),
            clock: Clock::system(),
            sleeper: Sleeper::tokio(),
            http: None,
            plain_http: false,
        }
    }

    /// The same client on behalf of somebody else; connections and settings are shared.
    #[must_use]
    pub fn with_token_source(&self, tokens: Arc<dyn TokenSource>) -> Self {
        Self {
            tokens,
            transport: Arc::clone(&self.transport),
        }
    }

    /// Where the client has its tokens from.
    #[must_use]
    pub fn token_source(&self) -> &Arc<dyn TokenSource> {
        &self.tokens
    }

    /// The address that paths are added to.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        self.transport.base_url()
    }

    /// Users and their settings.
    #[must_use]
    pub const fn users(&self) -> Users<'_> {
        Users::new(self)
    }

    /// Meetings that are planned or under way.
    #[must_use]
    pub const fn meetings(&self) -> Meetings<'_> {
        Meetings::new(self)
    }

    /// Meetings that are over.
    #[must_use]
    pub const fn past_meetings(&self) -> PastMeetings<'_> {
        PastMeetings::new(self)
    }

    /// Cloud recordings.
    #[must_use]
    pub const fn recordings(&self) -> Recordings<'_> {
        Recordings::new(self)
    }

    /// Sends any request; the way to what this crate has no method for. Use [`NoContent`](crate::NoContent) where Zoom
    /// answers nothing, and [`Page`] for a list.
    ///
    /// # Errors
    /// Fails when no token can be had, Zoom cannot be reached or refuses, or its answer is not a `T`.
    pub async fn send<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        self.transport.send(&*self.tokens, &request).await
    }

    /// All pages of a list.
    ///
    /// Ends with the last page, or when Zoom names a page it has named before. An error is the last thing it yields.
    pub fn pages<T: PageItem>(
        &self,
        request: Request,
    ) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        let client = self.clone();
        paging::pages(move |token| {
            let (client, request) = (client.clone(), request.clone());
            async move {
                let request = match token {
                    Some(token) => request.page(&token),
                    None => request,
                };
                client.send(request).await
            }
        })
    }

    /// All entries of all pages of a list. Entries that could not be read are left out; [`pages`](Self::pages) has them.
    pub fn items<T: PageItem>(
        &self,
        request: Request,
    ) -> impl Stream<Item = Result<T, Error>> + Send + use<T> {
        paging::items(self.pages(request))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url().as_str())
            .field("tokens", &self.tokens)
            .finish()
    }
}

/// Makes a [`Client`].
#[must_use]
pub struct ClientBuilder {
    tokens: Arc<dyn TokenSource>,
    base_url: Option<Url>,
    timeout: Duration,
    retry: RetryPolicy,
    clock: Clock,
    sleeper: Sleeper,
    http: Option<reqwest::Client>,
    plain_http: bool,
}

impl ClientBuilder {
    /// Sets the address that paths are added to: `https://api.zoom.us/v2` unless you say otherwise.
    pub fn base_url(mut self, base_url: Url) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// Sets how long one try may take: 30 seconds unless you say otherwise.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how often and when a call is sent again.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the clock that dates in `Retry-After` are measured by.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how the client waits between tries.
    pub fn with_sleeper(mut self, sleeper: Sleeper) -> Self {
        self.sleeper = sleeper;
        self
    }

    /// Sets the HTTP client, to share its connections; make it with
    /// [`http::client_builder`](crate::http::client_builder).
    pub fn with_http(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Allows an address without TLS that is not this machine, such as a simulator in another container. Tokens then
    /// cross the network in the clear.
    pub const fn with_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when the address cannot be used: it is
    /// neither HTTPS nor this machine, has a query, or carries a password.
    pub fn build(self) -> Result<Client, Error> {
        let base_url = match self.base_url {
            Some(url) => url,
            None => Url::parse(BASE_URL).map_err(|_| Error::invalid_request("the base url is not a url"))?,
        };
        check_base(&base_url, self.plain_http)?;
        let http = match self.http {
            Some(http) => http,
            None => crate::http::client_builder()
                .build()
                .map_err(|error| Error::connect(error.without_url()))?,
        };
        let transport = Transport::new(http, base_url, self.timeout, self.retry, self.clock, self.sleeper);
        Ok(Client {
            tokens: self.tokens,
            transport: Arc::new(transport),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

fn check_base(url: &Url, plain_http: bool) -> Result<(), Error> {
    let this_machine = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && (this_machine || plain_http));
    if !safe {
        return Err(Error::invalid_request(
            "the base url is neither https nor this machine",
        ));
    }
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain {
        Ok(())
    } else {
        Err(Error::invalid_request(
            "the base url has more than scheme, host and path",
        ))
    }
}

#[cfg(test)]
mod tests;
