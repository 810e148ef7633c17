//! What was held at the simulated Zoom since the start: the calls to wait for, and a calendar in which they stand.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use zoom_calls::CallId;
use zoom_meetings::{Calendar, CalendarError, CalendarEvent, CalendarEvents, TimeWindow};

/// Webhooks that take longer than this are not waited for: somebody disconnected meanwhile.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// Meetings, in the order in which they were held.
#[derive(Debug, Default)]
pub(crate) struct HeldMeetings(Mutex<Vec<HeldMeeting>>);

/// A meeting that was held.
#[derive(Clone, Debug)]
pub(crate) struct HeldMeeting {
    /// The call that its recording will be.
    pub(crate) call: CallId,
    /// Its topic.
    pub(crate) topic: String,
    /// When it ended.
    pub(crate) ended: Timestamp,
    /// Its place in the calendar, if it was booked.
    pub(crate) event: Option<CalendarEvent>,
}

impl HeldMeetings {
    pub(crate) fn add(&self, meeting: HeldMeeting) {
        self.lock().push(meeting);
    }

    /// Those whose call should be here any moment, newest first.
    pub(crate) fn expected(&self, now: Timestamp, is_here: impl Fn(&CallId) -> bool) -> Vec<HeldMeeting> {
        let held = self.lock();
        let awaited = held
            .iter()
            .rev()
            .filter(|meeting| now.duration_since(meeting.ended) < PATIENCE && !is_here(&meeting.call));
        awaited.cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HeldMeeting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Calendar for HeldMeetings {
    async fn events(&self, window: TimeWindow) -> Result<CalendarEvents, CalendarError> {
        let mut events: Vec<CalendarEvent> = self
            .lock()
            .iter()
            .filter_map(|meeting| meeting.event.clone())
            .collect();
        events.retain(|event| window.touches(event.start, event.end));
        events.sort_by_key(|event| event.start);
        Ok(CalendarEvents::new(events))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_expected_until_it_is_here_or_too_late() {
        let ended: Timestamp = "2026-11-22T15:00:00Z".parse().unwrap();
        let held = HeldMeetings::default();
        for id in ["a", "b"] {
            held.add(HeldMeeting {
                call: CallId::new(id),
                topic: id.to_owned(),
                ended,
                event: None,
            });
        }
        let expected = |seconds, here: &str| {
            let now = ended + SignedDuration::from_secs(seconds);
            held.expected(now, |call| call.as_str() == here)
                .into_iter()
                .map(|meeting| meeting.topic)
                .collect::<Vec<_>>()
        };
        assert_eq!(expected(5, ""), ["b", "a"]);
        assert_eq!(expected(5, "b"), ["a"]);
        assert!(expected(60, "").is_empty());
    }
}
