use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    AccountId, DownloadToken, MeetingId, MeetingUuid, Page, PageItem, Passcode, RecordingFileId, UserId,
    lenient, model::MeetingType, open_enum,
};

/// A page of a user's recordings.
pub type RecordingList = Page<Recording>;

/// The cloud recording of one instance of a meeting, as the API lists it and as `recording.*` webhooks carry it.
///
/// Order and completeness of the files vary: a recording that was stopped and started again has several of a kind, and
/// transcripts come later than media.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recording {
    /// The instance that was recorded.
    pub uuid: MeetingUuid,
    /// The meeting's number.
    pub id: MeetingId,
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// Who hosted it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub host_id: Option<UserId>,
    /// The host's e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub host_email: Option<String>,
    /// What it was about.
    #[serde(default, deserialize_with = "lenient::text")]
    pub topic: Option<String>,
    /// Instant, scheduled, recurring, uploaded…
    #[serde(default, rename = "type", deserialize_with = "lenient::option")]
    pub meeting_type: Option<MeetingType>,
    /// When the meeting began.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub start_time: Option<Timestamp>,
    /// Time zone of the meeting, as an IANA name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub timezone: Option<String>,
    /// How long it took, in minutes.
    #[serde(default, deserialize_with = "lenient::number")]
    pub duration: Option<u32>,
    /// Bytes of all files.
    #[serde(default, deserialize_with = "lenient::number")]
    pub total_size: Option<u64>,
    /// How many files.
    #[serde(default, deserialize_with = "lenient::number")]
    pub recording_count: Option<u32>,
    /// Page on which people watch it.
    #[serde(default, deserialize_with = "lenient::url")]
    pub share_url: Option<Url>,
    /// Whether it is kept on the customer's own machines.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub on_prem: Option<bool>,
    /// The files.
    #[serde(default, deserialize_with = "lenient::list")]
    pub recording_files: Vec<RecordingFile>,
    /// One audio file per participant, where the host records them apart.
    #[serde(default, deserialize_with = "lenient::list")]
    pub participant_audio_files: Vec<RecordingFile>,
    /// What people type to watch it. Never written.
    #[serde(default, deserialize_with = "lenient::option", skip_serializing)]
    pub password: Option<Passcode>,
    /// The same for links. Never written.
    #[serde(default, deserialize_with = "lenient::option", skip_serializing)]
    pub recording_play_passcode: Option<Passcode>,
    /// Opens the files of this recording, if it was asked for. Never written.
    #[serde(default, deserialize_with = "lenient::option", skip_serializing)]
    pub download_access_token: Option<DownloadToken>,
    /// Whether it disappears by itself.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub auto_delete: Option<bool>,
    /// The day on which it does.
    #[serde(default, deserialize_with = "lenient::option")]
    pub auto_delete_date: Option<Date>,
}

impl Recording {
    /// A recording without files, for tests and stubs.
    #[must_use]
    pub const fn new(uuid: MeetingUuid, id: MeetingId) -> Self {
        Self {
            uuid,
            id,
            account_id: None,
            host_id: None,
            host_email: None,
            topic: None,
            meeting_type: None,
            start_time: None,
            timezone: None,
            duration: None,
            total_size: None,
            recording_count: None,
            share_url: None,
            on_prem: None,
            recording_files: vec![],
            participant_audio_files: vec![],
            password: None,
            recording_play_passcode: None,
            download_access_token: None,
            auto_delete: None,
            auto_delete_date: None,
        }
    }
}

impl PageItem for Recording {
    const KEY: &'static str = "meetings";
}

/// One file of a recording. Zoom leaves out about anything while it is still at work, and for time lines and captions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecordingFile {
    /// Names the file; time lines and captions may have none.
    #[serde(deserialize_with = "lenient::option")]
    pub id: Option<RecordingFileId>,
    /// The instance's uuid, despite its name.
    #[serde(deserialize_with = "lenient::option")]
    pub meeting_id: Option<MeetingUuid>,
    /// When this stretch of recording began.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub recording_start: Option<Timestamp>,
    /// When it ended; absent while it is running.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub recording_end: Option<Timestamp>,
    /// What it is; empty while it is being made.
    #[serde(deserialize_with = "lenient::or_default")]
    pub file_type: FileType,
    /// Extension for its name, such as `MP4`.
    #[serde(deserialize_with = "lenient::text")]
    pub file_extension: Option<String>,
    /// Bytes; exact for media.
    #[serde(deserialize_with = "lenient::number")]
    pub file_size: Option<u64>,
    /// What it shows or holds.
    #[serde(deserialize_with = "lenient::option")]
    pub recording_type: Option<RecordingType>,
    /// Whether it is ready.
    #[serde(deserialize_with = "lenient::option")]
    pub status: Option<RecordingStatus>,
    /// Page on which people play it.
    #[serde(deserialize_with = "lenient::url")]
    pub play_url: Option<Url>,
    /// Where it is had, with a token in the header.
    #[serde(deserialize_with = "lenient::url")]
    pub download_url: Option<Url>,
    /// Its name, with webhooks and participants' audio.
    #[serde(deserialize_with = "lenient::text")]
    pub file_name: Option<String>,
    /// When it was moved to the trash.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub deleted_time: Option<Timestamp>,
}

impl RecordingFile {
    /// A file of which nothing else is known, for tests and stubs.
    #[must_use]
    pub fn new(file_type: FileType) -> Self {
        Self {
            file_type,
            ..Self::default()
        }
    }

    /// Whether Zoom is done with it: a file that says nothing about itself is, if it can be downloaded.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.download_url.is_some()
            && self
                .status
                .as_ref()
                .is_none_or(|status| *status == RecordingStatus::Completed)
            && !self.file_type.as_str().is_empty()
    }
}

open_enum! {
    /// What a file of a recording is.
    pub enum FileType {
        /// Video.
        Mp4 => "MP4",
        /// Audio.
        M4a => "M4A",
        /// Who spoke when (JSON).
        Timeline => "TIMELINE",
        /// What was said (WebVTT).
        Transcript => "TRANSCRIPT",
        /// What was written (text).
        Chat => "CHAT",
        /// Closed captions (WebVTT).
        ClosedCaption => "CC",
        /// Polls (CSV).
        Csv => "CSV",
        /// A small picture.
        Thumbnail => "TB",
        /// What was written (JSON).
        ChatMessage => "CHAT_MESSAGE",
        /// Zoom's own summary (JSON).
        Summary => "SUMMARY",
    }

    /// What a file of a recording shows or holds.
    pub enum RecordingType {
        /// Screen and speaker, with captions.
        SharedScreenWithSpeakerViewCc => "shared_screen_with_speaker_view(CC)",
        /// Screen and speaker.
        SharedScreenWithSpeakerView => "shared_screen_with_speaker_view",
        /// Screen and everybody.
        SharedScreenWithGalleryView => "shared_screen_with_gallery_view",
        /// Whoever speaks.
        ActiveSpeaker => "active_speaker",
        /// Whoever speaks.
        SpeakerView => "speaker_view",
        /// Everybody.
        GalleryView => "gallery_view",
        /// The screen.
        SharedScreen => "shared_screen",
        /// Sound.
        AudioOnly => "audio_only",
        /// Sound of one participant.
        AudioOnlyEachParticipant => "audio_only_each_participant",
        /// What was said.
        AudioTranscript => "audio_transcript",
        /// What was written.
        ChatFile => "chat_file",
        /// Polls.
        Poll => "poll",
        /// The host.
        HostVideo => "host_video",
        /// Captions.
        ClosedCaption => "closed_caption",
        /// Captions as a transcript.
        CcTranscript => "cc_transcript",
        /// Who spoke when.
        Timeline => "timeline",
        /// A small picture.
        Thumbnail => "thumbnail",
        /// An interpreter's sound.
        AudioInterpretation => "audio_interpretation",
        /// An interpreter's signs.
        SignInterpretation => "sign_interpretation",
        /// Zoom's own summary.
        Summary => "summary",
        /// Zoom's own next steps.
        SummaryNextSteps => "summary_next_steps",
        /// Zoom's own chapters.
        SummarySmartChapters => "summary_smart_chapters",
        /// The production studio's picture.
        ProductionStudio => "production_studio",
        /// What was written, as JSON.
        ChatMessage => "chat_message",
        /// What was said to Zoom's AI.
        AicConversation => "aic_conversation",
    }

    /// Whether a file is ready.
    pub enum RecordingStatus {
        /// Yes.
        Completed => "completed",
        /// Zoom is at work.
        Processing => "processing",
    }
}

/// Empty, as Zoom sends it while it does not know yet.
impl Default for FileType {
    fn default() -> Self {
        Self::from("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_ready_when_it_can_be_had() {
        let mut file = RecordingFile::new(FileType::Mp4);
        assert!(!file.is_ready());
        file.download_url = Some("https://us02web.zoom.us/rec/download/SIM1".parse().unwrap());
        assert!(file.is_ready(), "captions come without a status");
        file.status = Some(RecordingStatus::Processing);
        assert!(!file.is_ready());
        file.status = Some(RecordingStatus::Completed);
        assert!(file.is_ready());
        file.file_type = FileType::default();
        assert!(!file.is_ready());
    }
}
