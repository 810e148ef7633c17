use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::TryStreamExt as _;
use jiff::{Timestamp, civil::date};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request as Received, ResponseTemplate,
    matchers::{body_json, header, method, path, query_param, query_param_is_missing},
};

use super::super::*;
use crate::{
    ErrorKind, ListParticipants, ListRecordings, MeetingId, MeetingUuid, NoContent, UserId,
    model::{FileType, MeetingUpdate, NewMeeting},
};

const ID: MeetingId = MeetingId::new(85_512_345_678);
const USER: &str = include_str!("../../../fixtures/user.json");

/// The waits a client would have made.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<Vec<Duration>>>);

impl Waits {
    fn sleeper(&self) -> Sleeper {
        let waits = Arc::clone(&self.0);
        Sleeper::new(move |wait| {
            waits.lock().unwrap().push(wait);
            std::future::ready(())
        })
    }

    fn get(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

fn now() -> Timestamp {
    "2026-01-05T23:59:30Z".parse().unwrap()
}

fn builder(server: &str, tokens: impl TokenSource) -> ClientBuilder {
    Client::builder(Arc::new(tokens))
        .base_url(format!("{server}/v2").parse().unwrap())
        .with_retry(RetryPolicy::default().with_jitter(|| 0.0))
        .with_clock(Clock::new(now))
        .with_sleeper(Sleeper::new(|_| std::future::ready(())))
}

fn client(server: &MockServer) -> Client {
    builder(
        &server.uri(),
        StaticToken::new(crate::AccessToken::new("canary-token")),
    )
    .build()
    .unwrap()
}

fn answer(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "application/json")
}

async fn received(server: &MockServer) -> Vec<Received> {
    server.received_requests().await.unwrap()
}

/// Answers the first call with `first` and every other with `then`.
async fn first_then(server: &MockServer, first: ResponseTemplate, then: ResponseTemplate) {
    Mock::given(wiremock::matchers::any())
        .respond_with(first)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(server)
        .await;
    Mock::given(wiremock::matchers::any())
        .respond_with(then)
        .with_priority(2)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_call_without_a_place_waits_and_is_sent_all_the_same() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/users/me"))
        .respond_with(answer(200, USER))
        .mount(&server)
        .await;
    let client = client(&server);
    let mut taken = Vec::new();
    while let Some(place) = client.transport.places.take().await {
        taken.push(place);
    }
    let began = std::time::Instant::now();
    client.users().me().await.unwrap();
    assert!(began.elapsed() >= places::PATIENCE);
    taken.clear();
    client.users().me().await.unwrap();
    assert_eq!(received(&server).await.len(), 2);
}

#[tokio::test]
async fn a_call_carries_the_token_in_a_header_and_reads_the_answer() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/v2/users/me"))
        .and(header("authorization", "Bearer canary-token"))
        .respond_with(answer(200, USER))
        .mount(&server)
        .await;
    let me = client(&server).users().me().await.unwrap();
    assert_eq!(me.email.as_deref(), Some("host@sim.example"));
    let calls = received(&server).await;
    assert!(!calls[0].url.as_str().contains("canary"));
}

#[tokio::test]
async fn a_uuid_arrives_encoded_as_zoom_wants_it() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(answer(200, include_str!("../../../fixtures/past_meeting.json")))
        .mount(&server)
        .await;
    let uuid = MeetingUuid::new("/ajXp112QmuoKj4854875==");
    client(&server).past_meetings().get(&uuid.into()).await.unwrap();
    assert_eq!(
        received(&server).await[0].url.path(),
        "/v2/past_meetings/%252FajXp112QmuoKj4854875%253D%253D"
    );
}

#[tokio::test]
async fn bodies_are_sent_and_empty_answers_are_taken() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v2/users/me/meetings"))
        .and(body_json(json!({"topic": "Now", "type": 1})))
        .respond_with(answer(201, include_str!("../../../fixtures/meeting.json")))
        .mount(&server)
        .await;
    Mock::given(method("PATCH"))
        .and(body_json(json!({"duration": 45})))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let client = client(&server);
    let meeting = client
        .meetings()
        .create(&UserId::me(), &NewMeeting::instant("Now"))
        .await
        .unwrap();
    client
        .meetings()
        .update(meeting.id, &MeetingUpdate::new().duration(45))
        .await
        .unwrap();
    client.meetings().delete(meeting.id).await.unwrap();
    client
        .recordings()
        .delete(&meeting.id.into(), DeleteAction::Trash)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refused_token_is_reported_once_and_the_call_sent_once_more() {
    let server = MockServer::start().await;
    let refused = answer(401, r#"{"code":124,"message":"Access token is expired."}"#);
    Mock::given(header("authorization", "Bearer old"))
        .respond_with(refused)
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Bearer new"))
        .respond_with(answer(201, include_str!("../../../fixtures/meeting.json")))
        .mount(&server)
        .await;
    let tokens = Arc::new(StubTokenSource::new(["old", "new"]));
    let client = builder(&server.uri(), Arc::clone(&tokens)).build().unwrap();
    // Also for a call that must not be sent twice: Zoom did nothing with it.
    client
        .meetings()
        .create(&UserId::me(), &NewMeeting::instant("Now"))
        .await
        .unwrap();
    assert_eq!(received(&server).await.len(), 2);
    assert_eq!(tokens.refused().len(), 1);
}

#[tokio::test]
async fn a_second_refusal_is_the_callers() {
    let server = MockServer::start().await;
    let refused = answer(401, r#"{"code":124,"message":"Invalid access token."}"#);
    Mock::given(method("GET"))
        .respond_with(refused)
        .mount(&server)
        .await;
    let tokens = Arc::new(StubTokenSource::new(["one", "two", "three"]));
    let client = builder(&server.uri(), Arc::clone(&tokens)).build().unwrap();
    let error = client.users().me().await.unwrap_err();
    assert!(error.is_unauthorized() && error.needs_reauthorization());
    assert_eq!(
        (
            error.attempts(),
            received(&server).await.len(),
            tokens.refused().len()
        ),
        (2, 2, 1)
    );
}

#[tokio::test]
async fn a_dead_connection_is_told_from_a_missing_scope() {
    let server = MockServer::start().await;
    let message = "Invalid access token, does not contain scopes:[user:read:user, user:read:user:admin].";
    let body = json!({"code": 4711, "message": message}).to_string();
    Mock::given(method("GET"))
        .respond_with(answer(400, &body))
        .mount(&server)
        .await;
    let tokens = Arc::new(StubTokenSource::new(["one"]));
    let client = builder(&server.uri(), Arc::clone(&tokens)).build().unwrap();
    let error = client.users().me().await.unwrap_err();
    assert_eq!(error.missing_scopes(), ["user:read:user", "user:read:user:admin"]);
    assert!(
        !error.needs_reauthorization() && tokens.refused().is_empty(),
        "a new token would not help"
    );

    let none = builder(&server.uri(), StubTokenSource::new(Vec::<String>::new()))
        .build()
        .unwrap();
    let error = none.users().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Reauthorize);
    assert_eq!(
        received(&server).await.len(),
        1,
        "nothing was sent without a token"
    );
}

#[tokio::test]
async fn a_server_error_is_overcome_for_what_may_be_sent_again() {
    let server = MockServer::start().await;
    first_then(&server, answer(503, "<html>canary</html>"), answer(200, USER)).await;
    client(&server).users().me().await.unwrap();
    assert_eq!(received(&server).await.len(), 2);
}

#[tokio::test]
async fn a_meeting_is_not_made_twice() {
    let server = MockServer::start().await;
    first_then(
        &server,
        answer(500, "{}"),
        answer(201, include_str!("../../../fixtures/meeting.json")),
    )
    .await;
    let error = client(&server)
        .meetings()
        .create(&UserId::me(), &NewMeeting::instant("Now"))
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown() && !error.is_retryable());
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn a_retry_after_of_seconds_or_a_date_is_waited_for() {
    for (retry_after, seconds) in [
        ("7", 7),
        ("2026-01-06T00:00:10Z", 40),
        ("Tue, 06 Jan 2026 00:00:00 GMT", 30),
    ] {
        let server = MockServer::start().await;
        let limited =
            answer(429, r#"{"code":429,"message":"slow down"}"#).insert_header("Retry-After", retry_after);
        first_then(
            &server,
            limited,
            answer(201, include_str!("../../../fixtures/meeting.json")),
        )
        .await;
        let waits = Waits::default();
        let client = builder(&server.uri(), StubTokenSource::new(["one"]))
            .with_sleeper(waits.sleeper())
            .build()
            .unwrap();
        // Zoom did nothing with it, so that even a meeting can be asked for again.
        client
            .meetings()
            .create(&UserId::me(), &NewMeeting::instant("Now"))
            .await
            .unwrap();
        assert_eq!(waits.get(), [Duration::from_secs(seconds)], "{retry_after}");
    }
}

#[tokio::test]
async fn a_limit_for_the_day_is_the_callers() {
    let server = MockServer::start().await;
    let limited = answer(429, r#"{"code":429,"message":"daily"}"#)
        .insert_header("Retry-After", "2026-01-06T12:00:00Z")
        .insert_header("X-RateLimit-Type", "Daily-limit")
        .insert_header("X-Zm-Trackingid", "WEB_1");
    Mock::given(method("GET"))
        .respond_with(limited)
        .mount(&server)
        .await;
    let waits = Waits::default();
    let client = builder(&server.uri(), StubTokenSource::new(["one"]))
        .with_sleeper(waits.sleeper())
        .build()
        .unwrap();
    let error = client.users().me().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(12 * 3600 + 30)));
    assert!(error.is_rate_limited() && error.is_retryable());
    assert_eq!(error.api().unwrap().tracking_id.as_deref(), Some("WEB_1"));
    assert!(waits.get().is_empty());
}

#[tokio::test]
async fn tries_come_to_an_end() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(answer(502, ""))
        .mount(&server)
        .await;
    let waits = Waits::default();
    let client = builder(&server.uri(), StubTokenSource::new(["one"]))
        .with_retry(RetryPolicy::default().attempts(3).with_jitter(|| 1.0))
        .with_sleeper(waits.sleeper())
        .build()
        .unwrap();
    let error = client.users().me().await.unwrap_err();
    assert_eq!(
        (error.status(), error.attempts(), received(&server).await.len()),
        (Some(502), 3, 3)
    );
    assert_eq!(waits.get(), [Duration::from_millis(500), Duration::from_secs(1)]);
}

#[tokio::test]
async fn silence_and_nobody_there_are_told_apart() {
    // Takes connections into its queue and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let client = |address: &str| {
        builder(address, StaticToken::new(crate::AccessToken::new("canary-token")))
            .with_timeout(Duration::from_millis(50))
            .with_retry(RetryPolicy::none())
            .build()
            .unwrap()
    };
    let error = client(&address)
        .send::<Value>(Request::get("/x").query("q", "canary"))
        .await
        .unwrap_err();
    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    let error = client(&address)
        .send::<Value>(Request::post("/x"))
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown() && !error.is_retryable());

    drop(silent);
    let error = client(&address)
        .send::<Value>(Request::post("/x").query("q", "canary"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(
        error.is_retryable() && !format!("{error:?}").contains("canary"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    let away = ResponseTemplate::new(302).insert_header("Location", "/v2/elsewhere");
    Mock::given(path("/v2/users/me"))
        .respond_with(away)
        .mount(&server)
        .await;
    let error = client(&server).users().me().await.unwrap_err();
    assert_eq!((error.status(), received(&server).await.len()), (Some(302), 1));
}

#[tokio::test]
async fn neither_token_nor_body_is_in_an_error() {
    let server = MockServer::start().await;
    for (status, body, content_type) in [
        (
            400,
            r#"{"code":300,"message":"bad token canary-token","errors":[{"field":"canary-token","message":"x"}]}"#,
            "application/json",
        ),
        (200, "<html>canary-token</html>", "text/html"),
        (200, r#"{"id": {"canary-token": 1}}"#, "application/json"),
        (200, r#"{"id": "canary-token"#, "application/json"),
        (200, "", "application/json"),
    ] {
        server.reset().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(status).set_body_raw(body, content_type))
            .mount(&server)
            .await;
        let client = client(&server);
        let error = client.users().me().await.unwrap_err();
        let shown = format!("{error} {error:?} {client:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(error.to_string().ends_with("(GET /users/{userId})"), "{error}");
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/users/me/recordings"))
        .and(query_param("from", "2026-01-01"))
        .and(query_param_is_missing("next_page_token"))
        .respond_with(answer(
            200,
            include_str!("../../../fixtures/list_recordings.json"),
        ))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/v2/users/me/recordings"))
        .and(query_param("from", "2026-01-01"))
        .and(query_param("next_page_token", "Sim0pAqUeT0kEn"))
        .respond_with(answer(
            200,
            include_str!("../../../fixtures/list_recordings_last_page.json"),
        ))
        .expect(1)
        .mount(&server)
        .await;
    let january = ListRecordings::between(date(2026, 1, 1), date(2026, 1, 31));
    let stream = client(&server).recordings().list_all(&UserId::me(), january);
    let recordings: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(recordings.len(), 2);
    assert_eq!(recordings[0].recording_files[0].file_type, FileType::Mp4);
}

#[tokio::test]
async fn participants_and_instances_are_read() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/past_meetings/85512345678/participants"))
        .respond_with(answer(
            200,
            include_str!("../../../fixtures/list_past_participants.json"),
        ))
        .mount(&server)
        .await;
    Mock::given(path("/v2/past_meetings/85512345678/instances"))
        .respond_with(answer(
            200,
            include_str!("../../../fixtures/past_meeting_instances.json"),
        ))
        .mount(&server)
        .await;
    let client = client(&server);
    let page = client
        .past_meetings()
        .participants(&ID.into(), ListParticipants::new())
        .await
        .unwrap();
    let all = client
        .past_meetings()
        .participants_all(&ID.into(), ListParticipants::new());
    assert_eq!(page.items, all.try_collect::<Vec<_>>().await.unwrap());
    assert_eq!(client.past_meetings().instances(ID).await.unwrap().len(), 2);
}

#[tokio::test]
async fn any_other_call_can_be_made() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/report/daily"))
        .and(query_param("year", "2026"))
        .respond_with(answer(200, r#"{"year":2026,"dates":[]}"#))
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let client = client(&server);
    let report: Value = client
        .send(Request::get("/report/daily").query("year", "2026"))
        .await
        .unwrap();
    assert_eq!(report["year"], 2026);
    let end = Request::put("/meetings/{meetingId}/status")
        .path_param("meetingId", &ID)
        .json(&json!({"action": "end"}));
    client.send::<NoContent>(end).await.unwrap();
}

#[tokio::test]
async fn another_identity_shares_the_client() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer other"))
        .respond_with(answer(200, USER))
        .mount(&server)
        .await;
    let other = client(&server).with_token_source(Arc::new(StubTokenSource::new(["other"])));
    other.users().me().await.unwrap();
}

#[test]
fn calls_can_be_made_from_any_task() {
    fn assert_send<T: Send>(_: T) {}
    let client = Client::builder(Arc::new(StubTokenSource::new(["x"])))
        .build()
        .unwrap();
    assert_send(client.users().me());
    assert_send(client.send::<Value>(Request::get("/x")));
    assert_send(client.recordings().list_all(
        &UserId::me(),
        ListRecordings::between(date(2026, 1, 1), date(2026, 1, 2)),
    ));
}

#[test]
fn a_base_that_would_send_tokens_in_the_clear_is_refused() {
    let build =
        |url: &str| Client::builder(Arc::new(StubTokenSource::new(["x"]))).base_url(url.parse().unwrap());
    for url in [
        "http://api.zoom.us/v2",
        "ftp://localhost",
        "https://u:p@zoom.us/v2",
        "https://api.zoom.us/v2?x=1",
    ] {
        assert_eq!(
            build(url).build().unwrap_err().kind(),
            ErrorKind::InvalidRequest,
            "{url}"
        );
    }
    for url in [
        "https://api.zoom.us/v2",
        "http://127.0.0.1:8080/v2/",
        "http://[::1]/v2",
        "http://localhost/v2",
    ] {
        build(url).build().unwrap();
    }
    build("http://simulator:8080/v2")
        .with_plain_http()
        .build()
        .unwrap();
}
