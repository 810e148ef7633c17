//! What a check found, and how to mend it.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// Works, and may not for long.
    Warning,
    /// Does not work.
    Bad,
    /// Could not be looked at.
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        })
    }
}

/// One line of the doctor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    pub(crate) check: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) found: String,
    /// What to do about it.
    pub(crate) fix: Option<String>,
}

impl Finding {
    pub(crate) fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Good, found, None)
    }

    pub(crate) fn warning(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, found, Some(fix.into()))
    }

    pub(crate) fn bad(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Verdict::Bad, found, Some(fix.into()))
    }

    pub(crate) fn skipped(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Skipped, found, None)
    }

    fn new(check: &'static str, verdict: Verdict, found: impl Into<String>, fix: Option<String>) -> Self {
        Self {
            check,
            verdict,
            found: found.into(),
            fix,
        }
    }
}
