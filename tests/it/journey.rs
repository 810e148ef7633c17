//! The whole way of a rep, over HTTP and on one SQLite file.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::date, tz::TimeZone};
use zoom_calls::{Call, Channel, ObjectionCategory, Scope, SearchQuery, Unattributed};
use zoom_core::{AccessToken, Client, StaticToken};
use zoom_meetings::{BookedAccount, Booking, IcsCalendar, ScheduleRequest, SessionId};
use zoom_oauth::{OwnerId, Status};

use crate::{
    fakes::Slack,
    world::{REP, REP_EMAIL, World, rep, simulator_config},
};

const CUSTOMER: &str = "daniel.ortiz@tidewater-couriers.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rep_connects_meets_is_told_about_the_call_and_leaves() {
    let slack = Slack::start().await;
    let slack_url = slack.url("T0/B0/journey");
    let world = World::start_with(simulator_config(), |config| {
        config.slack_webhook = Some(slack_url.into());
    })
    .await;
    let owner = rep();

    let connection = world.connect(&owner).await;
    assert_eq!(connection.status, Status::Active);
    assert_eq!(connection.display_name.as_deref(), Some("Maya Chen"));
    assert_eq!(connection.email.as_deref(), Some(REP_EMAIL));
    assert!(
        connection
            .scopes
            .iter()
            .any(|scope| scope == "meeting:write:meeting"),
        "{:?}",
        connection.scopes
    );

    let booking = schedule(&world, &owner).await;
    assert!(
        matches!(booking.account, BookedAccount::Own { .. }),
        "{:?}",
        booking.account
    );
    assert_eq!(
        (booking.reason.as_str(), booking.host_email.as_deref()),
        ("live", Some(REP_EMAIL))
    );

    let ends = booking.start + SignedDuration::from_mins(45);
    world.zoom.simulator().clock().set(ends);
    let uuid = world.hold_at("sales-call", Some(booking.meeting_id), booking.start, ends);
    let call = world.the_call().await;
    assert_eq!(world.acknowledged("recording.completed"), 1);
    assert_eq!(
        call.meeting_uuid().map(|uuid| uuid.as_str().to_owned()),
        Some(uuid)
    );
    assert_eq!(call.meeting_id, Some(booking.meeting_id));
    assert_eq!(call.owner.as_str(), REP);
    the_session_is_found_by_the_meeting_that_was_held(&world, &booking, &call).await;
    the_call_is_analysed(&call);
    assert_eq!(call.recap.as_ref().map(|receipt| receipt.posted), Some(true));
    the_team_was_told_once(&slack, &call).await;

    world.advance(60);
    sixty_minutes_were_forty_five(&world, &owner, &booking).await;

    let access = world
        .backend
        .connections
        .token_source(&owner)
        .await
        .unwrap()
        .access_token()
        .await
        .unwrap();
    assert!(
        zoom_takes(&world, access.clone()).await,
        "the token is good until she leaves"
    );
    assert!(
        world
            .backend
            .connections
            .disconnect(&owner)
            .await
            .unwrap()
            .is_revoked()
    );
    assert!(!zoom_takes(&world, access).await, "Zoom has forgotten the token");
    assert_eq!(world.connection_rows().await, [("disconnected".to_owned(), None)]);
    let hits = world
        .backend
        .calls
        .search(&Scope::All, &SearchQuery::parse("routehive"), 5)
        .await
        .unwrap();
    assert!(hits.iter().any(|hit| hit.call_id == call.id), "the history stays");
}

async fn schedule(world: &World, owner: &OwnerId) -> Booking {
    let start = (world.now() + 1.hour()).to_zoned(TimeZone::get("America/New_York").unwrap());
    let start = start.round(jiff::Unit::Hour).unwrap();
    let request = ScheduleRequest::new(SessionId::new("deal-1"), "Brightwave intro", start, 60);
    world.backend.scheduler.schedule(owner, &request).await.unwrap()
}

async fn the_session_is_found_by_the_meeting_that_was_held(world: &World, booking: &Booking, call: &Call) {
    let held = call.meeting_uuid().unwrap();
    let found = world.backend.scheduler.store().by_instance(held).await.unwrap();
    assert_eq!(found.map(|found| found.session), Some(booking.session.clone()));
}

fn the_call_is_analysed(call: &Call) {
    let words = call.transcript.as_ref().unwrap();
    assert_eq!(words.source.as_str(), "zoom");
    assert!(words.words() > 500, "{} words", words.words());
    assert_eq!(words.speakers(), ["Maya Chen", "Daniel Ortiz"]);

    let linked = call
        .contact
        .as_ref()
        .and_then(|found| found.linked.as_ref())
        .unwrap();
    assert_eq!(linked.contact.email.as_deref(), Some(CUSTOMER));
    let attribution = call.attribution.as_ref().unwrap();
    assert_eq!(
        (attribution.label().as_deref(), attribution.unattributed),
        (Some("Google Ads"), None::<Unattributed>)
    );
    assert_eq!(attribution.credits[0].channel, Channel::Paid);

    let analysis = call.analysis.as_ref().unwrap();
    for wanted in [ObjectionCategory::Price, ObjectionCategory::Competitor] {
        let found = analysis
            .objections
            .iter()
            .find(|objection| objection.category == wanted);
        let quote = &found
            .unwrap_or_else(|| panic!("no {} objection", wanted.as_str()))
            .evidence[0];
        assert_eq!(
            quote.speaker.as_deref(),
            Some("Daniel Ortiz"),
            "the buyer objects"
        );
    }
    // "by Friday the 27th", said on Monday the 23rd
    let friday = date(2026, 11, 27);
    let promised = analysis
        .next_steps
        .iter()
        .find(|step| step.due_date == Some(friday));
    assert!(
        promised.is_some_and(|step| step.action.contains("proposal")),
        "{:?}",
        analysis.next_steps
    );
    let closing = analysis.closing.as_ref().unwrap();
    assert!(
        (40..=100).contains(&closing.score) && !closing.calibrated,
        "{closing:?}"
    );
    assert!(
        analysis
            .sentiment
            .as_ref()
            .is_some_and(|sentiment| sentiment.score_0_100.is_some())
    );
}

async fn the_team_was_told_once(slack: &Slack, call: &Call) {
    let posts = slack.posts().await;
    assert_eq!(posts.len(), 1);
    let text = posts[0].to_string();
    for said in ["Daniel Ortiz", "Google Ads", "proposal", call.id.as_str()] {
        assert!(text.contains(said), "the recap does not say {said}: {text}");
    }
}

async fn sixty_minutes_were_forty_five(world: &World, owner: &OwnerId, booking: &Booking) {
    let calendar = IcsCalendar::parse(&invitation(booking)).unwrap();
    let reported = world.backend.time_report(owner, &calendar).await.unwrap();
    assert!(reported.warnings.is_empty(), "{:?}", reported.warnings);
    let rows = &reported.report.rows;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].customer.to_string(), "tidewater-couriers.example");
    assert_eq!(rows[0].rep.as_deref(), Some(REP_EMAIL));
    assert_eq!(
        (rows[0].times.scheduled_minutes(), rows[0].times.actual_minutes()),
        (60.0, Some(45.0))
    );
}

/// The event as her calendar exports it.
fn invitation(booking: &Booking) -> String {
    let stamp = |moment: Timestamp| moment.strftime("%Y%m%dT%H%M%SZ").to_string();
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        "UID:deal-1".to_owned(),
        format!("DTSTART:{}", stamp(booking.start)),
        format!("DTEND:{}", stamp(booking.start + 60.minutes())),
        format!("LOCATION:{}", booking.join_url.as_str()),
        format!("ORGANIZER:mailto:{REP_EMAIL}"),
        format!("ATTENDEE:mailto:{CUSTOMER}"),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.map(|line| line + "\r\n").concat()
}

/// Whether Zoom answers to this token.
async fn zoom_takes(world: &World, token: AccessToken) -> bool {
    let base = world.zoom.simulator().base_url().join("v2").unwrap();
    let source = std::sync::Arc::new(StaticToken::new(token));
    let client = Client::builder(source)
        .base_url(base)
        .with_plain_http()
        .build()
        .unwrap();
    match client.users().me().await {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_unauthorized(), "{error}");
            false
        }
    }
}
