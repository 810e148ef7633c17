use proptest::prelude::*;
use zoom_core::MeetingUuid;

use super::*;
use crate::calendar::Attendee;
use crate::instance::Visit;
use crate::join_link::JoinLink;

fn at(minutes: i64) -> Timestamp {
    let ten: Timestamp = "2026-11-16T10:00Z".parse().unwrap();
    ten + SignedDuration::from_mins(minutes)
}

fn event(id: u64, start: i64, end: i64, people: &[&str]) -> CalendarEvent {
    let mut event = CalendarEvent::new(format!("{id}/{start}"), at(start), at(end));
    event.join = JoinLink::parse(&format!("https://zoom.us/j/{id}"));
    event.attendees = people.iter().map(Attendee::new).collect();
    event
}

fn instance(id: u64, start: i64, end: i64, people: &[&str]) -> Instance {
    let rows = people.iter().map(|email| {
        let mut visit = Visit::new(at(start), None);
        visit.email = Some((*email).to_owned());
        visit
    });
    let rows = rows.collect();
    Instance::new(
        MeetingId::new(id),
        MeetingUuid::new(format!("{id}/{start}")),
        at(start),
        at(end),
    )
    .with_attendance(Attendance::Rows(rows))
}

const A: u64 = 811_111_111;
const B: u64 = 822_222_222;

#[test]
fn number_must_be_the_same_and_time_must_be_near() {
    let events = [event(A, 0, 60, &[])];
    let none = |instance| pair(&events, &[instance]).unscheduled == [0];
    assert!(none(instance(B, 0, 60, &[])));
    assert!(none(instance(A, -120, -61, &[])));
    assert!(none(instance(A, 181, 200, &[])));
    assert!(!none(instance(A, -120, -60, &[])));
    assert!(!none(instance(A, 180, 200, &[])));
}

#[test]
fn restarted_meeting_is_two_instances_of_one_event() {
    // The host dropped out at half past; the second instance is nearer to this event than to the next.
    let events = [event(A, 0, 60, &[]), event(A, 60, 120, &[])];
    let pairing = pair(&events, &[instance(A, 35, 60, &[]), instance(A, 0, 30, &[])]);
    assert_eq!(pairing.of_event, [vec![1, 0], vec![]]);
    assert_eq!(pairing.unscheduled, [0_usize; 0]);
}

#[test]
fn late_meetings_back_to_back_keep_their_events() {
    // Both began late. The first alone would be nearer to the second event.
    let events = [event(A, 0, 30, &[]), event(A, 30, 60, &[])];
    let pairing = pair(&events, &[instance(A, 20, 40, &[]), instance(A, 42, 65, &[])]);
    assert_eq!(pairing.of_event, [vec![0], vec![1]]);
}

#[test]
fn distance_of_the_ends_counts_half() {
    // To the first event 22 and half of 45, to the second 38 and half of 15.
    let events = [event(A, 0, 60, &[]), event(A, 60, 120, &[])];
    assert_eq!(
        pair(&events, &[instance(A, 22, 105, &[])]).of_event,
        [vec![0], vec![]]
    );
}

#[test]
fn occurrences_of_a_series_take_the_instance_of_their_day() {
    let day = 24 * 60;
    let events = [
        event(A, 0, 60, &[]),
        event(A, day, day + 60, &[]),
        event(A, 2 * day, 2 * day + 60, &[]),
    ];
    let pairing = pair(
        &events,
        &[
            instance(A, 2 * day + 5, 2 * day + 50, &[]),
            instance(A, 2, 58, &[]),
        ],
    );
    assert_eq!(pairing.of_event, [vec![1], vec![], vec![0]]);
}

#[test]
fn personal_meeting_id_is_told_apart_by_its_people() {
    // Both events share a number and overlap. By time alone the first instance would go to the second event.
    // Three of ours are always invited; they tell nothing.
    let all = |guest: &'static str| ["rep@us.example", "sam@us.example", "lee@us.example", guest];
    let came = |guest: &'static str| ["rep@us.example", guest];
    let events = [
        event(A, 0, 30, &all("ann@acme.example")),
        event(A, 20, 50, &all("bo@globex.example")),
    ];
    let instances = [
        instance(A, 18, 48, &came("ann@acme.example")),
        instance(A, 49, 75, &came("bo@globex.example")),
    ];
    assert_eq!(pair(&events, &instances).of_event, [vec![0], vec![1]]);
}

#[test]
fn cancelled_event_takes_no_instance() {
    let mut event = event(A, 0, 60, &[]);
    event.status = EventStatus::Cancelled;
    let pairing = pair(&[event], &[instance(A, 0, 60, &[])]);
    assert_eq!((pairing.of_event, pairing.unscheduled), (vec![vec![]], vec![0]));
}

proptest! {
    #[test]
    fn every_instance_is_somewhere_exactly_once(events in prop::collection::vec((0_i64..600, 1_i64..120), 0..6), instances in prop::collection::vec((0_i64..600, 1_i64..120), 0..6)) {
        let events: Vec<_> = events.into_iter().map(|(start, length)| event(A, start, start + length, &[])).collect();
        let instances: Vec<_> = instances.into_iter().map(|(start, length)| instance(A, start, start + length, &[])).collect();
        let pairing = pair(&events, &instances);
        let mut all: Vec<usize> = pairing.of_event.iter().flatten().chain(&pairing.unscheduled).copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..instances.len()).collect::<Vec<_>>());
        for (event, list) in events.iter().zip(&pairing.of_event) {
            prop_assert!(list.iter().all(|index| near(event, &instances[*index])));
        }
        // Only what is near no event is left over.
        for index in &pairing.unscheduled {
            prop_assert!(events.iter().all(|event| !near(event, &instances[*index])));
        }
    }

    #[test]
    fn order_of_the_lists_changes_nothing(times in prop::collection::btree_set(0_i64..600, 0..6), shuffled in any::<u64>()) {
        let events: Vec<_> = times.iter().map(|start| event(A, *start, start + 45, &[])).collect();
        let instances: Vec<_> = times.iter().map(|start| instance(A, start + 7, start + 31, &[])).collect();
        let pairs = |events: &[CalendarEvent], instances: &[Instance]| {
            let pairing = pair(events, instances);
            let mut pairs: Vec<_> = pairing.of_event.iter().zip(events).flat_map(|(list, event)| list.iter().map(|i| (event.uid.clone(), instances[*i].uuid.clone()))).collect();
            pairs.sort();
            pairs
        };
        let mut turned = (events.clone(), instances.clone());
        if !events.is_empty() {
            let by = usize::try_from(shuffled % 7).unwrap() % events.len();
            turned.0.rotate_left(by);
            turned.1.reverse();
        }
        prop_assert_eq!(pairs(&events, &instances), pairs(&turned.0, &turned.1));
    }
}
