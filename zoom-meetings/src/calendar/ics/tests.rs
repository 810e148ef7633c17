use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::calendar::{CalendarEvent, EventStatus, Response};

fn window(from: &str, to: &str) -> TimeWindow {
    TimeWindow {
        from: at(from),
        to: at(to),
    }
}

fn always() -> TimeWindow {
    window("2000-01-01T00:00Z", "2100-01-01T00:00Z")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn calendar(body: &str) -> IcsCalendar {
    IcsCalendar::parse(&format!("BEGIN:VCALENDAR\nVERSION:2.0\n{body}\nEND:VCALENDAR\n")).unwrap()
}

fn events(body: &str) -> CalendarEvents {
    calendar(&format!("BEGIN:VEVENT\nUID:u1\n{body}\nEND:VEVENT")).events_in(always())
}

fn only(body: &str) -> CalendarEvent {
    let answer = events(body);
    assert_eq!(
        (answer.events.len(), answer.warnings.as_slice()),
        (1, [].as_slice()),
        "{body}"
    );
    answer.events.into_iter().next().unwrap()
}

fn starts(answer: &CalendarEvents) -> Vec<String> {
    answer
        .events
        .iter()
        .map(|event| event.start.to_string())
        .collect()
}

#[test]
fn times_are_read_in_utc_in_a_zone_and_with_a_duration() {
    let event = only("DTSTART:20261122T150000Z\nDTEND:20261122T160000Z");
    assert_eq!(
        (event.start, event.end),
        (at("2026-11-22T15:00Z"), at("2026-11-22T16:00Z"))
    );
    let event = only("DTSTART;TZID=Europe/Berlin:20260701T150000\nDURATION:PT1H30M");
    assert_eq!(
        (event.start, event.end),
        (at("2026-07-01T13:00Z"), at("2026-07-01T14:30Z"))
    );
    let event =
        only("dtstart;tzid=\"America/New_York\":20260101T090000\ndtend;tzid=Europe/London:20260101T150000");
    assert_eq!(
        (event.start, event.end),
        (at("2026-01-01T14:00Z"), at("2026-01-01T15:00Z"))
    );
}

#[test]
fn day_of_twenty_five_hours_is_one_day_as_p1d_and_less_as_pt24h() {
    let event = only("DTSTART;TZID=Europe/Berlin:20261024T120000\nDURATION:P1D");
    assert_eq!(event.end.duration_since(event.start).as_hours(), 25);
    let event = only("DTSTART;TZID=Europe/Berlin:20261024T120000\nDURATION:PT24H");
    assert_eq!(event.end.duration_since(event.start).as_hours(), 24);
}

#[test]
fn whole_day_is_midnight_to_midnight_in_the_default_zone() {
    let calendar = calendar(
        "X-WR-TIMEZONE:Europe/Berlin\nBEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20261025\nDTEND;VALUE=DATE:20261026\nEND:VEVENT",
    );
    let event = calendar.events_in(always()).events.remove(0);
    assert!(event.all_day);
    assert_eq!(
        (event.start, event.end),
        (at("2026-10-24T22:00Z"), at("2026-10-25T23:00Z"))
    );
    let event = calendar
        .with_default_time_zone(TimeZone::UTC)
        .events_in(always())
        .events
        .remove(0);
    assert_eq!(
        (event.start, event.end),
        (at("2026-10-25T00:00Z"), at("2026-10-26T00:00Z"))
    );
}

#[test]
fn zoom_writes_the_zone_on_a_line_of_its_own_and_the_id_into_the_uid() {
    let calendar = IcsCalendar::parse(
        "BEGIN:VCALENDAR\r\nPRODID:-//zoom.us//iCalendar Event//EN\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n\
         DTSTAMP:20261101T100000Z\r\nDTSTART:20261122T150000\r\nDTEND:20261122T160000\r\nSUMMARY:Review\r\n\
         UID:20261101T100000Z-81234567890@fe80:0:0:0\r\nTZID:Europe/Berlin\r\n\
         BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:https://zoom.us/j/999999999\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    )
    .unwrap();
    let event = calendar.events_in(always()).events.remove(0);
    assert_eq!(event.start, at("2026-11-22T14:00Z"));
    assert_eq!(
        event.meeting_id(),
        Some(zoom_core::MeetingId::new(81_234_567_890)),
        "not the one of the alarm"
    );
}

#[test]
fn folded_html_description_gives_up_its_link() {
    let event = only(
        "DTSTART:20261122T150000Z\nDTEND:20261122T160000Z\nDESCRIPTION:Weekly <a href=\"https://www.google.com/url?q=https%3A%2F%2Fcor\n \
         eos.zoom.us%2Fj%2F854793406&amp\\;sa=D&amp\\;usg=x\">call</a>\\, see you\\nbye",
    );
    assert_eq!(
        event.join.unwrap().url().unwrap().as_str(),
        "https://coreos.zoom.us/j/854793406"
    );
}

#[test]
fn conference_property_wins_over_location_and_that_over_description() {
    let base = "DTSTART:20261122T150000Z\nDESCRIPTION:https://zoom.us/j/111111111\n";
    let id = |body: &str| only(&format!("{base}{body}")).meeting_id().unwrap().get();
    assert_eq!(id("LOCATION:https://zoom.us/j/222222222"), 222_222_222);
    assert_eq!(
        id(
            "LOCATION:https://zoom.us/j/222222222\nCONFERENCE;VALUE=URI;FEATURE=VIDEO:https://zoom.us/j/333333333"
        ),
        333_333_333
    );
    assert_eq!(
        id("LOCATION:https://zoom.us/j/222222222\nX-GOOGLE-CONFERENCE:https://zoom.us/j/444444444"),
        444_444_444
    );
}

#[test]
fn people_are_read_and_rooms_are_not() {
    let event = only(
        "DTSTART:20261122T150000Z\nORGANIZER;CN=\"Rep: Jo\":MAILTO:Jo@Us.example\n\
         ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:Ann@acme.example\n\
         ATTENDEE;CUTYPE=ROOM;CN=Blue room:mailto:blue@resource.example\n\
         ATTENDEE;PARTSTAT=DECLINED;EMAIL=bo@acme.example:invalid:nomail\nSTATUS:TENTATIVE",
    );
    let organizer = event.organizer.as_ref().unwrap();
    assert_eq!(
        (organizer.email.as_deref(), organizer.name.as_deref()),
        (Some("jo@us.example"), Some("Rep: Jo"))
    );
    assert_eq!(
        event.emails().collect::<Vec<_>>(),
        ["jo@us.example", "ann@acme.example", "bo@acme.example"]
    );
    assert_eq!(event.attendees[0].response, Response::Accepted);
    assert_eq!(event.status, EventStatus::Tentative);
}

#[test]
fn weekly_series_keeps_its_wall_clock_when_the_clocks_change() {
    let answer = events(
        "DTSTART;TZID=Europe/Berlin:20261012T150000\nDTEND;TZID=Europe/Berlin:20261012T160000\nRRULE:FREQ=WEEKLY;COUNT=3",
    );
    assert_eq!(
        starts(&answer),
        [
            "2026-10-12T13:00:00Z",
            "2026-10-19T13:00:00Z",
            "2026-10-26T14:00:00Z"
        ]
    );
    assert!(
        answer
            .events
            .iter()
            .all(|event| event.end.duration_since(event.start).as_mins() == 60)
    );
    assert_eq!(answer.events[1].occurrence, Some(at("2026-10-19T13:00Z")));
    assert_eq!(answer.warnings, []);
}

#[test]
fn two_days_a_week_every_other_week() {
    // 2026-11-04 is a Wednesday; the week starts on Sunday.
    let answer = events("DTSTART:20261104T090000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU;COUNT=4");
    assert_eq!(
        starts(&answer),
        [
            "2026-11-04T09:00:00Z",
            "2026-11-16T09:00:00Z",
            "2026-11-18T09:00:00Z",
            "2026-11-30T09:00:00Z"
        ]
    );
    // The example of RFC 5545: where a week starts decides which Sundays count.
    for (week_start, days) in [("MO", ["05", "10", "19", "24"]), ("SU", ["05", "17", "19", "31"])] {
        let rule = format!("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={week_start}");
        let expected = days.map(|day| format!("1997-08-{day}T09:00:00Z"));
        let calendar = calendar(&format!(
            "BEGIN:VEVENT\nUID:a\nDTSTART:19970805T090000Z\n{rule}\nEND:VEVENT"
        ));
        assert_eq!(
            starts(&calendar.events_in(window("1997-01-01T00:00Z", "1998-01-01T00:00Z"))),
            expected
        );
    }
}

#[test]
fn daily_series_ends_with_until_and_leaves_out_what_is_excluded() {
    // The misspelt parameter is in the wild; the date then is in the zone of the event.
    let answer = events(
        "DTSTART;TZID=Europe/Berlin:20261101T100000\nDURATION:PT30M\nRRULE:FREQ=DAILY;UNTIL=20261105T090000Z\n\
         EXDATE;TZIP=Europe/Berlin:20261102T100000\nEXDATE:20261103T090000Z,20261104T110000Z",
    );
    assert_eq!(
        starts(&answer),
        [
            "2026-11-01T09:00:00Z",
            "2026-11-04T09:00:00Z",
            "2026-11-05T09:00:00Z"
        ]
    );
    let answer = events("DTSTART:20261101T100000Z\nRRULE:FREQ=DAILY;UNTIL=20261103\nRDATE:20261110T100000Z");
    assert_eq!(starts(&answer).len(), 4);
    let answer = events("DTSTART:20261102T100000Z\nRRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7");
    assert_eq!(starts(&answer).last().unwrap(), "2026-11-10T10:00:00Z");
}

#[test]
fn moved_occurrence_replaces_the_one_it_came_from() {
    let calendar = calendar(
        "BEGIN:VEVENT\nUID:s\nDTSTART;TZID=Europe/Berlin:20261102T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:s\nRECURRENCE-ID:20261109T090000Z\nDTSTART:20261110T140000Z\nDURATION:PT30M\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20261116T100000\nDTSTART:20261116T090000Z\nSTATUS:CANCELLED\nEND:VEVENT",
    );
    let answer = calendar.events_in(always());
    assert_eq!(
        starts(&answer),
        [
            "2026-11-02T09:00:00Z",
            "2026-11-10T14:00:00Z",
            "2026-11-16T09:00:00Z",
            "2026-11-23T09:00:00Z"
        ]
    );
    assert_eq!(answer.events[1].occurrence, Some(at("2026-11-09T09:00Z")));
    assert_eq!(answer.events[2].status, EventStatus::Cancelled);
    assert_eq!(answer.warnings, []);
    // The place it came from is empty also in a window that ends before the new one.
    assert_eq!(
        calendar
            .events_in(window("2026-11-09T00:00Z", "2026-11-10T00:00Z"))
            .events,
        []
    );
}

#[test]
fn other_repetitions_are_reported_and_their_first_date_is_kept() {
    for rule in [
        "FREQ=MONTHLY;BYDAY=1MO",
        "FREQ=YEARLY",
        "FREQ=WEEKLY;BYSETPOS=1;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=DAILY;UNTIL=soon",
        "COUNT=3",
    ] {
        let answer = events(&format!("DTSTART:20261104T090000Z\nRRULE:{rule}"));
        assert_eq!(starts(&answer), ["2026-11-04T09:00:00Z"], "{rule}");
        let expected = CalendarWarning::UnsupportedRecurrence {
            uid: "u1".into(),
            rule: format!("RRULE:{rule}"),
        };
        assert_eq!(answer.warnings, [expected]);
    }
}

#[test]
fn endless_series_is_walked_only_to_the_end_of_the_window() {
    let calendar = calendar(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20200101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT",
    );
    let answer = calendar.events_in(window("2026-11-22T09:30Z", "2026-11-23T09:00Z"));
    assert_eq!(
        starts(&answer),
        ["2026-11-22T09:00:00Z"],
        "still running at the start of the window; the next is at its end"
    );
    let ancient =
        self::calendar("BEGIN:VEVENT\nUID:a\nDTSTART:00010101T090000Z\nRRULE:FREQ=DAILY\nEND:VEVENT");
    assert_eq!(
        ancient.events_in(always()).warnings,
        [CalendarWarning::TooManyOccurrences { uid: "a".into() }]
    );
}

#[test]
fn zones_of_windows_and_of_the_file_are_understood() {
    assert_eq!(
        only("DTSTART;TZID=W. Europe Standard Time:20260701T150000").start,
        at("2026-07-01T13:00Z")
    );
    assert_eq!(
        only("DTSTART;TZID=/citadel.org/20190914_1/Europe/Berlin:20260701T150000").start,
        at("2026-07-01T13:00Z")
    );
    let own = calendar(
        "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\n\
         BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
         BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n\
         BEGIN:VTIMEZONE\nTZID:Fixed\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:-0330\nTZOFFSETTO:-0330\nEND:STANDARD\nEND:VTIMEZONE\n\
         BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Customized Time Zone:20260701T150000\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART;TZID=Customized Time Zone:20261201T150000\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:c\nDTSTART;TZID=Fixed:20261201T150000\nEND:VEVENT",
    );
    assert_eq!(
        starts(&own.events_in(always())),
        [
            "2026-07-01T13:00:00Z",
            "2026-12-01T14:00:00Z",
            "2026-12-01T18:30:00Z"
        ]
    );
}

#[test]
fn every_windows_zone_leads_to_one_that_exists() {
    for (windows, _) in zone::WINDOWS {
        assert!(Zones::default().find(windows).is_some(), "{windows}");
    }
}

#[test]
fn one_bad_event_or_line_costs_itself_only() {
    let calendar = calendar(
        "BEGIN:VEVENT\nUID:bad-zone\nDTSTART;TZID=Middle-earth/Shire:20261122T150000\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:no-start\nSUMMARY:x\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:backwards\nDTSTART:20261122T150000Z\nDTEND:20261122T140000Z\nEND:VEVENT\n\
         this is no line\n\
         BEGIN:VEVENT\nUID:good\nDTSTART:20261122T150000Z\nEND:VEVENT",
    );
    let answer = calendar.events_in(always());
    assert_eq!(
        answer
            .events
            .iter()
            .map(|event| event.uid.as_str())
            .collect::<Vec<_>>(),
        ["good"]
    );
    let malformed = |uid: &str, property: &str| CalendarWarning::Malformed {
        uid: uid.into(),
        property: property.into(),
    };
    for expected in [
        CalendarWarning::UnknownTimeZone {
            uid: "bad-zone".into(),
            zone: "Middle-earth/Shire".into(),
        },
        malformed("no-start", "DTSTART"),
        malformed("backwards", "DTEND"),
        CalendarWarning::UnreadableLines { count: 1 },
    ] {
        assert!(
            answer.warnings.contains(&expected),
            "{expected:?} in {:?}",
            answer.warnings
        );
    }
    assert_eq!(answer.warnings.len(), 4);
}

#[test]
fn newest_version_of_an_event_counts() {
    let calendar = calendar(
        "BEGIN:VEVENT\nUID:a\nSEQUENCE:2\nDTSTART:20261122T170000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:a\nSEQUENCE:1\nDTSTART:20261122T150000Z\nEND:VEVENT",
    );
    assert_eq!(starts(&calendar.events_in(always())), ["2026-11-22T17:00:00Z"]);
}

#[test]
fn cancelled_invitation_is_cancelled() {
    let calendar = calendar("METHOD:CANCEL\nBEGIN:VEVENT\nUID:a\nDTSTART:20261122T170000Z\nEND:VEVENT");
    assert_eq!(
        calendar.events_in(always()).events[0].status,
        EventStatus::Cancelled
    );
}

#[test]
fn several_calendars_in_one_text_and_lines_of_any_ending() {
    let one = |uid: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20261122T150000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    let calendar = IcsCalendar::parse(&format!("\u{feff}{}{}", one("a"), one("b"))).unwrap();
    assert_eq!(calendar.events_in(always()).events.len(), 2);
    assert!(matches!(
        IcsCalendar::parse("<html>Sign in</html>"),
        Err(CalendarError::NotICalendar)
    ));
}

#[test]
fn file_that_was_cut_off_gives_its_complete_events_and_a_warning() {
    let calendar = IcsCalendar::parse(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261122T150000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:b\nDTSTART:20261122T15",
    )
    .unwrap();
    let answer = calendar.events_in(always());
    assert_eq!(answer.events.len(), 1);
    assert_eq!(answer.warnings, [CalendarWarning::UnreadableLines { count: 1 }]);
}

#[tokio::test]
async fn file_is_a_calendar_behind_the_trait() {
    let calendar: std::sync::Arc<dyn Calendar> = std::sync::Arc::new(calendar(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20261122T150000Z\nEND:VEVENT",
    ));
    assert_eq!(calendar.events(always()).await.unwrap().events.len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "(BEGIN:VCALENDAR\n)?(BEGIN:VEVENT\n|END:VEVENT\n|DTSTART[;:A-Z0-9=]{0,20}\n|RRULE:[A-Z0-9=;,-]{0,30}\n|DURATION:[PT0-9HMSDW-]{0,9}\n|\\PC{0,20}\n){0,20}") {
        if let Ok(calendar) = IcsCalendar::parse(&text) {
            let _ = calendar.events_in(TimeWindow { from: Timestamp::MIN, to: Timestamp::MAX });
        }
    }

    #[test]
    fn every_event_touches_the_window_and_they_are_in_order(interval in 1..5, days in "(MO|TU,TH|WE,SA,SU)", from in 0_i64..400, length in 1_i64..60) {
        let calendar = calendar(&format!("BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Berlin:20260101T230000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;INTERVAL={interval};BYDAY={days}\nEND:VEVENT"));
        let from = at("2026-01-01T00:00Z") + jiff::SignedDuration::from_hours(24 * from);
        let window = TimeWindow { from, to: from + jiff::SignedDuration::from_hours(24 * length) };
        let events = calendar.events_in(window).events;
        prop_assert!(events.iter().all(|event| window.touches(event.start, event.end)));
        prop_assert!(events.windows(2).all(|two| two[0].start < two[1].start));
        // The same series seen through a wider window has the same events here.
        let wide = calendar.events_in(TimeWindow { from: at("2026-01-01T00:00Z"), to: at("2028-01-01T00:00Z") }).events;
        let inside: Vec<_> = wide.into_iter().filter(|event| window.touches(event.start, event.end)).collect();
        prop_assert_eq!(events, inside);
    }
}
