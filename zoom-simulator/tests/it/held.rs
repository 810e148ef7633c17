//! Stopping a client at an exact point.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use zoom_simulator::{Failure, Fault};

use crate::support::{MAYA, Tokens, answer, start};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_request_waits_before_and_after_the_work_is_done() {
    let zoom = start(|_| ()).await;
    for (nth, fault, spent) in [(1, Fault::HoldRequest, false), (2, Fault::HoldAnswer, true)] {
        let tokens = zoom.connect(MAYA).await;
        let (asked, granted) = (
            zoom.sim.count("token.refresh_token"),
            zoom.sim.count("token.refresh_token.granted"),
        );
        zoom.sim.fail_next(fault);
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh.as_str()),
        ];
        let request = tokio::spawn(answer(zoom.token_request(&form)));
        let point = if spent {
            zoom.sim.until_count("token.refresh_token.granted", granted + 1)
        } else {
            zoom.sim.until_count("token.refresh_token", asked + 1)
        };
        timeout(PATIENCE, point).await.unwrap();
        timeout(PATIENCE, zoom.sim.until_count("held", nth))
            .await
            .unwrap();
        assert_eq!(
            zoom.sim.count("token.refresh_token.granted") - granted,
            u64::from(spent)
        );
        assert!(!request.is_finished());
        zoom.sim.release();
        let (status, _) = timeout(PATIENCE, request).await.unwrap().unwrap();
        assert_eq!(status, 200);
        assert_eq!(
            zoom.refresh(&tokens.refresh).await.0,
            400,
            "spent by now in any case"
        );
    }
}

#[tokio::test]
async fn a_client_that_dies_while_the_answer_is_held_has_spent_its_token() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    zoom.sim.fail_next(Fault::HoldAnswer);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let request = tokio::spawn(answer(zoom.token_request(&form)));
    let granted = zoom.sim.until_count("token.refresh_token.granted", 1);
    timeout(PATIENCE, granted).await.unwrap();
    request.abort();
    assert_eq!(zoom.refresh(&tokens.refresh).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_client_that_dies_while_its_request_is_held_has_lost_nothing() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    zoom.sim.fail_next(Fault::HoldRequest);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let request = tokio::spawn(answer(zoom.token_request(&form)));
    timeout(PATIENCE, zoom.sim.until_count("token.refresh_token", 1))
        .await
        .unwrap();
    request.abort();
    assert_eq!(zoom.refresh(&tokens.refresh).await.0, 200);
}

#[tokio::test]
async fn rest_and_revoke_are_held_where_the_route_says() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    zoom.sim
        .fail_next(Failure::new(Fault::HoldRequest).on("/v2/users/me"));
    let url = zoom.url("/v2/users/me");
    let request = tokio::spawn(answer(zoom.http.get(url).bearer_auth(&tokens.access)));
    timeout(PATIENCE, zoom.sim.until_count("GET /v2/users/me", 1))
        .await
        .unwrap();
    zoom.sim.deauthorize(MAYA);
    zoom.sim.release();
    assert_eq!(
        timeout(PATIENCE, request).await.unwrap().unwrap().0,
        401,
        "it was not looked at before"
    );

    let tokens = zoom.connect(MAYA).await;
    zoom.sim
        .fail_next(Failure::new(Fault::HoldAnswer).on("/oauth/revoke"));
    let revoke = zoom
        .http
        .post(zoom.url("/oauth/revoke"))
        .basic_auth("SimClientId_01", Some("sim-client-secret-0001"))
        .form(&[("token", tokens.access.as_str())]);
    let request = tokio::spawn(answer(revoke));
    timeout(PATIENCE, zoom.sim.until_count("revoke.done", 1))
        .await
        .unwrap();
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 401);
    // over HTTP, as another program does it
    let release = zoom.http.post(zoom.url("/control/faults/release"));
    assert_eq!(answer(release).await.0, 200);
    assert_eq!(timeout(PATIENCE, request).await.unwrap().unwrap().0, 200);
}

#[tokio::test]
async fn another_program_can_wait_for_a_count() {
    let zoom = start(|_| ()).await;
    let url = zoom.url("/control/counters?until=token.refresh_token&at_least=1&seconds=10");
    let waiting = tokio::spawn(answer(zoom.http.get(url)));
    let tokens = zoom.connect(MAYA).await;
    zoom.refresh(&tokens.refresh).await;
    let (status, counters) = waiting.await.unwrap();
    assert_eq!((status, &counters["token.refresh_token"]), (200, &json!(1)));
    let never = zoom.url("/control/counters?until=never&seconds=0");
    assert_eq!(answer(zoom.http.get(never)).await.0, 408);
}

#[tokio::test]
async fn an_answer_in_pieces_is_the_same_answer() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    let slow = Failure::new(Fault::Trickle)
        .on("/oauth/token")
        .delay(Duration::from_millis(80));
    zoom.sim.fail_next(slow);
    let (status, body) = zoom.refresh(&tokens.refresh).await;
    assert_eq!(status, 200);
    assert_eq!(zoom.get(&Tokens::of(&body).access, "/v2/users/me").await.0, 200);
}

#[tokio::test]
async fn revoke_is_down_for_as_many_calls_as_wanted() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    let revoke = |token: &str| {
        zoom.http
            .post(zoom.url("/oauth/revoke"))
            .basic_auth("SimClientId_01", Some("sim-client-secret-0001"))
            .form(&[("token", token)])
    };
    zoom.sim
        .fail_next(Failure::new(Fault::Http503).on("/oauth/revoke").times(2));
    zoom.sim
        .fail_next(Failure::new(Fault::ConnectionReset).on("/oauth/revoke"));
    for _ in 0..2 {
        assert_eq!(answer(revoke(&tokens.access)).await.0, 503);
    }
    assert!(revoke(&tokens.access).send().await.is_err());
    assert_eq!(
        zoom.get(&tokens.access, "/v2/users/me").await.0,
        200,
        "none of them revoked anything"
    );
    assert_eq!(answer(revoke(&tokens.access)).await.0, 200);
    let dead: (u16, Value) = answer(revoke(&tokens.access)).await;
    assert_eq!(
        dead,
        (
            400,
            json!({ "reason": "Invalid Token!", "error": "invalid_request" })
        )
    );
}
