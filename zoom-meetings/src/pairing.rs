//! Which instance was which event.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use zoom_core::MeetingId;

use crate::calendar::{CalendarEvent, EventStatus};
use crate::instance::{Attendance, Instance};
use crate::spans::Spans;

#[cfg(test)]
mod tests;

/// How long before its start an event may begin.
const EARLY: SignedDuration = SignedDuration::from_mins(60);
/// How long after its end an event may still be running.
const LATE: SignedDuration = SignedDuration::from_mins(120);
/// From this share of common addresses on, two lists of people are the same meeting.
const SAME_PEOPLE: f64 = 0.3;

/// Events and instances by their place in the lists that were paired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pairing {
    /// For each event its instances, in the order of their start. None: it did not take place under this link.
    pub of_event: Vec<Vec<usize>>,
    /// Instances without an event.
    pub unscheduled: Vec<usize>,
}

struct Candidate {
    cost: SignedDuration,
    event: usize,
    instance: usize,
}

/// Pairs events with instances of the same meeting.
///
/// An instance may belong to an event when it touches the time from an hour before the event to two hours after it. The
/// cost of a pair is the distance of the starts and half the distance of the ends; the cheapest pairs are made first.
/// An event takes one instance that way, and further ones that lie within it: the host dropped out and started again.
/// Where several events share a number, as with a personal meeting id, those whose people were in the instance go
/// before those whose people were not. Cancelled events are paired with nothing.
#[must_use]
pub fn pair(events: &[CalendarEvent], instances: &[Instance]) -> Pairing {
    let mut by_meeting: HashMap<MeetingId, Vec<usize>> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        if let Some(id) = event
            .meeting_id()
            .filter(|_| event.status != EventStatus::Cancelled)
        {
            by_meeting.entry(id).or_default().push(index);
        }
    }
    let mut candidates = Vec::new();
    for (index, instance) in instances.iter().enumerate() {
        let possible: Vec<usize> = by_meeting
            .get(&instance.meeting_id)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        let near: Vec<(usize, &CalendarEvent)> = possible
            .into_iter()
            .filter_map(|at| Some((at, events.get(at)?)))
            .filter(|(_, event)| near(event, instance))
            .collect();
        for (at, event) in same_people(&near, instance) {
            candidates.push(Candidate {
                cost: cost(event, instance),
                event: at,
                instance: index,
            });
        }
    }
    // Equal costs: the earlier event, then the earlier instance, whatever the order of the lists.
    candidates.sort_by_key(|candidate| {
        let starts = (
            events.get(candidate.event).map(|event| event.start),
            instances.get(candidate.instance).map(|i| i.start),
        );
        (candidate.cost, starts, candidate.event, candidate.instance)
    });
    assign(&candidates, events, instances)
}

fn assign(candidates: &[Candidate], events: &[CalendarEvent], instances: &[Instance]) -> Pairing {
    let mut of_event: Vec<Vec<usize>> = vec![Vec::new(); events.len()];
    let mut taken: HashSet<usize> = HashSet::new();
    // First one instance per event and those within it; then what is left goes to the nearest event.
    for only_within in [true, false] {
        for candidate in candidates {
            let (Some(event), Some(instance)) =
                (events.get(candidate.event), instances.get(candidate.instance))
            else {
                continue;
            };
            let Some(list) = of_event.get_mut(candidate.event) else {
                continue;
            };
            if taken.contains(&candidate.instance)
                || (only_within && !list.is_empty() && !within(event, instance))
            {
                continue;
            }
            taken.insert(candidate.instance);
            list.push(candidate.instance);
        }
    }
    for list in &mut of_event {
        list.sort_by_key(|index| instances.get(*index).map(|instance| instance.start));
    }
    let unscheduled = (0..instances.len())
        .filter(|index| !taken.contains(index))
        .collect();
    Pairing {
        of_event,
        unscheduled,
    }
}

fn near(event: &CalendarEvent, instance: &Instance) -> bool {
    let from = event.start.checked_sub(EARLY).unwrap_or(Timestamp::MIN);
    let to = event.end.checked_add(LATE).unwrap_or(Timestamp::MAX);
    instance.start <= to && instance.end >= from
}

fn cost(event: &CalendarEvent, instance: &Instance) -> SignedDuration {
    let start = instance.start.duration_since(event.start).abs();
    let end = instance.end.duration_since(event.end).abs();
    start + end / 2
}

/// More than half of the instance lies in the scheduled time.
fn within(event: &CalendarEvent, instance: &Instance) -> bool {
    let ran = Spans::between(instance.start, instance.end);
    let scheduled = Spans::between(event.start, event.end);
    2 * ran.intersection(&scheduled).measure_ms() > ran.measure_ms()
}

/// Of several events the ones whose people came, when the addresses can tell.
///
/// Addresses that are on all of the events, as the host's is, tell nothing and are left out.
fn same_people<'a>(
    near: &[(usize, &'a CalendarEvent)],
    instance: &Instance,
) -> Vec<(usize, &'a CalendarEvent)> {
    let present = emails_of(instance);
    if near.len() < 2 || present.is_empty() {
        return near.to_vec();
    }
    let invited: Vec<BTreeSet<String>> = near
        .iter()
        .map(|(_, event)| event.emails().map(str::to_lowercase).collect())
        .collect();
    let everywhere = |email: &String| invited.iter().all(|list| list.contains(email));
    let present: BTreeSet<&String> = present.iter().filter(|email| !everywhere(email)).collect();
    let alike: Vec<bool> = invited
        .iter()
        .map(|list| {
            let list: BTreeSet<&String> = list.iter().filter(|email| !everywhere(email)).collect();
            jaccard(&list, &present) >= SAME_PEOPLE
        })
        .collect();
    if !alike.contains(&true) {
        return near.to_vec();
    }
    near.iter()
        .zip(alike)
        .filter_map(|(candidate, alike)| alike.then_some(*candidate))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "sizes of guest lists")]
fn jaccard(a: &BTreeSet<&String>, b: &BTreeSet<&String>) -> f64 {
    let either = a.union(b).count();
    if either == 0 {
        0.0
    } else {
        a.intersection(b).count() as f64 / either as f64
    }
}

fn emails_of(instance: &Instance) -> BTreeSet<String> {
    match &instance.attendance {
        Attendance::Rows(visits) => visits
            .iter()
            .filter_map(|visit| visit.email.as_deref())
            .map(str::to_lowercase)
            .collect(),
        _ => BTreeSet::new(),
    }
}
