use jiff::SignedDuration;
use proptest::prelude::*;
use zoom_core::{MeetingId, MeetingUuid};

use super::*;

fn at(text: &str) -> Timestamp {
    format!("2026-11-16T{text}Z").parse().unwrap()
}

fn instance(start: &str, end: &str, visits: Vec<Visit>) -> Instance {
    let mut instance = Instance::new(
        MeetingId::new(81_234_567_890),
        MeetingUuid::new("u=="),
        at(start),
        at(end),
    );
    instance.host_email = Some("rep@us.example".into());
    instance.with_attendance(Attendance::Rows(visits))
}

fn visit(email: &str, joined: &str, left: &str) -> Visit {
    let mut visit = Visit::new(at(joined), Some(at(left)));
    visit.email = Some(email.into());
    visit
}

fn of(instance: &Instance) -> Presence {
    Presence::of(instance, &Directory::new().internal("us.example")).unwrap()
}

fn attended(presence: &Presence, email: &str) -> i64 {
    let person = presence
        .people()
        .iter()
        .find(|person| person.email.as_deref() == Some(email))
        .unwrap();
    person.attended_ms / 60_000
}

#[test]
fn overlapping_devices_and_a_rejoin_are_counted_once() {
    let presence = of(&instance(
        "10:00:00",
        "11:00:00",
        vec![
            visit("rep@us.example", "10:00:00", "11:00:00"),
            visit("ann@acme.example", "10:05:00", "10:25:00"),
            visit("Ann@Acme.example", "10:20:00", "10:30:00"),
            visit("ann@acme.example", "10:40:00", "10:50:00"),
        ],
    ));
    assert_eq!(presence.people().len(), 2);
    assert_eq!(attended(&presence, "ann@acme.example"), 35);
    assert_eq!(presence.met().measure_ms(), 35 * 60_000);
    assert_eq!(presence.met_from(), Some(at("10:05:00")));
}

#[test]
fn waiting_room_is_kept_apart() {
    let mut waiting = visit("ann@acme.example", "10:00:00", "10:10:00");
    waiting.place = Place::WaitingRoom;
    let rows = vec![
        visit("rep@us.example", "10:00:00", "10:30:00"),
        waiting,
        visit("ann@acme.example", "10:10:00", "10:30:00"),
    ];
    let presence = of(&instance("10:00:00", "10:30:00", rows));
    let ann = &presence.people()[0];
    assert_eq!((ann.attended_ms, ann.waited_ms), (20 * 60_000, 10 * 60_000));
    assert_eq!(presence.met().measure_ms(), 20 * 60_000);
}

#[test]
fn breakout_room_is_inside_the_meeting() {
    let mut breakout = visit("ann@acme.example", "10:10:00", "10:20:00");
    breakout.place = Place::Breakout;
    let rows = vec![
        visit("rep@us.example", "10:00:00", "10:30:00"),
        visit("ann@acme.example", "10:00:00", "10:30:00"),
        breakout,
    ];
    let presence = of(&instance("10:00:00", "10:30:00", rows));
    assert_eq!(attended(&presence, "ann@acme.example"), 30);
}

#[test]
fn what_is_outside_of_the_instance_does_not_count_and_a_missing_leave_is_its_end() {
    let mut open = visit("ann@acme.example", "10:20:00", "10:20:00");
    open.left = None;
    let rows = vec![
        visit("rep@us.example", "09:50:00", "11:10:00"),
        open,
        visit("bo@acme.example", "10:20:00", "10:10:00"),
    ];
    let presence = of(&instance("10:00:00", "11:00:00", rows));
    assert_eq!(attended(&presence, "rep@us.example"), 60);
    assert_eq!(attended(&presence, "ann@acme.example"), 40);
    assert_eq!(attended(&presence, "bo@acme.example"), 0);
}

#[test]
fn joins_linked_by_any_identifier_are_one_person() {
    let mut signed_in = visit("ann@acme.example", "10:00:00", "10:10:00");
    signed_in.participant_user_id = Some("U1".into());
    let mut without_email = Visit::new(at("10:20:00"), Some(at("10:30:00")));
    without_email.participant_user_id = Some("U1".into());
    let only_email = visit("ann@acme.example", "10:40:00", "10:50:00");
    let mut guest = Visit::new(at("10:00:00"), Some(at("10:30:00")));
    guest.name = Some("Ann ".into());
    let mut same_guest = guest.clone();
    same_guest.name = Some("ann".into());
    let mut other_device = guest.clone();
    other_device.device = Some("Phone".into());
    let rows = vec![
        only_email,
        without_email,
        guest,
        same_guest,
        other_device,
        signed_in,
    ];
    let presence = of(&instance("10:00:00", "11:00:00", rows));
    let keys: Vec<_> = presence
        .people()
        .iter()
        .map(|person| person.key.clone())
        .collect();
    assert_eq!(
        keys,
        [
            PersonKey::User("U1".into()),
            PersonKey::Name("ann".into(), None),
            PersonKey::Name("ann".into(), Some("Phone".into()))
        ]
    );
    assert_eq!(presence.people()[0].attended_ms, 30 * 60_000);
}

#[test]
fn join_that_links_two_people_makes_them_one_for_later_joins_too() {
    let join = |user: Option<&str>, registrant: Option<&str>, email: Option<&str>| {
        let mut visit = Visit::new(at("10:00:00"), Some(at("10:30:00")));
        visit.participant_user_id = user.map(str::to_owned);
        visit.registrant_id = registrant.map(str::to_owned);
        visit.email = email.map(str::to_owned);
        visit
    };
    let ann = Some("ann@acme.example");
    let rows = vec![
        join(Some("U1"), None, None),
        join(None, Some("R1"), ann),
        join(Some("U1"), None, ann),
        join(None, Some("R1"), None),
    ];
    assert_eq!(of(&instance("10:00:00", "11:00:00", rows)).people().len(), 1);
}

#[test]
fn one_person_whom_zoom_does_not_list_is_the_host() {
    let alone = instance("10:00:00", "10:30:00", vec![]).with_attendance(Attendance::OnePerson);
    let presence = of(&alone);
    assert_eq!(presence.internal().measure_ms(), 30 * 60_000);
    assert!(presence.external().is_empty());
}

#[test]
fn nobody_is_called_external_when_nothing_tells_the_sides() {
    let mut unnamed = instance("10:00:00", "10:30:00", vec![Visit::new(at("10:00:00"), None)]);
    assert_eq!(
        Presence::of(&unnamed, &Directory::new().internal("us.example")),
        Err(UnknownReason::SidesUnknown)
    );
    unnamed.host_email = None;
    unnamed.attendance = Attendance::Rows(vec![visit("ann@acme.example", "10:00:00", "10:30:00")]);
    assert_eq!(
        Presence::of(&unnamed, &Directory::new()),
        Err(UnknownReason::SidesUnknown)
    );
    let mut marked = visit("ann@acme.example", "10:00:00", "10:30:00");
    marked.internal = Some(false);
    unnamed.attendance = Attendance::Rows(vec![marked]);
    assert!(Presence::of(&unnamed, &Directory::new()).is_ok());
}

const START: i64 = 1_794_000_000_000;

fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(START + ms).unwrap()
}

/// Up to a dozen joins of few people, some outside of the hour, some in the waiting room.
fn rows() -> impl Strategy<Value = Vec<Visit>> {
    let row = (
        0_usize..5,
        -600_000_i64..4_200_000,
        -1_000_i64..2_000_000,
        0_u8..4,
        any::<bool>(),
    );
    prop::collection::vec(row, 0..12).prop_map(|rows| {
        rows.into_iter()
            .map(|(person, joined, length, place, with_id)| {
                let mut visit = Visit::new(moment(joined), Some(moment(joined + length)));
                visit.place = match place {
                    0 => Place::WaitingRoom,
                    1 => Place::Breakout,
                    _ => Place::Meeting,
                };
                let domain = if person < 2 { "us.example" } else { "acme.example" };
                visit.email = Some(format!("p{person}@{domain}"));
                visit.participant_user_id = with_id.then(|| format!("U{person}"));
                visit
            })
            .collect()
    })
}

fn hour(visits: Vec<Visit>) -> Instance {
    let mut instance = Instance::new(
        MeetingId::new(812_345_678),
        MeetingUuid::new("u"),
        moment(0),
        moment(3_600_000),
    );
    instance.host_email = Some("p0@us.example".into());
    instance.with_attendance(Attendance::Rows(visits))
}

proptest! {
    #[test]
    fn nobody_attends_longer_than_the_instance(visits in rows()) {
        let presence = of(&hour(visits));
        for person in presence.people() {
            prop_assert!((0..=3_600_000).contains(&person.attended_ms));
        }
        prop_assert!(presence.met().measure_ms() <= presence.internal().measure_ms().min(presence.external().measure_ms()));
        prop_assert!(presence.internal().measure_ms() <= 3_600_000);
    }

    #[test]
    fn order_of_the_rows_changes_nothing(visits in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))) {
        prop_assert_eq!(of(&hour(visits.0)), of(&hour(visits.1)));
    }

    #[test]
    fn splitting_a_row_changes_nothing(visits in rows(), which in any::<prop::sample::Index>(), share in 0.0..1.0_f64) {
        prop_assume!(!visits.is_empty());
        let mut split = visits.clone();
        let row = &mut split[which.index(visits.len())];
        let length = row.left.unwrap().duration_since(row.joined);
        prop_assume!(length > SignedDuration::ZERO);
        let mut rest = row.clone();
        let middle = row.joined + length.mul_f64(share);
        row.left = Some(middle);
        rest.joined = middle;
        split.push(rest);
        prop_assert_eq!(of(&hour(visits)), of(&hour(split)));
    }

    #[test]
    fn waiting_never_raises_attendance(visits in rows(), waiting in rows()) {
        let before = of(&hour(visits.clone()));
        let mut with = visits;
        with.extend(waiting.into_iter().map(|mut visit| { visit.place = Place::WaitingRoom; visit }));
        let after = of(&hour(with));
        prop_assert_eq!(before.met(), after.met());
        prop_assert_eq!(before.internal(), after.internal());
        prop_assert_eq!(before.external(), after.external());
        for person in after.people() {
            let was = before.people().iter().filter(|other| other.email == person.email).map(|other| other.attended_ms).sum::<i64>();
            prop_assert_eq!(person.attended_ms, was);
        }
    }

    #[test]
    fn a_further_row_never_lowers_attendance(visits in rows(), more in rows()) {
        let before = of(&hour(visits.clone())).met().measure_ms();
        let after = of(&hour(visits.into_iter().chain(more).collect())).met().measure_ms();
        prop_assert!(before <= after);
    }

    #[test]
    fn spans_agree_with_counting_moment_by_moment(a in prop::collection::vec((0_i64..60, 0_i64..60), 0..8), b in prop::collection::vec((0_i64..60, 0_i64..60), 0..8)) {
        let spans = |pairs: &[(i64, i64)]| pairs.iter().map(|(start, end)| (moment(*start), moment(*end))).collect::<Spans>();
        let covers = |pairs: &[(i64, i64)], at: i64| pairs.iter().any(|(start, end)| (*start..*end).contains(&at));
        let count = |both: bool| (0..60).filter(|at| if both { covers(&a, *at) && covers(&b, *at) } else { covers(&a, *at) || covers(&b, *at) }).count();
        prop_assert_eq!(usize::try_from(spans(&a).union(&spans(&b)).measure_ms()).unwrap(), count(false));
        prop_assert_eq!(usize::try_from(spans(&a).intersection(&spans(&b)).measure_ms()).unwrap(), count(true));
    }
}
