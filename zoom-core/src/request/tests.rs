use proptest::prelude::*;

use super::*;
use crate::{ErrorKind, MeetingUuid, UserId};

fn base() -> Url {
    "https://api.zoom.us/v2/".parse().unwrap()
}

#[test]
fn a_request_becomes_method_path_query_and_body() {
    let request = Request::post("/users/{userId}/meetings")
        .path_param("userId", &UserId::new("host@sim.example"))
        .query("a", "b c&d")
        .query_opt("absent", None::<u8>)
        .json(&serde_json::json!({"topic": "Review"}));
    let http = request.to_http(&base()).unwrap();
    assert_eq!(http.method(), Method::POST);
    assert_eq!(
        http.uri(),
        "https://api.zoom.us/v2/users/host%40sim.example/meetings?a=b+c%26d"
    );
    assert_eq!(http.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(http.body().as_ref(), br#"{"topic":"Review"}"#);
}

#[test]
fn a_request_without_body_claims_no_content_type() {
    let http = Request::get("/report/daily")
        .query("year", 2026)
        .to_http(&base())
        .unwrap();
    assert_eq!(http.uri(), "https://api.zoom.us/v2/report/daily?year=2026");
    assert!(!http.headers().contains_key(header::CONTENT_TYPE));
}

#[test]
fn the_page_token_is_replaced_not_added() {
    let request = Request::get("/users")
        .page(&PageToken::new("one"))
        .page(&PageToken::new("t/w+o"));
    assert_eq!(
        request.to_http(&base()).unwrap().uri().query(),
        Some("next_page_token=t%2Fw%2Bo")
    );
}

#[test]
fn paths_that_say_one_thing_and_mean_another_are_refused() {
    for path in [
        "users",
        "/users//recordings",
        "/users/../accounts",
        "/users/%2e%2E/x",
        "/a?b",
        "/a#b",
        "/a b",
        "/a%zz",
        "/",
    ] {
        let error = Request::get(path).path().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{path}");
    }
    for value in ["", ".", ".."] {
        assert!(
            Request::get("/users/{userId}")
                .path_param("userId", &UserId::new(value))
                .path()
                .is_err(),
            "{value:?}"
        );
    }
    assert!(
        Request::get("/users/{userId}").path().is_err(),
        "nothing for the placeholder"
    );
    assert!(
        Request::get("/users").path_param("userId", "me").path().is_err(),
        "no placeholder for the value"
    );
}

#[test]
fn debug_shows_no_value_and_no_body() {
    let request = Request::patch("/users/{userId}")
        .path_param("userId", "canary")
        .query("q", "canary")
        .json(&serde_json::json!({"password": "canary"}));
    let shown = format!("{request:?}");
    assert!(
        shown.contains("/users/{userId}") && !shown.contains("canary"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn no_value_can_leave_its_segment(value in ".{0,40}") {
        let request = Request::get("/users/{userId}/recordings").path_param("userId", &UserId::new(value.as_str()));
        let Ok(http) = request.to_http(&base()) else {
            prop_assert!(matches!(value.as_str(), "" | "." | ".."));
            return Ok(());
        };
        // What matters is what the URL parser of the transport makes of it.
        let url = Url::parse(&http.uri().to_string()).unwrap();
        prop_assert_eq!(url.host_str(), Some("api.zoom.us"));
        prop_assert_eq!(url.query(), None);
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 4);
        prop_assert_eq!(segments[3], "recordings");
        prop_assert_eq!(percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap(), value);
    }

    #[test]
    fn a_uuid_reaches_the_wire_as_it_was_encoded(uuid in "/?[A-Za-z0-9+/]{1,22}==") {
        let uuid = MeetingUuid::new(uuid);
        let http = Request::get("/past_meetings/{meetingId}").path_param("meetingId", &uuid).to_http(&base()).unwrap();
        let url = Url::parse(&http.uri().to_string()).unwrap();
        prop_assert_eq!(url.path(), format!("/v2/past_meetings/{}", uuid.path_segment()));
    }
}
