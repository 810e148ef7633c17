//! What can go wrong with the simulator itself.

use std::{error::Error as StdError, fmt, io};

/// The simulator could not do what it was asked.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Debug)]
enum Kind {
    Listen,
    Client,
    Unknown(String),
    Refused(String),
}

impl Error {
    pub(crate) fn listen(source: io::Error) -> Self {
        Self {
            kind: Kind::Listen,
            source: Some(source.into()),
        }
    }

    pub(crate) fn client(source: reqwest::Error) -> Self {
        Self {
            kind: Kind::Client,
            source: Some(source.into()),
        }
    }

    pub(crate) fn unknown(what: impl Into<String>) -> Self {
        Self {
            kind: Kind::Unknown(what.into()),
            source: None,
        }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self {
            kind: Kind::Refused(why.into()),
            source: None,
        }
    }

    /// Somebody or something named in the call is not there: list the world and look.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// Zoom would have said no; the text says why.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.kind, Kind::Refused(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Listen => f.write_str("the simulator cannot listen on its port"),
            Kind::Client => f.write_str("the client that sends webhooks cannot be made"),
            Kind::Unknown(what) => write!(f, "there is no {what}"),
            Kind::Refused(why) => f.write_str(why),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn StdError + 'static))
    }
}
