//! Which meeting belongs to which session of the host's, kept for good.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use token_store::{ConnectionId, Holder, OwnerId};
use zoom_core::{AccountId, Link, MeetingId, MeetingUuid, UserId};
use zoom_oauth::ResolutionRecord;

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod tests;

pub use memory::MemoryBookingStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteBookingStore;

/// The host's own id of what a meeting is for: an interview, an appointment. Any text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The account that a meeting is made under, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum BookedAccount {
    /// The owner's own connection.
    Own {
        /// The connection.
        connection: ConnectionId,
        /// Its Zoom account.
        account: AccountId,
        /// Its Zoom user, who hosts.
        user: UserId,
    },
    /// The connection of the owner's organisation.
    Organisation {
        /// The connection.
        connection: ConnectionId,
        /// Its Zoom account.
        account: AccountId,
        /// Its Zoom user, who hosts.
        user: UserId,
    },
    /// The system account, behind all owners.
    System {
        /// The Zoom user who hosts.
        user: UserId,
    },
}

impl BookedAccount {
    /// `own`, `organisation` or `system`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Own { .. } => "own",
            Self::Organisation { .. } => "organisation",
            Self::System { .. } => "system",
        }
    }

    /// The Zoom user who hosts.
    #[must_use]
    pub fn user(&self) -> &UserId {
        match self {
            Self::Own { user, .. } | Self::Organisation { user, .. } | Self::System { user } => user,
        }
    }
}

/// That a meeting is about to be made. Stored before Zoom is called, so that whoever comes after a crash knows where to
/// look for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intent {
    /// What the meeting is for.
    pub session: SessionId,
    /// Whose meeting it is.
    pub owner: OwnerId,
    /// The account that it is made under.
    pub account: BookedAccount,
    /// A random mark that the meeting carries in its agenda, to find it by.
    pub tracking: String,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Why this account. Intents of versions before it was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Box<ResolutionRecord>>,
}

impl Intent {
    /// An intent.
    #[must_use]
    pub fn new(
        session: SessionId,
        owner: OwnerId,
        account: BookedAccount,
        tracking: String,
        begun_at: Timestamp,
    ) -> Self {
        Self {
            session,
            owner,
            account,
            tracking,
            begun_at,
            resolution: None,
        }
    }

    /// Notes why this account.
    #[must_use]
    pub fn with_resolution(mut self, resolution: ResolutionRecord) -> Self {
        self.resolution = Some(Box::new(resolution));
        self
    }
}

/// One time that a booked meeting was started.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BookedInstance {
    /// The instance.
    pub uuid: MeetingUuid,
    /// When it started.
    pub started_at: Timestamp,
}

impl BookedInstance {
    /// An instance.
    #[must_use]
    pub fn new(uuid: MeetingUuid, started_at: Timestamp) -> Self {
        Self { uuid, started_at }
    }
}

/// A session and its meeting. It stays as it is when the connection that it was made with is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Booking {
    /// What the meeting is for.
    pub session: SessionId,
    /// Whose meeting it is.
    pub owner: OwnerId,
    /// The number of the meeting.
    pub meeting_id: MeetingId,
    /// The link for participants, with its passcode and without any other secret.
    pub join_url: Link,
    /// Topic.
    pub topic: String,
    /// Scheduled start.
    pub start: Timestamp,
    /// The zone that it was scheduled in.
    pub time_zone: String,
    /// Scheduled length in minutes.
    pub duration_minutes: u32,
    /// The account that it was made under.
    pub account: BookedAccount,
    /// Why this account, as one word of the resolver's: what it found about the account that comes first.
    pub reason: String,
    /// Why this account, with every account that was looked at. Bookings of versions before it was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Box<ResolutionRecord>>,
    /// The host's e-mail address, as Zoom said.
    pub host_email: Option<String>,
    /// The mark in its agenda.
    pub tracking: String,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// Every time that it was started, in the order of their start. Kept by the store.
    pub instances: Vec<BookedInstance>,
}

impl Booking {
    /// The meeting of an intent, without instances.
    #[must_use]
    pub fn of(
        intent: &Intent,
        meeting_id: MeetingId,
        join_url: Link,
        start: Timestamp,
        duration_minutes: u32,
    ) -> Self {
        Self {
            session: intent.session.clone(),
            owner: intent.owner.clone(),
            meeting_id,
            join_url,
            topic: String::new(),
            start,
            time_zone: "UTC".to_owned(),
            duration_minutes,
            account: intent.account.clone(),
            reason: intent
                .resolution
                .as_ref()
                .map(|resolution| resolution.reason.to_string())
                .unwrap_or_default(),
            resolution: intent.resolution.clone(),
            host_email: None,
            tracking: intent.tracking.clone(),
            booked_at: intent.begun_at,
            instances: Vec::new(),
        }
    }
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The intent is stored and yours: make the meeting.
    Fresh,
    /// Somebody had begun and did not finish. Their intent is yours now: look for their meeting first.
    Resumed(Intent),
    /// Somebody is at it until then.
    Busy {
        /// When their time is up.
        until: Timestamp,
    },
    /// It is booked already.
    Booked(Box<Booking>),
}

/// What is stored of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// A meeting was about to be made.
    Intended(Intent),
    /// There is a meeting.
    Booked(Box<Booking>),
}

/// Why a booking store did not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookingError {
    /// Somebody else has claimed the session since. Undo what you did, then ask again.
    #[error("the session was claimed by somebody else")]
    Superseded,
    /// The meeting belongs to another session. Nothing was changed.
    #[error("the meeting belongs to another session")]
    MeetingTaken,
    /// A stored record cannot be read. Repair it; trying again does not help.
    #[error("a stored booking cannot be read")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store does not answer. Try again later.
    #[error("the booking store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl BookingError {
    /// The store does not answer.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// A stored record cannot be read.
    pub fn corrupt(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Corrupt(source.into())
    }
}

/// Keeps which meeting belongs to which session.
///
/// # Contract
///
/// 1. `claim` of a session that is not known stores the intent for the holder and answers [`Claim::Fresh`].
/// 2. `claim` of a session whose claim has not run out at `now` changes nothing and answers [`Claim::Busy`].
/// 3. `claim` of a session whose claim has run out gives it to the new holder, keeps the stored intent and answers
///    [`Claim::Resumed`] with it.
/// 4. `claim` of a booked session changes nothing and answers [`Claim::Booked`].
/// 5. Of any number of claims at one moment exactly one is Fresh or Resumed.
/// 6. `confirm` by the holder of the claim turns the intent into the booking, also when the claim has run out and nobody
///    has taken it over. By anybody else it is [`BookingError::Superseded`] and changes nothing.
/// 7. A meeting belongs to one session: `confirm` with another session's meeting is [`BookingError::MeetingTaken`].
/// 8. `withdraw` by the holder forgets the intent. By anybody else it is [`BookingError::Superseded`]. It never removes
///    a booking.
/// 9. A booking is found by its session, its meeting and each of its instances, in this process and the next.
/// 10. `add_instance` adds an instance once, however often it is called, keeps them in the order of their start, and
///     answers the booking; of a meeting that is not booked it answers none.
/// 11. Nothing here removes a booking.
/// 12. An intent and a booking come back as they were stored, with the resolution that says why they are on their
///     account; those that were stored without one come back without one.
///
/// # Clone
///
/// Used as `Arc<dyn BookingStore>`; clones of the `Arc` are the same store.
///
/// # Cancellation
///
/// A dropped call has done all of its work or none.
///
/// # Errors
///
/// [`BookingError::Unavailable`] when the store does not answer; it is never the same as “not found”.
#[async_trait]
pub trait BookingStore: fmt::Debug + Send + Sync + 'static {
    /// Takes a session for making its meeting.
    async fn claim(
        &self,
        intent: &Intent,
        holder: &Holder,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, BookingError>;

    /// Stores the booking of a claimed session.
    async fn confirm(&self, booking: &Booking, holder: &Holder) -> Result<(), BookingError>;

    /// Gives a claimed session back, because no meeting was made.
    async fn withdraw(&self, session: &SessionId, holder: &Holder) -> Result<(), BookingError>;

    /// What is stored of a session.
    async fn by_session(&self, session: &SessionId) -> Result<Option<SessionState>, BookingError>;

    /// The booking of a meeting.
    async fn by_meeting(&self, meeting: MeetingId) -> Result<Option<Booking>, BookingError>;

    /// The booking that an instance belongs to.
    async fn by_instance(&self, instance: &MeetingUuid) -> Result<Option<Booking>, BookingError>;

    /// Notes that a booked meeting was started.
    async fn add_instance(
        &self,
        meeting: MeetingId,
        instance: &BookedInstance,
    ) -> Result<Option<Booking>, BookingError>;

    /// An owner's bookings, in the order of their start.
    async fn list(&self, owner: &OwnerId) -> Result<Vec<Booking>, BookingError>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: BookingStore + ?Sized> BookingStore for Arc<S> {
    async fn claim(
        &self,
        intent: &Intent,
        holder: &Holder,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, BookingError> {
        (**self).claim(intent, holder, until, now).await
    }

    async fn confirm(&self, booking: &Booking, holder: &Holder) -> Result<(), BookingError> {
        (**self).confirm(booking, holder).await
    }

    async fn withdraw(&self, session: &SessionId, holder: &Holder) -> Result<(), BookingError> {
        (**self).withdraw(session, holder).await
    }

    async fn by_session(&self, session: &SessionId) -> Result<Option<SessionState>, BookingError> {
        (**self).by_session(session).await
    }

    async fn by_meeting(&self, meeting: MeetingId) -> Result<Option<Booking>, BookingError> {
        (**self).by_meeting(meeting).await
    }

    async fn by_instance(&self, instance: &MeetingUuid) -> Result<Option<Booking>, BookingError> {
        (**self).by_instance(instance).await
    }

    async fn add_instance(
        &self,
        meeting: MeetingId,
        instance: &BookedInstance,
    ) -> Result<Option<Booking>, BookingError> {
        (**self).add_instance(meeting, instance).await
    }

    async fn list(&self, owner: &OwnerId) -> Result<Vec<Booking>, BookingError> {
        (**self).list(owner).await
    }
}
