//! Webhooks that Zoom has not sent.

use jiff::SignedDuration;
use reqwest::StatusCode;
use zoom_webhooks::{WebhookSecret, signed_headers};

use crate::world::{World, rep, simulator_config};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_that_zoom_has_not_sent_change_nothing() {
    // without a worker, so that nothing hides what was let in
    let world = World::open(simulator_config(), |_| {}).await;
    world.connect(&rep()).await;
    let body = RECORDING.replace("{account}", &world.zoom.simulator().config().account_id);
    let ours = WebhookSecret::new(world.zoom.simulator().config().webhook_secret.as_str()).unwrap();
    let another = WebhookSecret::new("somebody-elses-secret").unwrap();
    let now = world.now();
    let good = signed_headers(&ours, now, body.as_bytes());
    let unsigned = {
        let mut headers = good.clone();
        headers.remove("x-zm-signature");
        headers
    };
    let undated = {
        let mut headers = good.clone();
        headers.remove("x-zm-request-timestamp");
        headers
    };
    let redated = {
        let mut headers = good.clone();
        headers.insert(
            "x-zm-request-timestamp",
            (now.as_second() + 1).to_string().parse().unwrap(),
        );
        headers
    };
    let of_another_body = signed_headers(&ours, now, b"{}");
    let forgeries = [
        (
            "signed with another secret",
            signed_headers(&another, now, body.as_bytes()),
        ),
        ("signed for another body", of_another_body),
        (
            "stale",
            signed_headers(&ours, now - SignedDuration::from_hours(2), body.as_bytes()),
        ),
        (
            "from the future",
            signed_headers(&ours, now + SignedDuration::from_hours(2), body.as_bytes()),
        ),
        ("unsigned", unsigned),
        ("undated", undated),
        ("dated anew", redated),
    ];

    let http = reqwest_client();
    let before = world.backend.queue.counts().await.unwrap();
    for (what, headers) in forgeries {
        let post = http
            .post(world.webhooks.clone())
            .headers(headers)
            .body(body.clone());
        assert_eq!(
            post.send().await.unwrap().status(),
            StatusCode::UNAUTHORIZED,
            "{what}"
        );
        assert_eq!(
            world.backend.queue.counts().await.unwrap(),
            before,
            "{what}: nothing is queued"
        );
    }
    assert!(world.calls().await.is_empty());
    assert_eq!(world.connection_rows().await[0].0, "active");

    // The same bytes, as Zoom signs them, do get in.
    let post = http.post(world.webhooks.clone()).headers(good).body(body);
    assert_eq!(post.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(
        world.backend.queue.counts().await.unwrap().waiting,
        before.waiting + 1
    );
}

fn reqwest_client() -> reqwest::Client {
    zoom_core::http::client_builder().build().unwrap()
}

const RECORDING: &str = r#"{"event":"recording.completed","event_ts":1795442400000,"download_token":"t","payload":{"account_id":"{account}","object":{"uuid":"4444AAAiAAAAAiAiAiiAii==","id":98765432101,"account_id":"{account}","host_id":"simmayachenbrightwa","topic":"Forged","type":2,"start_time":"2026-11-23T13:00:00Z","duration":45,"recording_files":[]}}}"#;
