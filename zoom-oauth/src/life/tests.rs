use token_store::RecordKind;

use super::*;
use crate::{Missing, MissingKind};

fn record(status: Status) -> StoredConnection {
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    StoredConnection::new("c".into(), "o".into(), RecordKind::Connection, status, now)
}

const ALL: [State; 5] = [
    State::Pending,
    State::Active,
    State::Degraded,
    State::Expired,
    State::Disconnected,
];

fn turns() -> [Turn; 7] {
    let died = Turn::Died(Cause::InvalidGrant);
    [
        Turn::Consented,
        Turn::Refreshed,
        Turn::Checked,
        died,
        Turn::Left,
        Turn::Replaced,
        Turn::Removed,
    ]
}

#[test]
fn no_two_rows_speak_of_the_same() {
    for from in ALL {
        for turn in turns() {
            let rows = LIFE
                .iter()
                .filter(|row| row.by.contains(&turn.happens()) && row.from.contains(&from));
            assert!(rows.count() <= 1, "{from:?} {turn:?}");
        }
    }
}

#[test]
fn who_has_left_comes_back_by_consent_only() {
    for turn in turns() {
        let mut left = record(Status::Disconnected);
        let change = life(&mut left, &turn);
        assert_eq!(change.is_some(), turn == Turn::Consented, "{turn:?}");
    }
}

#[test]
fn whoever_knows_what_is_missing_says_active_or_degraded() {
    for from in ALL {
        for turn in [Turn::Consented, Turn::Checked] {
            for lacking in [false, true] {
                let mut record = record(from.status());
                if lacking {
                    attributes::set_missing(&mut record, &[Missing::new(MissingKind::Licence, None)]);
                }
                if life(&mut record, &turn).is_some()
                    && matches!(record.status, Status::Active | Status::Degraded)
                {
                    assert_eq!(record.status == Status::Degraded, lacking, "{from:?} {turn:?}");
                    assert_eq!(record.status_reason.as_deref(), lacking.then_some("no_licence"));
                }
            }
        }
    }
}

#[test]
fn a_status_of_a_later_version_stays_until_it_ends() {
    let mut later = record(Status::from("resting"));
    assert_eq!(life(&mut later, &Turn::Refreshed), Some(Change { told: None }));
    assert_eq!(later.status, Status::from("resting"));
    life(&mut later, &Turn::Died(Cause::Revoked)).unwrap();
    assert_eq!(
        (later.status, later.status_reason.as_deref()),
        (Status::Expired, Some("revoked"))
    );
}

fn life(record: &mut StoredConnection, by: &Turn) -> Option<Change> {
    let now = record.updated_at;
    turn(record, by, now)
}

#[test]
fn new_tokens_say_nothing_about_what_is_missing() {
    let mut degraded = record(Status::Degraded);
    degraded.status_reason = Some("said_by_a_host".into());
    assert_eq!(life(&mut degraded, &Turn::Refreshed), Some(Change { told: None }));
    assert_eq!(
        (degraded.status, degraded.status_reason.as_deref()),
        (Status::Degraded, Some("said_by_a_host"))
    );
}

#[test]
fn the_table_in_the_docs_is_the_one_of_the_code() {
    let name = |state: &State| format!("`{}`", state.status());
    let list = |texts: Vec<String>| texts.join(", ");
    let outcome = |(state, told): (State, Option<EventKind>)| match told {
        Some(told) => format!("{}, told `{told}`", name(&state)),
        None => name(&state),
    };
    let mut table = String::from(
        "| what happens | from | nothing is missing | something is missing |\n|---|---|---|---|\n",
    );
    for row in LIFE {
        table += &format!(
            "| {} | {} | {} | {} |\n",
            list(
                row.by
                    .iter()
                    .map(|happens| happens.in_words().to_owned())
                    .collect()
            ),
            list(row.from.iter().map(name).collect()),
            outcome(row.complete),
            outcome(row.lacking),
        );
    }
    crate::docs::hold("connections.md", "life", &table);
}

impl Happens {
    fn in_words(self) -> &'static str {
        match self {
            Self::Consented => "a user consents",
            Self::Refreshed => "new tokens are saved",
            Self::Checked => "Zoom is asked what there is",
            Self::Died => "Zoom's token endpoint says that it is over",
            Self::Left => "the owner disconnects",
            Self::Replaced => "the owner connects another Zoom user",
            Self::Removed => "the user removes the app at Zoom",
        }
    }
}
