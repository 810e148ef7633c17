//! `POST /simulate/meeting`: lets the simulated Zoom hold a meeting that has just ended.

use anyhow::Result;
use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
};
use backend::SimulatedZoom;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use zoom_calls::CallId;
use zoom_core::{MeetingUuid, model::AutoRecording};
use zoom_meetings::{Attendee, Booking, CalendarEvent, JoinLink, ScheduleRequest, SessionId};

use crate::{app::App, failure::Failure, held::HeldMeeting, notice::Notice, query};

const SALES_TOPIC: &str = "Brightwave intro with Tidewater Couriers";
const SALES_CUSTOMER: &str = "daniel.ortiz@tidewater-couriers.example";
const BOOKED_MINUTES: u32 = 60;
const HELD: SignedDuration = SignedDuration::from_mins(45);
const READING: SignedDuration = SignedDuration::from_mins(2);

/// Holds the sample that the button names.
pub(crate) async fn hold(State(app): State<App>, body: Bytes) -> Result<Response, Failure> {
    let Some(zoom) = &app.backend().simulated else {
        return Err(Failure::NotFound);
    };
    let form = String::from_utf8_lossy(&body);
    let sample = query::param(Some(&form), "sample").unwrap_or_default();
    if !matches!(sample.as_str(), "sales-call" | "librivox") {
        return Err(Failure::Malformed);
    }
    let connection = app.backend().connections.connection(&app.owner()).await?;
    let Some(connection) = connection.filter(|connection| connection.is_live()) else {
        return Ok(Notice::ConnectFirst.at("/integrations").into_response());
    };
    let held = match sample.as_str() {
        "sales-call" => sales_call(&app, zoom, connection.email.as_deref()).await?,
        _ => reading(&app, zoom)?,
    };
    app.held().add(held);
    Ok(Notice::Held.at("/calls").into_response())
}

/// Booked for an hour on the rep's account, and over after 45 minutes. It ends now, so its hour began in the past; Zoom books
/// nothing there, so the booking itself says "now".
async fn sales_call(app: &App, zoom: &SimulatedZoom, rep: Option<&str>) -> Result<HeldMeeting> {
    let ended = now(app)?;
    let started = ended.checked_sub(HELD)?;
    let booking = book(app, ended).await?;
    let held = zoom.hold("sales-call", Some(booking.meeting_id), started, ended)?;

    let slot_ends = started.checked_add(SignedDuration::from_mins(BOOKED_MINUTES.into()))?;
    let mut event = CalendarEvent::new(booking.session.as_str(), started, slot_ends);
    event.summary = Some(booking.topic.clone());
    event.join = JoinLink::parse(booking.join_url.as_str());
    event.organizer = rep.map(Attendee::new);
    event.attendees = vec![Attendee::new(SALES_CUSTOMER)];
    Ok(HeldMeeting {
        call: call(app, held.uuid.to_string()),
        topic: booking.topic,
        ended,
        event: Some(event),
    })
}

async fn book(app: &App, now: Timestamp) -> Result<Booking> {
    let session = SessionId::new(format!("demo-{}", app.backend().clock.now().as_millisecond()));
    let start = now
        .checked_add(SignedDuration::from_mins(1))?
        .to_zoned(TimeZone::UTC);
    let request = ScheduleRequest::new(session, SALES_TOPIC, start, BOOKED_MINUTES)
        .auto_recording(AutoRecording::Cloud);
    Ok(app.backend().scheduler.schedule(&app.owner(), &request).await?)
}

/// Real human speech, in a meeting that nobody planned.
fn reading(app: &App, zoom: &SimulatedZoom) -> Result<HeldMeeting> {
    let ended = now(app)?;
    let held = zoom.hold("librivox", None, ended.checked_sub(READING)?, ended)?;
    Ok(HeldMeeting {
        call: call(app, held.uuid.to_string()),
        topic: "A reading".to_owned(),
        ended,
        event: None,
    })
}

/// Zoom keeps whole seconds.
fn now(app: &App) -> Result<Timestamp> {
    Ok(Timestamp::from_second(app.backend().clock.now().as_second())?)
}

fn call(app: &App, uuid: String) -> CallId {
    CallId::for_meeting(&app.call_owner(), &MeetingUuid::new(uuid))
}
