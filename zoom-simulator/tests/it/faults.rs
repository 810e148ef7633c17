//! What goes wrong when it is told to.

use std::time::Duration;

use serde_json::{Value, json};
use zoom_simulator::{Failure, Fault};

use crate::support::{MAYA, Tokens, Zoom, answer, call, start};

async fn connected() -> (Zoom, Tokens) {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    (zoom, tokens)
}

#[tokio::test]
async fn each_kind_of_429_looks_like_zooms() {
    let (zoom, tokens) = connected().await;
    for (fault, text, retry_after, kind) in [
        (Fault::Http429, "per-second", None, Some("QPS")),
        (
            Fault::Http429Daily,
            "maximum daily",
            Some("2026-11-23T00:00:00Z"),
            Some("Daily-limit"),
        ),
        (Fault::Http429MeetingChanges, "daily rate limit (100)", None, None),
        (Fault::Http429Concurrent, "Too many concurrent", None, None),
    ] {
        zoom.sim.fail_next(fault);
        let response = zoom.head(&tokens.access, "/v2/users/me").await;
        assert_eq!(response.status(), 429);
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(header("retry-after").as_deref(), retry_after);
        assert_eq!(header("x-ratelimit-type").as_deref(), kind);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["code"], 429);
        assert!(body["message"].as_str().unwrap().contains(text), "{body}");
        assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 200, "once");
    }
}

#[tokio::test]
async fn servers_fail_in_json_in_html_and_in_silence() {
    let (zoom, tokens) = connected().await;
    for (fault, status, kind) in [
        (Fault::Http500, 500, "application/json;charset=UTF-8"),
        (Fault::Http502, 502, "text/html;charset=utf-8"),
        (Fault::Http503, 503, "application/json;charset=UTF-8"),
        (Fault::HtmlInsteadOfJson, 200, "text/html;charset=utf-8"),
        (Fault::BrokenJson, 200, "application/json;charset=UTF-8"),
    ] {
        zoom.sim.fail_next(fault);
        let response = zoom.head(&tokens.access, "/v2/users/me").await;
        assert_eq!(
            (
                response.status().as_u16(),
                response.headers()["content-type"].to_str().unwrap()
            ),
            (status, kind)
        );
        if fault == Fault::BrokenJson {
            assert!(response.json::<Value>().await.is_err());
        }
    }
    zoom.sim.fail_next(Fault::ConnectionReset);
    let error = zoom
        .http
        .get(zoom.url("/v2/users/me"))
        .bearer_auth(&tokens.access)
        .send()
        .await
        .unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    zoom.sim.fail_next(Fault::Timeout);
    let request = zoom
        .http
        .get(zoom.url("/v2/users/me"))
        .bearer_auth(&tokens.access)
        .timeout(Duration::from_millis(80));
    assert!(request.send().await.unwrap_err().is_timeout());
    zoom.sim
        .fail_next(Failure::new(Fault::Slow).delay(Duration::from_millis(1)));
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 200);
}

#[tokio::test]
async fn a_refusal_can_hide_behind_200() {
    let (zoom, tokens) = connected().await;
    zoom.sim.fail_next(Fault::RefusalWith200);
    assert_eq!(
        zoom.get(&tokens.access, "/v2/users/me").await,
        (200, json!({ "code": 200, "message": "No permission." }))
    );
    zoom.sim.fail_next(Fault::MissingScope);
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.1["code"], 4711);
}

#[tokio::test]
async fn a_token_is_refused_once_or_expires_for_good() {
    let (zoom, tokens) = connected().await;
    zoom.sim.fail_next(Fault::RefuseToken);
    assert_eq!(
        zoom.get(&tokens.access, "/v2/users/me").await.1["message"],
        "Invalid access token."
    );
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 200);
    zoom.sim.fail_next(Fault::ExpiredAccess);
    for _ in 0..2 {
        assert_eq!(
            zoom.get(&tokens.access, "/v2/users/me").await.1["message"],
            "Access token is expired."
        );
    }
    let (status, body) = zoom.refresh(&tokens.refresh).await;
    assert_eq!(status, 200);
    assert_eq!(
        zoom.get(body["access_token"].as_str().unwrap(), "/v2/users/me")
            .await
            .0,
        200
    );
    let again = zoom.connect(MAYA).await;
    assert_eq!(zoom.sim.expire_access_tokens_of(MAYA), 1);
    assert_eq!(zoom.get(&again.access, "/v2/users/me").await.0, 401);
    assert_eq!(
        zoom.sim.expire_refresh_tokens(Some(MAYA)),
        3,
        "those of earlier connections count too"
    );
    assert_eq!(zoom.refresh(&again.refresh).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn the_token_endpoint_fails_in_its_own_ways() {
    let (zoom, tokens) = connected().await;
    for (fault, status, error) in [
        (Fault::TokenHttp500, 500, "server_error"),
        (Fault::TokenHttp429, 429, "too_many_requests"),
        (Fault::InvalidClient, 400, "invalid_client"),
    ] {
        zoom.sim.fail_next(fault);
        let (got, body) = zoom.refresh(&tokens.refresh).await;
        assert_eq!((got, &body["error"]), (status, &json!(error)));
    }
    zoom.sim.fail_next(Fault::ForeignApiUrl);
    let (status, body) = zoom.refresh(&tokens.refresh).await;
    assert_eq!(
        (status, &body["api_url"]),
        (200, &json!("https://api.zoom.us.example.net"))
    );
    let refresh = body["refresh_token"].as_str().unwrap().to_owned();
    zoom.sim.fail_next(Fault::InvalidGrant);
    for _ in 0..2 {
        assert_eq!(
            zoom.refresh(&refresh).await.1,
            json!({ "reason": "Invalid Token!", "error": "invalid_grant" })
        );
    }
}

#[tokio::test]
async fn a_lost_answer_has_rotated_the_token_all_the_same() {
    let (zoom, tokens) = connected().await;
    zoom.sim.fail_next(Fault::LoseTokenResponse);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let error = zoom.token_request(&form).send().await.unwrap_err();
    assert!(
        !error.is_timeout() && !error.is_body(),
        "not even headers came: {error:?}"
    );
    assert_eq!(zoom.sim.count("token.refresh_token.granted"), 1);
    assert_eq!(zoom.refresh(&tokens.refresh).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn page_tokens_repeat_and_expire_on_demand() {
    let (zoom, tokens) = connected().await;
    for _ in 0..3 {
        zoom.sim.hold_meeting(call(MAYA)).unwrap();
    }
    let path = "/v2/users/me/recordings?page_size=1";
    zoom.sim.fail_next(Fault::RepeatedPageToken);
    let (_, first) = zoom.get(&tokens.access, path).await;
    let next = first["next_page_token"].as_str().unwrap();
    let (_, second) = zoom
        .get(&tokens.access, &format!("{path}&next_page_token={next}"))
        .await;
    assert_eq!(second["next_page_token"], next);
    assert_eq!(second["meetings"].as_array().unwrap().len(), 1);
    zoom.sim.fail_next(Fault::ExpiredPageToken);
    let (status, body) = zoom
        .get(&tokens.access, &format!("{path}&next_page_token={next}"))
        .await;
    assert_eq!((status, &body["code"]), (400, &json!(300)));
}

#[tokio::test]
async fn a_failure_finds_its_route() {
    let (zoom, tokens) = connected().await;
    zoom.sim.fail_next(
        Failure::new(Fault::Http500)
            .on("GET /v2/users/*/recordings")
            .times(2),
    );
    zoom.sim
        .fail_next(Failure::new(Fault::Http503).on("/oauth/revoke"));
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 200);
    for wanted in [500, 500, 200] {
        assert_eq!(
            zoom.get(&tokens.access, "/v2/users/me/recordings").await.0,
            wanted
        );
    }
    let revoke = || {
        let request = zoom
            .http
            .post(zoom.url("/oauth/revoke"))
            .basic_auth("SimClientId_01", Some("sim-client-secret-0001"));
        answer(request.form(&[("token", &tokens.access)]))
    };
    assert_eq!(revoke().await.0, 503);
    assert_eq!(revoke().await.0, 200);
    zoom.sim.fail_next(Fault::Http500);
    zoom.sim.clear_faults();
    let again = zoom.connect(MAYA).await;
    assert_eq!(zoom.get(&again.access, "/v2/users/me").await.0, 200);
}

#[tokio::test]
async fn downloads_go_wrong_at_each_hop() {
    let (zoom, tokens) = connected().await;
    let held = zoom.sim.hold_meeting(call(MAYA)).unwrap();
    let (_, recording) = zoom
        .get(
            &tokens.access,
            &format!("/v2/meetings/{}/recordings", held.meeting_id),
        )
        .await;
    let url = recording["recording_files"][0]["download_url"].as_str().unwrap();
    let hop = async || {
        zoom.http
            .get(url)
            .bearer_auth(&tokens.access)
            .send()
            .await
            .unwrap()
    };
    for (fault, status, title) in [
        (Fault::HtmlInsteadOfFile, 200, "Only the host can download"),
        (Fault::PasscodePage, 200, "Password Required - Zoom"),
        (Fault::NotReady, 404, "does not exist"),
    ] {
        zoom.sim.fail_next(fault);
        let response = hop().await;
        assert_eq!(response.status(), status);
        assert!(response.text().await.unwrap().contains(title));
    }
    let link = hop().await.headers()["location"].to_str().unwrap().to_owned();
    let get = async || {
        zoom.http
            .get(&link)
            .header("range", "bytes=0-")
            .send()
            .await
            .unwrap()
    };
    zoom.sim.fail_next(Fault::LinkExpired);
    assert_eq!(get().await.status(), 403);
    zoom.sim.fail_next(Fault::RangeIgnored);
    assert_eq!(get().await.status(), 200);
    zoom.sim.fail_next(Fault::Truncated);
    assert_eq!(get().await.bytes().await.unwrap().len(), 2500);
    zoom.sim.fail_next(Fault::EmptyFile);
    assert_eq!(get().await.bytes().await.unwrap().len(), 0);
    zoom.sim.fail_next(Fault::Corrupted);
    let corrupted = get().await.bytes().await.unwrap();
    assert_eq!((corrupted.len(), corrupted[0] == 7), (5000, false));
    zoom.sim.fail_next(Fault::ResetMidBody);
    let mut broken = get().await;
    assert_eq!(broken.content_length(), Some(5000));
    let mut got = 0;
    let error = loop {
        match broken.chunk().await {
            Ok(Some(chunk)) => got += chunk.len(),
            Ok(None) => panic!("it must not end well"),
            Err(error) => break error,
        }
    };
    assert_eq!(got, 2500, "{error}");
}
