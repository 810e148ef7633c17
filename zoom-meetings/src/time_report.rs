//! What the calendar said against what it really took: per customer, rep and week.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use zoom_core::MeetingId;

use crate::calendar::{CalendarEvent, EventStatus, TimeWindow};
use crate::directory::{Customer, Directory};
use crate::instance::{Instance, MeetingHistory, UnknownReason};
use crate::meeting_time::{Counting, MeetingStatus, MeetingTime, Policy};
use crate::pairing::pair;
use crate::week::IsoWeek;

mod csv;
#[cfg(test)]
mod tests;
mod times;

pub use csv::CsvError;
pub use times::Times;

/// The meetings of one rep with one customer in one week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TimeRow {
    /// Who the meetings are booked to.
    pub customer: Customer,
    /// Whose they were, by e-mail address; `None` when nothing tells.
    pub rep: Option<String>,
    /// The week of their scheduled start, in the report's zone.
    pub week: IsoWeek,
    /// Counts and sums.
    #[serde(flatten)]
    pub times: Times,
}

/// A report of times. Made by [`TimeReport::builder`]; serialises to JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TimeReport {
    /// Which time counts as actual.
    pub policy: Policy,
    /// The zone that weeks are cut in.
    pub time_zone: String,
    /// Sums per customer, rep and week, in that order.
    pub rows: Vec<TimeRow>,
    /// Every meeting behind the sums, in the order of its start.
    pub meetings: Vec<MeetingTime>,
    /// Events that are no Zoom meetings, or that fill whole days; not in the sums.
    pub left_out: usize,
}

impl TimeReport {
    /// A report as of now. `now` decides which meetings are over.
    #[must_use]
    pub fn builder(now: Timestamp) -> TimeReportBuilder {
        TimeReportBuilder {
            now,
            policy: Policy::default(),
            zone: TimeZone::UTC,
            directory: Directory::new(),
            window: None,
            settle: SETTLE,
        }
    }

    /// The sums over everything that has the same key: `report.by(|row| row.customer.clone())`.
    pub fn by<K: Ord>(&self, key: impl Fn(&TimeRow) -> K) -> BTreeMap<K, Times> {
        let mut sums: BTreeMap<K, Times> = BTreeMap::new();
        for row in &self.rows {
            sums.entry(key(row)).or_default().merge(&row.times);
        }
        sums
    }

    /// The sums over everything.
    #[must_use]
    pub fn total(&self) -> Times {
        let mut total = Times::default();
        for row in &self.rows {
            total.merge(&row.times);
        }
        total
    }
}

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct TimeReportBuilder {
    now: Timestamp,
    policy: Policy,
    zone: TimeZone,
    directory: Directory,
    window: Option<TimeWindow>,
    settle: SignedDuration,
}

/// Zoom lists a meeting some minutes after its end; nobody has written down how many.
const SETTLE: SignedDuration = SignedDuration::from_mins(30);

impl TimeReportBuilder {
    /// Which time counts as actual; [`Policy::Met`] unless said otherwise.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The organisation's zone, in which weeks begin and end; UTC unless said otherwise.
    #[must_use]
    pub fn time_zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Who is internal and who belongs to which customer.
    #[must_use]
    pub fn directory(mut self, directory: Directory) -> Self {
        self.directory = directory;
        self
    }

    /// Only what starts in this window; everything that was put in unless said otherwise.
    #[must_use]
    pub fn window(mut self, window: TimeWindow) -> Self {
        self.window = Some(window);
        self
    }

    /// How long after its scheduled end an event without an instance stays unknown before it counts as not started;
    /// half an hour unless said otherwise, because Zoom lists a meeting some time after it ended.
    #[must_use]
    pub fn settle(mut self, settle: SignedDuration) -> Self {
        self.settle = settle;
        self
    }

    /// Pairs events with instances and sums up.
    ///
    /// A meeting is booked to the week of its scheduled start, also when it runs over midnight. The same event in two
    /// calendars counts once, and so does an instance that is listed twice.
    #[must_use]
    pub fn build(self, events: &[CalendarEvent], histories: &[MeetingHistory]) -> TimeReport {
        let (events, left_out) = bookings(events);
        let instances = distinct_instances(histories);
        let gaps = gaps(histories);
        let pairing = pair(&events, &instances);
        let counting = Counting {
            directory: &self.directory,
            policy: self.policy,
            zone: &self.zone,
        };
        let mut meetings: Vec<MeetingTime> = Vec::with_capacity(events.len());
        for (event, paired) in events.iter().zip(&pairing.of_event) {
            let paired: Vec<&Instance> = paired.iter().filter_map(|index| instances.get(*index)).collect();
            meetings.push(counting.event(event, &paired, self.gap(event, &gaps)));
        }
        for instance in pairing
            .unscheduled
            .iter()
            .filter_map(|index| instances.get(*index))
        {
            meetings.push(counting.unscheduled(instance));
        }
        if let Some(window) = self.window {
            meetings.retain(|meeting| window.from <= meeting.start && meeting.start < window.to);
        }
        meetings.sort_by(|a, b| (a.start, &a.uid, &a.instances).cmp(&(b.start, &b.uid, &b.instances)));
        let mut sums: BTreeMap<(Customer, Option<String>, IsoWeek), Times> = BTreeMap::new();
        for meeting in &meetings {
            sums.entry((meeting.customer.clone(), meeting.rep.clone(), meeting.week))
                .or_default()
                .add(meeting);
        }
        let rows = sums
            .into_iter()
            .map(|((customer, rep, week), times)| TimeRow {
                customer,
                rep,
                week,
                times,
            })
            .collect();
        TimeReport {
            policy: self.policy,
            time_zone: zone_name(&self.zone),
            rows,
            meetings,
            left_out,
        }
    }

    /// Why an event without an instance may have had one all the same.
    fn gap(
        &self,
        event: &CalendarEvent,
        gaps: &HashMap<MeetingId, Option<UnknownReason>>,
    ) -> Option<UnknownReason> {
        let Some(id) = event.meeting_id() else {
            return Some(UnknownReason::NoMeetingId);
        };
        if event.end > self.now {
            return Some(UnknownReason::NotOver);
        }
        let gap = gaps.get(&id).copied().unwrap_or(Some(UnknownReason::NotLoaded));
        let settling = self.now < event.end.checked_add(self.settle).unwrap_or(Timestamp::MAX);
        gap.or(settling.then_some(UnknownReason::NotAvailableYet))
    }
}

fn zone_name(zone: &TimeZone) -> String {
    match (zone.iana_name(), zone.to_fixed_offset()) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(offset)) => offset.to_string(),
        (None, Err(_)) => "custom".to_owned(),
    }
}

/// Zoom meetings that take a part of a day, each once, and the number of events that are none.
fn bookings(events: &[CalendarEvent]) -> (Vec<CalendarEvent>, usize) {
    let (zoom, other): (Vec<&CalendarEvent>, Vec<_>) = events
        .iter()
        .partition(|event| event.join.is_some() && !event.all_day);
    let mut kept: Vec<CalendarEvent> = Vec::with_capacity(zoom.len());
    let mut slots: HashMap<(Option<MeetingId>, Timestamp, Timestamp), Vec<usize>> = HashMap::new();
    for event in zoom {
        let slot = slots
            .entry((event.meeting_id(), event.start, event.end))
            .or_default();
        match slot
            .iter()
            .copied()
            .find(|index| kept.get(*index).is_some_and(|other| same_booking(event, other)))
        {
            Some(index) => {
                if let Some(other) = kept.get_mut(index) {
                    merge(other, event);
                }
            }
            None => {
                slot.push(kept.len());
                kept.push(event.clone());
            }
        }
    }
    (kept, other.len())
}

/// Whether two events of one number at one time are copies: of the same event, or with nobody who is not on the other.
fn same_booking(a: &CalendarEvent, b: &CalendarEvent) -> bool {
    let (on_a, on_b): (BTreeSet<&str>, BTreeSet<&str>) = (a.emails().collect(), b.emails().collect());
    let same_people = on_a.is_subset(&on_b) || on_b.is_subset(&on_a);
    a.uid == b.uid || (a.meeting_id().is_some() && same_people)
}

fn merge(kept: &mut CalendarEvent, copy: &CalendarEvent) {
    // One calendar where it still stands is enough for it to stand.
    if kept.status == EventStatus::Cancelled {
        kept.status = copy.status;
    }
    if kept.organizer.is_none() {
        kept.organizer.clone_from(&copy.organizer);
    }
    for person in &copy.attendees {
        if !kept.attendees.iter().any(|known| known.email == person.email) {
            kept.attendees.push(person.clone());
        }
    }
}

/// Every instance once; of two listings of one, the one that knows who was there.
fn distinct_instances(histories: &[MeetingHistory]) -> Vec<Instance> {
    let mut distinct: BTreeMap<(Timestamp, &str), &Instance> = BTreeMap::new();
    for instance in histories.iter().flat_map(|history| &history.instances) {
        let key = (instance.start, instance.uuid.as_str());
        let known = !matches!(instance.attendance, crate::instance::Attendance::Unknown(_));
        if known || !distinct.contains_key(&key) {
            distinct.insert(key, instance);
        }
    }
    distinct.into_values().cloned().collect()
}

/// Per meeting why its list may not be complete. One complete list is enough.
fn gaps(histories: &[MeetingHistory]) -> HashMap<MeetingId, Option<UnknownReason>> {
    let mut gaps: HashMap<MeetingId, Option<UnknownReason>> = HashMap::new();
    for history in histories {
        let gap = gaps.entry(history.meeting_id).or_insert(history.gap);
        *gap = gap.and(history.gap);
    }
    gaps
}

impl Times {
    fn add(&mut self, meeting: &MeetingTime) {
        if meeting.status == MeetingStatus::Cancelled {
            self.cancelled += 1;
            return;
        }
        self.meetings += 1;
        self.scheduled_ms += meeting.scheduled_ms;
        *match meeting.status {
            MeetingStatus::Held => &mut self.held,
            MeetingStatus::NoShowCustomer => &mut self.no_shows_customer,
            MeetingStatus::NoShowHost => &mut self.no_shows_host,
            MeetingStatus::InternalOnly => &mut self.internal_only,
            MeetingStatus::NotStarted => &mut self.not_started,
            MeetingStatus::HeldUnscheduled => &mut self.unscheduled,
            MeetingStatus::Cancelled | MeetingStatus::Unknown => &mut self.unknown,
        } += 1;
        match meeting.actual_ms() {
            Some(actual) => *self.actual_ms.get_or_insert(0) += actual,
            None => self.unknown_scheduled_ms += meeting.scheduled_ms,
        }
    }
}
