//! Meetings that took place, from Zoom's REST API.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use zoom_core::model::{MeetingListItem, Participant, ParticipantStatus, PastInstance};
use zoom_core::{
    Client, Clock, Error, ListMeetings, ListParticipants, MeetingId, MeetingListType, MeetingRef, UserId,
};

use crate::calendar::TimeWindow;
use crate::directory::normal;
use crate::instance::{Attendance, Instance, MeetingHistory, Place, UnknownReason, Visit};

/// Instances are looked for this far around a window, because an event may begin early and run late.
const AROUND: SignedDuration = SignedDuration::from_hours(6);
/// How long after the end Zoom may still be writing a meeting up.
const WRITE_UP: SignedDuration = SignedDuration::from_hours(24);
const MEETINGS_AT_ONCE: usize = 4;

#[cfg(test)]
mod tests;

/// Zoom's codes for what cannot be had.
mod code {
    pub(super) const PLAN: i64 = 200;
    pub(super) const NO_ACCESS: i64 = 300;
    pub(super) const OTHER_ACCOUNT: i64 = 1010;
    pub(super) const A_YEAR_AGO: i64 = 12702;
}

/// Loads past meetings: every instance by its own uuid, with everybody who joined.
///
/// A number alone stands for the latest instance only, so it is asked for nothing but the list of instances.
#[derive(Debug, Clone)]
pub struct PastMeetings {
    clock: Clock,
}

impl Default for PastMeetings {
    fn default() -> Self {
        Self::new()
    }
}

impl PastMeetings {
    /// A loader on the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: Clock::system(),
        }
    }

    /// Takes the time from this clock. It decides whether a meeting may still be on its way into Zoom's lists.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The instances of these meetings in a window, in the order of the meetings; a meeting asked for twice is loaded
    /// once.
    ///
    /// What one meeting does not give is a reason in its history; it does not cost the others.
    ///
    /// # Errors
    ///
    /// When the connection must be authorised again: every meeting would fail.
    pub async fn load(
        &self,
        client: &Client,
        meetings: impl IntoIterator<Item = MeetingId>,
        window: TimeWindow,
    ) -> Result<Vec<MeetingHistory>, Error> {
        let mut seen = HashSet::new();
        let meetings: Vec<MeetingId> = meetings.into_iter().filter(|id| seen.insert(*id)).collect();
        stream::iter(meetings)
            .map(|id| self.history(client, id, window))
            .buffered(MEETINGS_AT_ONCE)
            .try_collect()
            .await
    }

    /// The meetings that a user has hosted in a window: with them a report finds the ones that no calendar knows.
    ///
    /// # Errors
    ///
    /// Fails as [`Client::send`] does.
    pub async fn hosted(
        &self,
        client: &Client,
        user: &UserId,
        window: TimeWindow,
    ) -> Result<Vec<MeetingId>, Error> {
        // Zoom takes days, and in which zone is the host's affair: a day more on both sides.
        let day = SignedDuration::from_hours(24);
        let from = window.from.checked_sub(day).unwrap_or(Timestamp::MIN);
        let to = window.to.checked_add(day).unwrap_or(Timestamp::MAX);
        let list = ListMeetings::new()
            .list_type(MeetingListType::PreviousMeetings)
            .from(TimeZone::UTC.to_datetime(from).date())
            .to(TimeZone::UTC.to_datetime(to).date())
            .page_size(300);
        let listed: Vec<MeetingListItem> = client.meetings().list_all(user, list).try_collect().await?;
        let mut seen = HashSet::new();
        Ok(listed
            .into_iter()
            .map(|meeting| meeting.id)
            .filter(|id| seen.insert(*id))
            .collect())
    }

    async fn history(
        &self,
        client: &Client,
        id: MeetingId,
        window: TimeWindow,
    ) -> Result<MeetingHistory, Error> {
        let listed = match client.past_meetings().instances(id).await {
            Ok(listed) => listed,
            Err(error) if error.is_not_found() => match client.meetings().get(id).await {
                // It is ours and Zoom has no past of it: it was never started.
                Ok(_) => Vec::new(),
                Err(error) => return Ok(MeetingHistory::unknown(id, reason(error)?)),
            },
            Err(error) => return Ok(MeetingHistory::unknown(id, reason(error)?)),
        };
        let around = TimeWindow {
            from: window.from.checked_sub(AROUND).unwrap_or(Timestamp::MIN),
            to: window.to.checked_add(AROUND).unwrap_or(Timestamp::MAX),
        };
        let mut seen = HashSet::new();
        let mut instances = Vec::new();
        for past in listed {
            let Some(start) = past.start_time else { continue };
            if around.from <= start && start < around.to && seen.insert(past.uuid.clone()) {
                instances.push(self.instance(client, id, past, start).await?);
            }
        }
        instances.sort_by(|a: &Instance, b| (a.start, &a.uuid).cmp(&(b.start, &b.uuid)));
        Ok(MeetingHistory::complete(id, instances))
    }

    async fn instance(
        &self,
        client: &Client,
        id: MeetingId,
        past: PastInstance,
        start: Timestamp,
    ) -> Result<Instance, Error> {
        let name = MeetingRef::Uuid(past.uuid.clone());
        let mut instance = Instance::new(id, past.uuid, start, start);
        let details = match client.past_meetings().get(&name).await {
            Ok(details) => details,
            Err(error) => {
                let reason = if error.is_not_found() {
                    self.not_written_up(start)
                } else {
                    reason(error)?
                };
                return Ok(instance.with_attendance(Attendance::Unknown(reason)));
            }
        };
        instance.start = details.start_time.unwrap_or(start);
        instance.topic = details.topic;
        instance.host_email = details.user_email.as_deref().map(normal);
        let Some(end) = details.end_time else {
            return Ok(instance.with_attendance(Attendance::Unknown(self.not_written_up(start))));
        };
        instance.end = end.max(instance.start);
        let all = client
            .past_meetings()
            .participants_all(&name, ListParticipants::new().page_size(300));
        let rows: Vec<Participant> = match all.try_collect().await {
            Ok(rows) => rows,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Ok(instance.with_attendance(Attendance::Unknown(reason(error)?))),
        };
        let attendance = self.attendance(&rows, details.participants_count, instance.end);
        Ok(instance.with_attendance(attendance))
    }

    fn attendance(&self, rows: &[Participant], joins: Option<u32>, end: Timestamp) -> Attendance {
        let visits: Vec<Visit> = rows.iter().filter_map(visit).collect();
        // Right after the end rows stand there without a duration; they are filled in later.
        let settling = !visits.is_empty()
            && visits
                .iter()
                .all(|visit| visit.left.is_none_or(|left| left <= visit.joined));
        match joins {
            _ if settling => Attendance::Unknown(self.not_written_up(end)),
            // Zoom lists nobody when nobody else was there.
            Some(1) if visits.is_empty() => Attendance::OnePerson,
            _ if visits.is_empty() => Attendance::Unknown(self.not_written_up(end)),
            _ => Attendance::Rows(visits),
        }
    }

    /// Soon after a meeting everything may still come; later what is missing stays away.
    fn not_written_up(&self, since: Timestamp) -> UnknownReason {
        if self.clock.now().duration_since(since) < WRITE_UP {
            UnknownReason::NotAvailableYet
        } else {
            UnknownReason::NotFound
        }
    }
}

/// One row of Zoom's list as a visit; rows without a time of joining tell nothing.
fn visit(row: &Participant) -> Option<Visit> {
    let joined = row.join_time?;
    // Where a leave is missing, the duration may know it.
    let after = |seconds: u64| {
        i64::try_from(seconds)
            .ok()
            .and_then(|s| joined.checked_add(SignedDuration::from_secs(s)).ok())
    };
    let left = row
        .leave_time
        .or_else(|| row.duration.filter(|seconds| *seconds > 0).and_then(after));
    let mut visit = Visit::new(joined, left);
    visit.place = match (&row.status, &row.bo_mtg_id) {
        (Some(ParticipantStatus::InWaitingRoom), _) => Place::WaitingRoom,
        (_, Some(_)) => Place::Breakout,
        _ => Place::Meeting,
    };
    visit.participant_user_id = row
        .participant_user_id
        .as_ref()
        .or(row.id.as_ref())
        .map(ToString::to_string);
    visit.registrant_id = row.registrant_id.as_ref().map(ToString::to_string);
    visit.email.clone_from(&row.user_email);
    visit.name.clone_from(&row.name);
    visit.internal = row.internal_user;
    Some(visit)
}

/// Why a meeting cannot be had; an error only when no meeting could.
fn reason(error: Error) -> Result<UnknownReason, Error> {
    if error.needs_reauthorization() {
        return Err(error);
    }
    let api = error.api();
    let reason = match api.and_then(|api| api.code) {
        _ if error.is_not_found() => UnknownReason::NotFound,
        _ if api.is_some_and(|api| api.is_missing_scope() || api.status == 403) => UnknownReason::NoAccess,
        Some(code::PLAN) => UnknownReason::PlanLimit,
        Some(code::NO_ACCESS | code::OTHER_ACCOUNT) => UnknownReason::NoAccess,
        Some(code::A_YEAR_AGO) => UnknownReason::TooOld,
        _ => UnknownReason::Unavailable,
    };
    tracing::debug!(?reason, kind = ?error.kind(), "a past meeting could not be loaded");
    Ok(reason)
}
