//! What a connection may become, in one table. Whatever saves a status asks it first.

use jiff::Timestamp;
use token_store::{Status, StoredConnection};

use crate::{Cause, EventKind, attributes};

/// What happens to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A user has consented and Zoom has said who it is.
    Consented,
    /// There are new tokens.
    Refreshed,
    /// Zoom was asked what the connection has and what it lacks.
    Checked,
    /// Zoom has said for good that it is over.
    Died(Cause),
    /// The owner has left.
    Left,
    /// The owner has connected another Zoom user instead.
    Replaced,
    /// The user has removed the app at Zoom.
    Removed,
}

/// A turn without what comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Consented,
    Refreshed,
    Checked,
    Died,
    Left,
    Replaced,
    Removed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Active,
    Degraded,
    Expired,
    Disconnected,
}

/// From the states of `from`, by any of `by`: what it becomes and what is told, when nothing is missing and when
/// something is.
struct Row {
    by: &'static [Happens],
    from: &'static [State],
    complete: (State, Option<EventKind>),
    lacking: (State, Option<EventKind>),
}

impl Row {
    const fn new(
        by: &'static [Happens],
        from: &'static [State],
        complete: (State, Option<EventKind>),
        lacking: (State, Option<EventKind>),
    ) -> Self {
        Self {
            by,
            from,
            complete,
            lacking,
        }
    }

    /// Where it makes no difference whether something is missing.
    const fn same(
        by: &'static [Happens],
        from: &'static [State],
        becomes: (State, Option<EventKind>),
    ) -> Self {
        Self::new(by, from, becomes, becomes)
    }
}

const LIFE: &[Row] = {
    use EventKind as E;
    use Happens::{Checked, Consented, Died, Left, Refreshed, Removed, Replaced};
    use State::{Active, Degraded, Disconnected, Expired, Pending};
    &[
        Row::new(
            &[Consented],
            &[Pending],
            (Active, Some(E::Connected)),
            (Degraded, Some(E::Connected)),
        ),
        Row::new(
            &[Consented],
            &[Active, Degraded, Expired, Disconnected],
            (Active, Some(E::Reconnected)),
            (Degraded, Some(E::Reconnected)),
        ),
        Row::new(
            &[Checked],
            &[Active],
            (Active, None),
            (Degraded, Some(E::Degraded)),
        ),
        Row::new(
            &[Checked],
            &[Degraded],
            (Active, Some(E::Recovered)),
            (Degraded, None),
        ),
        // New tokens say nothing about what is missing.
        Row::same(&[Refreshed], &[Active], (Active, None)),
        Row::same(&[Refreshed], &[Degraded], (Degraded, None)),
        // Tokens that were waiting to be saved while somebody found the ones before dead.
        Row::new(
            &[Refreshed],
            &[Expired],
            (Active, Some(E::Recovered)),
            (Degraded, Some(E::Recovered)),
        ),
        Row::same(&[Died], &[Active, Degraded], (Expired, Some(E::Expired))),
        Row::same(&[Left, Replaced, Removed], &[Pending], (Disconnected, None)),
        Row::same(
            &[Left, Replaced],
            &[Active, Degraded, Expired],
            (Disconnected, Some(E::Disconnected)),
        ),
        Row::same(
            &[Removed],
            &[Active, Degraded, Expired],
            (Disconnected, Some(E::Deauthorized)),
        ),
    ]
};

/// What has become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// What to announce, by whoever wins the save.
    pub(crate) told: Option<EventKind>,
}

/// Makes of the record what the turn makes of it: status, reason, time of the change. What is missing is read from
/// the record, so whoever knows better notes it first.
///
/// `None` when the turn cannot happen to a connection as it is: there is nothing to save then.
#[must_use]
pub(crate) fn turn(record: &mut StoredConnection, turn: &Turn, now: Timestamp) -> Option<Change> {
    let missing = attributes::missing(record);
    let (becomes, told) = next(&record.status, turn.happens(), !missing.is_empty())?;
    // A status of a later version that would only stay what it is stays what it is.
    if told.is_some() || State::known(&record.status).is_some() {
        record.status = becomes.status();
    }
    record.status_reason = match turn {
        Turn::Refreshed if told.is_none() => record.status_reason.take(),
        Turn::Died(cause) => Some(cause.as_str().to_owned()),
        Turn::Left => Some(Cause::Disconnected.as_str().to_owned()),
        Turn::Replaced => Some(Cause::Replaced.as_str().to_owned()),
        Turn::Removed => Some(Cause::Deauthorized.as_str().to_owned()),
        Turn::Consented | Turn::Refreshed | Turn::Checked => {
            missing.first().map(|missing| missing.cause().as_str().to_owned())
        }
    };
    record.updated_at = now;
    Some(Change { told })
}

fn next(status: &Status, by: Happens, lacking: bool) -> Option<(State, Option<EventKind>)> {
    // What we do not know can be called live: later versions know why.
    let from = State::known(status).unwrap_or(if lacking { State::Degraded } else { State::Active });
    let row = LIFE
        .iter()
        .find(|row| row.by.contains(&by) && row.from.contains(&from))?;
    Some(if lacking { row.lacking } else { row.complete })
}

impl Turn {
    fn happens(&self) -> Happens {
        match self {
            Self::Consented => Happens::Consented,
            Self::Refreshed => Happens::Refreshed,
            Self::Checked => Happens::Checked,
            Self::Died(_) => Happens::Died,
            Self::Left => Happens::Left,
            Self::Replaced => Happens::Replaced,
            Self::Removed => Happens::Removed,
        }
    }
}

impl State {
    fn known(status: &Status) -> Option<Self> {
        match status {
            Status::Pending => Some(Self::Pending),
            Status::Active => Some(Self::Active),
            Status::Degraded => Some(Self::Degraded),
            Status::Expired => Some(Self::Expired),
            Status::Disconnected => Some(Self::Disconnected),
            _ => None,
        }
    }

    fn status(self) -> Status {
        match self {
            Self::Pending => Status::Pending,
            Self::Active => Status::Active,
            Self::Degraded => Status::Degraded,
            Self::Expired => Status::Expired,
            Self::Disconnected => Status::Disconnected,
        }
    }
}

#[cfg(test)]
mod tests;
