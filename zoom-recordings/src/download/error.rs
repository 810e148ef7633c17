//! Why a file was not downloaded.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::StageError;

/// Why a file was not downloaded. Never holds a link with its query, a body or a token.
pub struct DownloadError {
    kind: DownloadErrorKind,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What went wrong, and what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadErrorKind {
    /// The file has no download link, because it is not ready or lives on premises. Ask Zoom for the recording again.
    NoLink,
    /// The link, or a redirect, leads to a host that is not on the [`HostAllowList`](crate::HostAllowList).
    HostNotAllowed {
        /// The host, or the scheme where there is no host.
        host: String,
    },
    /// Zoom redirected more than five times, or to nowhere.
    BadRedirect,
    /// No token was to be had; the source says why.
    NoToken,
    /// The token was refused, and a new one as well. The account must be connected anew, or lacks the scope.
    Unauthorized,
    /// The account may not download this recording.
    Forbidden,
    /// The file was deleted, or is not there yet: try again in some minutes.
    NotFound,
    /// Zoom wants fewer requests. Wait as long as [`DownloadError::retry_after`] says.
    RateLimited,
    /// Another status that is not a success.
    Status(u16),
    /// Something else came with a status of success.
    NotAFile(NotAFile),
    /// The file has no bytes. Zoom serves such files before they are ready: try again in some minutes.
    Empty,
    /// The file is whole for the server, yet shorter than Zoom said. Truncated at the source: try again later.
    TooShort {
        /// How many bytes Zoom announced.
        expected: u64,
        /// How many there are.
        got: u64,
    },
    /// The file has more bytes than Zoom said, or than the downloader accepts.
    TooLong {
        /// The most that was acceptable.
        limit: u64,
    },
    /// The connection failed or was cut, more often than the retry policy allows.
    Network,
    /// The file could not be written.
    Disk,
}

/// What came instead of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAFile {
    /// A page that asks for the recording's passcode: the token has no right to the content.
    PasscodePage,
    /// A page to sign in, or one that says that only the host can download.
    LoginPage,
    /// Any other page.
    Page,
    /// JSON, most likely an error.
    Json,
    /// Bytes of another kind than announced.
    OtherBytes,
}

impl DownloadError {
    /// An error as a host's own fake of a downloader would return it.
    #[must_use]
    pub const fn new(kind: DownloadErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
            source: None,
        }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds how long to wait before another try.
    #[must_use]
    pub const fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.retry_after = delay;
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> &DownloadErrorKind {
        &self.kind
    }

    /// What to do: ask Zoom for the recording again later and download anew. What could be cured by trying again at
    /// once was already tried.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.kind {
            DownloadErrorKind::NoToken => !self.needs_reauthorization(),
            DownloadErrorKind::NotAFile(page) => {
                matches!(page, NotAFile::Page | NotAFile::Json | NotAFile::OtherBytes)
            }
            DownloadErrorKind::Status(status) => *status >= 500 || *status == 408,
            DownloadErrorKind::NoLink
            | DownloadErrorKind::NotFound
            | DownloadErrorKind::RateLimited
            | DownloadErrorKind::Empty
            | DownloadErrorKind::TooShort { .. }
            | DownloadErrorKind::Network
            | DownloadErrorKind::Disk => true,
            _ => false,
        }
    }

    /// What to do: ask the owner to connect the Zoom account again.
    #[must_use]
    pub fn needs_reauthorization(&self) -> bool {
        let refused = |source: &(dyn Error + Send + Sync + 'static)| {
            source
                .downcast_ref::<zoom_core::AuthError>()
                .is_some_and(zoom_core::AuthError::needs_reauthorization)
        };
        self.kind == DownloadErrorKind::Unauthorized || self.source.as_deref().is_some_and(refused)
    }

    /// What to do: wait at least this long, if given.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl From<DownloadErrorKind> for DownloadError {
    fn from(kind: DownloadErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<DownloadError> for StageError {
    fn from(error: DownloadError) -> Self {
        let retry_after = error.retry_after;
        let stage = if error.is_retryable() {
            Self::transient(error)
        } else {
            Self::permanent(error)
        };
        match retry_after {
            Some(delay) => stage.retry_after(delay),
            None => stage,
        }
    }
}

impl fmt::Debug for DownloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadError")
            .field("kind", &self.kind)
            .field("retry_after", &self.retry_after)
            .field("source", &self.source)
            .finish()
    }
}

impl fmt::Display for DownloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DownloadErrorKind::NoLink => f.write_str("the file has no download link"),
            DownloadErrorKind::HostNotAllowed { host } => write!(f, "downloads from {host} are not allowed"),
            DownloadErrorKind::BadRedirect => {
                f.write_str("the download was redirected too often or to nowhere")
            }
            DownloadErrorKind::NoToken => f.write_str("no token for the download"),
            DownloadErrorKind::Unauthorized => f.write_str("the download's token was refused"),
            DownloadErrorKind::Forbidden => f.write_str("the account may not download this recording"),
            DownloadErrorKind::NotFound => f.write_str("the file was deleted or is not there yet"),
            DownloadErrorKind::RateLimited => f.write_str("too many downloads"),
            DownloadErrorKind::Status(status) => write!(f, "the download was answered with status {status}"),
            DownloadErrorKind::NotAFile(what) => write!(f, "{what} came instead of the file"),
            DownloadErrorKind::Empty => f.write_str("the file is empty"),
            DownloadErrorKind::TooShort { expected, got } => {
                write!(f, "the file has {got} of {expected} bytes")
            }
            DownloadErrorKind::TooLong { limit } => write!(f, "the file has more than {limit} bytes"),
            DownloadErrorKind::Network => f.write_str("the connection failed or was cut"),
            DownloadErrorKind::Disk => f.write_str("the file could not be written"),
        }
    }
}

impl fmt::Display for NotAFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PasscodePage => "a page that asks for the passcode",
            Self::LoginPage => "a page to sign in",
            Self::Page => "a page",
            Self::Json => "JSON",
            Self::OtherBytes => "something else",
        })
    }
}

impl Error for DownloadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
