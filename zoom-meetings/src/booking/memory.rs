//! Bookings in memory: for tests, and for hosts that try things out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use token_store::{Holder, OwnerId};
use zoom_core::{MeetingId, MeetingUuid};

use super::{BookedInstance, Booking, BookingError, BookingStore, Claim, Intent, SessionId, SessionState};

/// Bookings that last as long as the process. Clones are the same store.
#[derive(Debug, Clone, Default)]
pub struct MemoryBookingStore {
    sessions: Arc<Mutex<BTreeMap<SessionId, Entry>>>,
}

#[derive(Debug)]
enum Entry {
    Intended {
        intent: Intent,
        holder: Holder,
        until: Timestamp,
    },
    Booked(Booking),
}

impl MemoryBookingStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing is left half done under the lock, so a panic elsewhere does no harm.
    fn sessions(&self) -> MutexGuard<'_, BTreeMap<SessionId, Entry>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, wanted: impl Fn(&Booking) -> bool) -> Option<Booking> {
        bookings(&self.sessions())
            .find(|booking| wanted(booking))
            .cloned()
    }
}

fn bookings(sessions: &BTreeMap<SessionId, Entry>) -> impl Iterator<Item = &Booking> {
    sessions.values().filter_map(|entry| match entry {
        Entry::Booked(booking) => Some(booking),
        Entry::Intended { .. } => None,
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl BookingStore for MemoryBookingStore {
    async fn claim(
        &self,
        intent: &Intent,
        holder: &Holder,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, BookingError> {
        let mut sessions = self.sessions();
        match sessions.get_mut(&intent.session) {
            None => {
                let entry = Entry::Intended {
                    intent: intent.clone(),
                    holder: holder.clone(),
                    until,
                };
                sessions.insert(intent.session.clone(), entry);
                Ok(Claim::Fresh)
            }
            Some(Entry::Booked(booking)) => Ok(Claim::Booked(Box::new(booking.clone()))),
            Some(Entry::Intended { until, .. }) if now < *until => Ok(Claim::Busy { until: *until }),
            Some(Entry::Intended {
                intent,
                holder: old,
                until: ends,
            }) => {
                old.clone_from(holder);
                *ends = until;
                Ok(Claim::Resumed(intent.clone()))
            }
        }
    }

    async fn confirm(&self, booking: &Booking, holder: &Holder) -> Result<(), BookingError> {
        let mut sessions = self.sessions();
        if bookings(&sessions)
            .any(|other| other.meeting_id == booking.meeting_id && other.session != booking.session)
        {
            return Err(BookingError::MeetingTaken);
        }
        match sessions.get_mut(&booking.session) {
            Some(entry @ Entry::Intended { .. }) if entry.is_held_by(holder) => {
                *entry = Entry::Booked(Booking {
                    instances: Vec::new(),
                    ..booking.clone()
                });
                Ok(())
            }
            _ => Err(BookingError::Superseded),
        }
    }

    async fn withdraw(&self, session: &SessionId, holder: &Holder) -> Result<(), BookingError> {
        let mut sessions = self.sessions();
        match sessions.get(session) {
            Some(entry) if entry.is_held_by(holder) => {
                sessions.remove(session);
                Ok(())
            }
            _ => Err(BookingError::Superseded),
        }
    }

    async fn by_session(&self, session: &SessionId) -> Result<Option<SessionState>, BookingError> {
        Ok(self.sessions().get(session).map(|entry| match entry {
            Entry::Intended { intent, .. } => SessionState::Intended(intent.clone()),
            Entry::Booked(booking) => SessionState::Booked(Box::new(booking.clone())),
        }))
    }

    async fn by_meeting(&self, meeting: MeetingId) -> Result<Option<Booking>, BookingError> {
        Ok(self.find(|booking| booking.meeting_id == meeting))
    }

    async fn by_instance(&self, instance: &MeetingUuid) -> Result<Option<Booking>, BookingError> {
        Ok(self.find(|booking| booking.instances.iter().any(|known| known.uuid == *instance)))
    }

    async fn add_instance(
        &self,
        meeting: MeetingId,
        instance: &BookedInstance,
    ) -> Result<Option<Booking>, BookingError> {
        let mut sessions = self.sessions();
        let booked = sessions.values_mut().find_map(|entry| match entry {
            Entry::Booked(booking) if booking.meeting_id == meeting => Some(booking),
            _ => None,
        });
        let Some(booking) = booked else { return Ok(None) };
        if !booking.instances.iter().any(|known| known.uuid == instance.uuid) {
            booking.instances.push(instance.clone());
            booking
                .instances
                .sort_by(|a, b| (a.started_at, &a.uuid).cmp(&(b.started_at, &b.uuid)));
        }
        Ok(Some(booking.clone()))
    }

    async fn list(&self, owner: &OwnerId) -> Result<Vec<Booking>, BookingError> {
        let mut list: Vec<Booking> = bookings(&self.sessions())
            .filter(|booking| booking.owner == *owner)
            .cloned()
            .collect();
        list.sort_by(|a, b| (a.start, &a.session).cmp(&(b.start, &b.session)));
        Ok(list)
    }
}

impl Entry {
    fn is_held_by(&self, holder: &Holder) -> bool {
        matches!(self, Self::Intended { holder: held_by, .. } if held_by == holder)
    }
}
