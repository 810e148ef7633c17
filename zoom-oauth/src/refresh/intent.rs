//! What stands on a record while its refresh token is being spent, so that nobody else spends it, and so that a process
//! that dies in the middle leaves word.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use token_store::StoredConnection;

use crate::{Cause, attributes, tokens::Tokens};

/// Why a refresh token may have been spent without anybody having what it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Doubt {
    /// Whoever was at it never came to an end.
    RefreshInterrupted,
    /// Zoom's answer never came.
    AnswerLost,
}

impl Doubt {
    /// The reason of a connection that turns out to be dead.
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::RefreshInterrupted => Cause::RefreshInterrupted,
            Self::AnswerLost => Cause::AnswerLost,
        }
    }
}

/// Whether a record's tokens may be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody is at it.
    Free(Option<Doubt>),
    /// Another process is, or was until a moment ago.
    Taken,
}

/// The note itself. Readable to anybody with the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    at: Timestamp,
    /// The fingerprint of the refresh token; an app's own account has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The process that is at it; nobody after an attempt that came to an end without tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
}

impl Intent {
    /// Writes on the record that `by` is about to spend its refresh token.
    pub(super) fn declare(
        record: &mut StoredConnection,
        tokens: Option<&Tokens>,
        by: &str,
        doubt: Option<Doubt>,
        now: Timestamp,
    ) {
        let intent = Self {
            at: now,
            token: fingerprint(tokens),
            by: Some(by.to_owned()),
            doubt,
        };
        intent.write(record);
    }

    /// Writes that nobody is at it any more; of a doubt, that is all that is left.
    pub(super) fn stand_down(
        record: &mut StoredConnection,
        tokens: Option<&Tokens>,
        doubt: Option<Doubt>,
        now: Timestamp,
    ) {
        if doubt.is_none() {
            return Self::clear(record);
        }
        let intent = Self {
            at: now,
            token: fingerprint(tokens),
            by: None,
            doubt,
        };
        intent.write(record);
    }

    pub(super) fn clear(record: &mut StoredConnection) {
        attributes::set_refresh_intent(record, None);
    }

    /// The one on the record, if it is about the tokens that the record has: what is about others is of the past.
    pub(super) fn read(record: &StoredConnection, tokens: Option<&Tokens>) -> Option<Self> {
        let intent: Self = serde_json::from_str(attributes::refresh_intent(record)?).ok()?;
        (intent.token == fingerprint(tokens)).then_some(intent)
    }

    pub(super) fn is_by(&self, process: &str) -> bool {
        self.by.as_deref() == Some(process)
    }

    /// What it means to `process`, which is not at it now, when nobody is at it for longer than `lease`.
    pub(super) fn standing(&self, process: &str, lease: SignedDuration, now: Timestamp) -> Standing {
        let young = self.at.duration_since(now).abs() < lease;
        match self.by {
            None => Standing::Free(self.doubt),
            Some(_) if young && !self.is_by(process) => Standing::Taken,
            Some(_) => Standing::Free(Some(self.doubt.unwrap_or(Doubt::RefreshInterrupted))),
        }
    }

    fn write(&self, record: &mut StoredConnection) {
        // Four texts: this cannot fail.
        attributes::set_refresh_intent(record, serde_json::to_string(self).ok());
    }
}

fn fingerprint(tokens: Option<&Tokens>) -> Option<String> {
    let refresh = tokens?.refresh.as_ref()?;
    Some(refresh.fingerprint())
}

#[cfg(test)]
mod tests {
    use token_store::{RecordKind, Status};
    use zoom_core::AccessToken;

    use super::*;
    use crate::tokens::RefreshToken;

    const LEASE: SignedDuration = SignedDuration::from_secs(120);

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn record() -> StoredConnection {
        StoredConnection::new(
            "c".into(),
            "o".into(),
            RecordKind::Connection,
            Status::Active,
            now(),
        )
    }

    fn tokens(refresh: &str) -> Tokens {
        Tokens {
            access: AccessToken::new("canary-a"),
            refresh: Some(RefreshToken::new(refresh)),
            expires_at: now(),
            granted_at: now(),
        }
    }

    #[test]
    fn the_note_is_stable_and_shows_no_token() {
        let mut record = record();
        let doubt = Some(Doubt::AnswerLost);
        Intent::declare(&mut record, Some(&tokens("canary-r")), "p1", doubt, now());
        assert_eq!(
            attributes::refresh_intent(&record).unwrap(),
            r#"{"at":"2026-11-22T10:00:00Z","token":"1bdc1a61","by":"p1","doubt":"answer_lost"}"#
        );
        Intent::stand_down(&mut record, Some(&tokens("canary-r")), doubt, now());
        assert_eq!(
            attributes::refresh_intent(&record).unwrap(),
            r#"{"at":"2026-11-22T10:00:00Z","token":"1bdc1a61","doubt":"answer_lost"}"#
        );
        Intent::stand_down(&mut record, Some(&tokens("canary-r")), None, now());
        assert_eq!(attributes::refresh_intent(&record), None);
    }

    #[test]
    fn another_s_note_keeps_us_off_until_its_lease_is_over() {
        let mut record = record();
        Intent::declare(&mut record, Some(&tokens("r")), "p1", None, now());
        let intent = Intent::read(&record, Some(&tokens("r"))).unwrap();
        let after = |seconds| now() + SignedDuration::from_secs(seconds);
        let interrupted = Standing::Free(Some(Doubt::RefreshInterrupted));
        for (process, seconds, expected) in [
            ("p2", 0, Standing::Taken),
            ("p2", 119, Standing::Taken),
            ("p2", 120, interrupted),
            // A clock that is far behind the other's must not wait for ever.
            ("p2", -119, Standing::Taken),
            ("p2", -120, interrupted),
            // One's own that one does not remember: an attempt that never came to an end.
            ("p1", 0, interrupted),
        ] {
            assert_eq!(
                intent.standing(process, LEASE, after(seconds)),
                expected,
                "{process} {seconds}"
            );
        }
    }

    #[test]
    fn a_doubt_outlives_attempts_that_brought_nothing() {
        let mut record = record();
        let doubt = Some(Doubt::AnswerLost);
        Intent::stand_down(&mut record, Some(&tokens("r")), doubt, now());
        let read = |record: &StoredConnection| Intent::read(record, Some(&tokens("r"))).unwrap();
        assert_eq!(
            read(&record).standing("p2", LEASE, now()),
            Standing::Free(doubt),
            "nobody is at it"
        );
        Intent::declare(&mut record, Some(&tokens("r")), "p1", doubt, now());
        let later = now() + LEASE;
        assert_eq!(
            read(&record).standing("p2", LEASE, later),
            Standing::Free(doubt),
            "the first doubt is the reason"
        );
    }

    #[test]
    fn a_note_about_other_tokens_is_of_the_past() {
        let mut record = record();
        Intent::declare(&mut record, Some(&tokens("r")), "p1", None, now());
        assert!(Intent::read(&record, Some(&tokens("r2"))).is_none());
        assert!(Intent::read(&record, None).is_none());
        Intent::declare(&mut record, None, "p1", None, now());
        assert!(
            Intent::read(&record, None).is_some(),
            "an app's own account has no refresh token"
        );
        attributes::set_refresh_intent(&mut record, Some("something newer".into()));
        assert!(Intent::read(&record, None).is_none());
    }
}
