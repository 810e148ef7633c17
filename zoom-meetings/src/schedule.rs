//! A session's meeting, made once, on the right account.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};

use token_store::{Holder, OwnerId};
use zoom_core::model::Meeting;
use zoom_core::{Client, Clock, ListMeetings, MeetingId, MeetingUuid, UserId};
use zoom_oauth::{Candidates, ResolutionRecord, ResolvedAccount, Resolver};

use crate::booking::{
    BookedAccount, BookedInstance, Booking, BookingError, BookingStore, Claim, Intent, SessionId,
    SessionState,
};
use crate::join_link::JoinLink;

mod error;
mod request;
#[cfg(test)]
mod tests;

pub use error::ScheduleError;
pub use request::ScheduleRequest;

/// Longer than every time-out inside of one attempt.
const CLAIM: Duration = Duration::from_secs(120);

/// Makes one meeting per session, on the first of the [`Candidates`]' accounts that works, else on the system account;
/// [`why`](Self::why) tells later what was decided.
///
/// # Once
///
/// 1. The session is claimed in the [`BookingStore`], with the account and a random mark, before Zoom is called.
/// 2. The meeting carries the mark in its agenda.
/// 3. Whoever takes over a claim that ran out looks for the mark among the host's meetings before making another.
///
/// So a crash at any point, or an answer of Zoom's that was lost, leaves one meeting. While somebody is at it, others
/// are told [`ScheduleError::Busy`].
#[derive(Debug, Clone)]
pub struct Scheduler {
    resolver: Resolver,
    store: Arc<dyn BookingStore>,
    clock: Clock,
    claim: Duration,
}

/// The account that an attempt is made on.
struct Account {
    booked: BookedAccount,
    client: Client,
    user: UserId,
    resolution: ResolutionRecord,
}

/// A claim on a session.
struct Attempt {
    intent: Intent,
    holder: Holder,
    until: Timestamp,
}

impl Scheduler {
    /// A scheduler on the machine's clock.
    #[must_use]
    pub fn new(resolver: Resolver, store: Arc<dyn BookingStore>) -> Self {
        Self {
            resolver,
            store,
            clock: Clock::system(),
            claim: CLAIM,
        }
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How long a session stays claimed by an attempt that was never heard of again; two minutes unless said otherwise.
    /// Zoom has half of it to answer.
    #[must_use]
    pub fn with_claim(mut self, claim: Duration) -> Self {
        self.claim = claim;
        self
    }

    /// Where the bookings are.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn BookingStore> {
        &self.store
    }

    /// Makes the meeting of a session on the owner's own account, else on the system account, or answers the one that
    /// it has.
    ///
    /// # Errors
    ///
    /// Those of [`schedule_for`](Self::schedule_for).
    pub async fn schedule(
        &self,
        owner: &OwnerId,
        request: &ScheduleRequest,
    ) -> Result<Booking, ScheduleError> {
        self.schedule_for(owner, &Candidates::from(owner), request).await
    }

    /// Makes the meeting of a session on the first of the candidates' accounts that works, or answers the one that it
    /// has. The booking is the owner's, whosever account it is on.
    ///
    /// # Errors
    ///
    /// Before any call: [`ScheduleError::TopicTooLong`] and its like. [`ScheduleError::Busy`] while another attempt may
    /// be under way. [`ScheduleError::SessionBooked`] when the session has a meeting at another time or for another
    /// owner. [`ScheduleError::Zoom`] when Zoom refused: nothing was made, unless
    /// [`is_outcome_unknown`](zoom_core::Error::is_outcome_unknown), and then the next attempt finds out.
    pub async fn schedule_for(
        &self,
        owner: &OwnerId,
        candidates: &Candidates,
        request: &ScheduleRequest,
    ) -> Result<Booking, ScheduleError> {
        request.check()?;
        match self.store.by_session(request.session()).await? {
            Some(SessionState::Booked(booking)) => return same(*booking, owner, request),
            // Perhaps it was made in time, and only the save is missing.
            Some(SessionState::Intended(_)) => {}
            None => request.check_start(self.clock.now())?,
        }
        let mut account = self.account(candidates, request).await?;
        let mut tried = Vec::new();
        loop {
            match self.attempt(owner, request, &account).await {
                // The connection died between the choice and the call. The resolver knows by now.
                Err(ScheduleError::Zoom(error)) if error.needs_reauthorization() && !account.is_system() => {
                    let next = self.account(candidates, request).await?;
                    tried.push(account.booked);
                    if tried.contains(&next.booked) {
                        return Err(ScheduleError::Zoom(error));
                    }
                    account = next;
                }
                outcome => return outcome,
            }
        }
    }

    /// Why the meeting of a session is on its account: what was found when it was decided, whatever has become of the
    /// accounts since. Its [`explain`](ResolutionRecord::explain) is a sentence for people. `None` for a session that is
    /// not known, and for one that was booked before this was kept.
    ///
    /// # Errors
    ///
    /// [`BookingError`] when the store cannot be read.
    pub async fn why(&self, session: &SessionId) -> Result<Option<ResolutionRecord>, BookingError> {
        let resolution = match self.store.by_session(session).await? {
            Some(SessionState::Booked(booking)) => booking.resolution,
            Some(SessionState::Intended(intent)) => intent.resolution,
            None => None,
        };
        Ok(resolution.map(|resolution| *resolution))
    }

    /// Notes that a meeting was started, as `meeting.started` tells, and answers its booking.
    ///
    /// The number stays the same however often a meeting is started; recordings and participants are filed under the
    /// uuid of each start. A meeting that nobody booked here has no booking.
    ///
    /// # Errors
    ///
    /// [`BookingError::Unavailable`] when the store does not answer; deliver the event again later.
    pub async fn meeting_started(
        &self,
        meeting: MeetingId,
        instance: &MeetingUuid,
        started_at: Timestamp,
    ) -> Result<Option<Booking>, BookingError> {
        self.store
            .add_instance(meeting, &BookedInstance::new(instance.clone(), started_at))
            .await
    }

    async fn account(
        &self,
        candidates: &Candidates,
        request: &ScheduleRequest,
    ) -> Result<Account, ScheduleError> {
        let chosen = self.resolver.resolve_for(candidates, request.needs()).await?;
        let resolution = chosen.record(self.clock.now());
        let booked = match chosen.account {
            ResolvedAccount::User(connection) => BookedAccount::Own {
                connection: connection.id,
                account: connection.account_id,
                user: connection.user_id,
            },
            ResolvedAccount::Organisation(connection) => BookedAccount::Organisation {
                connection: connection.id,
                account: connection.account_id,
                user: connection.user_id,
            },
            _ => BookedAccount::System {
                user: chosen.user.clone(),
            },
        };
        Ok(Account {
            booked,
            client: chosen.client,
            user: chosen.user,
            resolution,
        })
    }

    async fn attempt(
        &self,
        owner: &OwnerId,
        request: &ScheduleRequest,
        account: &Account,
    ) -> Result<Booking, ScheduleError> {
        let now = self.clock.now();
        let until = now.checked_add(self.claim).unwrap_or(Timestamp::MAX);
        let holder = Holder::random().map_err(|_| ScheduleError::NoRandomness)?;
        let tracking = request::random_mark()?;
        let intent = Intent::new(
            request.session().clone(),
            owner.clone(),
            account.booked.clone(),
            tracking,
            now,
        )
        .with_resolution(account.resolution.clone());
        let claim = self.store.claim(&intent, &holder, until, now).await?;
        let mut attempt = Attempt {
            intent,
            holder,
            until,
        };
        match claim {
            Claim::Fresh => {}
            Claim::Booked(booking) => return same(*booking, owner, request),
            Claim::Busy { until } => return Err(ScheduleError::Busy { until }),
            Claim::Resumed(earlier) => {
                if earlier.account != account.booked {
                    return Err(ScheduleError::Unverifiable {
                        account: Box::new(earlier.account),
                    });
                }
                attempt.intent = earlier;
                // What was decided then counts, if it was noted.
                attempt
                    .intent
                    .resolution
                    .get_or_insert_with(|| Box::new(account.resolution.clone()));
                if let Some(meeting) = find(account, &attempt.intent.tracking).await? {
                    let booking = self.save(&attempt, account, request, meeting).await?;
                    return same(booking, owner, request);
                }
                if let Err(error) = request.check_start(self.clock.now()) {
                    self.withdraw(&attempt).await;
                    return Err(error);
                }
            }
        }
        let meeting = match self.create(&attempt, account, request).await {
            Ok(meeting) => meeting,
            Err(ScheduleError::Zoom(error)) if error.is_outcome_unknown() => {
                // The answer was lost, perhaps not the meeting. If it is not there yet, the next attempt looks again.
                let found = find(account, &attempt.intent.tracking).await;
                found.ok().flatten().ok_or(ScheduleError::Zoom(error))?
            }
            Err(error) => {
                if matches!(error, ScheduleError::Zoom(_)) {
                    self.withdraw(&attempt).await;
                }
                return Err(error);
            }
        };
        self.save(&attempt, account, request, meeting).await
    }

    async fn create(
        &self,
        attempt: &Attempt,
        account: &Account,
        request: &ScheduleRequest,
    ) -> Result<Meeting, ScheduleError> {
        // Zoom gets half of the claim to answer; later than that somebody may take over before it has.
        let answer_in = self.claim / 2;
        let latest = attempt.until.checked_sub(answer_in).unwrap_or(attempt.until);
        if self.clock.now() > latest {
            return Err(ScheduleError::Busy { until: attempt.until });
        }
        let body = request.body(&attempt.intent.tracking);
        let meetings = account.client.meetings();
        match tokio::time::timeout(answer_in, meetings.create(&account.user, &body)).await {
            Ok(answer) => answer.map_err(ScheduleError::Zoom),
            Err(_) => Err(ScheduleError::Busy { until: attempt.until }),
        }
    }

    async fn save(
        &self,
        attempt: &Attempt,
        account: &Account,
        request: &ScheduleRequest,
        meeting: Meeting,
    ) -> Result<Booking, ScheduleError> {
        let booking = booking(attempt, request, &meeting, self.clock.now())?;
        match self.store.confirm(&booking, &attempt.holder).await {
            Ok(()) => {
                tracing::info!(meeting = %booking.meeting_id, account = booking.account.as_str(), "a meeting was booked");
                Ok(booking)
            }
            Err(BookingError::Superseded) => self.overtaken(attempt, account, booking.meeting_id).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody took over while Zoom was slow. What they booked counts; if it is not this meeting, this one is too many.
    async fn overtaken(
        &self,
        attempt: &Attempt,
        account: &Account,
        extra: MeetingId,
    ) -> Result<Booking, ScheduleError> {
        match self.store.by_session(&attempt.intent.session).await? {
            Some(SessionState::Booked(booking)) => {
                if booking.meeting_id != extra {
                    tracing::warn!(meeting = %extra, kept = %booking.meeting_id, "a second meeting was made and is deleted");
                    account.client.meetings().delete(extra).await?;
                }
                Ok(*booking)
            }
            // They may be looking for this very meeting.
            _ => Err(ScheduleError::Busy { until: attempt.until }),
        }
    }

    /// A claim that cannot be given back runs out by itself.
    async fn withdraw(&self, attempt: &Attempt) {
        if let Err(error) = self
            .store
            .withdraw(&attempt.intent.session, &attempt.holder)
            .await
        {
            tracing::warn!(%error, "a claim could not be given back");
        }
    }

    /// Gives up an attempt that cannot be looked into, because its account is gone, so that the session can be scheduled
    /// anew. If the attempt did make a meeting, that one stays behind on the old account.
    ///
    /// Answers whether there was such an attempt.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::Busy`] while it may still be under way; [`ScheduleError::Store`].
    pub async fn give_up(&self, session: &SessionId) -> Result<bool, ScheduleError> {
        let Some(SessionState::Intended(intent)) = self.store.by_session(session).await? else {
            return Ok(false);
        };
        let holder = Holder::random().map_err(|_| ScheduleError::NoRandomness)?;
        let now = self.clock.now();
        match self
            .store
            .claim(
                &intent,
                &holder,
                now.checked_add(SignedDuration::from_mins(1)).unwrap_or(now),
                now,
            )
            .await?
        {
            Claim::Busy { until } => Err(ScheduleError::Busy { until }),
            Claim::Booked(_) => Ok(false),
            Claim::Fresh | Claim::Resumed(_) => {
                self.store.withdraw(session, &holder).await?;
                Ok(true)
            }
        }
    }
}

impl Account {
    fn is_system(&self) -> bool {
        matches!(self.booked, BookedAccount::System { .. })
    }
}

/// The meeting that carries a mark, if there is one.
async fn find(account: &Account, mark: &str) -> Result<Option<Meeting>, ScheduleError> {
    let mut meetings = std::pin::pin!(
        account
            .client
            .meetings()
            .list_all(&account.user, ListMeetings::new().page_size(300))
    );
    while let Some(meeting) = meetings.try_next().await? {
        if meeting
            .agenda
            .as_deref()
            .is_some_and(|agenda| agenda.contains(mark))
        {
            return Ok(Some(account.client.meetings().get(meeting.id).await?));
        }
    }
    Ok(None)
}

fn booking(
    attempt: &Attempt,
    request: &ScheduleRequest,
    meeting: &Meeting,
    now: Timestamp,
) -> Result<Booking, ScheduleError> {
    // Rebuilt from its parts, so that nothing but the passcode comes along.
    let join_url = meeting
        .join_url
        .as_ref()
        .and_then(|link| JoinLink::parse(link.as_str())?.url().cloned());
    let join_url = join_url.ok_or(ScheduleError::NoJoinLink { meeting: meeting.id })?;
    let start = meeting.start_time.unwrap_or_else(|| request.start());
    if start != request.start() {
        tracing::warn!(meeting = %meeting.id, "Zoom has the meeting at another time than it was asked for");
    }
    let minutes = meeting.duration.unwrap_or_else(|| request.duration_minutes());
    let mut booking = Booking::of(&attempt.intent, meeting.id, join_url.into(), start, minutes);
    booking.topic = meeting
        .topic
        .clone()
        .unwrap_or_else(|| request.topic().to_owned());
    booking.time_zone = request.time_zone().to_owned();
    booking.host_email.clone_from(&meeting.host_email);
    booking.booked_at = now;
    Ok(booking)
}

/// The booking, if it is what was asked for.
fn same(booking: Booking, owner: &OwnerId, request: &ScheduleRequest) -> Result<Booking, ScheduleError> {
    let same = booking.owner == *owner
        && booking.start == request.start()
        && booking.duration_minutes == request.duration_minutes();
    if same {
        Ok(booking)
    } else {
        Err(ScheduleError::SessionBooked(Box::new(booking)))
    }
}
