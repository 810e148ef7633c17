//! Connect, meet, record, analyse, report, leave: each step is checked before the next begins.

use std::{future::IntoFuture as _, time::Duration};

use anyhow::{Context as _, Result, ensure};
use backend::{Backend, Config, SimulatedZoom};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use url::Url;
use zoom_calls::{Call, CallFilter, CallReport, CallStatus, Scope, SearchQuery};
use zoom_core::model::AutoRecording;
use zoom_meetings::{Booking, IcsCalendar, ScheduleRequest, SessionId};
use zoom_oauth::{Callback, Connection, OwnerId, SessionBinding};
use zoom_simulator::DeliveryRecord;

use super::{
    document::{After, Document, Hours, Stopwatch},
    narrator::Narrator,
};
use crate::{progress::CallBars, story, time_report};

/// The Tuesday on which the story plays: the people in the sample call speak of that week's Friday.
pub(crate) const BEGINS: &str = "2026-11-24T14:50:00Z";
const ZONE: &str = "America/New_York";
const REP: &str = "maya";
const CUSTOMER: &str = "daniel.ortiz@tidewater-couriers.example";
/// Something that was said in the sales call.
const SAID: &str = "RouteHive";
const PATIENCE: Duration = Duration::from_secs(300);

/// The whole journey.
pub(crate) async fn run(config: Config, narrator: &Narrator) -> Result<Document> {
    let mut watch = Stopwatch::start();
    let posts_to_slack = config.slack_webhook.is_some();
    let backend = Backend::open(config).await?;
    let zoom = backend
        .simulated
        .as_ref()
        .context("the demo runs on a simulated Zoom")?;
    narrator.chapter("A Zoom of our own");
    narrator.say(format!(
        "listens on {}; nothing leaves this machine",
        zoom.simulator().base_url()
    ));
    let running = Running::start(&backend, zoom).await?;
    narrator.say("it checked our webhook address and will sign every event");
    watch.lap("start");

    let owner = OwnerId::new(REP);
    let connection = connect(&backend, zoom, &owner, narrator).await?;
    watch.lap("connect");
    let booking = schedule(&backend, &owner, narrator).await?;
    watch.lap("schedule");
    hold(&backend, zoom, &booking, narrator).await?;
    let calls = wait_for_calls(&backend, 2, narrator).await?;
    watch.lap("webhooks_to_calls");
    tell(&calls, posts_to_slack, narrator)?;

    let hours = report_time(&backend, &owner, &booking, narrator).await?;
    watch.lap("time_report");
    let after = leave(&backend, zoom, &owner, narrator).await?;
    watch.lap("leave");
    running.stop().await?;
    Ok(Document {
        connection: (&connection).into(),
        calls: calls.iter().map(CallReport::from).collect(),
        time_report: hours,
        after_disconnect: after,
        timings_ms: watch.stop(),
    })
}

/// The host's two running parts: a server for webhooks and a worker.
struct Running {
    server: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<Result<(), job_queue::QueueError>>,
    shutdown: CancellationToken,
}

impl Running {
    async fn start(backend: &Backend, zoom: &SimulatedZoom) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = Url::parse(&format!("http://{}/webhooks/zoom", listener.local_addr()?))?;
        let routes = axum::Router::new().nest("/webhooks/zoom", backend.webhooks());
        let server = tokio::spawn(axum::serve(listener, routes).into_future());
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn(backend.worker().run(shutdown.clone()));
        zoom.subscribe(&url).await?;
        Ok(Self {
            server,
            worker,
            shutdown,
        })
    }

    /// Lets the worker finish what it began.
    async fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        self.worker.await??;
        self.server.abort();
        Ok(())
    }
}

async fn connect(
    backend: &Backend,
    zoom: &SimulatedZoom,
    owner: &OwnerId,
    narrator: &Narrator,
) -> Result<Connection> {
    narrator.chapter("Maya connects her Zoom account");
    let session = SessionBinding::new("the browser session that pressed Connect");
    let link = backend.connections.authorize(owner, &session).await?;
    narrator.say("one-time state, PKCE S256; she presses Allow on Zoom's page");
    let back = zoom.approve(&link.url).await?;
    let callback = Callback::from_query(back.query().unwrap_or_default());
    let connection = backend.connections.connect(&callback, &session).await?;
    ensure!(
        connection.is_live(),
        "the connection is {}",
        connection.status.as_str()
    );
    let name = connection.display_name.as_deref().unwrap_or("somebody");
    narrator.say(format!(
        "connected as {name} · {}",
        connection.email.as_deref().unwrap_or_default()
    ));
    Ok(connection)
}

async fn schedule(backend: &Backend, owner: &OwnerId, narrator: &Narrator) -> Result<Booking> {
    narrator.chapter("She schedules a call with Tidewater Couriers");
    let start = backend
        .clock
        .now()
        .to_zoned(TimeZone::get(ZONE)?)
        .round(jiff::Unit::Hour)?;
    let request = ScheduleRequest::new(
        SessionId::new("deal-1042"),
        "Brightwave intro with Tidewater Couriers",
        start,
        60,
    );
    let booking = backend
        .scheduler
        .schedule(owner, &request.auto_recording(AutoRecording::Cloud))
        .await?;
    narrator.say(format!(
        "meeting {} on her own account: {}",
        booking.meeting_id, booking.reason
    ));
    narrator.say("60 minutes in the calendar");
    Ok(booking)
}

async fn hold(backend: &Backend, zoom: &SimulatedZoom, booking: &Booking, narrator: &Narrator) -> Result<()> {
    narrator.chapter("Two meetings are held and recorded");
    let call_ends = booking.start.checked_add(45.minutes())?;
    let reading_starts = call_ends.checked_add(10.minutes())?;
    let reading_ends = reading_starts.checked_add(2.minutes())?;
    // an hour passes at once: nothing may be under way then, or its lease would run out
    quiet(backend, zoom).await?;
    zoom.simulator().clock().set(reading_ends);
    zoom.hold("sales-call", Some(booking.meeting_id), booking.start, call_ends)?;
    narrator.say("the sales call: over after 45 minutes (two synthetic voices read our script)");
    zoom.hold("librivox", None, reading_starts, reading_ends)?;
    narrator.say("a reading: real human speech, from LibriVox");
    narrator.say("Zoom signs and sends its webhooks; each is stored before it is answered");
    Ok(())
}

async fn wait_for_calls(backend: &Backend, wanted: usize, narrator: &Narrator) -> Result<Vec<Call>> {
    narrator.chapter("Recordings become calls");
    let bars = CallBars::new(narrator.speaks());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut calls = all_calls(backend).await?;
        calls.iter().for_each(|call| bars.show(call));
        if let Some(failed) = calls.iter().find(|call| call.status == CallStatus::Failed) {
            anyhow::bail!(
                "a call failed: {}",
                failed.status_reason.clone().unwrap_or_default()
            );
        }
        let over = calls.len() == wanted && calls.iter().all(|call| call.status == CallStatus::Ready);
        if over && idle(backend).await? {
            calls.sort_by_key(|call| call.started_at);
            return Ok(calls);
        }
        ensure!(Instant::now() < deadline, "the calls were not ready in time");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

async fn all_calls(backend: &Backend) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for summary in backend.calls.list(&Scope::All, &CallFilter::new()).await? {
        calls.extend(backend.calls.load(&Scope::All, &summary.id).await?);
    }
    Ok(calls)
}

/// Whether nothing waits or runs.
async fn idle(backend: &Backend) -> Result<bool> {
    let counts = backend.queue.counts().await?;
    ensure!(counts.dead == 0, "{} jobs failed for good", counts.dead);
    Ok(counts.waiting == 0 && counts.running == 0)
}

fn tell(calls: &[Call], posts_to_slack: bool, narrator: &Narrator) -> Result<()> {
    for call in calls {
        narrator.chapter("A call, analysed");
        narrator.show(&story::call(call));
        let receipt = call.recap.as_ref().context("a call has no recap")?;
        ensure!(
            receipt.posted == posts_to_slack,
            "the recap's receipt says {receipt:?}"
        );
        narrator.say(if receipt.posted {
            "its recap, posted to Slack:"
        } else {
            "its recap, as Slack would show it (set SLACK_WEBHOOK_URL to post):"
        });
        narrator.show(&story::recap(call));
    }
    let sales = calls.first().context("there is no sales call")?;
    let report = CallReport::from(sales);
    let contact = report.contact.as_ref().and_then(|found| found.linked.as_ref());
    ensure!(
        contact.is_some_and(|linked| linked.contact.email.as_deref() == Some(CUSTOMER)),
        "the customer was not recognised"
    );
    ensure!(
        report
            .attribution
            .is_some_and(|attribution| !attribution.credits.is_empty()),
        "the lead source is missing"
    );
    ensure!(
        !report.objections.is_empty() && !report.next_steps.is_empty(),
        "the analysis found nothing in the sales call"
    );
    ensure!(
        report.closing_score.is_some() && report.sentiment.is_some(),
        "the sales call was not scored"
    );
    Ok(())
}

async fn report_time(
    backend: &Backend,
    owner: &OwnerId,
    booking: &Booking,
    narrator: &Narrator,
) -> Result<Vec<Hours>> {
    narrator.chapter("What the calendar said, and what Zoom saw");
    let calendar = IcsCalendar::parse(&invitation(booking)?)?;
    let reported = backend.time_report(owner, &calendar).await?;
    let hours = Hours::of(&reported.report);
    if narrator.speaks() {
        time_report::table(&reported.report);
    }
    let total = reported.report.total();
    let difference =
        total.actual_minutes().context("the actual time is not known")? - total.scheduled_minutes();
    ensure!(
        total.scheduled_minutes() > 0.0 && difference < 0.0,
        "the report does not show that the call was shorter"
    );
    Ok(hours)
}

/// The event in Maya's calendar, as her calendar would export it.
fn invitation(booking: &Booking) -> Result<String> {
    let stamp = |moment: Timestamp| moment.strftime("%Y%m%dT%H%M%SZ").to_string();
    let ends = booking
        .start
        .checked_add(SignedDuration::from_mins(booking.duration_minutes.into()))?;
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//demo//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        "UID:deal-1042@brightwave.example".to_owned(),
        format!("DTSTAMP:{}", stamp(booking.booked_at)),
        format!("DTSTART:{}", stamp(booking.start)),
        format!("DTEND:{}", stamp(ends)),
        format!("SUMMARY:{}", booking.topic),
        format!("LOCATION:{}", booking.join_url.as_str()),
        "ORGANIZER:mailto:maya.chen@brightwave.example".to_owned(),
        format!("ATTENDEE;PARTSTAT=ACCEPTED:mailto:{CUSTOMER}"),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    Ok(lines.map(|line| line + "\r\n").concat())
}

async fn leave(
    backend: &Backend,
    zoom: &SimulatedZoom,
    owner: &OwnerId,
    narrator: &Narrator,
) -> Result<After> {
    narrator.chapter("Maya disconnects");
    let gone = backend.connections.disconnect(owner).await?;
    ensure!(gone.is_revoked(), "Zoom did not revoke the tokens");
    let connection = backend
        .connections
        .connection(owner)
        .await?
        .context("the history of the connection is gone")?;
    narrator.say("tokens revoked at Zoom and deleted here");

    let now = zoom.simulator().clock().now();
    let before = backend.calls.list(&Scope::All, &CallFilter::new()).await?.len();
    let late = zoom.hold(
        "sales-call",
        None,
        now.checked_sub(SignedDuration::from_mins(30))?,
        now,
    )?;
    quiet(backend, zoom).await?;
    acknowledged(zoom, late.meeting_id)?;
    let after = backend.calls.list(&Scope::All, &CallFilter::new()).await?.len();
    let ignored = before == after;
    ensure!(ignored, "a call of a disconnected account was taken in");
    narrator.say(format!(
        "another meeting ({}) is recorded: its webhooks are answered with 200 and ignored",
        late.meeting_id
    ));

    let hits = backend
        .calls
        .search(&Scope::All, &SearchQuery::parse(SAID), 5)
        .await?;
    ensure!(!hits.is_empty(), "the call can no longer be found");
    narrator.say(format!(
        "and the call is still there: “{SAID}” was said {} times, first in {}",
        hits.len(),
        hits.iter()
            .map(|hit| hit.topic.as_str())
            .next()
            .unwrap_or_default()
    ));
    Ok(After {
        status: connection.status.as_str().to_owned(),
        webhook_ignored: ignored,
        call_still_searchable: !hits.is_empty(),
    })
}

/// Waits until no webhook is on its way and everything that follows from those that came is done.
async fn quiet(backend: &Backend, zoom: &SimulatedZoom) -> Result<()> {
    let webhooks = zoom.simulator().webhooks();
    let sent = tokio::time::timeout(PATIENCE, webhooks.settled()).await;
    sent.context("the webhooks were not answered in time")?;
    let deadline = Instant::now() + PATIENCE;
    while !idle(backend).await? {
        ensure!(
            Instant::now() < deadline,
            "the webhooks were not worked off in time"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Whether Zoom told us of the recording of this meeting, and we said 200.
fn acknowledged(zoom: &SimulatedZoom, meeting: u64) -> Result<()> {
    let meeting = meeting.to_string();
    let about = |delivery: &DeliveryRecord| {
        delivery.event == "recording.completed" && delivery.body.contains(&meeting)
    };
    let sent: Vec<_> = zoom
        .simulator()
        .webhooks()
        .deliveries()
        .into_iter()
        .filter(about)
        .collect();
    ensure!(!sent.is_empty(), "Zoom did not send the late webhook");
    ensure!(
        sent.iter().all(|delivery| delivery.statuses() == [200]),
        "the late webhook was not acknowledged"
    );
    Ok(())
}
