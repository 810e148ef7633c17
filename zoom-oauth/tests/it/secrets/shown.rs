//! Everything that somebody was shown.

use std::{
    collections::HashSet,
    fmt::Debug,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use zoom_oauth::{Error, ErrorKind};

#[derive(Default)]
pub(crate) struct Shown(Mutex<Seen>);

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) texts: Vec<String>,
    pub(crate) kinds: HashSet<ErrorKind>,
    /// Secrets that were made on the way and have no mark.
    pub(crate) secrets: Vec<String>,
}

impl Shown {
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn text(&self, text: impl Into<String>) {
        self.seen().texts.push(text.into());
    }

    pub(crate) fn secret(&self, secret: &str) {
        self.seen().secrets.push(secret.to_owned());
    }

    pub(crate) fn debug(&self, value: &impl Debug) {
        self.text(format!("{value:?} {value:#?}"));
    }

    /// What a host may log and may serve.
    pub(crate) fn json<T: Debug + Serialize>(&self, value: &T) {
        self.debug(value);
        self.text(serde_json::to_string(value).unwrap());
    }

    /// An error in every form, its causes included.
    pub(crate) fn any_error(&self, error: &(dyn std::error::Error + 'static)) {
        self.text(format!("{error:#?}"));
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.text(format!("{error} {error:?}"));
            cause = error.source();
        }
    }

    /// One of ours, with the page that goes with it, and as a client's error.
    pub(crate) fn error(&self, error: Error) -> ErrorKind {
        let kind = error.kind();
        self.seen().kinds.insert(kind);
        self.any_error(&error);
        self.json(&error.page());
        self.json(&error.considered());
        self.debug(&(error.code(), error.number(), error.retry_after()));
        self.any_error(&zoom_core::AuthError::from(error));
        kind
    }

    /// The error must be of this kind.
    pub(crate) fn refusal<T: Debug>(&self, result: Result<T, Error>, expected: ErrorKind) {
        match result {
            Ok(value) => panic!("{expected:?} was expected, not {value:?}"),
            Err(error) => assert_eq!(self.error(error), expected),
        }
    }
}
