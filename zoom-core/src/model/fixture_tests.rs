//! Real-shaped answers, read and written back.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::*;
use crate::{MeetingId, MeetingUuid, Page, UserId};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/", $name, ".json"))
    };
}

fn read<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

/// Reads, writes, and asserts that nothing was lost but what `lost` names, and what was empty.
fn assert_kept<T: DeserializeOwned + Serialize>(json: &str, lost: &[&str]) {
    let original: Value = read(json);
    let written = serde_json::to_value(read::<T>(json)).unwrap();
    let mut missing = vec![];
    compare("", &original, &written, &mut missing);
    assert_eq!(missing, lost);
    let again = serde_json::to_value(serde_json::from_value::<T>(written.clone()).unwrap()).unwrap();
    assert_eq!(again, written, "what was written is read as the same");
}

fn compare(path: &str, original: &Value, written: &Value, missing: &mut Vec<String>) {
    match (original, written) {
        (Value::String(text), Value::Null) if text.is_empty() => {}
        (Value::Object(fields), Value::Object(others)) => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                match others.get(name) {
                    Some(other) => compare(&path, value, other, missing),
                    None => missing.push(path),
                }
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (item, other) in items.iter().zip(others) {
                compare(&format!("{path}[]"), item, other, missing);
            }
        }
        (original, written) if original == written => {}
        _ => missing.push(path.to_owned()),
    }
}

#[test]
fn a_user_is_read_and_written_back() {
    let user: User = read(fixture!("user"));
    assert_eq!(user.id, Some(UserId::new("simHostUserId_0000001")));
    assert_eq!(
        (user.name().as_deref(), user.is_licensed()),
        (Some("Hugo Host"), true)
    );
    assert_eq!(
        (user.verified, user.pmi),
        (Some(true), Some(MeetingId::new(5_551_234_567)))
    );
    assert_eq!(user.status, Some(UserStatus::Active));
    let lost = [
        "im_group_ids",
        "jid",
        "last_client_version",
        "login_types",
        "phone_country",
        "phone_number",
    ];
    // `verified` is written as a yes or no, the unmodelled fields are dropped.
    assert_kept::<User>(
        fixture!("user"),
        &[&["cms_user_id"], &lost[..], &["verified"]].concat(),
    );
}

#[test]
fn settings_keep_what_has_no_field() {
    let settings: UserSettings = read(fixture!("user_settings"));
    assert_eq!(settings.recording.cloud_recording, Some(true));
    assert_eq!(settings.recording.auto_recording, Some(AutoRecording::Cloud));
    assert_eq!(settings.recording.recording_audio_transcript, Some(true));
    assert_eq!(settings.feature.concurrent_meeting.as_deref(), Some("Basic"));
    assert_kept::<UserSettings>(fixture!("user_settings"), &[]);
}

#[test]
fn a_meeting_is_written_back_without_its_secrets() {
    let meeting: Meeting = read(fixture!("meeting"));
    assert_eq!(
        meeting.start_url.as_ref().unwrap().expose_secret(),
        "https://us02web.zoom.us/s/85512345678?zak=SIM-CANARY"
    );
    assert_eq!(meeting.password.as_ref().unwrap().expose_secret(), "a1B2c3");
    assert_eq!(
        meeting.join_url.as_ref().unwrap().as_url().query(),
        Some("pwd=SIM-CANARY")
    );
    assert_eq!(
        meeting.settings.as_ref().unwrap().auto_recording,
        Some(AutoRecording::Cloud)
    );
    let shown = format!("{meeting:?}");
    assert!(!shown.contains("CANARY") && !shown.contains("a1B2c3"), "{shown}");
    assert_kept::<Meeting>(
        fixture!("meeting"),
        &[
            "encrypted_password",
            "h323_password",
            "password",
            "pstn_password",
            "settings.alternative_hosts",
            "start_url",
            "tracking_fields[].visible",
        ],
    );
}

#[test]
fn a_series_has_its_dates() {
    let meeting: Meeting = read(fixture!("meeting_recurring"));
    assert_eq!(meeting.id, MeetingId::new(85_512_345_679), "sent as text");
    assert_eq!(meeting.start_time, None);
    let states: Vec<_> = meeting
        .occurrences
        .iter()
        .map(|occurrence| occurrence.status.clone().unwrap())
        .collect();
    assert_eq!(states, [OccurrenceStatus::Available, OccurrenceStatus::Deleted]);
    assert_eq!(
        meeting.recurrence,
        Some(Recurrence::new(RecurrenceType::Daily, 1, 2))
    );
}

#[test]
fn meetings_are_listed() {
    let page: Page<MeetingListItem> = read(fixture!("list_meetings"));
    assert_eq!(
        (page.items.len(), page.total, page.next.is_none()),
        (2, Some(2), true)
    );
    assert_eq!(
        page.items[1].meeting_type,
        Some(MeetingType::RecurringNoFixedTime)
    );
    assert_eq!(
        (page.items[1].start_time, page.items[1].timezone.as_deref()),
        (None, None)
    );
    let first = read::<Value>(fixture!("list_meetings"))["meetings"][0].to_string();
    assert_kept::<MeetingListItem>(&first, &[]);
}

#[test]
fn a_past_meeting_is_read_and_written_back() {
    let meeting: PastMeeting = read(fixture!("past_meeting"));
    assert_eq!(
        (meeting.duration, meeting.participants_count),
        (Some(15), Some(3))
    );
    assert_kept::<PastMeeting>(fixture!("past_meeting"), &[]);
    let page: Page<PastInstance> = read(fixture!("past_meeting_instances"));
    assert_eq!(page.items[1].uuid, MeetingUuid::new("/ajXp112QmuoKj4854875=="));
}

#[test]
fn a_broken_answer_is_refused_without_its_values() {
    let error = serde_json::from_str::<PastMeeting>(fixture!("past_meeting_broken")).unwrap_err();
    let reason = crate::decode::explain(&error);
    assert!(
        !reason.contains("canary") && !reason.contains("not a number"),
        "{reason}"
    );
}

#[test]
fn participants_are_read_and_written_back() {
    for json in [
        fixture!("list_past_participants"),
        fixture!("report_meeting_participants"),
    ] {
        let page: Page<Participant> = read(json);
        let first = &page.items[0];
        assert_eq!((first.name.as_deref(), first.duration), (Some("Ana"), Some(812)));
        assert_eq!(first.status, Some(ParticipantStatus::InMeeting));
        for entry in read::<Value>(json)["participants"].as_array().unwrap() {
            assert_kept::<Participant>(&entry.to_string(), &[]);
        }
    }
    let page: Page<Participant> = read(fixture!("list_past_participants"));
    let guest = &page.items[1];
    assert_eq!(
        (guest.id.as_ref(), guest.user_email.as_ref(), guest.internal_user),
        (None, None, Some(false))
    );
}

#[test]
fn recordings_are_listed_and_written_back_without_their_secrets() {
    let page: RecordingList = read(fixture!("list_recordings"));
    assert!(page.next.is_some());
    let recording = &page.items[0];
    assert_eq!(recording.meeting_type, Some(MeetingType::RecurringFixedTime));
    assert_eq!(
        recording
            .recording_play_passcode
            .as_ref()
            .unwrap()
            .expose_secret(),
        "pL4yPa55c0de"
    );
    assert!(!format!("{page:?}").contains("pL4yPa55c0de"));
    let file = &recording.recording_files[0];
    assert_eq!(
        (&file.file_type, file.file_size, file.is_ready()),
        (&FileType::Mp4, Some(62_914_560), true)
    );
    assert_eq!(
        file.recording_type,
        Some(RecordingType::SharedScreenWithSpeakerView)
    );
    let entry = read::<Value>(fixture!("list_recordings"))["meetings"][0].to_string();
    assert_kept::<Recording>(&entry, &["recording_play_passcode"]);
}

#[test]
fn files_that_are_not_ready_are_read() {
    let page: RecordingList = read(fixture!("list_recordings_last_page"));
    assert!(page.next.is_none());
    let recording = &page.items[0];
    assert_eq!(
        (recording.id, recording.timezone.as_ref()),
        (MeetingId::new(81_234_567_890), None)
    );
    let [ready, running, timeline] = &recording.recording_files[..] else {
        panic!("three files")
    };
    assert!(ready.is_ready() && !running.is_ready() && timeline.is_ready());
    assert_eq!((running.file_type.as_str(), running.recording_end), ("", None));
    assert_eq!(
        (&timeline.file_type, timeline.id.as_ref()),
        (&FileType::Timeline, None)
    );
}

#[test]
fn the_recording_of_a_webhook_is_the_same_type() {
    let recording: Recording = read(fixture!("recording_completed_object"));
    assert_eq!(recording.host_email.as_deref(), Some("host@sim.example"));
    assert!(
        recording
            .recording_files
            .iter()
            .all(|file| file.file_type.is_known())
    );
    assert_eq!(recording.auto_delete_date, Some(jiff::civil::date(2026, 2, 5)));
    assert_kept::<Recording>(
        fixture!("recording_completed_object"),
        &["password", "recording_play_passcode"],
    );
}

#[test]
fn what_is_new_at_zoom_does_not_fail() {
    let page: RecordingList = read(fixture!("list_recordings_unknown"));
    assert_eq!(
        (page.items.len(), page.skipped.len()),
        (1, 1),
        "the entry without identifiers"
    );
    let recording = &page.items[0];
    assert_eq!(recording.meeting_type.map(MeetingType::code), Some(42));
    let [file] = &recording.recording_files[..] else {
        panic!("the odd file is left out")
    };
    assert_eq!((file.file_type.as_str(), file.file_size), ("HOLOGRAM", Some(17)));
    assert_eq!(
        file.recording_type.as_ref().map(RecordingType::as_str),
        Some("hologram(CC)")
    );
}
