use zoom_core::MeetingUuid;

use super::*;
use crate::calendar::Attendee;
use crate::instance::{Attendance, Visit};
use crate::join_link::JoinLink;

const REP: &str = "rep@us.example";
const ID: u64 = 81_234_567_890;

fn at(text: &str) -> Timestamp {
    format!("{text}Z").parse().unwrap()
}

fn event(uid: &str, id: u64, start: &str, minutes: i64, guest: &str) -> CalendarEvent {
    let mut event = CalendarEvent::new(uid, at(start), at(start) + SignedDuration::from_mins(minutes));
    event.join = JoinLink::parse(&format!("https://zoom.us/j/{id}"));
    event.organizer = Some(Attendee::new(REP));
    event.attendees = vec![Attendee::new(guest)];
    event
}

fn held(id: u64, start: &str, minutes: i64, guest: &str) -> Instance {
    let end = at(start) + SignedDuration::from_mins(minutes);
    let visit = |email: &str| {
        let mut visit = Visit::new(at(start), Some(end));
        visit.email = Some(email.to_owned());
        visit
    };
    let rows = Attendance::Rows(vec![visit(REP), visit(guest)]);
    Instance::new(
        MeetingId::new(id),
        MeetingUuid::new(format!("{id}/{start}")),
        at(start),
        end,
    )
    .with_attendance(rows)
}

fn history(id: u64, instances: &[Instance]) -> MeetingHistory {
    MeetingHistory::complete(MeetingId::new(id), instances.to_vec())
}

fn report() -> TimeReportBuilder {
    TimeReport::builder(at("2026-12-01T00:00")).directory(
        Directory::new()
            .internal("us.example")
            .customer("acme.example", "Acme"),
    )
}

const ANN: &str = "ann@acme.example";

#[test]
fn sums_are_per_customer_rep_and_week() {
    let events = [
        event("a", ID, "2026-11-16T10:00", 60, ANN),
        event("b", ID, "2026-11-18T10:00", 60, ANN),
        event("c", ID, "2026-11-23T10:00", 60, ANN),
        event("d", ID + 1, "2026-11-16T14:00", 30, "bo@globex.example"),
    ];
    let instances = [
        held(ID, "2026-11-16T10:00", 45, ANN),
        held(ID, "2026-11-23T10:00", 75, ANN),
    ];
    let other = [held(ID + 1, "2026-11-16T14:00", 30, "bo@globex.example")];
    let report = report().build(&events, &[history(ID, &instances), history(ID + 1, &other)]);
    let rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| {
            (
                row.customer.to_string(),
                row.week.to_string(),
                row.times.meetings,
                row.times.scheduled_minutes(),
                row.times.actual_minutes(),
                row.times.delta_minutes(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            // Booked twice, held once for 45: the other was never started.
            (
                "Acme".to_owned(),
                "2026-W47".to_owned(),
                2,
                120.0,
                Some(45.0),
                Some(-75.0)
            ),
            (
                "Acme".to_owned(),
                "2026-W48".to_owned(),
                1,
                60.0,
                Some(75.0),
                Some(15.0)
            ),
            (
                "globex.example".to_owned(),
                "2026-W47".to_owned(),
                1,
                30.0,
                Some(30.0),
                Some(0.0)
            ),
        ]
    );
    assert_eq!(
        (report.rows[0].times.held, report.rows[0].times.not_started),
        (1, 1)
    );
    assert_eq!(report.rows[0].rep.as_deref(), Some(REP));
    let by_customer = report.by(|row| row.customer.clone());
    assert_eq!(
        by_customer[&Customer::Named("Acme".into())].actual_minutes(),
        Some(120.0)
    );
    assert_eq!(
        (report.total().meetings, report.total().scheduled_minutes()),
        (4, 210.0)
    );
}

#[test]
fn unknown_is_an_empty_cell_and_stays_out_of_the_difference() {
    let events = [
        event("a", ID, "2026-11-16T10:00", 60, ANN),
        event("b", ID + 1, "2026-11-17T10:00", 60, ANN),
    ];
    let unknown = MeetingHistory::unknown(MeetingId::new(ID + 1), UnknownReason::PlanLimit);
    let built = report().build(
        &events,
        &[
            history(ID, &[held(ID, "2026-11-16T10:00", 45, ANN)]),
            unknown.clone(),
        ],
    );
    let times = &built.rows[0].times;
    assert_eq!(
        (
            times.scheduled_minutes(),
            times.actual_minutes(),
            times.delta_minutes()
        ),
        (120.0, Some(45.0), Some(-15.0))
    );
    assert_eq!((times.unknown, times.unknown_scheduled_ms), (1, 3_600_000));

    let built = report().build(&events[1..], &[unknown]);
    let times = &built.rows[0].times;
    assert_eq!((times.actual_ms, times.delta_ms()), (None, None));
    let csv = built.to_csv().unwrap();
    assert!(
        csv.lines().nth(1).unwrap().ends_with("3600000,3600000,,,60.00,,"),
        "{csv}"
    );
    let json = serde_json::to_value(&built).unwrap();
    assert_eq!(json["rows"][0]["actual_minutes"], serde_json::Value::Null);
    // Nobody asked Zoom at all.
    assert_eq!(
        report().build(&events[1..], &[]).meetings[0].unknown,
        Some(UnknownReason::NotLoaded)
    );
}

#[test]
fn nothing_is_called_not_started_before_zoom_could_know() {
    let events = [event("a", ID, "2026-11-16T10:00", 60, ANN)];
    let unknown_at = |now: &str| {
        TimeReport::builder(at(now))
            .build(&events, &[history(ID, &[])])
            .meetings[0]
            .unknown
    };
    assert_eq!(unknown_at("2026-11-16T10:30"), Some(UnknownReason::NotOver));
    assert_eq!(
        unknown_at("2026-11-16T11:29"),
        Some(UnknownReason::NotAvailableYet)
    );
    assert_eq!(unknown_at("2026-11-16T11:30"), None);
    let at_once = TimeReport::builder(at("2026-11-16T11:00"))
        .settle(SignedDuration::ZERO)
        .build(&events, &[history(ID, &[])]);
    assert_eq!(at_once.meetings[0].status, MeetingStatus::NotStarted);
}

#[test]
fn what_is_listed_twice_counts_once() {
    let mut copy = event("copy", ID, "2026-11-16T10:00", 60, ANN);
    copy.organizer = None;
    let mut other_guests = event("a", ID, "2026-11-16T10:00", 60, "room@us.example");
    other_guests.organizer = None;
    let events = [
        other_guests,
        event("a", ID, "2026-11-16T10:00", 60, ANN),
        event("a", ID, "2026-11-16T10:00", 60, ANN),
        copy,
    ];
    let instance = held(ID, "2026-11-16T10:00", 45, ANN);
    let mut unread = instance.clone();
    unread.attendance = Attendance::Unknown(UnknownReason::NotAvailableYet);
    let report = report().build(
        &events,
        &[history(ID, &[instance.clone(), unread]), history(ID, &[instance])],
    );
    assert_eq!(
        (report.total().meetings, report.total().actual_minutes()),
        (1, Some(45.0))
    );
}

#[test]
fn other_events_are_left_out_and_links_without_an_id_are_unknown() {
    let mut lunch = event("lunch", ID, "2026-11-16T12:00", 60, ANN);
    lunch.join = None;
    let mut day = event("day", ID, "2026-11-16T00:00", 1440, ANN);
    day.all_day = true;
    let mut personal = event("personal", ID, "2026-11-16T14:00", 60, ANN);
    personal.join = JoinLink::parse("https://zoom.us/my/rep");
    let report = report().build(&[lunch, day, personal], &[history(ID, &[])]);
    assert_eq!((report.left_out, report.meetings.len()), (2, 1));
    assert_eq!(report.meetings[0].unknown, Some(UnknownReason::NoMeetingId));
}

#[test]
fn window_cuts_by_the_start() {
    let events = [
        event("a", ID, "2026-11-16T10:00", 60, ANN),
        event("b", ID, "2026-11-18T10:00", 60, ANN),
    ];
    let window = TimeWindow {
        from: at("2026-11-17T00:00"),
        to: at("2026-11-18T10:00"),
    };
    let unscheduled = held(ID, "2026-11-17T20:00", 10, ANN);
    let report = report()
        .window(window)
        .build(&events, &[history(ID, &[unscheduled])]);
    assert_eq!(
        report
            .meetings
            .iter()
            .map(|meeting| meeting.status)
            .collect::<Vec<_>>(),
        [MeetingStatus::HeldUnscheduled]
    );
}

#[test]
fn cancelled_meetings_are_in_no_sum() {
    let mut event = event("a", ID, "2026-11-16T10:00", 60, ANN);
    event.status = EventStatus::Cancelled;
    let total = report().build(&[event], &[history(ID, &[])]).total();
    assert_eq!((total.cancelled, total.meetings, total.scheduled_ms), (1, 0, 0));
}

#[test]
fn table_is_rfc_4180_and_no_cell_is_a_formula() {
    let directory = Directory::new().internal("us.example").customer(
        "acme.example",
        "=HYPERLINK(\"http://evil.example\",\"Acme, Inc.\")",
    );
    let mut event = event("a", ID, "2026-11-16T10:00", 60, ANN);
    event.summary = Some("+1 \"great\" call\nsecond line".into());
    let report = TimeReport::builder(at("2026-12-01T00:00"))
        .directory(directory)
        .build(&[event], &[history(ID, &[held(ID, "2026-11-16T10:00", 45, ANN)])]);
    let csv = report.to_csv().unwrap();
    assert_eq!(
        csv,
        "customer,rep,week,meetings,held,no_shows_customer,no_shows_host,not_started,internal_only,unscheduled,unknown,cancelled,\
         scheduled_ms,unknown_scheduled_ms,actual_ms,delta_ms,scheduled_minutes,actual_minutes,delta_minutes\r\n\
         \"'=HYPERLINK(\"\"http://evil.example\"\",\"\"Acme, Inc.\"\")\",rep@us.example,2026-W47,1,1,0,0,0,0,0,0,0,\
         3600000,0,2700000,-900000,60.00,45.00,-15.00\r\n"
    );
    let csv = report.meetings_csv().unwrap();
    assert!(csv.contains(",\"'+1 \"\"great\"\" call\nsecond line\","), "{csv}");
    assert!(
        csv.ends_with("held,3600000,2700000,-900000,60.00,45.00,-15.00,0,0,900000\r\n"),
        "{csv}"
    );
}

#[test]
fn minutes_are_rounded_half_away_from_zero() {
    let times = |ms: i64| Times {
        actual_ms: Some(ms),
        ..Times::default()
    };
    for (ms, minutes) in [
        (299, 0.0),
        (300, 0.01),
        (-299, 0.0),
        (-300, -0.01),
        (89_999, 1.5),
        (2_718_281, 45.30),
    ] {
        assert_eq!(times(ms).actual_minutes(), Some(minutes), "{ms}");
    }
}

#[test]
fn report_in_json_says_everything_twice_in_ms_and_minutes() {
    let events = [event("a", ID, "2026-11-16T10:00", 60, ANN)];
    let report = report()
        .time_zone(TimeZone::get("Europe/Berlin").unwrap())
        .build(&events, &[history(ID, &[held(ID, "2026-11-16T10:00", 45, ANN)])]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        (json["policy"].as_str(), json["time_zone"].as_str()),
        (Some("met"), Some("Europe/Berlin"))
    );
    let row = &json["rows"][0];
    assert_eq!(
        (row["customer"].as_str(), row["week"].as_str()),
        (Some("Acme"), Some("2026-W47"))
    );
    assert_eq!(
        (row["actual_ms"].as_i64(), row["actual_minutes"].as_f64()),
        (Some(2_700_000), Some(45.0))
    );
    assert_eq!(json["meetings"][0]["status"], "held");
    assert_eq!(
        json["meetings"][0]["measured"]["people"][0]["key"],
        serde_json::json!({"email": ANN})
    );
}

#[test]
fn week_around_new_year_belongs_to_its_own_year() {
    assert_eq!(
        IsoWeek::of(at("2027-01-01T12:00"), &TimeZone::UTC).to_string(),
        "2026-W53"
    );
}
