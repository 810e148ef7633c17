//! Golden cases, worked out by hand: what the calendar said, what Zoom saw, what is reported.

use zoom_core::MeetingUuid;

use super::*;
use crate::calendar::Attendee;
use crate::instance::{Attendance, Place, Visit};
use crate::join_link::JoinLink;

const MIN: i64 = 60_000;
const REP: &str = "rep@us.example";
const COLLEAGUE: &str = "sam@us.example";
const ANN: &str = "ann@acme.example";

fn at(text: &str) -> Timestamp {
    let text = if text.contains('T') {
        text.to_owned()
    } else {
        format!("2026-11-16T{text}")
    };
    format!("{text}Z").parse().unwrap()
}

fn booked(start: &str, end: &str) -> CalendarEvent {
    let mut event = CalendarEvent::new("event", at(start), at(end));
    event.join = JoinLink::parse("https://zoom.us/j/81234567890");
    event.organizer = Some(Attendee::new(REP));
    event.attendees = vec![Attendee::new(REP), Attendee::new(ANN)];
    event
}

fn ran(start: &str, end: &str, visits: &[Visit]) -> Instance {
    let id = MeetingId::new(81_234_567_890);
    let mut instance = Instance::new(id, MeetingUuid::new(format!("u{start}")), at(start), at(end));
    instance.host_email = Some(REP.into());
    instance.with_attendance(Attendance::Rows(visits.to_vec()))
}

fn visit(email: &str, joined: &str, left: &str) -> Visit {
    let mut visit = Visit::new(at(joined), Some(at(left)));
    visit.email = Some(email.into());
    visit
}

fn waiting(email: &str, joined: &str, left: &str) -> Visit {
    Visit {
        place: Place::WaitingRoom,
        ..visit(email, joined, left)
    }
}

fn count_with(policy: Policy, event: &CalendarEvent, instances: &[Instance]) -> MeetingTime {
    let directory = Directory::new().internal("us.example");
    let instances: Vec<&Instance> = instances.iter().collect();
    Counting {
        directory: &directory,
        policy,
        zone: &TimeZone::UTC,
    }
    .event(event, &instances, None)
}

fn count(event: &CalendarEvent, instances: &[Instance]) -> MeetingTime {
    count_with(Policy::Met, event, instances)
}

#[test]
fn booked_sixty_took_forty_five() {
    // Rep 10:00–10:47, Ann 10:02–10:47: together from 10:02 to 10:47.
    let time = count(
        &booked("10:00:00", "11:00:00"),
        &[ran(
            "10:00:00",
            "10:47:00",
            &[
                visit(REP, "10:00:00", "10:47:00"),
                visit(ANN, "10:02:00", "10:47:00"),
            ],
        )],
    );
    assert_eq!(time.status, MeetingStatus::Held);
    assert_eq!(
        (time.scheduled_ms, time.actual_ms(), time.delta_ms()),
        (60 * MIN, Some(45 * MIN), Some(-15 * MIN))
    );
    let measured = time.measured.unwrap();
    assert_eq!(
        (measured.late_start_ms, measured.overrun_ms, measured.early_end_ms),
        (Some(2 * MIN), 0, 13 * MIN)
    );
    assert_eq!(
        (time.customer, time.rep.as_deref()),
        (Customer::Named("acme.example".into()), Some(REP))
    );
}

#[test]
fn each_policy_counts_its_own_time() {
    // Instance 10:00–10:50; rep 10:00–10:40; Ann 10:05–10:50.
    let event = booked("10:00:00", "11:00:00");
    let instance = [ran(
        "10:00:00",
        "10:50:00",
        &[
            visit(REP, "10:00:00", "10:40:00"),
            visit(ANN, "10:05:00", "10:50:00"),
        ],
    )];
    let actual = |policy| count_with(policy, &event, &instance).actual_ms().unwrap() / MIN;
    assert_eq!(actual(Policy::Met), 35);
    assert_eq!(actual(Policy::Instance), 50);
    assert_eq!(actual(Policy::RepAttended), 40);
    assert_eq!(actual(Policy::CustomerAttended), 45);
}

#[test]
fn rejoin_counts_the_time_inside_only() {
    // Ann 10:00–10:10 and 10:30–10:45, and the same quarter of an hour on a second device.
    let rows = [
        visit(REP, "10:00:00", "10:45:00"),
        visit(ANN, "10:00:00", "10:10:00"),
        visit(ANN, "10:30:00", "10:45:00"),
        visit(ANN, "10:30:00", "10:45:00"),
    ];
    let time = count(
        &booked("10:00:00", "11:00:00"),
        &[ran("10:00:00", "10:45:00", &rows)],
    );
    assert_eq!(time.actual_ms(), Some(25 * MIN));
}

#[test]
fn waiting_is_not_meeting() {
    // Ann waited 10:00–10:20, was let in 10:20–10:50.
    let rows = [
        visit(REP, "10:00:00", "10:50:00"),
        waiting(ANN, "10:00:00", "10:20:00"),
        visit(ANN, "10:20:00", "10:50:00"),
    ];
    let time = count(
        &booked("10:00:00", "11:00:00"),
        &[ran("10:00:00", "10:50:00", &rows)],
    );
    assert_eq!(time.actual_ms(), Some(30 * MIN));
    assert_eq!(time.measured.unwrap().late_start_ms, Some(20 * MIN));
}

#[test]
fn host_who_waited_alone_met_nobody() {
    let event = booked("10:00:00", "11:00:00");
    let time = count(
        &event,
        &[ran("10:00:00", "10:15:00", &[visit(REP, "10:00:00", "10:15:00")])],
    );
    assert_eq!(
        (time.status, time.actual_ms()),
        (MeetingStatus::NoShowCustomer, Some(0))
    );
    assert_eq!(
        time.customer,
        Customer::Named("acme.example".into()),
        "the invitation says whose it would have been"
    );
    // As Zoom tells it: one person, no list.
    let alone = ran("10:00:00", "10:15:00", &[]).with_attendance(Attendance::OnePerson);
    assert_eq!(count(&event, &[alone]).status, MeetingStatus::NoShowCustomer);
    // Under five minutes nobody has waited.
    let time = count(
        &event,
        &[ran("10:00:00", "10:04:59", &[visit(REP, "10:00:00", "10:04:59")])],
    );
    assert_eq!(
        (time.status, time.actual_ms()),
        (MeetingStatus::NotStarted, Some(0))
    );
}

#[test]
fn customer_without_a_host_is_our_no_show() {
    let event = booked("10:00:00", "11:00:00");
    let time = count(
        &event,
        &[ran("10:00:00", "10:15:00", &[visit(ANN, "10:00:00", "10:15:00")])],
    );
    assert_eq!(
        (time.status, time.actual_ms()),
        (MeetingStatus::NoShowHost, Some(0))
    );
    let time = count(
        &event,
        &[ran(
            "10:00:00",
            "10:15:00",
            &[waiting(ANN, "10:00:00", "10:15:00")],
        )],
    );
    assert_eq!(
        time.status,
        MeetingStatus::NoShowHost,
        "the waiting room is as far as they came"
    );
}

#[test]
fn sides_that_missed_each_other_did_not_meet() {
    let event = booked("10:00:00", "11:00:00");
    // The rep waited 30 minutes, Ann looked in for 1 at the end.
    let rows = [
        visit(REP, "10:00:00", "10:31:00"),
        visit(ANN, "10:30:00", "10:31:00"),
    ];
    let time = count(&event, &[ran("10:00:00", "10:31:00", &rows)]);
    assert_eq!(
        (time.status, time.actual_ms()),
        (MeetingStatus::NoShowCustomer, Some(MIN))
    );
    let rows = [
        visit(ANN, "10:00:00", "10:20:00"),
        visit(REP, "10:21:00", "10:31:00"),
    ];
    assert_eq!(
        count(&event, &[ran("10:00:00", "10:31:00", &rows)]).status,
        MeetingStatus::NoShowHost
    );
    // Two minutes are a meeting.
    let rows = [
        visit(REP, "10:00:00", "10:31:00"),
        visit(ANN, "10:29:00", "10:31:00"),
    ];
    assert_eq!(
        count(&event, &[ran("10:00:00", "10:31:00", &rows)]).status,
        MeetingStatus::Held
    );
}

#[test]
fn two_instances_of_one_event_are_added_up() {
    // Dropped out at 10:20, started again at 10:25, ran to 11:10.
    let first = ran(
        "10:00:00",
        "10:20:00",
        &[
            visit(REP, "10:00:00", "10:20:00"),
            visit(ANN, "10:05:00", "10:20:00"),
        ],
    );
    let second = ran(
        "10:25:00",
        "11:10:00",
        &[
            visit(REP, "10:25:00", "11:10:00"),
            visit(ANN, "10:26:00", "11:10:00"),
        ],
    );
    let time = count(&booked("10:00:00", "11:00:00"), &[first, second]);
    assert_eq!(time.actual_ms(), Some((15 + 44) * MIN));
    let measured = time.measured.unwrap();
    assert_eq!(
        (measured.instance_ms, measured.late_start_ms),
        ((20 + 45) * MIN, Some(5 * MIN))
    );
    assert_eq!((measured.overrun_ms, measured.early_end_ms), (10 * MIN, 0));
    assert_eq!(time.instances.len(), 2);
}

#[test]
fn meeting_over_midnight_and_the_change_of_clocks_takes_what_it_took() {
    // Berlin, 24 to 25 October 2026: booked 23:30–00:30, ran 23:45 to 03:15 after the clocks went back at 3.
    // 23:45+02:00 is 21:45Z, 03:15+01:00 is 02:15Z: four and a half hours.
    let event = booked("2026-10-24T21:30:00", "2026-10-24T22:30:00");
    let rows = [
        visit(REP, "2026-10-24T21:45:00", "2026-10-25T02:15:00"),
        visit(ANN, "2026-10-24T21:45:00", "2026-10-25T02:15:00"),
    ];
    let directory = Directory::new().internal("us.example");
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let counting = Counting {
        directory: &directory,
        policy: Policy::Met,
        zone: &berlin,
    };
    let time = counting.event(
        &event,
        &[&ran("2026-10-24T21:45:00", "2026-10-25T02:15:00", &rows)],
        None,
    );
    assert_eq!((time.scheduled_ms, time.actual_ms()), (60 * MIN, Some(270 * MIN)));
    assert_eq!(
        time.week.to_string(),
        "2026-W43",
        "booked to its start, a Saturday"
    );
}

#[test]
fn week_is_that_of_the_reports_zone() {
    // Sunday 23:30 in London is Monday 00:30 in Berlin.
    let event = booked("2026-11-15T23:30:00", "2026-11-16T00:30:00");
    let directory = Directory::new();
    let week = |zone: &str| {
        let zone = TimeZone::get(zone).unwrap();
        Counting {
            directory: &directory,
            policy: Policy::Met,
            zone: &zone,
        }
        .event(&event, &[], None)
        .week
        .to_string()
    };
    assert_eq!(
        (week("Europe/London").as_str(), week("Europe/Berlin").as_str()),
        ("2026-W46", "2026-W47")
    );
}

#[test]
fn meeting_among_ourselves_is_internal() {
    let mut event = booked("10:00:00", "10:30:00");
    event.attendees = vec![Attendee::new(REP), Attendee::new(COLLEAGUE)];
    let rows = [
        visit(REP, "10:00:00", "10:30:00"),
        visit(COLLEAGUE, "10:00:00", "10:30:00"),
    ];
    let time = count(&event, &[ran("10:00:00", "10:30:00", &rows)]);
    assert_eq!(
        (time.status, time.customer, time.measured.unwrap().met_ms),
        (MeetingStatus::InternalOnly, Customer::Internal, 0)
    );
    // Two of us on a customer's meeting have waited for the customer.
    let time = count(
        &booked("10:00:00", "10:30:00"),
        &[ran("10:00:00", "10:30:00", &rows)],
    );
    assert_eq!(time.status, MeetingStatus::NoShowCustomer);
}

#[test]
fn nothing_is_not_started_and_unknown_is_not_nothing() {
    let event = booked("10:00:00", "11:00:00");
    let time = count(&event, &[]);
    assert_eq!(
        (time.status, time.actual_ms()),
        (MeetingStatus::NotStarted, Some(0))
    );
    let directory = Directory::new();
    let counting = Counting {
        directory: &directory,
        policy: Policy::Met,
        zone: &TimeZone::UTC,
    };
    let time = counting.event(&event, &[], Some(UnknownReason::NotFound));
    assert_eq!(
        (time.status, time.unknown, time.actual_ms()),
        (MeetingStatus::Unknown, Some(UnknownReason::NotFound), None)
    );
    // One of two instances is not written up yet: the sum is not known.
    let known = ran(
        "10:00:00",
        "10:20:00",
        &[
            visit(REP, "10:00:00", "10:20:00"),
            visit(ANN, "10:00:00", "10:20:00"),
        ],
    );
    let unknown =
        ran("10:30:00", "10:50:00", &[]).with_attendance(Attendance::Unknown(UnknownReason::NotAvailableYet));
    let time = counting.event(&event, &[&known, &unknown], None);
    assert_eq!((time.status, time.actual_ms()), (MeetingStatus::Unknown, None));
    assert_eq!(time.unknown, Some(UnknownReason::NotAvailableYet));
}

#[test]
fn cancelled_event_has_no_time() {
    let mut event = booked("10:00:00", "11:00:00");
    event.status = EventStatus::Cancelled;
    let time = count(&event, &[]);
    assert_eq!(
        (time.status, time.unknown, time.actual_ms()),
        (MeetingStatus::Cancelled, None, None)
    );
}

#[test]
fn unscheduled_meeting_is_booked_to_who_was_there() {
    let directory = Directory::new()
        .internal("us.example")
        .customer("acme.example", "Acme");
    let counting = Counting {
        directory: &directory,
        policy: Policy::Met,
        zone: &TimeZone::UTC,
    };
    let rows = [
        visit(REP, "10:00:00", "10:20:00"),
        visit(ANN, "10:01:00", "10:20:00"),
        visit("x@globex.example", "10:05:00", "10:06:00"),
    ];
    let time = counting.unscheduled(&ran("10:00:00", "10:20:00", &rows));
    assert_eq!(
        (time.status, time.scheduled_ms, time.actual_ms()),
        (MeetingStatus::HeldUnscheduled, 0, Some(19 * MIN))
    );
    assert_eq!(
        (time.customer, time.rep.as_deref()),
        (Customer::Named("Acme".into()), Some(REP))
    );
    let time = counting.unscheduled(&ran(
        "10:00:00",
        "10:20:00",
        &[visit(REP, "10:00:00", "10:20:00")],
    ));
    assert_eq!(time.status, MeetingStatus::InternalOnly);
}

#[test]
fn customer_is_found_without_a_directory() {
    let directory = Directory::new();
    let counting = Counting {
        directory: &directory,
        policy: Policy::Met,
        zone: &TimeZone::UTC,
    };
    let instance = ran(
        "10:00:00",
        "10:20:00",
        &[
            visit(REP, "10:00:00", "10:20:00"),
            visit(ANN, "10:00:00", "10:20:00"),
        ],
    );
    let time = counting.event(&booked("10:00:00", "11:00:00"), &[&instance], None);
    assert_eq!(
        (time.status, time.customer),
        (MeetingStatus::Held, Customer::Named("acme.example".into()))
    );
    // Nobody came: the organiser's company is ours, Ann's is the customer.
    let time = counting.event(&booked("10:00:00", "11:00:00"), &[], None);
    assert_eq!(
        (time.customer, time.rep.as_deref()),
        (Customer::Named("acme.example".into()), Some(REP))
    );
}

#[test]
fn guest_without_an_address_is_an_unknown_customer() {
    let mut event = booked("10:00:00", "11:00:00");
    event.attendees.clear();
    let mut guest = Visit::new(at("10:00:00"), Some(at("10:20:00")));
    guest.name = Some("Ann".into());
    let time = count(
        &event,
        &[ran(
            "10:00:00",
            "10:20:00",
            &[visit(REP, "10:00:00", "10:20:00"), guest.clone()],
        )],
    );
    assert_eq!(
        (time.status, time.customer),
        (MeetingStatus::Held, Customer::Unknown)
    );
    // With one company on the invitation the guest is theirs.
    let time = count(
        &booked("10:00:00", "11:00:00"),
        &[ran(
            "10:00:00",
            "10:20:00",
            &[visit(REP, "10:00:00", "10:20:00"), guest],
        )],
    );
    assert_eq!(time.customer, Customer::Named("acme.example".into()));
}
