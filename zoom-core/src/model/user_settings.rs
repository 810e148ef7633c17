use serde::{Deserialize, Serialize};

use crate::{lenient, model::AutoRecording, model::OtherFields};

/// A user's settings: the groups worth reading before relying on recordings, and the rest as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UserSettings {
    /// What is recorded.
    #[serde(deserialize_with = "lenient::or_default")]
    pub recording: RecordingSettings,
    /// What the plan allows.
    #[serde(deserialize_with = "lenient::or_default")]
    pub feature: FeatureSettings,
    /// The other groups: `in_meeting`, `schedule_meeting`, `email_notification`…
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The group `recording`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecordingSettings {
    /// Whether recording to the cloud is allowed at all.
    #[serde(deserialize_with = "lenient::boolean")]
    pub cloud_recording: Option<bool>,
    /// Whether recording to the host's computer is allowed.
    #[serde(deserialize_with = "lenient::boolean")]
    pub local_recording: Option<bool>,
    /// What is recorded without anybody pressing a button.
    #[serde(deserialize_with = "lenient::option")]
    pub auto_recording: Option<AutoRecording>,
    /// Whether Zoom makes a transcript of each cloud recording.
    #[serde(deserialize_with = "lenient::boolean")]
    pub recording_audio_transcript: Option<bool>,
    /// Whether the chat is kept.
    #[serde(deserialize_with = "lenient::boolean")]
    pub save_chat_text: Option<bool>,
    /// Whether there is a file with audio only.
    #[serde(deserialize_with = "lenient::boolean")]
    pub record_audio_file: Option<bool>,
    /// Whether there is a time line of who spoke.
    #[serde(deserialize_with = "lenient::boolean")]
    pub show_timestamp: Option<bool>,
    /// Zoom's own analysis of recordings.
    #[serde(deserialize_with = "lenient::or_default")]
    pub smart_recording: SmartRecording,
    /// Whether recordings disappear by themselves.
    #[serde(deserialize_with = "lenient::boolean")]
    pub auto_delete_cmr: Option<bool>,
    /// After how many days they do.
    #[serde(deserialize_with = "lenient::number")]
    pub auto_delete_cmr_days: Option<u32>,
    /// The rest.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The group `recording.smart_recording`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SmartRecording {
    /// Highlights.
    #[serde(deserialize_with = "lenient::boolean")]
    pub create_recording_highlights: Option<bool>,
    /// Chapters.
    #[serde(deserialize_with = "lenient::boolean")]
    pub create_smart_chapters: Option<bool>,
    /// Next steps.
    #[serde(deserialize_with = "lenient::boolean")]
    pub create_next_steps: Option<bool>,
    /// The rest.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The group `feature`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FeatureSettings {
    /// How many people fit into a meeting.
    #[serde(deserialize_with = "lenient::number")]
    pub meeting_capacity: Option<u32>,
    /// Whether larger meetings were bought.
    #[serde(deserialize_with = "lenient::boolean")]
    pub large_meeting: Option<bool>,
    /// Whether webinars were bought.
    #[serde(deserialize_with = "lenient::boolean")]
    pub webinar: Option<bool>,
    /// Level of meetings at the same time, `Basic`, `Plus` or `None`.
    #[serde(deserialize_with = "lenient::text")]
    pub concurrent_meeting: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub other: OtherFields,
}
