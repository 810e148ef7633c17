use http::HeaderValue;

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn read(status: u16, pairs: &[(&'static str, &str)], body: &str) -> Option<ApiError> {
    ApiError::read(
        status,
        &headers(pairs),
        body.as_bytes(),
        "2026-01-05T23:59:30Z".parse().unwrap(),
    )
}

#[test]
fn a_refusal_keeps_code_status_message_and_tracking_id() {
    let error = read(
        404,
        &[(
            "x-zm-trackingid",
            "v=2.0;clid=us02;rid=WEB_0123456789abcdef0123456789abcdef",
        )],
        r#"{"code":3001,"message":"Meeting does not exist: 85512345678."}"#,
    )
    .unwrap();
    assert_eq!((error.status, error.code), (404, Some(3001)));
    assert_eq!(
        error.tracking_id.as_deref(),
        Some("v=2.0;clid=us02;rid=WEB_0123456789abcdef0123456789abcdef")
    );
    assert!(error.is_not_found());
    assert_eq!(
        error.to_string(),
        "zoom refused with status 404, code 3001: Meeting does not exist: 85512345678"
    );
}

#[test]
fn a_success_status_with_a_code_is_a_refusal() {
    let error = read(200, &[], r#"{"code":200,"message":"No permission."}"#).unwrap();
    assert_eq!((error.status, error.code), (200, Some(200)));
    assert!(read(200, &[], r#"{"code":0,"error_message":"success"}"#).is_none());
    assert!(
        read(
            200,
            &[],
            r#"{"status":false,"errorCode":3301,"errorMessage":"no"}"#
        )
        .is_some()
    );
    assert!(read(200, &[], r#"{"id":1,"topic":"code"}"#).is_none());
    assert!(read(200, &[], "[1,2]").is_none());
    assert!(read(204, &[], "").is_none());
}

#[test]
fn every_wording_is_understood() {
    for body in [
        r#"{"code":300,"message":"no"}"#,
        r#"{"code":"300","error_message":"no"}"#,
        r#"{"errorCode":300,"errorMessage":"no","result":null}"#,
    ] {
        let error = read(400, &[], body).unwrap();
        assert_eq!((error.code, error.message.as_str()), (Some(300), "no"), "{body}");
    }
    assert_eq!(
        read(400, &[], r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#)
            .unwrap()
            .message,
        "Invalid Token!"
    );
}

#[test]
fn wrong_fields_are_named() {
    let body = r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"settings.jbh_time","message":"Invalid parameter: jbh_time."},7]}"#;
    let error = read(400, &[], body).unwrap();
    assert_eq!(error.fields.len(), 1);
    assert_eq!(error.fields[0].field, "settings.jbh_time");
}

#[test]
fn missing_scopes_are_read_from_either_wording() {
    let new = r#"{"code":4711,"message":"Invalid access token, does not contain scopes:[cloud_recording:read:list_user_recordings, cloud_recording:read:list_user_recordings:admin]."}"#;
    let error = read(400, &[], new).unwrap();
    assert_eq!(
        error.missing_scopes,
        [
            "cloud_recording:read:list_user_recordings",
            "cloud_recording:read:list_user_recordings:admin"
        ]
    );
    let old = r#"{"code":124,"message":"Invalid access token, does not contain scopes: [user:write:admin, user:read]."}"#;
    let error = read(401, &[], old).unwrap();
    assert_eq!(error.missing_scopes, ["user:write:admin", "user:read"]);
    assert!(error.is_missing_scope() && !error.is_unauthorized());
}

#[test]
fn a_refused_token_is_told_apart() {
    assert!(
        read(401, &[], r#"{"code":124,"message":"Access token is expired."}"#)
            .unwrap()
            .is_unauthorized()
    );
    assert!(read(401, &[], "").unwrap().is_unauthorized());
    assert!(
        !read(400, &[], r#"{"code":300,"message":"no"}"#)
            .unwrap()
            .is_unauthorized()
    );
}

#[test]
fn somebody_elses_404_is_not_zooms() {
    assert!(!read(404, &[], "<html>nginx</html>").unwrap().is_not_found());
    assert!(
        read(
            400,
            &[],
            r#"{"code":1010,"message":"User not found on this account"}"#
        )
        .unwrap()
        .is_not_found()
    );
    assert!(
        !read(400, &[], r#"{"code":300,"message":"no"}"#)
            .unwrap()
            .is_not_found()
    );
}

#[test]
fn a_limit_says_when_to_come_back() {
    let body = r#"{"code":429,"message":"You have reached the maximum daily rate limit for this API."}"#;
    let iso = read(429, &[("retry-after", "2026-01-06T00:00:10Z")], body).unwrap();
    assert_eq!(iso.retry_after, Some(Duration::from_secs(40)));

    let host = r#"{"code":429,"message":"You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user. You may resume these requests at GMT 00:00:00."}"#;
    let error = read(
        429,
        &[("x-ratelimit-category", "Light"), ("x-ratelimit-limit", "6000")],
        host,
    )
    .unwrap();
    assert_eq!(
        error.retry_after,
        Some(Duration::from_secs(30)),
        "until midnight in UTC"
    );
    let limit = error.rate_limit.unwrap();
    assert_eq!(
        (limit.category.as_deref(), limit.limit),
        (Some("Light"), Some(6000))
    );

    let per_day = read(429, &[("x-ratelimit-type", "Daily-limit")], "{}").unwrap();
    assert_eq!(per_day.retry_after, Some(Duration::from_secs(30)));

    let per_second = read(
        429,
        &[("x-ratelimit-type", "QPS")],
        r#"{"code":429,"message":"per-second"}"#,
    )
    .unwrap();
    assert_eq!(per_second.retry_after, None);
}

#[test]
fn what_looks_like_a_token_is_cut_out() {
    let token = "eyJhbGciOiJIUzUxMiJ9.eyJ2ZXIiOiIxMCJ9.c2lnbmF0dXJl-and-more";
    let error = ApiError::new(400, None, format!("Invalid (token={token}),\nsorry"));
    assert_eq!(error.message, "Invalid ([redacted]), sorry");
    let error = ApiError::new(400, None, format!("code:{token}:x"));
    assert_eq!(error.message, "code:[redacted]:x");
    assert!(
        ApiError::new(400, None, "long ".repeat(500))
            .message
            .chars()
            .count()
            <= LONGEST_MESSAGE + 1
    );
}
