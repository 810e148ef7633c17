use std::{error::Error as StdError, fmt};

use crate::{ConnectionId, PageToken, StoreError, VaultError};

/// How far a [`Rotation`](crate::Rotation) is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Records looked at.
    pub seen: u64,
    /// Records that were sealed anew; in a dry run, that would be.
    pub rotated: u64,
    /// Records with nothing to do: sealed as they should be, or without a sealed part.
    pub current: u64,
    /// Records that do not open. They stay as they are, with a mark beside them.
    pub quarantined: u64,
    /// Marks removed, because the record is well again or gone.
    pub recovered: u64,
    /// Saves that came second to a host's; the record was loaded and tried again.
    pub conflicts: u64,
    /// Records seen that are still not sealed as they should be: quarantined, always contested, or only looked at in a
    /// dry run.
    pub left: u64,
    /// Records that the store has and cannot read.
    pub unreadable: Vec<ConnectionId>,
    /// Everything up to here is done: where to [go on](crate::Rotation::starting_at).
    pub position: PageToken,
}

impl Progress {
    pub(super) fn at(position: PageToken) -> Self {
        Self {
            position,
            ..Self::default()
        }
    }

    /// Whether nothing that was seen needs an older key, nor may need it.
    #[must_use]
    pub fn has_nothing_left(&self) -> bool {
        self.left == 0 && self.unreadable.is_empty()
    }
}

/// One line for a person.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seen,
            rotated,
            current,
            quarantined,
            conflicts,
            left,
            ..
        } = self;
        write!(
            f,
            "{seen} seen, {rotated} rotated, {current} current, {quarantined} quarantined, {} unreadable, \
             {conflicts} conflicts, {left} left",
            self.unreadable.len()
        )?;
        match self.position.position() {
            Some(id) => write!(f, ", at {id}"),
            None => Ok(()),
        }
    }
}

/// A rotation that stopped, and how far it came. Nothing is lost: mend the cause, and go on from the position or begin
/// again.
#[derive(Debug, thiserror::Error)]
#[error("the rotation stopped")]
pub struct RotationError {
    progress: Box<Progress>,
    #[source]
    source: Box<dyn StdError + Send + Sync>,
    is_retryable: bool,
}

impl RotationError {
    pub(super) fn new(progress: Progress, stop: Stop) -> Self {
        let progress = Box::new(progress);
        match stop {
            Stop::Store(error) => Self {
                progress,
                is_retryable: error.is_retryable(),
                source: error.into(),
            },
            Stop::Vault(error) => Self {
                progress,
                is_retryable: error.is_retryable(),
                source: error.into(),
            },
        }
    }

    /// How far it came.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether the same pass may work later. Wait and go on.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }
}

/// What ends a pass.
pub(super) enum Stop {
    Store(StoreError),
    Vault(VaultError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<VaultError> for Stop {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}
