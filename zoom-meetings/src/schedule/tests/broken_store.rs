//! A store that fails once at a chosen point, as a process does that is killed there.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    BeforeClaim,
    AfterClaim,
    BeforeConfirm,
    AfterConfirm,
    /// Somebody else books this meeting first.
    Overtaken(MeetingId),
}

#[derive(Debug)]
pub(super) struct BrokenStore {
    inner: MemoryBookingStore,
    at: Mutex<Option<Break>>,
}

impl BrokenStore {
    pub(super) fn new(at: Break) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryBookingStore::new(),
            at: Mutex::new(Some(at)),
        })
    }

    fn breaks(&self, point: Break) -> Result<(), BookingError> {
        let mut at = self.at.lock().unwrap();
        if *at == Some(point) {
            *at = None;
            return Err(BookingError::unavailable("killed"));
        }
        Ok(())
    }

    async fn overtake(&self, booking: &Booking) -> Result<(), BookingError> {
        let overtaken = self
            .at
            .lock()
            .unwrap()
            .take_if(|at| matches!(at, Break::Overtaken(_)));
        let Some(Break::Overtaken(meeting)) = overtaken else {
            return Ok(());
        };
        let SessionState::Intended(intent) = self.inner.by_session(&booking.session).await?.unwrap() else {
            panic!("not claimed")
        };
        let other = Holder::new("other");
        self.inner
            .claim(&intent, &other, Timestamp::MAX, Timestamp::MAX)
            .await?;
        self.inner
            .confirm(
                &Booking {
                    meeting_id: meeting,
                    ..booking.clone()
                },
                &other,
            )
            .await
    }
}

#[async_trait]
impl BookingStore for BrokenStore {
    async fn claim(
        &self,
        intent: &Intent,
        holder: &Holder,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, BookingError> {
        self.breaks(Break::BeforeClaim)?;
        let claim = self.inner.claim(intent, holder, until, now).await?;
        self.breaks(Break::AfterClaim)?;
        Ok(claim)
    }

    async fn confirm(&self, booking: &Booking, holder: &Holder) -> Result<(), BookingError> {
        self.breaks(Break::BeforeConfirm)?;
        self.overtake(booking).await?;
        self.inner.confirm(booking, holder).await?;
        self.breaks(Break::AfterConfirm)
    }

    async fn withdraw(&self, session: &SessionId, holder: &Holder) -> Result<(), BookingError> {
        self.inner.withdraw(session, holder).await
    }

    async fn by_session(&self, session: &SessionId) -> Result<Option<SessionState>, BookingError> {
        self.inner.by_session(session).await
    }

    async fn by_meeting(&self, meeting: MeetingId) -> Result<Option<Booking>, BookingError> {
        self.inner.by_meeting(meeting).await
    }

    async fn by_instance(&self, instance: &MeetingUuid) -> Result<Option<Booking>, BookingError> {
        self.inner.by_instance(instance).await
    }

    async fn add_instance(
        &self,
        meeting: MeetingId,
        instance: &BookedInstance,
    ) -> Result<Option<Booking>, BookingError> {
        self.inner.add_instance(meeting, instance).await
    }

    async fn list(&self, owner: &OwnerId) -> Result<Vec<Booking>, BookingError> {
        self.inner.list(owner).await
    }
}
