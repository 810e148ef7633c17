//! What holds for every call: tokens, scopes, pages, limits, errors.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use zoom_simulator::{AppKind, AppSpec, RateLimit, RateLimits, UserSpec};

use crate::support::{BASIL, CALLBACK, ELEANOR, MAYA, Zoom, answer, at, call, query, start};

#[tokio::test]
async fn no_token_no_answer() {
    let zoom = start(|_| ()).await;
    let (status, body) = answer(zoom.http.get(zoom.url("/v2/users/me"))).await;
    assert_eq!(
        (status, body),
        (
            401,
            json!({ "code": 124, "message": "Requires an access token." })
        )
    );
    let (status, body) = zoom.get("garbage", "/v2/users/me").await;
    assert_eq!(
        (status, body),
        (401, json!({ "code": 124, "message": "Invalid access token." }))
    );
}

#[tokio::test]
async fn every_answer_carries_a_tracking_id_and_the_limits() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let response = zoom.head(&token, "/v2/users/me").await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(header("x-zm-trackingid").starts_with("v=2.0;clid=us02;rid=WEB_"));
    assert_eq!(header("x-ratelimit-category"), "Light");
    assert_eq!(header("x-ratelimit-type"), "QPS");
    assert_eq!(
        (header("x-ratelimit-limit"), header("x-ratelimit-remaining")),
        ("100000".into(), "99999".into())
    );
    assert!(response.headers().get("retry-after").is_none());
    let refused = zoom.head("garbage", "/v2/users/me").await;
    assert!(refused.headers().contains_key("x-zm-trackingid"));
}

#[tokio::test]
async fn unknown_paths_are_a_gateways_page() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let response = zoom.head(&token, "/v2/phone/users").await;
    assert_eq!(response.status(), 404);
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
}

#[tokio::test]
async fn a_missing_scope_is_named_with_its_alternatives() {
    let zoom = start(|config| config.scopes = vec!["user:read:user".to_owned()]).await;
    let token = zoom.connect(MAYA).await.access;
    assert_eq!(zoom.get(&token, "/v2/users/me").await.0, 200);
    let (status, body) = zoom.get(&token, "/v2/users/me/recordings").await;
    assert_eq!(status, 400);
    assert_eq!(
        body,
        json!({ "code": 4711, "message": "Invalid access token, does not contain scopes:[cloud_recording:read:list_user_recordings, cloud_recording:read:list_user_recordings:admin]." })
    );
}

#[tokio::test]
async fn classic_scopes_open_the_same_doors() {
    let zoom =
        start(|config| config.scopes = vec!["user_info:read".to_owned(), "recording:read".to_owned()]).await;
    let token = zoom.connect(MAYA).await.access;
    assert_eq!(zoom.get(&token, "/v2/users/me").await.0, 200);
    assert_eq!(zoom.get(&token, "/v2/users/me/recordings").await.0, 200);
    let (_, body) = zoom.get(&token, "/v2/users/me/meetings").await;
    assert_eq!(
        body["message"],
        "Invalid access token, does not contain scopes:[meeting:read:admin, meeting:read, meeting:master]."
    );
}

#[tokio::test]
async fn a_users_token_reaches_that_user_and_an_admins_the_account() {
    let zoom = start(|config| {
        config
            .users
            .push(UserSpec::licensed("far@elsewhere.example", "Far", "Away").in_account("OtherAccount"));
    })
    .await;
    let own = zoom.connect(MAYA).await.access;
    let admin = zoom.admin().await;
    let held = zoom.sim.hold_meeting(call(ELEANOR)).unwrap();
    for path in [
        format!("/v2/users/{ELEANOR}"),
        format!("/v2/users/{ELEANOR}/recordings"),
    ] {
        let (status, body) = zoom.get(&own, &path).await;
        assert_eq!((status, &body["code"]), (400, &json!(4711)), "{path}");
        assert!(body["message"].as_str().unwrap().contains(":admin]"));
        assert_eq!(zoom.get(&admin, &path).await.0, 200, "{path}");
    }
    for (path, code) in [
        (format!("/v2/meetings/{}/recordings", held.meeting_id), 3301),
        (format!("/v2/past_meetings/{}", held.meeting_id), 3001),
    ] {
        let (status, body) = zoom.get(&own, &path).await;
        assert_eq!((status, &body["code"]), (404, &json!(code)));
        assert_eq!(zoom.get(&admin, &path).await.0, 200);
    }
    // one situation, two codes, as in the field
    for (path, status, code) in [
        ("/v2/users/nobody@example.com", 404, 1001),
        ("/v2/users/far@elsewhere.example", 400, 1010),
        ("/v2/users/far@elsewhere.example/recordings", 404, 1001),
    ] {
        let (got, body) = zoom.get(&admin, path).await;
        assert_eq!((got, &body["code"]), (status, &json!(code)), "{path}");
    }
    assert_eq!(
        zoom.get(&admin, "/v2/users/me").await.1["email"],
        MAYA,
        "the owner"
    );
}

#[tokio::test]
async fn users_are_listed_for_admins() {
    let zoom = start(|_| ()).await;
    let admin = zoom.admin().await;
    let (_, page) = zoom.get(&admin, "/v2/users?page_size=2").await;
    assert_eq!(
        (&page["page_count"], &page["total_records"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(page["users"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&page["users"][0]["role_id"], &page["users"][0]["type"]),
        (&json!("0"), &json!(2))
    );
    let token = page["next_page_token"].as_str().unwrap();
    let (_, last) = zoom
        .get(&admin, &format!("/v2/users?page_size=2&next_page_token={token}"))
        .await;
    assert_eq!(
        (&last["users"][0]["email"], &last["next_page_token"]),
        (&json!(BASIL), &json!(""))
    );
    let own = zoom.connect(MAYA).await.access;
    assert_eq!(zoom.get(&own, "/v2/users").await.1["code"], 4711);
    let (_, settings) = zoom.get(&own, "/v2/users/me/settings").await;
    assert_eq!(settings["recording"]["cloud_recording"], true);
    let (_, settings) = zoom.get(&admin, &format!("/v2/users/{BASIL}/settings")).await;
    assert_eq!(settings["recording"]["cloud_recording"], false);
}

fn many_recordings(zoom: &Zoom) {
    for n in 0..7 {
        let mut meeting = call(MAYA);
        meeting.start -= SignedDuration::from_mins(n);
        meeting.topic = format!("call {n}");
        zoom.sim.hold_meeting(meeting).unwrap();
    }
}

#[tokio::test]
async fn pages_are_the_list_cut_into_pieces_newest_first() {
    let zoom = start(|_| ()).await;
    many_recordings(&zoom);
    let token = zoom.connect(MAYA).await.access;
    let base = "/v2/users/me/recordings?from=2026-11-20&to=2026-11-22&page_size=3";
    let (mut path, mut topics, mut sizes) = (base.to_owned(), Vec::new(), Vec::new());
    loop {
        let (status, page) = zoom.get(&token, &path).await;
        assert_eq!(status, 200);
        assert_eq!(
            (&page["page_count"], &page["page_size"], &page["total_records"]),
            (&json!(3), &json!(3), &json!(7))
        );
        let meetings = page["meetings"].as_array().unwrap();
        sizes.push(meetings.len());
        topics.extend(
            meetings
                .iter()
                .map(|one| one["topic"].as_str().unwrap().to_owned()),
        );
        match page["next_page_token"].as_str().unwrap() {
            "" => break,
            next => path = format!("{base}&next_page_token={next}"),
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(topics, (0..7).map(|n| format!("call {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn page_tokens_live_a_quarter_of_an_hour_and_for_their_list() {
    let zoom = start(|_| ()).await;
    many_recordings(&zoom);
    let token = zoom.connect(MAYA).await.access;
    let base = "/v2/users/me/recordings?from=2026-11-20&to=2026-11-22&page_size=3";
    let next = zoom.get(&token, base).await.1["next_page_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let refused = json!({ "code": 300, "message": "The next page token is invalid or expired." });
    let other = format!("/v2/users/me/recordings?from=2026-11-21&to=2026-11-22&next_page_token={next}");
    assert_eq!(zoom.get(&token, &other).await, (400, refused.clone()));
    assert_eq!(
        zoom.get(&token, &format!("{base}&next_page_token=made-up")).await,
        (400, refused.clone())
    );
    let same = format!("{base}&next_page_token={next}");
    assert_eq!(zoom.get(&token, &same).await.0, 200);
    assert_eq!(
        zoom.get(&token, &same).await.0,
        200,
        "a page can be asked for twice"
    );
    zoom.sim.advance(Duration::from_secs(900));
    assert_eq!(zoom.get(&token, &same).await, (400, refused));
}

#[tokio::test]
async fn a_page_has_at_most_300_entries() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let (_, page) = zoom.get(&token, "/v2/users/me/recordings?page_size=500").await;
    assert_eq!(page["page_size"], 300);
    assert_eq!(
        zoom.get(&token, "/v2/users/me/recordings").await.1["page_size"],
        30
    );
    assert_eq!(
        zoom.get(&token, "/v2/users/me/recordings?page_size=0").await.1["code"],
        300
    );
    let strict = start(|config| config.quirks.page_size_error = true).await;
    let token = strict.connect(MAYA).await.access;
    assert_eq!(
        strict
            .get(&token, "/v2/users/me/recordings?page_size=301")
            .await
            .1["code"],
        300
    );
}

#[tokio::test]
async fn recordings_are_listed_by_day_and_for_a_month_at_most() {
    let zoom = start(|_| ()).await;
    let mut old = call(MAYA);
    (old.start, old.end) = (at("2026-10-30T11:00:00Z"), at("2026-10-30T11:30:00Z"));
    zoom.sim.hold_meeting(old).unwrap();
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    let token = zoom.connect(MAYA).await.access;
    let count = async |query: &str| {
        let (_, body) = zoom
            .get(&token, &format!("/v2/users/me/recordings?{query}"))
            .await;
        (
            body["total_records"].as_u64(),
            body["from"].as_str().unwrap_or_default().to_owned(),
        )
    };
    assert_eq!(count("").await, (Some(1), "2026-11-22".to_owned()), "today");
    assert_eq!(count("from=2026-10-25").await.0, Some(2));
    assert_eq!(count("from=2026-10-30&to=2026-10-30").await.0, Some(1));
    assert_eq!(
        count("from=2026-01-01").await,
        (Some(2), "2026-10-22".to_owned()),
        "the last month of it"
    );
    assert_eq!(count("from=nonsense").await.0, None);
    // what zoomus sends
    assert_eq!(
        count("from=2026-10-25T00:00:00Z&to=2026-11-22T00:00:00Z").await.0,
        Some(2)
    );
    let admin = zoom.admin().await;
    let (_, account) = zoom
        .get(&admin, "/v2/accounts/me/recordings?from=2026-10-25")
        .await;
    assert_eq!(account["total_records"], 2);
}

#[tokio::test]
async fn too_many_requests_are_counted_by_label_for_the_whole_account() {
    let zoom = start(|config| {
        let mut limits = RateLimits::generous();
        limits.medium = RateLimit::new(2, 3);
        config.rate_limits = limits;
    })
    .await;
    let (maya, eleanor) = (
        zoom.connect(MAYA).await.access,
        zoom.connect(ELEANOR).await.access,
    );
    let path = "/v2/users/me/recordings";
    assert_eq!(zoom.get(&maya, path).await.0, 200);
    assert_eq!(zoom.get(&eleanor, path).await.0, 200);
    let (status, body) = zoom.get(&maya, path).await;
    assert_eq!((status, &body["code"]), (429, &json!(429)));
    assert!(body["message"].as_str().unwrap().contains("per-second"));
    assert_eq!(zoom.get(&maya, "/v2/users/me").await.0, 200, "another label");
    zoom.sim.advance(Duration::from_secs(1));
    let response = zoom.head(&maya, path).await;
    assert_eq!(response.status(), 429);
    assert_eq!(
        response.headers()["retry-after"],
        "2026-11-23T00:00:00Z",
        "a date, not seconds"
    );
    assert_eq!(response.headers()["x-ratelimit-type"], "Daily-limit");
}

#[tokio::test]
async fn recordings_go_to_the_trash_come_back_and_go_for_good() {
    let zoom = start(|_| ()).await;
    let held = zoom.sim.hold_meeting(call(MAYA)).unwrap();
    let token = zoom.connect(MAYA).await.access;
    let path = format!("/v2/meetings/{}/recordings", held.meeting_id);
    let get = async || zoom.get(&token, &path).await;
    let (_, body) = get().await;
    let file = body["recording_files"][1]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        zoom.send(&token, "DELETE", &format!("{path}/{file}"), &json!({}))
            .await,
        (204, Value::Null)
    );
    assert_eq!(get().await.1["recording_count"], 3);
    assert_eq!(zoom.send(&token, "DELETE", &path, &json!({})).await.0, 204);
    let (status, body) = get().await;
    assert_eq!((status, &body["code"]), (404, &json!(3301)));
    let (_, trash) = zoom.get(&token, "/v2/users/me/recordings?trash=true").await;
    assert_eq!(trash["meetings"][0]["recording_count"], 4);
    assert!(trash["meetings"][0]["recording_files"][0]["deleted_time"].is_string());
    let recover = format!("{path}/status");
    assert_eq!(
        zoom.send(&token, "PUT", &recover, &json!({ "action": "recover" }))
            .await
            .0,
        204
    );
    assert_eq!(get().await.1["recording_count"], 4);
    assert_eq!(
        zoom.send(&token, "DELETE", &format!("{path}?action=delete"), &json!({}))
            .await
            .0,
        204
    );
    assert_eq!(get().await.0, 404);
    assert_eq!(
        zoom.send(&token, "PUT", &recover, &json!({ "action": "recover" }))
            .await
            .0,
        404
    );
    assert_eq!(zoom.send(&token, "DELETE", &path, &json!({})).await.0, 404);
}

#[tokio::test]
async fn uuids_in_paths_are_encoded_twice_where_zoom_wants_it() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let once = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let mut awkward = 0;
    for _ in 0..8 {
        let uuid = zoom.sim.hold_meeting(call(MAYA)).unwrap().uuid;
        let ask = async |segment: &str| {
            zoom.get(&token, &format!("/v2/meetings/{segment}/recordings"))
                .await
        };
        let (status, body) = ask(&once(&once(&uuid))).await;
        assert_eq!((status, &body["uuid"]), (200, &json!(uuid)));
        let must_be_twice = uuid.starts_with('/') || uuid.contains("//");
        let (status, body) = ask(&once(&uuid)).await;
        if must_be_twice {
            awkward += 1;
            assert_eq!((status, &body["code"]), (404, &json!(3001)), "{uuid}");
        } else {
            assert_eq!(status, 200, "{uuid}");
        }
    }
    assert!(awkward >= 4, "the simulator makes them often");
}

#[tokio::test]
async fn quirks_change_the_shape_of_recordings() {
    let zoom = start(|config| {
        config.quirks.recording_ids_as_strings = true;
        config.quirks.bare_timeline = true;
    })
    .await;
    let held = zoom.sim.hold_meeting(call(MAYA)).unwrap();
    let token = zoom.connect(MAYA).await.access;
    let (_, body) = zoom
        .get(&token, &format!("/v2/meetings/{}/recordings", held.meeting_id))
        .await;
    assert_eq!(
        (&body["id"], &body["type"]),
        (&json!(held.meeting_id.to_string()), &json!("1"))
    );
    let timeline = body["recording_files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["file_type"] == "TIMELINE")
        .unwrap();
    assert!(timeline.get("id").is_none() && timeline.get("file_size").is_none());
}

#[tokio::test]
async fn reports_are_for_admins() {
    let zoom = start(|config| {
        config
            .apps
            .push(AppSpec::new(AppKind::AccountManaged, "wide", "s"));
    })
    .await;
    let held = zoom.sim.hold_meeting(call(ELEANOR)).unwrap();
    let code = query(
        &zoom.sim.allow(&zoom.authorize_url("wide", &[]), MAYA).unwrap(),
        "code",
    )
    .unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
    ];
    let request = zoom
        .http
        .post(zoom.url("/oauth/token"))
        .basic_auth("wide", Some("s"))
        .form(&form);
    let wide = answer(request).await.1["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = zoom.connect(ELEANOR).await.access;
    let path = format!("/v2/report/meetings/{}/participants", held.meeting_id);
    assert_eq!(zoom.get(&own, &path).await.1["code"], 4711);
    let (status, body) = zoom.get(&wide, &path).await;
    assert_eq!((status, &body["total_records"]), (200, &json!(2)));
    assert_eq!(
        zoom.head(&wide, &path).await.headers()["x-ratelimit-category"],
        "Heavy"
    );
    let (_, body) = zoom
        .get(
            &wide,
            &format!("/v2/report/users/{ELEANOR}/meetings?from=2026-11-01&to=2026-11-22"),
        )
        .await;
    assert_eq!(body["meetings"][0]["uuid"], held.uuid);
    let (_, body) = zoom
        .get(&wide, &format!("/v2/report/meetings/{}", held.meeting_id))
        .await;
    assert_eq!(
        (&body["duration"], &body["user_email"]),
        (&json!(45), &json!(ELEANOR))
    );
}
