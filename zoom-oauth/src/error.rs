use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use token_store::{StoreError, VaultError};
use zoom_core::AuthError;

use crate::{Cause, refusal::Refusal, resolver::Considered};

type BoxError = Box<dyn StdError + Send + Sync>;

/// The kinds and what each prints, so that the list of all of them leaves none out.
macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident => $text:literal,)+) => {
        /// What kind of failure it was.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$meta])* $kind,)+ }

        impl ErrorKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            const fn text(self) -> &'static str {
                match self { $(Self::$kind => $text,)+ }
            }
        }
    };
}

kinds! {
    /// An address or a credential that cannot be right; nothing was sent.
    InvalidConfig => "the configuration cannot be right",
    /// The callback has neither a code nor an error, or no state. Start again.
    InvalidCallback => "the callback is not one of zoom's",
    /// The user, or an admin's policy, said no; [`Error::code`] has Zoom's word for it.
    Denied => "the connection was denied",
    /// The state was never given out, or is used up. Start again.
    UnknownState => "the state is unknown or used up",
    /// The user took too long. Start again.
    ExpiredState => "the authorization took too long",
    /// The state belongs to another browser session or another owner: somebody may be trying to make a user finish
    /// what another has begun.
    ForeignSession => "the state belongs to another session or owner",
    /// The owner is connected as another Zoom user. Disconnect first, or sign in to Zoom as the same user.
    AnotherUser => "the owner is connected as another zoom user",
    /// Zoom has granted access and has not said whose: the tokens are kept, and the connect is finished as soon as Zoom
    /// answers, by a [`Keeper`](crate::Keeper) or [`Connections::finish`](crate::Connections::finish). There is nothing to
    /// do again.
    Unfinished => "zoom has not said yet whose the tokens are",
    /// The owner has no connection. Show the way to connect.
    NotConnected => "the owner has no zoom connection",
    /// The connection's tokens are dead; [`Error::code`] says why. Show the way to connect again.
    Expired => "the zoom connection must be authorized again",
    /// Zoom refused the code: used, older than five minutes, or asked for by another connect. Start again.
    InvalidCode => "zoom refused the code",
    /// Zoom has another redirect address for the app. Make them the same, letter by letter.
    RedirectMismatch => "zoom has another redirect address for the app",
    /// Only an administrator of the Zoom account can connect this app.
    AdminRequired => "only an administrator of the zoom account can connect the app",
    /// Zoom refused the app itself, not the user; [`Error::code`] says why. Look at the app's credentials, settings and
    /// scopes.
    Refused => "zoom refused the app",
    /// The ticket of an installation was never given out, or is used up. Install again.
    UnknownTicket => "the ticket is unknown or used up",
    /// Nobody has claimed the installation in time. Install again.
    ExpiredTicket => "the installation was not claimed in time",
    /// Zoom, or another process that is refreshing, did not answer in time. Try again.
    Unavailable => "no token is available at the moment",
    /// Zoom answered with something that is not tokens. Try again.
    UnexpectedAnswer => "zoom answered with something that is not tokens",
    /// Zoom has given new tokens and the store did not take them. They are kept in memory; try again soon, and do not
    /// stop the process.
    NotSaved => "the new tokens are not saved yet",
    /// The store or the lock failed.
    Storage => "the token store failed",
    /// Tokens could not be sealed or opened.
    Vault => "the tokens could not be sealed or opened",
    /// Zoom's API failed with the new tokens; the source is a [`zoom_core::Error`].
    Api => "zoom's api failed with the new tokens",
    /// Neither the owner's own account nor a system account can be used; [`Error::considered`] says why.
    NoAccount => "no zoom account can be used",
}

/// Why accounts could not be connected, kept or found. Prints one line, without bodies, tokens and addresses. Cheap to
/// clone: all callers of one refresh get the same.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    /// A reason of ours, for whoever reads the log.
    detail: Option<&'static str>,
    code: Option<String>,
    number: Option<u32>,
    retry_after: Option<Duration>,
    considered: Vec<Considered>,
    source: Option<BoxError>,
}

impl Error {
    fn build(kind: ErrorKind, edit: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner {
            kind,
            detail: None,
            code: None,
            number: None,
            retry_after: None,
            considered: Vec::new(),
            source: None,
        };
        edit(&mut inner);
        Self(Arc::new(inner))
    }

    /// A failure of this kind, for tests of a host's own.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self::build(kind, |_| {})
    }

    /// A failure of this kind with a cause.
    #[must_use]
    pub fn with_source(kind: ErrorKind, source: impl Into<BoxError>) -> Self {
        Self::build(kind, |inner| inner.source = Some(source.into()))
    }

    pub(crate) fn with_code(kind: ErrorKind, code: Option<String>) -> Self {
        Self::build(kind, |inner| inner.code = code)
    }

    pub(crate) fn refused(kind: ErrorKind, refusal: Refusal) -> Self {
        Self::build(kind, |inner| {
            (inner.code, inner.number) = (refusal.error, refusal.number);
        })
    }

    pub(crate) fn invalid_config(detail: &'static str) -> Self {
        Self::build(ErrorKind::InvalidConfig, |inner| inner.detail = Some(detail))
    }

    pub(crate) fn unavailable(detail: &'static str) -> Self {
        Self::build(ErrorKind::Unavailable, |inner| inner.detail = Some(detail))
    }

    pub(crate) fn no_answer(source: impl Into<BoxError>, retry_after: Option<Duration>) -> Self {
        Self::build(ErrorKind::Unavailable, |inner| {
            inner.source = Some(source.into());
            inner.retry_after = retry_after;
        })
    }

    pub(crate) fn no_account(considered: Vec<Considered>) -> Self {
        Self::build(ErrorKind::NoAccount, |inner| inner.considered = considered)
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The short code that goes with `Denied`, `Expired`, `InvalidCode` and `Refused`, such as `access_denied` or
    /// `invalid_grant`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Zoom's number for why it refused, such as 4709, where it said one.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.0.number
    }

    /// The accounts that were looked at, for `NoAccount`.
    #[must_use]
    pub fn considered(&self) -> &[Considered] {
        &self.0.considered
    }

    /// The same call may work later: try again, not before [`retry_after`](Self::retry_after).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Unavailable | ErrorKind::UnexpectedAnswer | ErrorKind::NotSaved => true,
            ErrorKind::Storage => self.cause::<StoreError>().is_none_or(StoreError::is_retryable),
            ErrorKind::Vault => self.cause::<VaultError>().is_some_and(VaultError::is_retryable),
            ErrorKind::Api => self
                .cause::<zoom_core::Error>()
                .is_some_and(zoom_core::Error::is_retryable),
            _ => false,
        }
    }

    /// How long to wait before the next try, where Zoom said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// There is no live connection: show the way to connect.
    #[must_use]
    pub fn needs_reauthorization(&self) -> bool {
        matches!(self.kind(), ErrorKind::NotConnected | ErrorKind::Expired)
    }

    fn cause<T: StdError + 'static>(&self) -> Option<&T> {
        self.0.source.as_deref().and_then(|source| source.downcast_ref())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::with_source(ErrorKind::Storage, error)
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        Self::with_source(ErrorKind::Vault, error)
    }
}

impl From<zoom_core::Error> for Error {
    fn from(error: zoom_core::Error) -> Self {
        let retry_after = error.retry_after();
        // Tokens that may not even say whose they are: the app lacks that scope, and trying again helps nobody.
        let (kind, code) = if error.api().is_some_and(zoom_core::ApiError::is_missing_scope) {
            (ErrorKind::Refused, Some(Cause::MissingScope.to_string()))
        } else {
            (ErrorKind::Api, None)
        };
        Self::build(kind, |inner| {
            inner.code = code;
            inner.source = Some(error.into());
            inner.retry_after = retry_after;
        })
    }
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        if error.needs_reauthorization() {
            Self::reauthorize(error)
        } else {
            Self::unavailable(error)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().text())?;
        if let Some(detail) = self.0.detail {
            write!(f, ": {detail}")?;
        }
        match (self.code(), self.number()) {
            (Some(code), Some(number)) => write!(f, " ({code}, {number})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, Some(number)) => write!(f, " ({number})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("detail", &self.0.detail)
            .field("code", &self.0.code)
            .field("number", &self.0.number)
            .field("retry_after", &self.0.retry_after)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_dead_connection_asks_for_authorization() {
        for (kind, dead) in [
            (ErrorKind::NotConnected, true),
            (ErrorKind::Expired, true),
            (ErrorKind::Refused, false),
            (ErrorKind::Unavailable, false),
            (ErrorKind::UnexpectedAnswer, false),
            (ErrorKind::NotSaved, false),
            (ErrorKind::Storage, false),
        ] {
            assert_eq!(
                AuthError::from(Error::new(kind)).needs_reauthorization(),
                dead,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_store_that_did_not_answer_may_later() {
        assert!(Error::from(StoreError::unavailable("locked")).is_retryable());
        assert!(!Error::from(StoreError::corrupt("c".into(), "garbage")).is_retryable());
        assert!(!Error::from(VaultError::DoesNotOpen).is_retryable());
    }

    #[test]
    fn display_is_one_line_without_the_source() {
        let error = Error::with_source(ErrorKind::Storage, "canary");
        assert_eq!(error.to_string(), "the token store failed");
        let error = Error::with_code(ErrorKind::Refused, Some("invalid_client".into()));
        assert_eq!(error.to_string(), "zoom refused the app (invalid_client)");
    }
}
