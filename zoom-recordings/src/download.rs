//! From a link at Zoom to a whole file on disk.

mod downloaded;
mod error;
mod follow;
mod hosts;
mod part;
mod range;
mod sniff;

use std::path::Path;
use std::time::Duration;

use http::{StatusCode, header};
use url::Url;
use zoom_core::model::{FileType, RecordingFile};
use zoom_core::{AccessToken, ApiError, RetryPolicy, Sleeper, TokenSource};

use crate::MediaType;
use follow::{Ask, Failure, follow};
use part::Part;
use range::Version;
use sniff::Verdict;

pub use downloaded::Downloaded;
pub use error::{DownloadError, DownloadErrorKind, NotAFile};
pub use hosts::HostAllowList;

/// Tries without progress.
const ATTEMPTS: u32 = 6;
/// So much new makes an attempt a success in its own right: the count of failures starts again.
const PROGRESS: u64 = 64 << 10;
/// More than a day of video; whatever is larger is no recording.
const MAX_LEN: u64 = 64 << 30;
const MAX_TEXT_LEN: u64 = 64 << 20;

/// Downloads recording files: streamed to a temporary file, whole or not at all.
///
/// * The token travels in a header, to the link's own host only; redirects are followed by hand, at most five, to
///   allowed hosts ([`HostAllowList`]).
/// * A cut connection goes on where it was (`Range` with `If-Range`); a file that changed meanwhile is begun anew.
/// * A page or an error that comes with status 200 is caught by its type and first bytes; media must have exactly the
///   size that Zoom announced, text must have bytes.
/// * A refused token is reported to its source, and a new one is tried once.
///
/// Cloning is cheap and shares connections.
#[derive(Debug, Clone)]
pub struct Downloader {
    http: reqwest::Client,
    hosts: HostAllowList,
    retry: RetryPolicy,
    sleeper: Sleeper,
    max_len: u64,
}

/// What a file must be to be the right one.
#[derive(Debug, Clone, Copy)]
struct Expected {
    media_type: MediaType,
    /// The size that Zoom announced, for media: there it is exact. For text it is a rough figure and not used.
    announced: Option<u64>,
    /// The most that is accepted.
    limit: u64,
}

impl Downloader {
    /// A downloader for these hosts, with the family's HTTP client.
    ///
    /// # Errors
    ///
    /// [`DownloadErrorKind::Network`] when the HTTP client cannot be built.
    pub fn new(hosts: HostAllowList) -> Result<Self, DownloadError> {
        let http = zoom_core::http::client_builder()
            // Bytes as they are: a range of a compressed body would be a range of something else.
            .no_gzip()
            .build()
            .map_err(|error| {
                DownloadError::new(DownloadErrorKind::Network).with_source(error.without_url())
            })?;
        Ok(Self {
            http,
            hosts,
            retry: RetryPolicy::default().attempts(ATTEMPTS),
            sleeper: Sleeper::tokio(),
            max_len: MAX_LEN,
        })
    }

    /// Other hosts than those given at first; connections are kept.
    #[must_use]
    pub fn with_hosts(mut self, hosts: HostAllowList) -> Self {
        self.hosts = hosts;
        self
    }

    /// How often to try again without progress, and how long to wait.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How to wait, so that tests do not.
    #[must_use]
    pub fn with_sleeper(mut self, sleeper: Sleeper) -> Self {
        self.sleeper = sleeper;
        self
    }

    /// The most that is accepted where Zoom announced no size.
    #[must_use]
    pub const fn with_max_len(mut self, bytes: u64) -> Self {
        self.max_len = bytes;
        self
    }

    /// Downloads a file to a temporary file in `dir`. The file is gone when the result is dropped;
    /// [`Downloaded::persist`] gives it a name, in one step.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]; nothing is left in `dir` then. [`DownloadError::is_retryable`] tells whether asking Zoom for
    /// the recording again later can help.
    #[tracing::instrument(skip_all, fields(file = file.id.as_ref().map(tracing::field::display)))]
    pub async fn download(
        &self,
        tokens: &dyn TokenSource,
        file: &RecordingFile,
        dir: &Path,
    ) -> Result<Downloaded, DownloadError> {
        let link = file.download_url.as_ref().ok_or(DownloadErrorKind::NoLink)?;
        let expected = Expected::of(file, self.max_len);
        let mut part = Part::create(dir)
            .await
            .map_err(|error| Failure::from(error).error)?;
        let mut version = Version::default();
        let (mut best, mut failures, mut waited, mut renewed) = (0, 0, Duration::ZERO, false);
        loop {
            let no_token = |error| DownloadError::new(DownloadErrorKind::NoToken).with_source(error);
            let token = tokens.access_token().await.map_err(no_token)?;
            let attempt = self.attempt(link, &token, &expected, &mut version, &mut part);
            let Err(failure) = attempt.await else { break };
            if part.len() > best + PROGRESS {
                (best, failures, waited, renewed) = (part.len(), 0, Duration::ZERO, false);
            }
            if *failure.error.kind() == DownloadErrorKind::Unauthorized && !renewed {
                renewed = true;
                tokens.invalidate(&token).await.map_err(no_token)?;
                continue;
            }
            failures += 1;
            let wait = self
                .retry
                .wait(failures, &as_call(&failure.error), true, waited)
                .filter(|_| failure.again);
            let Some(wait) = wait else {
                return Err(failure.error);
            };
            waited += wait;
            tracing::debug!(failures, have = part.len(), kind = ?failure.error.kind(), "the download goes on after a failure");
            self.sleeper.sleep(wait).await;
        }
        let whole = part.finish().await.map_err(|error| Failure::from(error).error)?;
        Ok(Downloaded::new(whole, expected.media_type))
    }

    /// One request, and as much of the file as it brings.
    async fn attempt(
        &self,
        link: &Url,
        token: &AccessToken,
        expected: &Expected,
        version: &mut Version,
        part: &mut Part,
    ) -> Result<(), Failure> {
        let mut answer = follow(
            &self.http,
            &self.hosts,
            Ask {
                link,
                token,
                version,
                have: part.len(),
            },
        )
        .await?;
        let status = answer.status();
        if status == StatusCode::OK {
            *version = Version::of_whole(answer.headers());
            part.restart().await?;
            let first = expected.first_bytes(&mut answer).await?;
            if version.total.is_some_and(|total| total > expected.limit) {
                return Err(expected.too_long());
            }
            expected.add(part, &first).await?;
        } else if status != StatusCode::PARTIAL_CONTENT || !version.is_rest(answer.headers(), part.len()) {
            // Another file by now, or a range that nobody asked for.
            part.restart().await?;
            return Err(Failure::again(DownloadErrorKind::Status(status.as_u16())));
        }
        loop {
            match answer.chunk().await {
                Ok(Some(bytes)) => {
                    if part.len() + bytes.len() as u64 > expected.limit {
                        return Err(DownloadErrorKind::TooLong {
                            limit: expected.limit,
                        }
                        .into());
                    }
                    part.write(&bytes).await?;
                }
                Ok(None) => return expected.check(part.len(), version.total),
                // Cut behind the last byte.
                Err(_) if version.total == Some(part.len()) => {
                    return expected.check(part.len(), version.total);
                }
                Err(error) => return Err(Failure::network(error)),
            }
        }
    }
}

impl Expected {
    fn of(file: &RecordingFile, max_len: u64) -> Self {
        let by_name = || file.file_extension.as_deref().and_then(MediaType::of_extension);
        let media_type = match file.file_type {
            FileType::Mp4 => MediaType::Mp4,
            FileType::M4a => MediaType::M4a,
            FileType::Transcript | FileType::ClosedCaption => MediaType::Vtt,
            FileType::Timeline | FileType::Summary | FileType::ChatMessage => MediaType::Json,
            FileType::Csv => MediaType::Csv,
            FileType::Thumbnail => MediaType::Jpeg,
            _ => by_name().unwrap_or(MediaType::Text),
        };
        let announced = file.file_size.filter(|size| *size > 0 && media_type.has_sound());
        let most = if media_type.has_sound() {
            max_len
        } else {
            max_len.min(MAX_TEXT_LEN)
        };
        Self {
            media_type,
            announced,
            limit: announced.unwrap_or(most).min(most),
        }
    }

    /// Reads enough of a body to know that it is the file.
    async fn first_bytes(&self, answer: &mut reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut first = Vec::new();
        read_up_to(sniff::PREFIX, answer, &mut first).await?;
        if first.is_empty() {
            return Err(DownloadErrorKind::Empty.into());
        }
        let content_type = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let prefix = first.get(..sniff::PREFIX).unwrap_or(&first);
        match sniff::judge(self.media_type, content_type, prefix) {
            Verdict::File => Ok(first),
            Verdict::OtherBytes => Err(DownloadErrorKind::NotAFile(NotAFile::OtherBytes).into()),
            Verdict::Page => {
                read_up_to(sniff::PAGE, answer, &mut first).await?;
                Err(DownloadErrorKind::NotAFile(sniff::name_page(&first)).into())
            }
            Verdict::Json => {
                read_up_to(sniff::PAGE, answer, &mut first).await?;
                Err(if sniff::refuses_token(&first) {
                    DownloadErrorKind::Unauthorized.into()
                } else {
                    DownloadErrorKind::NotAFile(NotAFile::Json).into()
                })
            }
        }
    }

    async fn add(&self, part: &mut Part, bytes: &[u8]) -> Result<(), Failure> {
        if part.len() + bytes.len() as u64 > self.limit {
            return Err(self.too_long());
        }
        Ok(part.write(bytes).await?)
    }

    fn too_long(&self) -> Failure {
        DownloadErrorKind::TooLong { limit: self.limit }.into()
    }

    /// Judges a body that ended: cut, whole, or whole for the server and yet too short.
    fn check(&self, len: u64, total: Option<u64>) -> Result<(), Failure> {
        if total.is_some_and(|total| len < total) {
            return Err(Failure::again(DownloadErrorKind::Network));
        }
        match self.announced {
            Some(expected) if len < expected => {
                let error = DownloadErrorKind::TooShort { expected, got: len }.into();
                Err(Failure {
                    error,
                    again: total.is_none(),
                })
            }
            _ => Ok(()),
        }
    }
}

/// What the failure would be to a call of the API, so that one policy serves both.
fn as_call(error: &DownloadError) -> zoom_core::Error {
    let status = match error.kind() {
        DownloadErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS.as_u16(),
        DownloadErrorKind::Status(status) if *status >= 500 => *status,
        _ => return zoom_core::Error::transport("the download was cut"),
    };
    let mut answer = ApiError::new(status, None, "");
    answer.retry_after = error.retry_after();
    answer.into()
}

async fn read_up_to(len: usize, answer: &mut reqwest::Response, into: &mut Vec<u8>) -> Result<(), Failure> {
    while into.len() < len {
        match answer.chunk().await.map_err(Failure::network)? {
            Some(bytes) => into.extend_from_slice(&bytes),
            None => break,
        }
    }
    Ok(())
}
