use super::*;

fn read(body: &str) -> Result<Event, PayloadError> {
    Event::read(body.as_bytes())
}

const SAMPLES: &str = include_str!("../../fixtures/samples.jsonl");

fn sample(name: &str, index: usize) -> &'static str {
    let start = format!("{{\"event\":\"{name}\"");
    SAMPLES
        .lines()
        .filter(|line| line.starts_with(&start))
        .nth(index)
        .unwrap()
}

#[test]
fn every_sample_is_read_as_the_type_of_its_name() {
    let mut seen = Vec::new();
    for line in SAMPLES.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = value["event"].as_str().unwrap();
        let event = read(line).unwrap();
        assert_eq!(event.name(), name);
        let has_type =
            name.starts_with("meeting.") || name.starts_with("recording.") || name == "app_deauthorized";
        assert_eq!(matches!(event, Event::Unknown { .. }), !has_type, "{name}");
        seen.push(name.to_owned());
    }
    assert_eq!(seen.len(), 44);
    for name in Event::NAMES {
        assert!(seen.iter().any(|seen| seen == name), "{name} has no sample");
    }
}

#[test]
fn the_order_of_the_envelope_does_not_matter() {
    for line in SAMPLES.lines() {
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let mut fields: Vec<_> = fields.iter().collect();
        let expected = format!("{:?}", read(line).unwrap());
        for _ in 0..fields.len() {
            fields.rotate_left(1);
            let turned: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name:?}:{value}"))
                .collect();
            let turned = format!("{{{}}}", turned.join(","));
            assert_eq!(format!("{:?}", read(&turned).unwrap()), expected, "{turned}");
        }
    }
}

#[test]
fn unknown_fields_are_passed_over_anywhere() {
    for line in SAMPLES.lines() {
        let more =
            line.replace(":{", ":{\"brand_new\":{\"x\":[1,null]},")
                .replacen('{', "{\"also_new\":7.5,", 1);
        assert_eq!(read(&more).unwrap().name(), read(line).unwrap().name(), "{more}");
    }
}

#[test]
fn ids_are_read_as_numbers_and_as_text() {
    let text = sample("meeting.started", 0);
    assert!(text.contains("\"id\":\"81234567890\""));
    for body in [text.to_owned(), text.replace("\"81234567890\"", "81234567890")] {
        let Event::MeetingStarted(event) = read(&body).unwrap() else {
            panic!("{body}")
        };
        assert_eq!(event.meeting.id.unwrap().to_string(), "81234567890");
        assert_eq!(event.meeting.uuid.unwrap().as_str(), "k3T9xQ0lRr2/1yZ+fG8aAA==");
        assert_eq!(event.account_id.unwrap().as_str(), "SimAcct-01_aBcDeFgHiJk");
    }
}

#[test]
fn an_instant_meeting_has_no_zone_and_no_duration() {
    let Event::MeetingStarted(event) = read(sample("meeting.started", 1)).unwrap() else {
        panic!()
    };
    assert_eq!((event.meeting.timezone, event.meeting.duration), (None, Some(0)));
}

#[test]
fn participants_are_read_with_their_times() {
    let Event::MeetingParticipantJoined(joined) = read(sample("meeting.participant_joined", 1)).unwrap()
    else {
        panic!()
    };
    assert_eq!(joined.participant.user_name.as_deref(), Some("Guest ☕"));
    assert_eq!((joined.participant.id, joined.participant.email), (None, None));
    assert_eq!(
        joined.participant.join_time.unwrap().to_string(),
        "2026-01-06T09:01:02Z"
    );
    let Event::MeetingParticipantLeft(left) = read(sample("meeting.participant_left", 0)).unwrap() else {
        panic!()
    };
    assert_eq!(
        left.participant.leave_time.unwrap().to_string(),
        "2026-01-06T09:14:02Z"
    );
    assert_eq!(left.participant.user_id.unwrap().as_str(), "16778240");
    let Event::MeetingEnded(ended) = read(sample("meeting.ended", 0)).unwrap() else {
        panic!()
    };
    assert_eq!(
        ended.meeting.end_time.unwrap().to_string(),
        "2026-01-06T09:15:05Z"
    );
}

#[test]
fn a_recording_comes_with_its_files_and_its_token() {
    let Event::RecordingCompleted(event) = read(sample("recording.completed", 0)).unwrap() else {
        panic!()
    };
    assert_eq!(event.recording.uuid.as_str(), "k3T9xQ0lRr2/1yZ+fG8aAA==");
    assert!(
        event.recording.recording_files.len() >= 4 && !event.recording.participant_audio_files.is_empty()
    );
    assert_eq!(
        event.download_token.as_ref().unwrap().expose_secret(),
        "eyJhbGciOiJIUzUxMiJ9.SIM.sig"
    );
    let shown = format!("{event:?}");
    assert!(
        !shown.contains("SIM.sig") && !shown.contains("a1B2c3") && !shown.contains("pL4yPa55c0de"),
        "{shown}"
    );
    let Event::RecordingDeleted(event) = read(sample("recording.deleted", 0)).unwrap() else {
        panic!()
    };
    assert!(event.download_token.is_none());
}

#[test]
fn both_forms_of_deauthorization_are_read() {
    for (index, retention) in [(0, None), (1, Some(false))] {
        let Event::AppDeauthorized(event) = read(sample("app_deauthorized", index)).unwrap() else {
            panic!()
        };
        assert_eq!(event.account_id.as_str(), "SimAcct-01_aBcDeFgHiJk");
        assert_eq!(event.user_id.as_str(), "simHostUserId_0000001");
        assert_eq!(event.user_data_retention, retention);
        assert_eq!(
            event.deauthorization_time.unwrap().to_string(),
            "2026-01-07T12:00:00.123Z"
        );
    }
    let dated = sample("app_deauthorized", 0).replace("1767787200123", "\"2024-09-08 15:58:40\"");
    assert!(matches!(read(&dated), Ok(Event::AppDeauthorized(_))));
}

#[test]
fn all_forms_of_batches_name_their_meetings() {
    let Event::RecordingBatchTrashed(trashed) = read(sample("recording.batch_trashed", 0)).unwrap() else {
        panic!()
    };
    assert_eq!(
        (
            trashed.meetings.len(),
            trashed.meetings[0].recording_file_ids.len()
        ),
        (2, 0)
    );
    let Event::RecordingBatchDeleted(deleted) = read(sample("recording.batch_deleted", 0)).unwrap() else {
        panic!()
    };
    assert_eq!(
        (
            deleted.meetings.len(),
            deleted.meetings[0].recording_file_ids.len()
        ),
        (1, 2)
    );
}

#[test]
fn archive_files_and_progress_and_registrations_are_read() {
    let Event::RecordingArchiveFilesCompleted(event) =
        read(sample("recording.archive_files_completed", 0)).unwrap()
    else {
        panic!()
    };
    assert_eq!(event.files[0].file.file_size, Some(2048));
    assert_eq!(event.files[0].storage_location.as_deref(), Some("US"));
    assert!(event.download_token.is_some());
    let Event::RecordingStarted(event) = read(sample("recording.started", 0)).unwrap() else {
        panic!()
    };
    assert!(event.recording.recording_start.is_some() && event.recording.recording_end.is_none());
    let Event::RecordingRegistrationCreated(event) =
        read(sample("recording.registration_created", 0)).unwrap()
    else {
        panic!()
    };
    assert_eq!(event.registrant.status.as_deref(), Some("pending"));
}

#[test]
fn an_update_tells_what_was_and_what_is() {
    let Event::MeetingUpdated(event) = read(sample("meeting.updated", 0)).unwrap() else {
        panic!()
    };
    assert_eq!(event.meeting.topic.as_deref(), Some("Stand-up (new room)"));
    assert_eq!(event.old.unwrap().topic.as_deref(), Some("Stand-up"));
    assert_eq!((event.meeting.uuid, event.meeting.start_time), (None, None));
}

#[test]
fn a_known_name_with_an_odd_payload_is_an_error_without_values() {
    for (body, problem) in [
        (r#"{"event":"meeting.started"}"#, "missing field `payload`"),
        (
            r#"{"event":"meeting.started","payload":{}}"#,
            "missing field `object`",
        ),
        (
            r#"{"event":"meeting.started","payload":{"object":{"topic":"canary"}}}"#,
            "missing field `uuid`",
        ),
        (
            r#"{"payload":{"object":{"uuid":"canary"}},"event":"meeting.participant_joined"}"#,
            "missing field `participant`",
        ),
        (
            r#"{"event":"recording.completed","payload":{"object":{"uuid":"u","id":"canary"}}}"#,
            "at line 1 column",
        ),
        (
            r#"{"event":"recording.completed","payload":"canary"}"#,
            "at line 1 column",
        ),
        (
            r#"{"event":"app_deauthorized","payload":{"account_id":"canary"}}"#,
            "missing field `user_id`",
        ),
        (
            r#"{"event":"meeting.started","payload":{"object":{"uuid":"u"}}} canary"#,
            "at line 1 column",
        ),
        (
            r#"{"event":"meeting.started","payload":{"object":{"uuid":"u"}}"#,
            "at line 1 column",
        ),
    ] {
        let error = read(body).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(problem), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(body.contains(error.name()) && !error.name().is_empty());
    }
}

#[test]
fn what_is_no_webhook_is_an_error_without_a_name() {
    for body in ["", "[]", "{}", "null", "\u{0}", r#"{"payload":{}}"#] {
        assert_eq!(read(body).unwrap_err().name(), "", "{body}");
    }
}

#[test]
fn an_unknown_name_needs_no_payload() {
    let event = read(r#"{"event":"phone.fax_sent"}"#).unwrap();
    assert!(matches!(event, Event::Unknown { .. }) && event.name() == "phone.fax_sent");
}
