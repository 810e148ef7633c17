//! One booked meeting: whether it was held, and what time it really took.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use zoom_core::{MeetingId, MeetingUuid};

use crate::calendar::{CalendarEvent, EventStatus};
use crate::directory::{Customer, Directory, Side, normal};
use crate::instance::{Instance, UnknownReason};
use crate::presence::{PersonTime, Presence};
use crate::spans::Spans;
use crate::week::IsoWeek;

#[cfg(test)]
mod tests;

/// From this on two sides have met.
const MET_MS: i64 = 2 * 60_000;
/// From this on somebody has waited for the other side.
const WAITED_MS: i64 = 5 * 60_000;

/// Which time of a meeting is reported as actual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Policy {
    /// Somebody internal and somebody external were there.
    #[default]
    Met,
    /// The meeting ran, whoever was in it.
    Instance,
    /// Somebody internal was there.
    RepAttended,
    /// Somebody external was there.
    CustomerAttended,
}

impl Policy {
    fn of(self, presence: &Presence) -> Spans {
        match self {
            Self::Met => presence.met(),
            Self::Instance => presence.instance().clone(),
            Self::RepAttended => presence.internal().clone(),
            Self::CustomerAttended => presence.external().clone(),
        }
    }
}

/// How a meeting turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MeetingStatus {
    /// Both sides were there together for two minutes or more.
    Held,
    /// Our side was there for five minutes or more and the customer never was, or hardly.
    NoShowCustomer,
    /// The customer was there, or in the waiting room, and our side never was, or hardly.
    NoShowHost,
    /// Held among ourselves: nobody external was invited, or two or more of us met without one.
    InternalOnly,
    /// Nobody started it, or nobody stayed for five minutes.
    NotStarted,
    /// The event was called off.
    Cancelled,
    /// Took place without an event in the calendar.
    HeldUnscheduled,
    /// What happened is not known, which is not the same as nothing.
    Unknown,
}

impl MeetingStatus {
    /// The name in reports: `held`, `no_show_customer`…
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::NoShowCustomer => "no_show_customer",
            Self::NoShowHost => "no_show_host",
            Self::InternalOnly => "internal_only",
            Self::NotStarted => "not_started",
            Self::Cancelled => "cancelled",
            Self::HeldUnscheduled => "held_unscheduled",
            Self::Unknown => "unknown",
        }
    }
}

/// What is measured when it is known who was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Measured {
    /// Time by the report's policy, summed over the instances.
    pub actual_ms: i64,
    /// End minus start, summed over the instances.
    pub instance_ms: i64,
    /// Time with somebody of each side, summed over the instances.
    pub met_ms: i64,
    /// First moment with both sides, minus the scheduled start; negative when early, absent when they never met or
    /// nothing was scheduled.
    pub late_start_ms: Option<i64>,
    /// How long it ran past the scheduled end.
    pub overrun_ms: i64,
    /// How long before the scheduled end it was over.
    pub early_end_ms: i64,
    /// Who was there, per instance.
    pub people: Vec<PersonTime>,
}

/// A meeting of a report: an event with its instances, or an instance without an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MeetingTime {
    /// The calendar's id of the event; absent when it was not in the calendar.
    pub uid: Option<String>,
    /// Which occurrence of a series.
    pub occurrence: Option<Timestamp>,
    /// The meeting's number.
    pub meeting_id: Option<MeetingId>,
    /// Title of the event, else topic of the meeting.
    pub topic: Option<String>,
    /// Who it is booked to.
    pub customer: Customer,
    /// Whose it was, by e-mail address: the internal organiser, else the host, else the first of us who was invited.
    pub rep: Option<String>,
    /// Scheduled start; of an unscheduled meeting its real one.
    pub start: Timestamp,
    /// The week of the start, in the report's zone.
    pub week: IsoWeek,
    /// Scheduled length; zero when it was not in the calendar.
    pub scheduled_ms: i64,
    /// How it turned out.
    pub status: MeetingStatus,
    /// Why it is not known how it turned out.
    pub unknown: Option<UnknownReason>,
    /// Its instances.
    pub instances: Vec<MeetingUuid>,
    /// What was measured; absent when it is not known.
    pub measured: Option<Measured>,
}

impl MeetingTime {
    /// Actual time by the report's policy; `None` when it is not known, which is never zero.
    #[must_use]
    pub fn actual_ms(&self) -> Option<i64> {
        self.measured.as_ref().map(|measured| measured.actual_ms)
    }

    /// Actual minus scheduled.
    #[must_use]
    pub fn delta_ms(&self) -> Option<i64> {
        self.actual_ms().map(|actual| actual - self.scheduled_ms)
    }
}

/// What the counting of one meeting needs to know.
pub(crate) struct Counting<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) policy: Policy,
    pub(crate) zone: &'a TimeZone,
}

impl Counting<'_> {
    /// An event and what it was paired with. `gap` says why there may be instances that nobody has seen.
    pub(crate) fn event(
        &self,
        event: &CalendarEvent,
        instances: &[&Instance],
        gap: Option<UnknownReason>,
    ) -> MeetingTime {
        let mut time = MeetingTime {
            uid: Some(event.uid.clone()),
            occurrence: event.occurrence,
            meeting_id: event.meeting_id(),
            topic: event
                .summary
                .clone()
                .or_else(|| instances.iter().find_map(|instance| instance.topic.clone())),
            customer: Customer::Internal,
            rep: None,
            start: event.start,
            week: IsoWeek::of(event.start, self.zone),
            scheduled_ms: Spans::between(event.start, event.end).measure_ms(),
            status: MeetingStatus::Unknown,
            unknown: None,
            instances: instances.iter().map(|instance| instance.uuid.clone()).collect(),
            measured: None,
        };
        let presence = if event.status == EventStatus::Cancelled {
            Ok(Vec::new())
        } else {
            self.presence(instances, gap)
        };
        self.name(
            &mut time,
            Some(event),
            instances,
            presence.as_deref().unwrap_or_default(),
        );
        match presence {
            _ if event.status == EventStatus::Cancelled => time.status = MeetingStatus::Cancelled,
            Err(reason) => time.unknown = Some(reason),
            Ok(presence) => {
                let measured = self.measure(&presence, Some(event), instances);
                time.status = self.status(event, &presence, &measured);
                time.measured = Some(measured);
            }
        }
        time
    }

    /// An instance that no event was paired with.
    pub(crate) fn unscheduled(&self, instance: &Instance) -> MeetingTime {
        let mut time = MeetingTime {
            uid: None,
            occurrence: None,
            meeting_id: Some(instance.meeting_id),
            topic: instance.topic.clone(),
            customer: Customer::Internal,
            rep: None,
            start: instance.start,
            week: IsoWeek::of(instance.start, self.zone),
            scheduled_ms: 0,
            status: MeetingStatus::Unknown,
            unknown: None,
            instances: vec![instance.uuid.clone()],
            measured: None,
        };
        let presence = self.presence(&[instance], None);
        self.name(
            &mut time,
            None,
            &[instance],
            presence.as_deref().unwrap_or_default(),
        );
        match presence {
            Err(reason) => time.unknown = Some(reason),
            Ok(presence) => {
                let measured = self.measure(&presence, None, &[instance]);
                let anybody_external = presence.iter().any(|presence| !presence.external().is_empty());
                time.status = if anybody_external {
                    MeetingStatus::HeldUnscheduled
                } else {
                    MeetingStatus::InternalOnly
                };
                time.measured = Some(measured);
            }
        }
        time
    }

    fn presence(
        &self,
        instances: &[&Instance],
        gap: Option<UnknownReason>,
    ) -> Result<Vec<Presence>, UnknownReason> {
        // Without a single instance everything hangs on whether the list is complete.
        if let (Some(reason), true) = (gap, instances.is_empty()) {
            return Err(reason);
        }
        instances
            .iter()
            .map(|instance| Presence::of(instance, self.directory))
            .collect()
    }

    fn measure(
        &self,
        presence: &[Presence],
        event: Option<&CalendarEvent>,
        instances: &[&Instance],
    ) -> Measured {
        let sum = |spans: &dyn Fn(&Presence) -> Spans| {
            presence.iter().map(|one| spans(one).measure_ms()).sum::<i64>()
        };
        let late = |to: Timestamp, from: Timestamp| to.as_millisecond() - from.as_millisecond();
        let ended = instances.iter().map(|instance| instance.end).max();
        let past_end = event
            .zip(ended)
            .map_or(0, |(event, ended)| late(ended, event.end));
        let met_from = presence.iter().filter_map(Presence::met_from).min();
        Measured {
            actual_ms: sum(&|one| self.policy.of(one)),
            instance_ms: sum(&|one| one.instance().clone()),
            met_ms: sum(&Presence::met),
            late_start_ms: event.zip(met_from).map(|(event, met)| late(met, event.start)),
            overrun_ms: past_end.max(0),
            early_end_ms: (-past_end).max(0),
            people: presence
                .iter()
                .flat_map(|one| one.people().iter().cloned())
                .collect(),
        }
    }

    fn status(&self, event: &CalendarEvent, presence: &[Presence], measured: &Measured) -> MeetingStatus {
        if measured.met_ms >= MET_MS {
            return MeetingStatus::Held;
        }
        let measure =
            |spans: fn(&Presence) -> &Spans| presence.iter().map(|one| spans(one).measure_ms()).sum::<i64>();
        let (internal, external) = (measure(Presence::internal), measure(Presence::external));
        let of_side = |side: Side| measured.people.iter().filter(move |person| person.side == side);
        let customer_waited = of_side(Side::External).any(|person| person.waited_ms > 0);
        if internal == 0 && (external > 0 || customer_waited) {
            return MeetingStatus::NoShowHost;
        }
        if external > 0 {
            // Both came and did not meet: whoever was there for less is the one who was missed.
            return if external < internal {
                MeetingStatus::NoShowCustomer
            } else {
                MeetingStatus::NoShowHost
            };
        }
        if internal < WAITED_MS {
            return MeetingStatus::NotStarted;
        }
        let invited_external = event.emails().any(|email| self.is_external(email, event));
        let nobody_invited = event.attendees.is_empty();
        let colleagues = of_side(Side::Internal)
            .filter(|person| person.attended_ms > 0)
            .map(|person| &person.key);
        let several = colleagues.collect::<std::collections::BTreeSet<_>>().len() > 1;
        if invited_external || (nobody_invited && !several) {
            MeetingStatus::NoShowCustomer
        } else {
            MeetingStatus::InternalOnly
        }
    }

    /// Whether an invited address is a customer's. Without a word in the directory the organiser's company is ours.
    fn is_external(&self, email: &str, event: &CalendarEvent) -> bool {
        let organizer = event
            .organizer
            .as_ref()
            .and_then(|person| person.email.as_deref());
        if !self.directory.knows_internal()
            && organizer.is_some_and(|organizer| domain(organizer) == domain(email))
        {
            return self.directory.side(Some(email), Some(email), false) == Side::External;
        }
        self.directory.side(Some(email), None, false) == Side::External
    }

    /// Customer and rep.
    fn name(
        &self,
        time: &mut MeetingTime,
        event: Option<&CalendarEvent>,
        instances: &[&Instance],
        presence: &[Presence],
    ) {
        let people: Vec<&PersonTime> = presence.iter().flat_map(Presence::people).collect();
        let present = people
            .iter()
            .filter(|person| person.side == Side::External && person.attended_ms > 0);
        let host = instances
            .iter()
            .find_map(|instance| instance.host_email.as_deref())
            .map(normal);
        let is_host = |email: &str| host.as_deref() == Some(email);
        let invited: Vec<&str> = event.map(|event| event.emails().collect()).unwrap_or_default();
        let outside =
            |email: &&str| event.is_some_and(|event| !is_host(email) && self.is_external(email, event));
        // Zoom may know somebody as a colleague of whom the calendar shows a private address only.
        let seen_inside = |email: &str| {
            people
                .iter()
                .any(|person| person.side == Side::Internal && person.email.as_deref() == Some(email))
        };

        // Whoever was there the longest; of those who only were invited, the first.
        let longest = present
            .clone()
            .filter_map(|person| Some((person.attended_ms, person.email.as_deref()?)));
        let longest = longest
            .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(a.1)))
            .map(|(_, email)| email);
        let guest = longest.or_else(|| {
            invited
                .iter()
                .copied()
                .filter(|email| !seen_inside(email))
                .find(outside)
        });
        time.customer = match guest {
            Some(email) => self.directory.customer_of(email),
            None if present.count() > 0 => Customer::Unknown,
            None => Customer::Internal,
        };

        let inside = |email: &&str| !outside(email);
        let organizer = event.and_then(|event| event.organizer.as_ref()?.email.as_deref());
        time.rep = organizer
            .filter(inside)
            .map(str::to_owned)
            .or_else(|| host.clone())
            .or_else(|| invited.iter().copied().find(inside).map(str::to_owned));
    }
}

fn domain(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}
