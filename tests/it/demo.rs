//! What a newcomer starts first.

use serde_json::Value;

use crate::programs::{json, program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_every_step_and_does_so_every_time() {
    for _ in 0..2 {
        is_complete(&json(program("zoomctl").args(["demo", "--json"])).await);
    }
}

fn is_complete(document: &Value) {
    let at = |pointer: &str| {
        document
            .pointer(pointer)
            .unwrap_or_else(|| panic!("no {pointer} in {document:#}"))
    };
    assert_eq!(at("/connection/status"), "active");
    assert_eq!(at("/connection/display_name"), "Maya Chen");
    assert_eq!(at("/connection/email"), "maya.chen@brightwave.example");
    assert!(
        at("/connection/scopes")
            .as_array()
            .is_some_and(|scopes| scopes.len() > 3)
    );

    let calls = at("/calls").as_array().unwrap();
    assert_eq!(calls.len(), 2, "a sales call and a reading");
    for call in calls {
        let id = call["id"].as_str().unwrap();
        assert!(id.starts_with("call_"), "{id}");
        assert_eq!(call["transcript"]["source"], "zoom");
        assert_eq!(call["recap"]["posted"], false, "no Slack was given");
        assert!(call["recap"]["channel"].is_string());
        for field in [
            "sentiment",
            "closing_score",
            "objections",
            "next_steps",
            "coaching",
            "contact",
            "attribution",
        ] {
            assert!(call.get(field).is_some(), "no {field} in {call:#}");
        }
    }
    sales_call_is_understood(&calls[0]);
    let reading = &calls[1];
    assert_eq!(reading["topic"], zoom_simulator::samples::librivox().topic);
    assert!(
        reading["transcript"]["words"]
            .as_u64()
            .is_some_and(|words| (50..200).contains(&words))
    );
    assert!(
        reading["contact"]["linked"].is_null() && reading["closing_score"].is_null(),
        "nobody was sold anything"
    );

    let hours = at("/time_report").as_array().unwrap();
    let sales = hours
        .iter()
        .find(|row| row["customer"] == "tidewater-couriers.example")
        .unwrap();
    assert_eq!(
        (
            sales["scheduled_minutes"].as_f64(),
            sales["actual_minutes"].as_f64()
        ),
        (Some(60.0), Some(45.0))
    );

    assert_eq!(at("/after_disconnect/status"), "disconnected");
    assert_eq!(at("/after_disconnect/webhook_ignored"), true);
    assert_eq!(at("/after_disconnect/call_still_searchable"), true);
    let timings = at("/timings_ms").as_object().unwrap();
    assert!(
        timings.len() > 3 && timings.values().all(Value::is_u64),
        "{timings:?}"
    );
}

fn sales_call_is_understood(call: &Value) {
    assert_eq!(call["topic"], "Brightwave intro with Tidewater Couriers");
    assert!(
        call["transcript"]["words"]
            .as_u64()
            .is_some_and(|words| words > 500)
    );
    assert_eq!(
        call["transcript"]["speakers"],
        serde_json::json!(["Maya Chen", "Daniel Ortiz"])
    );
    assert!(
        call["sentiment"]["score_0_100"]
            .as_u64()
            .is_some_and(|score| score <= 100)
    );
    assert!(
        call["closing_score"]
            .as_u64()
            .is_some_and(|score| (1..=100).contains(&score))
    );
    let objections = call["objections"].as_array().unwrap();
    for wanted in ["price", "competitor"] {
        let found = objections
            .iter()
            .find(|objection| objection["category"] == wanted);
        let quote =
            &found.unwrap_or_else(|| panic!("no {wanted} objection in {objections:#?}"))["evidence"][0];
        assert!(
            quote["quote"].as_str().is_some_and(|words| words.len() > 10),
            "{quote:#}"
        );
    }
    let steps = call["next_steps"].as_array().unwrap();
    assert!(
        steps.iter().any(|step| step["due_date"] == "2026-11-27"),
        "the Friday that was meant: {steps:#?}"
    );
    assert!(call["coaching"].as_array().is_some_and(|tips| !tips.is_empty()));
    let contact = &call["contact"]["linked"]["contact"];
    assert_eq!(contact["email"], "daniel.ortiz@tidewater-couriers.example");
    assert_eq!(
        call["attribution"]["credits"][0]["touch"]["lead_source"],
        "Google Ads"
    );
}
