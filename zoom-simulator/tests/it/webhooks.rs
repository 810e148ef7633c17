//! What receivers get.

use std::time::Duration;

use serde_json::{Value, json};
use zoom_simulator::{AppKind, AppSpec, DeliveryState, Disruption, EventTs, Order};

use crate::{
    receiver::Receiver,
    support::{MAYA, Zoom, at, call, start},
};

async fn subscribed(zoom: &Zoom) -> Receiver {
    let (receiver, url) = Receiver::start().await;
    zoom.sim.subscribe(&url).await.unwrap();
    receiver
}

fn event(n: u64) -> Value {
    json!({ "event": "meeting.test", "event_ts": n, "payload": { "n": n } })
}

#[tokio::test]
async fn a_meeting_is_told_from_start_to_transcript() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    let held = zoom.sim.hold_meeting(call(MAYA)).unwrap();
    zoom.sim.webhooks().settled().await;
    assert_eq!(
        receiver.names(),
        [
            "meeting.started",
            "recording.started",
            "meeting.participant_joined",
            "meeting.participant_joined",
            "meeting.participant_left",
            "meeting.participant_left",
            "recording.stopped",
            "meeting.ended",
            "recording.completed",
            "recording.transcript_completed",
        ]
    );
    for received in receiver.events() {
        assert!(received.signature_is_right(), "{}", received.name());
        let time = at("2026-11-22T12:00:00Z").as_second().to_string();
        assert_eq!(received.header("x-zm-request-timestamp"), time);
        assert_eq!(received.header("user-agent"), "Zoom Marketplace/1.0a");
        assert_eq!(received.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(received.header("clientid"), "SimClientId_01");
        assert!(
            received
                .header("x-zm-trackingid")
                .starts_with("v=2.0;clid=us02;rid=WEB_")
        );
        let event = received.event();
        assert_eq!(event["payload"]["object"]["uuid"], held.uuid);
        let id = &event["payload"]["object"]["id"];
        let as_text = received.name().starts_with("meeting.");
        assert_eq!(
            *id,
            if as_text {
                json!(held.meeting_id.to_string())
            } else {
                json!(held.meeting_id)
            }
        );
        assert_ne!(
            received.body,
            event.to_string().as_bytes(),
            "nobody writes it like this again"
        );
    }
    let text = String::from_utf8(receiver.events()[0].body.to_vec()).unwrap();
    assert!(text.contains("Intro \\u2615 👍"), "one escaped, one raw: {text}");
}

#[tokio::test]
async fn a_recording_arrives_without_its_transcript_and_the_transcript_alone() {
    let zoom = start(|config| config.transcript_delay = Duration::from_secs(600)).await;
    let receiver = subscribed(&zoom).await;
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    zoom.sim.webhooks().settled().await;
    let completed = receiver.events().pop().unwrap().event();
    assert_eq!(completed["event"], "recording.completed");
    assert!(completed["download_token"].as_str().unwrap().starts_with("eyJ"));
    let object = &completed["payload"]["object"];
    let types = |object: &Value| -> Vec<String> {
        object["recording_files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["file_type"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(types(object), ["M4A", "CHAT", "TIMELINE"]);
    assert_eq!(
        (&object["host_email"], &object["duration"]),
        (&json!(MAYA), &json!(45))
    );
    assert_eq!(object["recording_files"][0]["file_size"], 5000);
    assert_eq!(object["recording_files"][0]["meeting_id"], object["uuid"]);
    let url = object["recording_files"][0]["download_url"].as_str().unwrap();
    assert!(url.starts_with(&zoom.url("/rec/webhook_download/")));

    zoom.sim.advance(Duration::from_secs(600));
    zoom.until(|log| {
        log.last().is_some_and(|last| {
            last.state == DeliveryState::Delivered && last.event == "recording.transcript_completed"
        })
    })
    .await;
    let transcript = receiver.events().pop().unwrap().event();
    assert_eq!(types(&transcript["payload"]["object"]), ["TRANSCRIPT"]);
    assert_eq!(transcript["payload"]["object"]["recording_count"], 1);
}

#[tokio::test]
async fn a_failed_delivery_comes_again_after_5_20_and_60_minutes_and_then_never() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    receiver.answers.lock().unwrap().extend([500, 302, 404, 500]);
    zoom.sim.webhooks().send(&event(1));
    let minutes = [5, 20, 60];
    for (attempts, wait) in minutes.into_iter().enumerate() {
        zoom.until(|log| log[0].attempts.len() == attempts + 1).await;
        assert_eq!(zoom.sim.webhooks().deliveries()[0].state, DeliveryState::Waiting);
        // a second too early is too early
        zoom.sim.advance(Duration::from_secs(wait * 60 - 1));
        tokio::task::yield_now().await;
        assert_eq!(receiver.events().len(), attempts + 1);
        zoom.sim.advance(Duration::from_secs(1));
    }
    zoom.until(|log| log[0].state == DeliveryState::GaveUp).await;
    assert_eq!(
        zoom.sim.webhooks().deliveries()[0].statuses(),
        [500, 302, 404, 500]
    );
    let events = receiver.events();
    assert!(events.windows(2).all(|two| two[0].body == two[1].body));
    assert!(
        events
            .windows(2)
            .all(|two| two[0].header("x-zm-request-timestamp") < two[1].header("x-zm-request-timestamp"))
    );
    assert!(events.iter().all(crate::receiver::Received::signature_is_right));
    let times: Vec<i64> = zoom.sim.webhooks().deliveries()[0]
        .attempts
        .windows(2)
        .map(|a| a[1].at.duration_since(a[0].at).as_secs() / 60)
        .collect();
    assert_eq!(times, [5, 20, 60]);
}

#[tokio::test]
async fn a_retry_that_works_is_the_last() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    receiver.answers.lock().unwrap().push_back(503);
    zoom.sim.webhooks().send(&event(1));
    zoom.until(|log| log[0].state == DeliveryState::Waiting).await;
    zoom.sim.advance(Duration::from_secs(300));
    zoom.until(|log| log[0].state == DeliveryState::Delivered).await;
    assert_eq!(zoom.sim.webhooks().deliveries()[0].statuses(), [503, 200]);
}

#[tokio::test]
async fn a_receiver_that_is_silent_has_failed() {
    let zoom = start(|config| config.webhook_deadline = Duration::from_millis(60)).await;
    let receiver = subscribed(&zoom).await;
    *receiver.silent.lock().unwrap() = true;
    zoom.sim.webhooks().send(&event(1));
    zoom.until(|log| log[0].state == DeliveryState::Waiting).await;
    assert_eq!(zoom.sim.webhooks().deliveries()[0].statuses(), [0]);
    *receiver.silent.lock().unwrap() = false;
    zoom.sim.advance(Duration::from_secs(300));
    zoom.until(|log| log[0].state == DeliveryState::Delivered).await;
}

#[tokio::test]
async fn refusals_are_final_when_the_quirk_says_so() {
    let zoom = start(|config| config.quirks.retry_4xx = false).await;
    let receiver = subscribed(&zoom).await;
    receiver.answers.lock().unwrap().push_back(401);
    zoom.sim.webhooks().send(&event(1));
    zoom.until(|log| log[0].state == DeliveryState::GaveUp).await;
    assert_eq!(receiver.events().len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_does_not_know_the_secret_is_not_subscribed() {
    let zoom = start(|_| ()).await;
    let (receiver, url) = Receiver::start().await;
    *receiver.honest.lock().unwrap() = false;
    let refused = zoom.sim.subscribe(&url).await.unwrap_err();
    assert!(refused.is_refused(), "{refused}");
    let nobody = url::Url::parse("http://127.0.0.1:1/hook").unwrap();
    assert!(zoom.sim.subscribe(&nobody).await.unwrap_err().is_refused());
    assert!(zoom.sim.webhooks().subscriptions().is_empty());
}

#[tokio::test]
async fn every_72_hours_the_endpoint_is_asked_again_and_after_six_failures_it_is_dropped() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    *receiver.honest.lock().unwrap() = false;
    let subscription = || zoom.sim.webhooks().subscriptions().remove(0);
    for failures in 1..=6 {
        assert!(subscription().is_active());
        zoom.sim.advance(Duration::from_secs(72 * 3600));
        let counted = async {
            while subscription().failed_validations() < failures {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), counted)
            .await
            .unwrap();
    }
    assert!(!subscription().is_active());
    assert_eq!(zoom.sim.count("webhook.endpoint.url_validation"), 7);
    zoom.sim.webhooks().send(&event(1));
    assert!(zoom.sim.webhooks().deliveries().is_empty());
}

#[tokio::test]
async fn webhooks_are_lost_doubled_and_forged_on_demand() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    let webhooks = zoom.sim.webhooks();
    webhooks.drop_next(1);
    webhooks.disrupt(Disruption::Duplicate, None);
    webhooks.disrupt(Disruption::WrongSignature, None);
    webhooks.disrupt(Disruption::Unsigned, None);
    webhooks.disrupt(Disruption::Stale(Duration::from_secs(7200)), None);
    for n in 1..=6 {
        webhooks.send(&event(n));
    }
    webhooks.settled().await;
    let seen: Vec<(u64, bool)> = receiver
        .events()
        .iter()
        .map(|r| {
            (
                r.event()["payload"]["n"].as_u64().unwrap(),
                r.signature_is_right(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [(2, true), (2, true), (3, false), (4, false), (5, true), (6, true)]
    );
    let stale: i64 = receiver.events()[4]
        .header("x-zm-request-timestamp")
        .parse()
        .unwrap();
    assert_eq!(zoom.sim.clock().now().as_second() - stale, 7200);
    assert_eq!(webhooks.deliveries()[0].state, DeliveryState::Dropped);
    assert!(webhooks.duplicate("meeting.test"));
    assert!(!webhooks.duplicate("meeting.never"));
    webhooks.settled().await;
    let events = receiver.events();
    assert_eq!(events[6].body, events[5].body);
}

#[tokio::test]
async fn a_disruption_can_wait_for_its_event() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    zoom.sim
        .webhooks()
        .disrupt(Disruption::Drop, Some("recording.completed"));
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    zoom.sim.webhooks().settled().await;
    let names = receiver.names();
    assert!(!names.contains(&"recording.completed".to_owned()));
    assert!(names.contains(&"recording.transcript_completed".to_owned()));
}

#[tokio::test]
async fn webhooks_are_late_and_out_of_order_on_demand() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    let webhooks = zoom.sim.webhooks();
    let numbers = || -> Vec<u64> {
        receiver
            .events()
            .iter()
            .map(|r| r.event()["payload"]["n"].as_u64().unwrap())
            .collect()
    };
    webhooks.hold();
    for n in 1..=3 {
        webhooks.send(&event(n));
    }
    webhooks.settled().await;
    assert!(numbers().is_empty());
    webhooks.release(Order::Reversed);
    webhooks.settled().await;
    assert_eq!(numbers(), [3, 2, 1]);

    webhooks.disrupt(Disruption::Delay(Duration::from_secs(3600)), None);
    webhooks.send(&event(4));
    webhooks.send(&event(5));
    webhooks.settled().await;
    assert_eq!(numbers(), [3, 2, 1, 5]);
    zoom.sim.advance(Duration::from_secs(3600));
    zoom.until(|log| log.iter().all(|record| record.state == DeliveryState::Delivered))
        .await;
    assert_eq!(numbers(), [3, 2, 1, 5, 4]);
}

#[tokio::test]
async fn a_subscription_gets_the_events_it_asked_for_with_its_headers() {
    let zoom = start(|config| {
        config
            .apps
            .push(AppSpec::new(AppKind::AccountManaged, "wide", "s"));
    })
    .await;
    let (receiver, url) = Receiver::start().await;
    let webhooks = zoom.sim.webhooks();
    assert!(
        webhooks
            .subscribe_to(&url, "nobody", &[], &[])
            .await
            .unwrap_err()
            .is_unknown()
    );
    // this receiver knows only the first app's secret
    assert!(
        webhooks
            .subscribe_to(&url, "wide", &[], &[])
            .await
            .unwrap_err()
            .is_refused()
    );
    webhooks.rotate_secret("wide", crate::receiver::SECRET);
    let id = webhooks
        .subscribe_to(&url, "wide", &["recording.*"], &[("x-gate", "open")])
        .await
        .unwrap();
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    webhooks.settled().await;
    assert_eq!(receiver.names().len(), 4);
    assert!(receiver.names().iter().all(|name| name.starts_with("recording.")));
    assert_eq!(receiver.events()[0].header("x-gate"), "open");
    assert_eq!(receiver.events()[0].header("clientid"), "wide");
    webhooks.unsubscribe(&id);
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    webhooks.settled().await;
    assert_eq!(receiver.names().len(), 4);
}

#[tokio::test]
async fn removing_the_app_and_revoking_a_token_are_told_to_that_app() {
    let zoom = start(|_| ()).await;
    let receiver = subscribed(&zoom).await;
    let tokens = zoom.connect(MAYA).await;
    assert_eq!(zoom.sim.deauthorize(MAYA), 1);
    assert_eq!(zoom.sim.deauthorize(MAYA), 0, "once");
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 401);
    zoom.sim.webhooks().settled().await;
    let event = receiver.events().pop().unwrap().event();
    let me = zoom.sim.config().users[0].id.clone();
    assert_eq!(event["event"], "app_deauthorized");
    assert!(event.get("event_ts").is_none(), "it is inside");
    assert_eq!(
        event["payload"]["event_ts"],
        at("2026-11-22T12:00:00Z").as_millisecond()
    );
    assert_eq!(
        (&event["payload"]["user_id"], &event["payload"]["client_id"]),
        (&json!(me), &json!("SimClientId_01"))
    );
    assert_eq!(event["payload"]["signature"].as_str().unwrap().len(), 64);

    let tokens = zoom.connect(MAYA).await;
    let revoke = zoom
        .http
        .post(zoom.url("/oauth/revoke"))
        .basic_auth("SimClientId_01", Some("sim-client-secret-0001"))
        .query(&[("token", &tokens.access)]);
    assert_eq!(revoke.send().await.unwrap().status(), 200);
    zoom.sim.webhooks().settled().await;
    assert_eq!(receiver.names(), ["app_deauthorized", "app_deauthorized"]);
}

#[tokio::test]
async fn deauthorization_comes_in_its_older_shapes_too() {
    for (quirk, field, wanted) in [
        (EventTs::Text, "event_ts", json!("2026-11-22 12:00:00")),
        (EventTs::Absent, "user_data_retention", json!("false")),
    ] {
        let zoom = start(|config| config.quirks.deauthorized_event_ts = quirk).await;
        let receiver = subscribed(&zoom).await;
        zoom.connect(MAYA).await;
        zoom.sim.deauthorize(MAYA);
        zoom.sim.webhooks().settled().await;
        let event = receiver.events().pop().unwrap().event();
        assert_eq!(event["payload"][field], wanted);
    }
}

#[tokio::test]
async fn older_zoom_writes_ids_as_numbers() {
    let zoom = start(|config| config.quirks.meeting_event_ids_as_numbers = true).await;
    let receiver = subscribed(&zoom).await;
    let held = zoom.sim.hold_meeting(call(MAYA)).unwrap();
    zoom.sim.webhooks().settled().await;
    for received in receiver.events() {
        assert_eq!(received.event()["payload"]["object"]["id"], held.meeting_id);
    }
}

#[tokio::test]
async fn strict_zoom_tells_only_apps_that_are_installed() {
    let zoom = start(|config| config.quirks.only_installed = true).await;
    let receiver = subscribed(&zoom).await;
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    zoom.sim.webhooks().settled().await;
    assert!(receiver.events().is_empty());
    zoom.connect(MAYA).await;
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    zoom.sim.webhooks().settled().await;
    assert_eq!(receiver.events().len(), 10);
}
