//! Meetings: planned, held, looked back at.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use zoom_simulator::{Attendance, HoldMeeting, samples};

use crate::{
    receiver::Receiver,
    support::{BASIL, ELEANOR, MAYA, at, call, start},
};

fn encoded(uuid: &str) -> String {
    let once = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    once(&once(uuid))
}

#[tokio::test]
async fn a_meeting_is_made_read_changed_and_deleted() {
    let zoom = start(|_| ()).await;
    let (receiver, url) = Receiver::start().await;
    zoom.sim.subscribe(&url).await.unwrap();
    let token = zoom.connect(MAYA).await.access;
    let wanted = json!({
        "topic": "Review", "type": 2, "start_time": "2026-12-01T15:00:00", "timezone": "UTC", "duration": 30,
        "agenda": "numbers", "settings": { "auto_recording": "cloud", "waiting_room": true, "join_before_host": true },
    });
    let (status, made) = zoom.send(&token, "POST", "/v2/users/me/meetings", &wanted).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_u64().unwrap();
    assert!(id > u64::from(u32::MAX));
    assert_eq!(
        (&made["start_time"], &made["status"]),
        (&json!("2026-12-01T15:00:00Z"), &json!("waiting"))
    );
    assert_eq!(
        (&made["host_email"], &made["agenda"]),
        (&json!(MAYA), &json!("numbers"))
    );
    assert_eq!(made["settings"]["auto_recording"], "cloud");
    assert_eq!(
        made["settings"]["join_before_host"], false,
        "off when there is a waiting room"
    );
    assert!(
        made["join_url"]
            .as_str()
            .unwrap()
            .starts_with(&format!("https://us02web.zoom.us/j/{id}?pwd="))
    );

    let path = format!("/v2/meetings/{id}");
    let (_, got) = zoom.get(&token, &path).await;
    assert_eq!(got["uuid"], made["uuid"]);
    assert_ne!(
        got["start_url"], made["start_url"],
        "the host's link is made anew"
    );
    let (_, list) = zoom.get(&token, "/v2/users/me/meetings?type=upcoming").await;
    assert_eq!(list["meetings"][0]["id"], id);

    let (status, body) = zoom
        .send(
            &token,
            "PATCH",
            &path,
            &json!({ "topic": "Second review", "duration": 45 }),
        )
        .await;
    assert_eq!((status, body), (204, Value::Null));
    let (_, got) = zoom.get(&token, &path).await;
    assert_eq!(
        (&got["topic"], &got["duration"], &got["agenda"]),
        (&json!("Second review"), &json!(45), &json!("numbers"))
    );

    assert_eq!(
        zoom.send(&token, "DELETE", &path, &json!({})).await,
        (204, Value::Null)
    );
    let (status, body) = zoom.get(&token, &path).await;
    assert_eq!((status, &body["code"]), (404, &json!(3001)));
    assert_eq!(
        zoom.get(&token, "/v2/users/me/meetings").await.1["total_records"],
        0
    );

    zoom.sim.webhooks().settled().await;
    assert_eq!(
        receiver.names(),
        ["meeting.created", "meeting.updated", "meeting.deleted"]
    );
    let updated = receiver.events()[1].event();
    assert_eq!(
        updated["payload"]["object"],
        json!({ "id": id, "topic": "Second review", "duration": 45 })
    );
    assert_eq!(
        updated["payload"]["old_object"],
        json!({ "id": id, "topic": "Review", "duration": 30 })
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_field_by_field() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    for (body, field) in [
        (json!({ "settings": { "jbh_time": 7 } }), "settings.jbh_time"),
        (json!({ "type": 4 }), "type"),
        (json!({ "duration": 0 }), "duration"),
        (json!({ "topic": "x".repeat(201) }), "topic"),
        (json!({ "start_time": "tomorrow" }), "start_time"),
        (json!({ "type": 8 }), "recurrence"),
    ] {
        let (status, answer) = zoom.send(&token, "POST", "/v2/users/me/meetings", &body).await;
        assert_eq!(
            (status, &answer["code"], &answer["message"]),
            (400, &json!(300), &json!("Validation Failed."))
        );
        assert_eq!(answer["errors"][0]["field"], field);
    }
    let request = zoom
        .http
        .post(zoom.url("/v2/users/me/meetings"))
        .bearer_auth(&token)
        .body("{\"topic\":");
    let (status, answer) = crate::support::answer(request).await;
    assert_eq!(
        (status, answer),
        (
            400,
            json!({ "code": 300, "message": "Request Body should be a valid JSON object." })
        )
    );
}

#[tokio::test]
async fn a_series_has_occurrences_that_can_be_deleted_one_by_one() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let body = json!({
        "type": 8, "start_time": "2026-12-01T09:00:00Z", "duration": 15, "timezone": "UTC",
        "recurrence": { "type": 1, "repeat_interval": 1, "end_times": 3 },
    });
    let (_, made) = zoom.send(&token, "POST", "/v2/users/me/meetings", &body).await;
    let occurrences = made["occurrences"].as_array().unwrap();
    assert_eq!(occurrences.len(), 3);
    assert_eq!(occurrences[2]["start_time"], "2026-12-03T09:00:00Z");
    let path = format!("/v2/meetings/{}", made["id"]);
    let one = format!(
        "{path}?occurrence_id={}",
        occurrences[1]["occurrence_id"].as_str().unwrap()
    );
    assert_eq!(zoom.send(&token, "DELETE", &one, &json!({})).await.0, 204);
    assert_eq!(
        zoom.get(&token, &path).await.1["occurrences"][1]["status"],
        "deleted"
    );
    let (_, refused) = zoom.send(&token, "DELETE", &one, &json!({})).await;
    assert_eq!(refused["code"], 3000);
}

#[tokio::test]
async fn a_hundred_changes_a_day_for_each_host() {
    let zoom = start(|config| config.meeting_changes_per_day = 2).await;
    let token = zoom.connect(MAYA).await.access;
    let make = async || {
        zoom.send(&token, "POST", "/v2/users/me/meetings", &json!({ "topic": "x" }))
            .await
    };
    assert_eq!(make().await.0, 201);
    assert_eq!(make().await.0, 201);
    let (status, body) = make().await;
    assert_eq!((status, &body["code"]), (429, &json!(429)));
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("daily rate limit (2) of Meeting Create/Update")
    );
    let admin = zoom.admin().await;
    let (status, _) = zoom
        .send(
            &admin,
            "POST",
            &format!("/v2/users/{ELEANOR}/meetings"),
            &json!({}),
        )
        .await;
    assert_eq!(status, 201, "another host has another budget");
    zoom.sim.advance(Duration::from_secs(12 * 3600));
    assert_eq!(make().await.0, 401, "the token is an hour old");
    let token = zoom.connect(MAYA).await.access;
    assert_eq!(
        zoom.send(&token, "POST", "/v2/users/me/meetings", &json!({}))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn each_instance_has_a_uuid_of_its_own() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let (_, made) = zoom
        .send(
            &token,
            "POST",
            "/v2/users/me/meetings",
            &json!({ "topic": "Weekly", "duration": 60 }),
        )
        .await;
    let id = made["id"].as_u64().unwrap();
    let first = zoom.sim.hold_meeting(call(MAYA).scheduled(id)).unwrap();
    assert_eq!(first.uuid, made["uuid"].as_str().unwrap());
    let (_, got) = zoom.get(&token, &format!("/v2/meetings/{id}")).await;
    assert_ne!(got["uuid"], made["uuid"], "the next one");
    let second = zoom
        .sim
        .hold_meeting(
            HoldMeeting::new("", "", at("2026-11-22T11:50:00Z"), at("2026-11-22T12:00:00Z")).scheduled(id),
        )
        .unwrap();
    let (_, instances) = zoom
        .get(&token, &format!("/v2/past_meetings/{id}/instances"))
        .await;
    let uuids: Vec<&str> = instances["meetings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["uuid"].as_str().unwrap())
        .collect();
    assert_eq!(uuids, [&first.uuid, &second.uuid]);
    // a number is its latest instance; a uuid is exactly one
    let (_, latest) = zoom.get(&token, &format!("/v2/past_meetings/{id}")).await;
    assert_eq!(
        (&latest["uuid"], &latest["duration"]),
        (&json!(second.uuid), &json!(10))
    );
    let (_, exact) = zoom
        .get(&token, &format!("/v2/past_meetings/{}", encoded(&first.uuid)))
        .await;
    assert_eq!(
        (&exact["uuid"], &exact["duration"], &exact["topic"]),
        (&json!(first.uuid), &json!(45), &json!("Weekly"))
    );
    assert!(
        zoom.sim
            .hold_meeting(call(MAYA).scheduled(1))
            .unwrap_err()
            .is_unknown()
    );
}

#[tokio::test]
async fn participants_come_wait_leave_and_come_back() {
    let zoom = start(|_| ()).await;
    let (receiver, url) = Receiver::start().await;
    zoom.sim.subscribe(&url).await.unwrap();
    let token = zoom.connect(MAYA).await.access;
    let (begin, end) = (at("2026-11-22T11:00:00Z"), at("2026-11-22T11:45:00Z"));
    let minute = |n| begin + SignedDuration::from_mins(n);
    let held = zoom
        .sim
        .hold_meeting(
            HoldMeeting::new(MAYA, "Intro", begin, end)
                .participant(Attendance::new("Maya Chen", MAYA, true, begin, end))
                .participant(
                    Attendance::new("Daniel Ortiz", "", false, minute(3), minute(10))
                        .waiting_since(minute(1)),
                )
                .participant(Attendance::new("Daniel Ortiz", "", false, minute(20), end)),
        )
        .unwrap();
    assert!(!held.recorded);
    let (status, body) = zoom
        .get(
            &token,
            &format!("/v2/past_meetings/{}/participants", held.meeting_id),
        )
        .await;
    assert_eq!(status, 200);
    let rows: Vec<(&str, &str, u64)> = body["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["status"].as_str().unwrap(),
                row["duration"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("Maya Chen", "in_meeting", 45 * 60),
            ("Daniel Ortiz", "in_waiting_room", 120),
            ("Daniel Ortiz", "in_meeting", 7 * 60),
            ("Daniel Ortiz", "in_meeting", 25 * 60),
        ]
    );
    assert_eq!(body["participants"][0]["id"], zoom.sim.config().users[0].id);
    assert_eq!(body["participants"][3]["id"], "");
    assert_ne!(
        body["participants"][2]["user_id"], body["participants"][3]["user_id"],
        "another number on the way back"
    );
    let (_, past) = zoom
        .get(&token, &format!("/v2/past_meetings/{}", held.meeting_id))
        .await;
    assert_eq!(
        (&past["participants_count"], &past["total_minutes"]),
        (&json!(2), &json!(45 + 7 + 25))
    );

    zoom.sim.webhooks().settled().await;
    let names: Vec<String> = receiver
        .names()
        .iter()
        .map(|name| name.replace("meeting.participant_", ""))
        .collect();
    assert_eq!(
        names,
        [
            "meeting.started",
            "joined",
            "joined_waiting_room",
            "admitted",
            "joined",
            "left",
            "joined",
            "left",
            "left",
            "meeting.ended"
        ]
    );
    let reasons: Vec<String> = receiver
        .events()
        .iter()
        .filter_map(|received| {
            received.event()["payload"]["object"]["participant"]["leave_reason"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert!(reasons[0].contains("left the meeting") && reasons[2].contains("Host ended the meeting"));
    let instant = receiver.events()[0].event();
    assert_eq!(
        (
            &instant["payload"]["object"]["duration"],
            &instant["payload"]["object"]["timezone"]
        ),
        (&json!(0), &json!(""))
    );
}

#[tokio::test]
async fn a_meeting_goes_on_by_the_clock() {
    let zoom = start(|config| {
        config.processing_time = Duration::from_secs(600);
        config.access_token_life = Duration::from_secs(86400);
    })
    .await;
    let (_receiver, url) = Receiver::start().await;
    zoom.sim.subscribe(&url).await.unwrap();
    let token = zoom.connect(MAYA).await.access;
    let mut meeting = call(MAYA);
    let shift = SignedDuration::from_hours(1);
    (meeting.start, meeting.end) = (meeting.start + shift, meeting.end + shift);
    for stay in &mut meeting.participants {
        (stay.join, stay.leave) = (stay.join + shift, stay.leave + shift);
    }
    let held = zoom.sim.hold_meeting(meeting).unwrap();
    let live = "/v2/users/me/meetings?type=live";
    assert_eq!(zoom.get(&token, live).await.1["total_records"], 0, "not yet");
    let wait = async |event: &str| {
        zoom.until(|log| log.iter().any(|one| one.event == event)).await;
    };
    zoom.sim.advance(Duration::from_secs(20 * 60));
    wait("meeting.started").await;
    assert_eq!(zoom.get(&token, live).await.1["meetings"][0]["uuid"], held.uuid);
    let past = format!("/v2/past_meetings/{}", held.meeting_id);
    assert_eq!(zoom.get(&token, &past).await.1["code"], 3001, "it has not ended");
    zoom.sim.advance(Duration::from_secs(40 * 60));
    wait("meeting.ended").await;
    assert_eq!(zoom.get(&token, &past).await.0, 200);
    let recording = format!("/v2/meetings/{}/recordings", held.meeting_id);
    let (_, working) = zoom.get(&token, &recording).await;
    assert_eq!(
        (
            &working["recording_files"][0]["status"],
            &working["recording_files"][0]["file_type"]
        ),
        (&json!("processing"), &json!(""))
    );
    zoom.sim.advance(Duration::from_secs(600));
    wait("recording.transcript_completed").await;
    let (_, done) = zoom.get(&token, &recording).await;
    assert_eq!(done["recording_count"], 4);
}

#[tokio::test]
async fn a_host_can_end_what_goes_on() {
    let zoom = start(|_| ()).await;
    let (receiver, url) = Receiver::start().await;
    zoom.sim.subscribe(&url).await.unwrap();
    let token = zoom.connect(MAYA).await.access;
    let mut meeting = call(MAYA);
    meeting.end += SignedDuration::from_mins(30);
    for stay in &mut meeting.participants {
        stay.leave = meeting.end;
    }
    let held = zoom.sim.hold_meeting(meeting).unwrap();
    let path = format!("/v2/meetings/{}/status", held.meeting_id);
    assert_eq!(
        zoom.send(&token, "PUT", &path, &json!({ "action": "end" }))
            .await
            .0,
        204
    );
    assert_eq!(
        zoom.send(&token, "PUT", &path, &json!({ "action": "end" }))
            .await
            .0,
        404
    );
    let (_, past) = zoom
        .get(&token, &format!("/v2/past_meetings/{}", held.meeting_id))
        .await;
    assert_eq!(past["duration"], 45);
    zoom.sim.advance(Duration::from_secs(30 * 60));
    zoom.until(|log| log.iter().any(|one| one.event == "recording.completed"))
        .await;
    zoom.sim.webhooks().settled().await;
    let ended = receiver
        .names()
        .iter()
        .filter(|name| *name == "meeting.ended")
        .count();
    assert_eq!(ended, 1);
}

#[tokio::test]
async fn who_does_not_pay_has_no_recording_and_who_was_alone_no_participants() {
    let zoom = start(|_| ()).await;
    let held = zoom.sim.hold_meeting(call(BASIL)).unwrap();
    assert!(!held.recorded);
    let token = zoom.connect(BASIL).await.access;
    let (status, body) = zoom
        .get(&token, &format!("/v2/meetings/{}/recordings", held.meeting_id))
        .await;
    assert_eq!((status, &body["code"]), (404, &json!(3301)));
    let (status, body) = zoom.get(&token, "/v2/users/me/recordings").await;
    assert_eq!((status, &body["code"]), (400, &json!(200)));
    let cloud = json!({ "settings": { "auto_recording": "cloud" } });
    let (_, made) = zoom.send(&token, "POST", "/v2/users/me/meetings", &cloud).await;
    assert_eq!(made["settings"]["auto_recording"], "none");

    let sample = samples::librivox();
    let held = zoom
        .sim
        .hold_meeting(HoldMeeting::sample(ELEANOR, &sample, at("2026-11-22T12:00:00Z")))
        .unwrap();
    let token = zoom.connect(ELEANOR).await.access;
    let (_, body) = zoom
        .get(
            &token,
            &format!("/v2/past_meetings/{}/participants", held.meeting_id),
        )
        .await;
    assert_eq!(body["total_records"], 0);
    let (_, recording) = zoom
        .get(&token, &format!("/v2/meetings/{}/recordings", held.meeting_id))
        .await;
    assert_eq!(recording["recording_files"][0]["file_size"], sample.m4a.len());
    let free = start(|config| config.paid_account = false).await;
    let held = free.sim.hold_meeting(call(MAYA)).unwrap();
    let token = free.connect(MAYA).await.access;
    let (status, body) = free
        .get(
            &token,
            &format!("/v2/past_meetings/{}/participants", held.meeting_id),
        )
        .await;
    assert_eq!((status, &body["code"]), (400, &json!(200)));
}

#[tokio::test]
async fn numbers_expire_thirty_days_after_their_last_use() {
    let zoom = start(|config| config.access_token_life = Duration::from_secs(365 * 86400)).await;
    let token = zoom.connect(MAYA).await.access;
    let body = json!({ "start_time": "2026-11-22T13:00:00Z", "duration": 60 });
    let (_, made) = zoom.send(&token, "POST", "/v2/users/me/meetings", &body).await;
    let path = format!("/v2/meetings/{}", made["id"]);
    zoom.sim.advance(Duration::from_secs(30 * 86400));
    assert_eq!(zoom.get(&token, &path).await.0, 200);
    zoom.sim.advance(Duration::from_secs(86400));
    assert_eq!(zoom.get(&token, &path).await.1["code"], 3001);
}

#[tokio::test]
async fn nobody_leaves_before_they_come() {
    let zoom = start(|_| ()).await;
    let (begin, end) = (at("2026-11-22T11:00:00Z"), at("2026-11-22T11:45:00Z"));
    assert!(
        zoom.sim
            .hold_meeting(HoldMeeting::new(MAYA, "x", end, begin))
            .unwrap_err()
            .is_refused()
    );
    let backwards =
        HoldMeeting::new(MAYA, "x", begin, end).participant(Attendance::new("A", "", false, end, begin));
    assert!(zoom.sim.hold_meeting(backwards).unwrap_err().is_refused());
    assert!(
        zoom.sim
            .hold_meeting(HoldMeeting::new("nobody", "x", begin, end))
            .unwrap_err()
            .is_unknown()
    );
}
