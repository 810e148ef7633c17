//! Why a meeting was not made.

use jiff::Timestamp;

use zoom_core::MeetingId;

use crate::booking::{BookedAccount, Booking, BookingError};

/// Why a meeting was not made, or not as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A topic has 200 characters. Shorten it.
    #[error("the topic has {length} characters, zoom takes 200")]
    TopicTooLong {
        /// Its characters.
        length: usize,
    },
    /// An agenda has 2000 characters, less a line for the mark. Shorten it.
    #[error("the agenda has {length} characters, too many for zoom")]
    AgendaTooLong {
        /// Its characters.
        length: usize,
    },
    /// A meeting takes 1 to 1440 minutes. Ask for another length.
    #[error("a meeting of {minutes} minutes cannot be made, only of 1 to 1440")]
    DurationOutOfRange {
        /// What was asked for.
        minutes: u32,
    },
    /// The start has passed; Zoom would silently have made it now. Ask for another time.
    #[error("the start has passed")]
    StartInPast {
        /// What was asked for.
        start: Timestamp,
    },
    /// The session has a meeting already, at another time, of another length or of another owner.
    #[error("the session has another meeting already")]
    SessionBooked(Box<Booking>),
    /// Another attempt may be under way. Try again after that.
    #[error("another attempt at the session may be under way")]
    Busy {
        /// When its time is up.
        until: Timestamp,
    },
    /// An earlier attempt may have made a meeting on an account that cannot be looked into now. Connect it again, or
    /// [give up](super::Scheduler::give_up) the attempt.
    #[error("an earlier attempt was made on an account that is not at hand")]
    Unverifiable {
        /// The account of the earlier attempt.
        account: Box<BookedAccount>,
    },
    /// Zoom made the meeting and gave no usable link. The next attempt finds it again.
    #[error("zoom gave no join link for meeting {meeting}")]
    NoJoinLink {
        /// The meeting.
        meeting: MeetingId,
    },
    /// The system gives no random bytes.
    #[error("no random bytes can be had")]
    NoRandomness,
    /// No account can be used; its `considered()` says which were looked at.
    #[error("no account could be chosen")]
    Account(#[from] zoom_oauth::Error),
    /// Zoom refused or did not answer.
    #[error("zoom did not make the meeting")]
    Zoom(#[from] zoom_core::Error),
    /// The booking store failed. What Zoom may have made is found by the next attempt.
    #[error("the booking could not be stored")]
    Store(#[from] BookingError),
}

impl ScheduleError {
    /// The same request may work later: try again, after [`Busy`](Self::Busy)'s time where there is one.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::NoJoinLink { .. } => true,
            Self::Account(error) => error.is_retryable(),
            // A lost answer is found by the next attempt, so here it is safe to ask again.
            Self::Zoom(error) => error.is_retryable() || error.is_outcome_unknown(),
            Self::Store(error) => matches!(error, BookingError::Unavailable(_)),
            _ => false,
        }
    }
}
