//! A recording in JSON: the same object in REST and in webhooks, with other addresses.

use serde_json::{Value, json};

use crate::{
    clock::zoom_time,
    json::Fields as _,
    simulator::Inner,
    world::{Instance, Media, MediaState, Recording, World, minutes},
};

/// Which files are shown, and where their addresses point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// REST: what is there now.
    Rest,
    /// `recording.completed`: all but the transcript.
    AllButTranscript,
    /// `recording.transcript_completed`.
    Transcript,
}

/// A recording, if there is one with such files.
pub(crate) fn recording_object(
    sim: &Inner,
    world: &World,
    instance: &Instance,
    files: Files,
) -> Option<Value> {
    let recording = instance.recording.as_ref()?;
    let shown: Vec<&Media> = recording
        .shown(false)
        .filter(|file| match files {
            Files::Rest => true,
            Files::AllButTranscript => file.file_type != "TRANSCRIPT",
            Files::Transcript => file.file_type == "TRANSCRIPT",
        })
        .collect();
    object(sim, world, instance, recording, &shown, files)
}

/// A recording in the trash.
pub(crate) fn trashed_object(sim: &Inner, world: &World, instance: &Instance) -> Option<Value> {
    let recording = instance.recording.as_ref()?;
    let shown: Vec<&Media> = recording.shown(true).collect();
    object(sim, world, instance, recording, &shown, Files::Rest)
}

fn object(
    sim: &Inner,
    world: &World,
    instance: &Instance,
    recording: &Recording,
    shown: &[&Media],
    files: Files,
) -> Option<Value> {
    if shown.is_empty() {
        return None;
    }
    let rest = files == Files::Rest;
    let as_text = rest && sim.config().quirks.recording_ids_as_strings;
    let number = |number: u64| {
        if as_text {
            json!(number.to_string())
        } else {
            json!(number)
        }
    };
    let mut object = json!({
        "uuid": instance.uuid,
        "id": number(instance.meeting_id),
        "account_id": instance.account_id,
        "host_id": instance.host_id,
        "topic": instance.topic,
        "type": number(u64::from(instance.kind)),
        "start_time": zoom_time(instance.start),
        "timezone": instance.timezone,
        "duration": minutes(recording.start, recording.end),
        "total_size": shown.iter().map(|file| file.content.len()).sum::<usize>(),
        "recording_count": shown.len(),
        "share_url": format!("{}/rec/share/{}", sim.base, recording.share),
        "recording_play_passcode": recording.passcode,
        "auto_delete": false,
        "recording_files": shown.iter().map(|file| file_json(sim, instance, recording, file, rest)).collect::<Vec<_>>(),
    });
    if !rest {
        object.put("host_email", world.host(&instance.host_id).email);
        object.put("on_prem", false);
        object.put("password", instance.password.as_str());
    }
    Some(object)
}

fn file_json(sim: &Inner, instance: &Instance, recording: &Recording, file: &Media, rest: bool) -> Value {
    let mut out = json!({
        "meeting_id": instance.uuid,
        "recording_start": zoom_time(recording.start),
        "recording_end": zoom_time(recording.end),
        "file_type": file.file_type,
        "file_extension": file.extension,
    });
    if file.state == MediaState::Processing {
        out.put("id", file.id.as_str());
        out.put("file_type", "");
        out.put("file_extension", "");
        out.put("recording_end", "");
        out.put("status", "processing");
        return out;
    }
    let kind = if rest { "download" } else { "webhook_download" };
    out.put("download_url", format!("{}/rec/{kind}/{}", sim.base, file.link));
    if let MediaState::Trashed(at) = file.state {
        out.put("deleted_time", zoom_time(at));
    }
    if file.file_type == "TIMELINE" && sim.config().quirks.bare_timeline {
        return out;
    }
    out.put("id", file.id.as_str());
    out.put("file_size", file.content.len());
    out.put("recording_type", file.recording_type);
    out.put("status", "completed");
    if file.file_type != "TIMELINE" {
        out.put("play_url", format!("{}/rec/play/{}", sim.base, file.link));
    }
    out
}
