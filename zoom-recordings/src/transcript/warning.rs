//! What was odd about a source, counted: hostile input cannot make the list long.

use serde::{Deserialize, Serialize};

/// An oddity of a source, how often it occurred and where first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// What was odd.
    pub kind: WarningKind,
    /// The line (from 1) where it occurred first; `None` where lines mean nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// How often it occurred.
    pub count: u64,
}

/// A kind of oddity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// Bytes that are not UTF-8 were replaced by `U+FFFD`.
    InvalidUtf8,
    /// A time range could not be read; its text was left out because it has no place.
    BadTiming,
    /// A cue ended before it started; it was kept with no length.
    EndBeforeStart,
    /// Cues were not in order; they were sorted.
    OutOfOrder,
    /// Text outside of any cue or message was left out.
    StrayText,
    /// A cue without words was left out.
    EmptyCue,
    /// A stretch that the model itself took for silence was left out: such text is made up.
    Silence,
    /// The model repeated itself; the repetition was left out.
    Repetition,
}

/// Collects warnings, one entry per kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warnings(Vec<Warning>);

impl Warnings {
    pub(crate) fn add(&mut self, kind: WarningKind, line: Option<u64>) {
        match self.0.iter_mut().find(|known| known.kind == kind) {
            Some(known) => known.count += 1,
            None => self.0.push(Warning { kind, line, count: 1 }),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Warning> {
        self.0
    }
}
