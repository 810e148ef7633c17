//! The way of the marked secrets, stretch by stretch.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, ToSpan as _};
use job_queue::JobFilter;
use tokio::net::TcpListener;
use url::Url;
use zoom_calls::CallStatus;
use zoom_core::{Client, RetryPolicy};
use zoom_meetings::{ScheduleRequest, SessionId};
use zoom_oauth::{Callback, OwnerId, SessionBinding};
use zoom_simulator::Fault;
use zoom_webhooks::{Verifier, WebhookSecret, signed_headers};

use super::{MARK, Shown};
use crate::{
    fakes::Slack,
    world::{World, config_for, rep},
};

/// Connecting, and ways in which it fails.
pub(super) async fn connecting(world: &World, shown: &mut Shown) {
    let connections = &world.backend.connections;
    let session = SessionBinding::new(format!("{MARK}-session"));
    shown.debug(&session);
    let forged = Callback::from_query(&format!("code={MARK}-code&state={MARK}-state"));
    shown.debug(&forged);
    shown.error(&connections.connect(&forged, &session).await.unwrap_err());
    let denied = Callback::from_query(&format!("error={MARK}&state={MARK}"));
    shown.error(&connections.connect(&denied, &session).await.unwrap_err());

    let started = connections.authorize(&rep(), &session).await.unwrap();
    shown.debug(&started);
    let back = world.zoom.approve(&started.url).await.unwrap();
    assert!(back.as_str().contains(MARK), "codes carry the mark");
    let callback = Callback::from_query(back.query().unwrap());
    shown.debug(&callback);
    let stranger = SessionBinding::new("another browser");
    shown.error(&connections.connect(&callback, &stranger).await.unwrap_err());
    for _ in 0..8 {
        world.zoom.simulator().fail_next(Fault::TokenHttp500);
    }
    shown.error(&connections.connect(&callback, &session).await.unwrap_err());
    world.clear_faults();
    shown.debug(&world.connect(&rep()).await);
    let token = connections
        .token_source(&rep())
        .await
        .unwrap()
        .access_token()
        .await
        .unwrap();
    assert!(token.expose_secret().contains(MARK), "tokens carry the mark");
    shown.debug(&token);
}

/// A call that works in the end, one that does not, and Slack having its moods.
pub(super) async fn calls(world: &World, slack: &Slack, shown: &mut Shown) {
    for fault in [Fault::Http500, Fault::RefuseToken, Fault::Truncated] {
        world.zoom.simulator().fail_next(fault);
    }
    slack.refuse_next(500).await;
    world.hold("sales-call");
    world.settled().await;
    for _ in 0..40 {
        world.zoom.simulator().fail_next(Fault::HtmlInsteadOfFile);
    }
    world.hold("librivox");
    world.settled().await;
    world.clear_faults();
    // two events tell of a recording, so the recap is tried twice
    slack.refuse_next(404).await;
    slack.refuse_next(404).await;
    world.hold("librivox");
    world.settled().await;

    let calls = world.calls().await;
    let ready = calls
        .iter()
        .filter(|call| call.status == CallStatus::Ready)
        .count();
    assert_eq!(
        (calls.len(), ready),
        (3, 2),
        "{:?}",
        calls.iter().map(|c| &c.status_reason).collect::<Vec<_>>()
    );
    assert_eq!(slack.posts().await.len(), 1, "one recap got through");
    calls.iter().for_each(|call| shown.debug(call));
    let jobs = world.backend.queue.list(&JobFilter::new()).await.unwrap();
    assert!(
        jobs.iter().any(|job| job.last_error.is_some()),
        "some have failed on the way"
    );
    shown.debug(&jobs);
}

/// Tokens are exchanged for others, with and without trouble, and the system account gets some too.
pub(super) async fn refreshing(world: &World, shown: &mut Shown) {
    let client = world.backend.connections.client_for(&rep()).await.unwrap();
    shown.debug(&client);
    world.advance(120);
    for _ in 0..8 {
        world.zoom.simulator().fail_next(Fault::TokenHttp500);
    }
    shown.error(&client.users().me().await.unwrap_err());
    world.clear_faults();
    client.users().me().await.unwrap();
    for fault in [
        Fault::BrokenJson,
        Fault::HtmlInsteadOfJson,
        Fault::MissingScope,
        Fault::RefusalWith200,
    ] {
        for _ in 0..8 {
            world.zoom.simulator().fail_next(fault);
        }
        shown.error(&client.users().me().await.unwrap_err());
        world.clear_faults();
    }
    assert!(world.zoom.simulator().count("token.refresh_token") > 0);

    let start = (world.now() + 1.hour()).to_zoned(jiff::tz::TimeZone::UTC);
    let request = ScheduleRequest::new(SessionId::new("for-nobody"), "Interview", start, 30);
    let booking = world
        .backend
        .scheduler
        .schedule(&OwnerId::new("nobody"), &request)
        .await
        .unwrap();
    assert_eq!(booking.reason, "not_connected");
    shown.debug(&booking);
}

/// Zoom keeps silent, or is not there at all.
pub(super) async fn nobody_answers(world: &World, shown: &mut Shown) {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/v2", silent.local_addr().unwrap());
    let closed_url = "http://127.0.0.1:1/v2".to_owned();
    for base in [silent_url, closed_url] {
        let tokens = world.backend.connections.token_source(&rep()).await.unwrap();
        let client = Client::builder(tokens)
            .base_url(Url::parse(&base).unwrap())
            .with_retry(RetryPolicy::none());
        let client = client.with_timeout(Duration::from_millis(300)).build().unwrap();
        shown.error(&client.users().me().await.unwrap_err());
    }
    // A backend whose token endpoint is gone, when the token has run out.
    world.advance(120);
    let mut config = config_for(&world.zoom, world.database());
    if let backend::Zoom::Real(credentials) = &mut config.zoom {
        credentials.base = Some(Url::parse("http://127.0.0.1:1").unwrap());
    }
    let cut_off = backend::Backend::open(config).await.unwrap();
    let client = cut_off.connections.client_for(&rep()).await.unwrap();
    shown.error(&client.users().me().await.unwrap_err());
    let slack = zoom_calls::SlackWebhookUrl::new(format!("http://127.0.0.1:1/services/{MARK}"));
    let notifier = zoom_calls::SlackWebhook::new(&slack, "gone").unwrap();
    shown.debug(&slack);
    shown.debug(&notifier);
    let recap = zoom_calls::Recap::of(&world.calls().await[0], None);
    shown.error(&zoom_calls::Notifier::notify(&notifier, &recap).await.unwrap_err());
    let not_a_url = zoom_calls::SlackWebhookUrl::new(format!("slack/{MARK}"));
    shown.error(&zoom_calls::SlackWebhook::new(&not_a_url, "wrong").unwrap_err());
}

/// Webhooks with secrets inside that are refused.
pub(super) async fn webhooks(world: &World, shown: &mut Shown) {
    let secret = WebhookSecret::new(format!("{MARK}-webhook")).unwrap();
    let clock = world.backend.clock.clone();
    let verifier = Verifier::new(secret.clone()).with_clock(clock);
    shown.debug(&verifier);
    let body = format!(r#"{{"event":"recording.completed","download_token":"{MARK}-download","payload":7}}"#);
    let stale = signed_headers(
        &secret,
        world.now() - SignedDuration::from_hours(3),
        body.as_bytes(),
    );
    let forged = signed_headers(
        &WebhookSecret::new("another").unwrap(),
        world.now(),
        body.as_bytes(),
    );
    let good = signed_headers(&secret, world.now(), body.as_bytes());
    for headers in [stale, forged] {
        shown.error(&verifier.verify(&headers, body.as_bytes()).unwrap_err());
    }
    let delivery = verifier.verify(&good, body.as_bytes()).unwrap();
    shown.debug(&delivery);
    shown.error(&delivery.event().unwrap_err());
    let http = zoom_core::http::client_builder().build().unwrap();
    let answer = http
        .post(world.webhooks.clone())
        .headers(good)
        .body(body)
        .send()
        .await
        .unwrap();
    shown.0.push(answer.text().await.unwrap());
    until_over(world).await;
}

async fn until_over(world: &World) {
    crate::wait::until("the queue is empty", async || {
        let counts = world.backend.queue.counts().await.unwrap();
        (counts.waiting == 0 && counts.running == 0).then_some(())
    })
    .await;
}

/// The grant ends.
pub(super) async fn dying(world: &World, shown: &mut Shown) {
    let connections = &world.backend.connections;
    let client = connections.client_for(&rep()).await.unwrap();
    world.advance(120);
    world.zoom.simulator().fail_next(Fault::InvalidGrant);
    shown.error(&client.users().me().await.unwrap_err());
    shown.error(&connections.client_for(&rep()).await.unwrap_err());
    shown.debug(&connections.list().await.unwrap());
    shown.debug(&connections.disconnect(&rep()).await.unwrap());
    shown.debug(&Arc::clone(&world.backend.queue));
}
