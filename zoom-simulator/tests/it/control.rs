//! The control API.

use serde_json::{Value, json};

use crate::{
    receiver::Receiver,
    support::{CALLBACK, MAYA, Zoom, answer, query, start},
};

async fn post(zoom: &Zoom, path: &str, body: &Value) -> (u16, Value) {
    answer(zoom.http.post(zoom.url(path)).json(body)).await
}

#[tokio::test]
async fn everything_can_be_done_with_curl() {
    let zoom = start(|_| ()).await;
    let (receiver, hook) = Receiver::start().await;
    let (status, subscription) = post(
        &zoom,
        "/control/subscriptions",
        &json!({ "url": hook, "events": ["recording.*"] }),
    )
    .await;
    assert_eq!(status, 200, "{subscription}");

    let authorize = zoom.authorize_url("SimClientId_01", &[("state", "s")]);
    let (_, to) = post(
        &zoom,
        "/control/authorize",
        &json!({ "url": authorize, "user": MAYA }),
    )
    .await;
    let code = query(&to["location"].as_str().unwrap().parse().unwrap(), "code").unwrap();
    let (status, tokens) = zoom
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
        ])
        .await;
    assert_eq!(status, 200);
    let token = tokens["access_token"].as_str().unwrap();

    let (status, held) = post(
        &zoom,
        "/control/meetings",
        &json!({ "host": MAYA, "sample": "sales-call" }),
    )
    .await;
    assert_eq!((status, &held["recorded"]), (200, &json!(true)));
    zoom.sim.webhooks().settled().await;
    assert_eq!(receiver.names().len(), 4);
    let (_, recordings) = zoom.get(token, "/v2/users/me/recordings").await;
    assert_eq!(recordings["meetings"][0]["uuid"], held["uuid"]);

    assert_eq!(
        post(
            &zoom,
            "/control/webhooks/duplicate",
            &json!({ "event": "recording.completed" })
        )
        .await
        .0,
        200
    );
    assert_eq!(
        post(
            &zoom,
            "/control/webhooks/duplicate",
            &json!({ "event": "nothing" })
        )
        .await
        .0,
        404
    );
    let disruption = json!({ "disruption": "drop", "event": "recording.odd" });
    assert_eq!(post(&zoom, "/control/webhooks/disrupt", &disruption).await.0, 200);
    post(&zoom, "/control/webhooks/hold", &json!({})).await;
    for n in 0..3 {
        post(
            &zoom,
            "/control/webhooks",
            &json!({ "event": "recording.odd", "event_ts": n, "payload": {} }),
        )
        .await;
    }
    assert_eq!(
        post(
            &zoom,
            "/control/webhooks/release",
            &json!({ "order": "reversed" })
        )
        .await
        .0,
        200
    );
    zoom.sim.webhooks().settled().await;
    let odd: Vec<u64> = receiver
        .events()
        .iter()
        .filter(|one| one.name() == "recording.odd")
        .map(|one| one.event()["event_ts"].as_u64().unwrap())
        .collect();
    assert_eq!(odd, [2, 1], "one was lost");
    let (_, log) = answer(zoom.http.get(zoom.url("/control/webhooks"))).await;
    assert_eq!(
        (log.as_array().unwrap().len(), &log[0]["attempts"][0]["status"]),
        (8, &json!(200))
    );

    let (_, expired) = post(&zoom, "/control/tokens/expire", &json!({ "user": MAYA })).await;
    assert_eq!(expired, json!({ "expired": 1 }));
    assert_eq!(zoom.get(token, "/v2/users/me").await.0, 401);
    let (_, revoked) = post(&zoom, "/control/tokens/revoke", &json!({ "user": MAYA })).await;
    assert_eq!(revoked, json!({ "revoked": 1 }));

    let fault = json!({ "fault": "http500", "route": "/v2/users/me", "times": 2 });
    assert_eq!(
        post(&zoom, "/control/faults", &fault).await.1,
        json!({ "pending": ["http500"] })
    );
    assert_eq!(answer(zoom.http.delete(zoom.url("/control/faults"))).await.0, 200);

    let (_, clock) = post(&zoom, "/control/clock", &json!({ "advance_seconds": 60 })).await;
    assert_eq!(clock, json!({ "now": "2026-11-22T12:01:00Z", "frozen": true }));
    let (_, world) = answer(zoom.http.get(zoom.url("/control/world"))).await;
    assert_eq!(
        (&world["users"][0]["email"], &world["connections"][0]["alive"]),
        (&json!(MAYA), &json!(false))
    );
    assert!(!world.to_string().contains("sim-client-secret"));
    let (_, counters) = answer(zoom.http.get(zoom.url("/control/counters"))).await;
    assert_eq!(counters["token.authorization_code.granted"], 1);
    let (_, index) = answer(zoom.http.get(zoom.url("/control"))).await;
    assert!(index.as_array().unwrap().len() > 10);
    let gone = zoom
        .http
        .delete(zoom.url("/control/subscriptions"))
        .json(&subscription);
    assert_eq!(answer(gone).await.0, 200);
    assert!(zoom.sim.webhooks().subscriptions().is_empty());
}

#[tokio::test]
async fn a_meeting_can_be_told_in_json() {
    let zoom = start(|_| ()).await;
    let meeting = json!({
        "host": MAYA, "topic": "By hand", "start": "2026-11-22T10:00:00Z", "end": "2026-11-22T10:45:00Z",
        "participants": [
            { "name": "Maya Chen", "email": MAYA, "internal": true },
            { "name": "Guest", "join": "2026-11-22T10:05:00Z", "leave": "2026-11-22T10:20:00Z" },
        ],
        "vtt": "WEBVTT\n", "m4a_base64": "AAAA",
    });
    let (status, held) = post(&zoom, "/control/meetings", &meeting).await;
    assert_eq!(status, 200, "{held}");
    let token = zoom.connect(MAYA).await.access;
    let (_, past) = zoom
        .get(&token, &format!("/v2/past_meetings/{}", held["meeting_id"]))
        .await;
    assert_eq!(
        (&past["duration"], &past["total_minutes"], &past["topic"]),
        (&json!(45), &json!(60), &json!("By hand"))
    );
}

#[tokio::test]
async fn mistakes_are_answered_with_a_sentence() {
    let zoom = start(|_| ()).await;
    for (path, body, status) in [
        ("/control/faults", json!({ "fault": "http_5000" }), 400),
        (
            "/control/faults",
            json!({ "fault": "http500", "rout": "typo" }),
            400,
        ),
        ("/control/meetings", json!({ "host": "nobody" }), 404),
        ("/control/meetings", json!({ "sample": "opera" }), 400),
        ("/control/tokens/expire", json!({ "user": "nobody" }), 404),
        ("/control/webhooks", json!({ "no": "name" }), 400),
        (
            "/control/subscriptions",
            json!({ "url": "http://127.0.0.1:1/" }),
            400,
        ),
    ] {
        let (got, answer) = post(&zoom, path, &body).await;
        assert_eq!(got, status, "{path} {answer}");
        assert!(
            answer["error"].as_str().is_some_and(|text| text.len() > 5),
            "{answer}"
        );
    }
}
