use std::sync::Arc;

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};
use zoom_core::{AccessToken, MeetingUuid, RetryPolicy, StaticToken};

use super::*;

const ID: MeetingId = MeetingId::new(81_234_567_890);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window() -> TimeWindow {
    TimeWindow {
        from: at("2026-11-16T00:00Z"),
        to: at("2026-11-23T00:00Z"),
    }
}

async fn answers(server: &MockServer, at: &str, status: u16, body: Value) {
    let answer = ResponseTemplate::new(status).set_body_json(body);
    Mock::given(method("GET"))
        .and(path(format!("/v2{at}")))
        .respond_with(answer)
        .mount(server)
        .await;
}

fn client(server: &MockServer) -> Client {
    let tokens = Arc::new(StaticToken::new(AccessToken::new("token")));
    let base = format!("{}/v2", server.uri()).parse().unwrap();
    Client::builder(tokens)
        .base_url(base)
        .with_plain_http()
        .with_retry(RetryPolicy::none())
        .build()
        .unwrap()
}

async fn load_at(server: &MockServer, now: &str) -> MeetingHistory {
    let now = at(now);
    let loader = PastMeetings::new().with_clock(Clock::new(move || now));
    loader
        .load(&client(server), [ID], window())
        .await
        .unwrap()
        .remove(0)
}

async fn load(server: &MockServer) -> MeetingHistory {
    load_at(server, "2026-12-01T00:00Z").await
}

fn details(uuid: &str, joins: u32) -> Value {
    json!({"uuid": uuid, "id": ID, "topic": "Review", "user_email": "Rep@Us.example", "start_time": "2026-11-16T10:00:00Z",
           "end_time": "2026-11-16T10:45:00Z", "duration": 60, "participants_count": joins})
}

fn row(email: &str, joined: &str, left: &str) -> Value {
    json!({"id": "", "user_id": "16778240", "name": "x", "user_email": email, "join_time": format!("2026-11-16T{joined}Z"),
           "leave_time": format!("2026-11-16T{left}Z"), "duration": 60, "status": "in_meeting", "internal_user": false})
}

async fn lists(server: &MockServer, uuids: &[&str]) {
    let list: Vec<Value> = uuids
        .iter()
        .map(|uuid| json!({"uuid": uuid, "start_time": "2026-11-16T10:00:00Z"}))
        .collect();
    answers(
        server,
        &format!("/past_meetings/{ID}/instances"),
        200,
        json!({ "meetings": list }),
    )
    .await;
}

const NOT_YET: &str = "The meeting ID is invalid or the meeting has not ended.";

#[tokio::test]
async fn every_instance_is_asked_for_by_its_own_uuid() {
    let server = MockServer::start().await;
    // The second begins with a slash: encoded twice in the path. The first is listed twice.
    lists(&server, &["abc==", "/x//y==", "abc=="]).await;
    for (uuid, at) in [("abc==", "abc%3D%3D"), ("/x//y==", "%252Fx%252F%252Fy%253D%253D")] {
        answers(&server, &format!("/past_meetings/{at}"), 200, details(uuid, 2)).await;
        let rows = json!({"participants": [row("rep@us.example", "10:00:00", "10:45:00"), row(&format!("{}@acme.example", &uuid[1..2]), "10:00:00", "10:45:00")]});
        answers(&server, &format!("/past_meetings/{at}/participants"), 200, rows).await;
    }
    let history = load(&server).await;
    assert_eq!(history.gap, None);
    let uuids: Vec<_> = history
        .instances
        .iter()
        .map(|instance| instance.uuid.clone())
        .collect();
    assert_eq!(uuids, [MeetingUuid::new("/x//y=="), MeetingUuid::new("abc==")]);
    let instance = &history.instances[1];
    assert_eq!(
        (instance.start, instance.end),
        (at("2026-11-16T10:00Z"), at("2026-11-16T10:45Z"))
    );
    assert_eq!(
        (instance.host_email.as_deref(), instance.topic.as_deref()),
        (Some("rep@us.example"), Some("Review"))
    );
    let Attendance::Rows(visits) = &instance.attendance else {
        panic!("{instance:?}")
    };
    assert_eq!(visits[1].email.as_deref(), Some("b@acme.example"));
    assert_eq!(
        (visits[1].participant_user_id.as_deref(), visits[1].internal),
        (None, Some(false))
    );
}

#[tokio::test]
async fn every_page_of_participants_is_read_and_waiting_is_kept_apart() {
    let server = MockServer::start().await;
    lists(&server, &["u"]).await;
    answers(&server, "/past_meetings/u", 200, details("u", 3)).await;
    let mut waiting = row("ann@acme.example", "10:00:00", "10:05:00");
    waiting["status"] = json!("in_waiting_room");
    let mut breakout = row("ann@acme.example", "10:10:00", "10:20:00");
    breakout["bo_mtg_id"] = json!("room");
    let second =
        ResponseTemplate::new(200).set_body_json(json!({"next_page_token": "", "participants": [breakout]}));
    let second = Mock::given(method("GET"))
        .and(wiremock::matchers::query_param("next_page_token", "p2"))
        .respond_with(second);
    second.with_priority(1).mount(&server).await;
    answers(
        &server,
        "/past_meetings/u/participants",
        200,
        json!({"next_page_token": "p2", "participants": [waiting]}),
    )
    .await;
    let history = load(&server).await;
    let Attendance::Rows(visits) = &history.instances[0].attendance else {
        panic!("{history:?}")
    };
    assert_eq!(
        visits.iter().map(|visit| visit.place).collect::<Vec<_>>(),
        [Place::WaitingRoom, Place::Breakout]
    );
}

#[tokio::test]
async fn instances_outside_of_the_window_are_not_loaded() {
    let server = MockServer::start().await;
    let list = json!({"meetings": [{"uuid": "old", "start_time": "2026-11-15T17:59:00Z"}, {"uuid": "next", "start_time": "2026-11-23T06:00:00Z"}]});
    answers(&server, &format!("/past_meetings/{ID}/instances"), 200, list).await;
    assert_eq!(load(&server).await, MeetingHistory::complete(ID, vec![]));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn single_person_is_the_host_whether_zoom_says_404_or_nothing() {
    for (status, body) in [
        (404, json!({"code": 3001, "message": NOT_YET})),
        (200, json!({"participants": []})),
    ] {
        let server = MockServer::start().await;
        lists(&server, &["u"]).await;
        answers(&server, "/past_meetings/u", 200, details("u", 1)).await;
        answers(&server, "/past_meetings/u/participants", status, body).await;
        assert_eq!(load(&server).await.instances[0].attendance, Attendance::OnePerson);
    }
}

#[tokio::test]
async fn what_zoom_has_not_written_up_is_unknown() {
    let unknown = |reason| Attendance::Unknown(reason);
    // The details, then the participants, then their durations are missing.
    for (details_status, rows) in [
        (404, json!({})),
        (200, json!({"participants": []})),
        (
            200,
            json!({"participants": [{"name": "x", "join_time": "2026-11-16T10:00:00Z", "leave_time": "", "duration": 0}]}),
        ),
    ] {
        let server = MockServer::start().await;
        lists(&server, &["u"]).await;
        let body = if details_status == 200 {
            details("u", 2)
        } else {
            json!({"code": 3001, "message": NOT_YET})
        };
        answers(&server, "/past_meetings/u", details_status, body).await;
        answers(&server, "/past_meetings/u/participants", 200, rows).await;
        let soon = load_at(&server, "2026-11-16T11:00Z").await;
        assert_eq!(
            soon.instances[0].attendance,
            unknown(UnknownReason::NotAvailableYet)
        );
        let later = load_at(&server, "2026-11-18T11:00Z").await;
        assert_eq!(later.instances[0].attendance, unknown(UnknownReason::NotFound));
    }
}

#[tokio::test]
async fn meeting_that_zoom_does_not_list_is_unknown_unless_it_is_ours() {
    let server = MockServer::start().await;
    let not_found = json!({"code": 3001, "message": "Meeting does not exist."});
    answers(
        &server,
        &format!("/past_meetings/{ID}/instances"),
        404,
        not_found.clone(),
    )
    .await;
    answers(&server, &format!("/meetings/{ID}"), 404, not_found.clone()).await;
    assert_eq!(
        load(&server).await,
        MeetingHistory::unknown(ID, UnknownReason::NotFound)
    );

    let server = MockServer::start().await;
    answers(&server, &format!("/past_meetings/{ID}/instances"), 404, not_found).await;
    answers(
        &server,
        &format!("/meetings/{ID}"),
        200,
        json!({"id": ID, "topic": "Never started"}),
    )
    .await;
    assert_eq!(load(&server).await, MeetingHistory::complete(ID, vec![]));
}

#[tokio::test]
async fn each_refusal_has_its_reason() {
    for (status, code, reason) in [
        (400, 200, UnknownReason::PlanLimit),
        (400, 300, UnknownReason::NoAccess),
        (400, 4711, UnknownReason::NoAccess),
        (400, 12702, UnknownReason::TooOld),
        (500, 5000, UnknownReason::Unavailable),
        (429, 429, UnknownReason::Unavailable),
    ] {
        let server = MockServer::start().await;
        answers(
            &server,
            &format!("/past_meetings/{ID}/instances"),
            status,
            json!({"code": code, "message": "no"}),
        )
        .await;
        assert_eq!(load(&server).await.gap, Some(reason), "{status} {code}");
    }
}

#[tokio::test]
async fn dead_connection_is_an_error_and_not_a_report_full_of_unknowns() {
    let server = MockServer::start().await;
    answers(
        &server,
        &format!("/past_meetings/{ID}/instances"),
        401,
        json!({"code": 124, "message": "Invalid access token."}),
    )
    .await;
    let error = PastMeetings::new()
        .load(&client(&server), [ID], window())
        .await
        .unwrap_err();
    assert!(error.needs_reauthorization());
}

#[tokio::test]
async fn meetings_come_in_the_order_asked_for_each_once() {
    let server = MockServer::start().await;
    for id in [3, 1, 2] {
        answers(
            &server,
            &format!("/past_meetings/{id}/instances"),
            200,
            json!({"meetings": []}),
        )
        .await;
    }
    let ids = [3, 1, 3, 2].map(MeetingId::new);
    let histories = PastMeetings::new()
        .load(&client(&server), ids, window())
        .await
        .unwrap();
    assert_eq!(
        histories
            .iter()
            .map(|history| history.meeting_id.get())
            .collect::<Vec<_>>(),
        [3, 1, 2]
    );
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn hosted_meetings_are_listed_each_once() {
    let server = MockServer::start().await;
    let list = json!({"meetings": [{"id": 3}, {"id": 1}, {"id": 3}]});
    let wanted = [
        ("type", "previous_meetings"),
        ("from", "2026-11-15"),
        ("to", "2026-11-24"),
    ];
    let mut list_of_previous = Mock::given(method("GET")).and(path("/v2/users/U1/meetings"));
    for (name, value) in wanted {
        list_of_previous = list_of_previous.and(wiremock::matchers::query_param(name, value));
    }
    list_of_previous
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .mount(&server)
        .await;
    let hosted = PastMeetings::new()
        .hosted(&client(&server), &UserId::new("U1"), window())
        .await
        .unwrap();
    assert_eq!(hosted, [3, 1].map(MeetingId::new));
}
