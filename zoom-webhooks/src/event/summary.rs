use jiff::Timestamp;
use serde::Deserialize;
use url::Url;
use zoom_core::{AccountId, MeetingId, MeetingUuid, UserId, lenient};

/// Zoom's AI has summarised a meeting.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct MeetingSummaryEvent {
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// The summary.
    #[serde(rename = "object")]
    pub summary: MeetingSummary,
}

/// What Zoom's AI made of a meeting: in Markdown, or in its older form in parts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MeetingSummary {
    /// Who hosted it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub meeting_host_id: Option<UserId>,
    /// The host's e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub meeting_host_email: Option<String>,
    /// The instance.
    pub meeting_uuid: MeetingUuid,
    /// The number people dialled.
    #[serde(default, deserialize_with = "lenient::option")]
    pub meeting_id: Option<MeetingId>,
    /// What it was about.
    #[serde(default, deserialize_with = "lenient::text")]
    pub meeting_topic: Option<String>,
    /// When it began.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub meeting_start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub meeting_end_time: Option<Timestamp>,
    /// From when on the AI listened.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub summary_start_time: Option<Timestamp>,
    /// Until when.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub summary_end_time: Option<Timestamp>,
    /// When it was written.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub summary_created_time: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub summary_last_modified_time: Option<Timestamp>,
    /// Its heading.
    #[serde(default, deserialize_with = "lenient::text")]
    pub summary_title: Option<String>,
    /// The whole of it in Markdown.
    #[serde(default, deserialize_with = "lenient::text")]
    pub summary_content: Option<String>,
    /// Where people read it.
    #[serde(default, deserialize_with = "lenient::url")]
    pub summary_doc_url: Option<Url>,
    /// The whole of it in a few sentences (older form).
    #[serde(default, deserialize_with = "lenient::text")]
    pub summary_overview: Option<String>,
    /// By subject (older form).
    #[serde(default, deserialize_with = "lenient::list")]
    pub summary_details: Vec<SummaryDetail>,
    /// What was agreed (older form).
    #[serde(default, deserialize_with = "lenient::list")]
    pub next_steps: Vec<String>,
}

/// One subject of a summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SummaryDetail {
    /// The subject.
    #[serde(deserialize_with = "lenient::text")]
    pub label: Option<String>,
    /// What was said about it.
    #[serde(deserialize_with = "lenient::text")]
    pub summary: Option<String>,
}

/// Zoom's AI has written down a meeting that was not recorded.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct MeetingTranscriptEvent {
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// Where it is.
    #[serde(rename = "object")]
    pub transcript: MeetingTranscript,
}

/// Names a transcript that exists without a recording.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MeetingTranscript {
    /// Who hosted the meeting.
    #[serde(default, deserialize_with = "lenient::option")]
    pub host_id: Option<UserId>,
    /// The instance.
    pub meeting_uuid: MeetingUuid,
    /// The number people dialled.
    #[serde(default, deserialize_with = "lenient::option")]
    pub meeting_id: Option<MeetingId>,
    /// What it was about.
    #[serde(default, deserialize_with = "lenient::text")]
    pub meeting_topic: Option<String>,
    /// When it began.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub meeting_start_time: Option<Timestamp>,
    /// The file.
    #[serde(default, deserialize_with = "lenient::text")]
    pub file_id: Option<String>,
    /// What kind of file, such as `durable_transcript`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub attach_type: Option<String>,
}
