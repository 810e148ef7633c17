use serde_json::{Value, json};

use super::*;

fn recording(files: Value) -> Recording {
    serde_json::from_value(json!({"uuid": "SIMa==", "id": 85_512_345_678_u64, "recording_files": files}))
        .unwrap()
}

fn file(id: &str, kind: &str, size: u64, start: &str, shows: &str) -> Value {
    json!({"id": id, "file_type": kind, "file_size": size, "recording_start": start, "recording_type": shows,
        "status": "completed", "download_url": format!("https://zoom.us/rec/download/{id}")})
}

fn id(file: Option<&RecordingFile>) -> Option<String> {
    Some(file?.id.as_ref()?.to_string())
}

const START: &str = "2026-11-20T10:00:00Z";

#[test]
fn the_smallest_file_with_the_sound_is_chosen_audio_first() {
    let chosen = choose_files(&recording(json!([
        file("screen", "MP4", 100, START, "shared_screen"),
        file("interpreter", "M4A", 10, START, "audio_interpretation"),
        file("other", "M4A", 200, START, "production_studio"),
        file("audio", "M4A", 300, START, "audio_only"),
    ])));
    assert_eq!(id(chosen.media()).as_deref(), Some("audio"));

    let videos = choose_files(&recording(json!([
        file("host", "MP4", 10, START, "host_video"),
        file("big", "MP4", 900, START, "gallery_view"),
        file("small", "MP4", 300, START, "active_speaker"),
    ])));
    assert_eq!(id(videos.media()).as_deref(), Some("small"));
}

#[test]
fn text_files_are_found_and_the_rest_is_left_alone() {
    let chosen = choose_files(&recording(json!([
        file("captions", "CC", 5, START, "closed_caption"),
        file("cc transcript", "TRANSCRIPT", 1, START, "cc_transcript"),
        file("transcript", "TRANSCRIPT", 5, START, "audio_transcript"),
        file("chat", "CHAT", 5, START, "chat_file"),
        {"file_type": "TIMELINE", "recording_start": START, "download_url": "https://zoom.us/rec/download/t"},
        file("summary", "SUMMARY", 5, START, "summary"),
        file("polls", "CSV", 5, START, "poll"),
        file("new", "HOLOGRAM", 5, START, "hologram"),
    ])));
    assert_eq!(id(chosen.transcript()).as_deref(), Some("transcript"));
    assert_eq!(id(chosen.chat()).as_deref(), Some("chat"));
    assert!(chosen.timeline().is_some());
    assert_eq!(
        id(chosen.segments[0].captions.as_ref()).as_deref(),
        Some("captions")
    );
    assert_eq!(chosen.media(), None);
    assert!(chosen.unfinished.is_empty());
}

#[test]
fn what_zoom_is_still_at_work_on_is_listed_apart() {
    let mut processing = file("audio", "M4A", 5, START, "audio_only");
    processing["status"] = json!("processing");
    let chosen = choose_files(&recording(json!([
        processing,
        {"file_type": "", "recording_start": START},
        file("empty", "M4A", 0, START, "audio_only"),
    ])));
    assert!(chosen.is_empty());
    assert_eq!(chosen.unfinished.len(), 3);
}

#[test]
fn a_recording_that_was_stopped_and_started_again_has_segments() {
    let again = "2026-11-20T10:30:00Z";
    let chosen = choose_files(&recording(json!([
        file("chat 2", "CHAT", 5, "2026-11-20T10:31:00Z", "chat_file"),
        file("audio 2", "M4A", 5, again, "audio_only"),
        file("video 1", "MP4", 5, START, "active_speaker"),
        file("audio 1", "M4A", 9, START, "audio_only"),
        file("transcript 2", "TRANSCRIPT", 5, again, "audio_transcript"),
        file("transcript 1", "TRANSCRIPT", 9, START, "audio_transcript"),
    ])));
    let got: Vec<_> = chosen
        .segments
        .iter()
        .map(|s| {
            (
                s.offset_ms,
                id(s.media.as_ref()),
                id(s.transcript.as_ref()),
                id(s.chat.as_ref()),
            )
        })
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        got,
        [
            (0, some("audio 1"), some("transcript 1"), None),
            (1_800_000, some("audio 2"), some("transcript 2"), some("chat 2")),
        ]
    );
}

#[test]
fn a_transcript_that_comes_alone_is_a_segment_and_files_without_times_are_one() {
    let alone = choose_files(&recording(json!([file(
        "transcript",
        "TRANSCRIPT",
        5,
        START,
        "audio_transcript"
    )])));
    assert_eq!(
        (alone.segments.len(), id(alone.transcript()).as_deref()),
        (1, Some("transcript"))
    );
    let timeless = choose_files(&recording(json!([
        file("audio", "M4A", 5, "", "audio_only"),
        file("transcript", "TRANSCRIPT", 5, "", "audio_transcript"),
    ])));
    assert_eq!(timeless.segments.len(), 1);
    assert!(timeless.media().is_some() && timeless.transcript().is_some());
}
