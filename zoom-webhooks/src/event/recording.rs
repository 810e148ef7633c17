use jiff::Timestamp;
use serde::Deserialize;
use zoom_core::{
    AccountId, DownloadToken, MeetingId, MeetingUuid, RecordingFileId, RegistrantId, UserId, lenient,
    model::{Recording, RecordingFile},
};

use super::meeting::{EventMeeting, MeetingPayload};
use crate::head::event_time;

/// Something happened to a recording.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct RecordingEvent {
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// Who did it, as an e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub operator: Option<String>,
    /// Who did it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub operator_id: Option<UserId>,
    /// The recording, with the files this event is about.
    #[serde(rename = "object")]
    pub recording: Recording,
    /// Opens the files for 24 hours. Out of an [`Inbox`](crate::Inbox) there is none: use the connection's token.
    #[serde(skip)]
    pub download_token: Option<DownloadToken>,
}

/// Recording began, pauses, goes on or is over.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "MeetingPayload")]
#[non_exhaustive]
pub struct RecordingProgress {
    /// The account.
    pub account_id: Option<AccountId>,
    /// The meeting; its duration may be 0.
    pub meeting: EventMeeting,
    /// What has been recorded so far.
    pub recording: RecordingSpan,
}

impl TryFrom<MeetingPayload> for RecordingProgress {
    type Error = &'static str;

    fn try_from(mut payload: MeetingPayload) -> Result<Self, Self::Error> {
        let recording = payload.object.recording_file.take().unwrap_or_default();
        Ok(Self {
            account_id: payload.account_id,
            meeting: payload.object.try_into()?,
            recording,
        })
    }
}

/// A stretch of recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecordingSpan {
    /// When it began.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub recording_start: Option<Timestamp>,
    /// When it ended; absent while it is running.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub recording_end: Option<Timestamp>,
}

/// A recording has another topic.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct RecordingRenamed {
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// Who did it, as an e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub operator: Option<String>,
    /// Who did it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub operator_id: Option<UserId>,
    /// When.
    #[serde(default, deserialize_with = "event_time")]
    pub time_stamp: Option<Timestamp>,
    /// The meeting with its new topic.
    #[serde(rename = "object")]
    pub meeting: EventMeeting,
    /// The meeting with its old topic.
    #[serde(default, rename = "old_object")]
    pub old: Option<EventMeeting>,
}

/// Recordings of several meetings were deleted or came back.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "BatchPayload")]
#[non_exhaustive]
pub struct RecordingBatch {
    /// The account.
    pub account_id: Option<AccountId>,
    /// Who did it, as an e-mail address.
    pub operator: Option<String>,
    /// Who did it.
    pub operator_id: Option<UserId>,
    /// How, such as `trash_user_recordings`.
    pub operation: Option<String>,
    /// The meetings.
    pub meetings: Vec<BatchMeeting>,
}

/// One meeting of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BatchMeeting {
    /// The instance.
    pub meeting_uuid: MeetingUuid,
    /// The files; none means all of them.
    #[serde(default, deserialize_with = "lenient::list")]
    pub recording_file_ids: Vec<RecordingFileId>,
}

#[derive(Deserialize)]
struct BatchPayload {
    #[serde(default, deserialize_with = "lenient::option")]
    account_id: Option<AccountId>,
    #[serde(default, deserialize_with = "lenient::text")]
    operator: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    operator_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    operation: Option<String>,
    object: BatchObject,
}

/// Trashing names the meetings only, the others name files too.
#[derive(Deserialize)]
struct BatchObject {
    #[serde(default)]
    meeting_uuids: Vec<MeetingUuid>,
    #[serde(default)]
    meetings: Vec<BatchMeeting>,
}

impl From<BatchPayload> for RecordingBatch {
    fn from(payload: BatchPayload) -> Self {
        let mut meetings = payload.object.meetings;
        let whole = payload.object.meeting_uuids.into_iter();
        meetings.extend(whole.map(|meeting_uuid| BatchMeeting {
            meeting_uuid,
            recording_file_ids: vec![],
        }));
        Self {
            account_id: payload.account_id,
            operator: payload.operator,
            operator_id: payload.operator_id,
            operation: payload.operation,
            meetings,
        }
    }
}

/// The account's cloud storage fills up, or empties.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct StorageUsageUpdated {
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// How full it is.
    #[serde(rename = "object")]
    pub usage: StorageUsage,
}

/// How full the cloud storage is. Sizes are texts such as `38.5 GB`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StorageUsage {
    /// What is left.
    #[serde(deserialize_with = "lenient::text")]
    pub free_storage: Option<String>,
    /// What the plan has.
    #[serde(deserialize_with = "lenient::text")]
    pub plan_storage: Option<String>,
    /// The plan.
    #[serde(deserialize_with = "lenient::text")]
    pub plan_type: Option<String>,
    /// What is used.
    #[serde(deserialize_with = "lenient::text")]
    pub storage_used: Option<String>,
    /// The same in per cent.
    #[serde(deserialize_with = "lenient::number")]
    pub storage_used_percentage: Option<u32>,
    /// What is used beyond the plan.
    #[serde(deserialize_with = "lenient::text")]
    pub storage_exceed: Option<String>,
    /// Until when that is allowed, as a date.
    #[serde(deserialize_with = "lenient::text")]
    pub max_exceed_date: Option<String>,
}

/// Somebody registered to watch a recording.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "MeetingPayload")]
#[non_exhaustive]
pub struct RecordingRegistration {
    /// The account.
    pub account_id: Option<AccountId>,
    /// The meeting that was recorded.
    pub meeting: EventMeeting,
    /// Who.
    pub registrant: Registrant,
}

impl TryFrom<MeetingPayload> for RecordingRegistration {
    type Error = &'static str;

    fn try_from(mut payload: MeetingPayload) -> Result<Self, Self::Error> {
        let registrant = payload
            .object
            .registrant
            .take()
            .ok_or("missing field `registrant`")?;
        Ok(Self {
            account_id: payload.account_id,
            meeting: payload.object.try_into()?,
            registrant,
        })
    }
}

/// Somebody who registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Registrant {
    /// The registration.
    #[serde(deserialize_with = "lenient::option")]
    pub id: Option<RegistrantId>,
    /// E-mail address.
    #[serde(deserialize_with = "lenient::text")]
    pub email: Option<String>,
    /// First name.
    #[serde(deserialize_with = "lenient::text")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(deserialize_with = "lenient::text")]
    pub last_name: Option<String>,
    /// Whether they were let in, such as `pending`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
}

/// Files for the archive can be downloaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "ArchivePayload")]
#[non_exhaustive]
pub struct ArchiveFilesCompleted {
    /// The account.
    pub account_id: Option<AccountId>,
    /// The instance.
    pub uuid: MeetingUuid,
    /// The number people dialled.
    pub id: Option<MeetingId>,
    /// Who hosted it.
    pub host_id: Option<UserId>,
    /// What it was about.
    pub topic: Option<String>,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// How long it took, in seconds.
    pub duration_in_second: Option<u64>,
    /// When the files were ready.
    pub complete_time: Option<Timestamp>,
    /// The files.
    pub files: Vec<ArchiveFile>,
    /// Opens the files for 24 hours. Out of an [`Inbox`](crate::Inbox) there is none: use the connection's token.
    pub download_token: Option<DownloadToken>,
}

/// One file for the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ArchiveFile {
    /// What all files of recordings have.
    #[serde(flatten)]
    pub file: RecordingFile,
    /// Whether it is of one participant.
    #[serde(deserialize_with = "lenient::boolean")]
    pub individual: Option<bool>,
    /// That participant.
    #[serde(deserialize_with = "lenient::text")]
    pub participant_email: Option<String>,
    /// When they came.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub participant_join_time: Option<Timestamp>,
    /// When they left.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub participant_leave_time: Option<Timestamp>,
    /// Where it is kept, such as `US`.
    #[serde(deserialize_with = "lenient::text")]
    pub storage_location: Option<String>,
}

#[derive(Deserialize)]
struct ArchivePayload {
    #[serde(default, deserialize_with = "lenient::option")]
    account_id: Option<AccountId>,
    object: ArchiveObject,
}

#[derive(Deserialize)]
struct ArchiveObject {
    uuid: MeetingUuid,
    #[serde(default, deserialize_with = "lenient::option")]
    id: Option<MeetingId>,
    #[serde(default, deserialize_with = "lenient::option")]
    host_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    topic: Option<String>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    start_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::number")]
    duration_in_second: Option<u64>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    complete_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::list")]
    archive_files: Vec<ArchiveFile>,
}

impl From<ArchivePayload> for ArchiveFilesCompleted {
    fn from(payload: ArchivePayload) -> Self {
        let object = payload.object;
        Self {
            account_id: payload.account_id,
            uuid: object.uuid,
            id: object.id,
            host_id: object.host_id,
            topic: object.topic,
            start_time: object.start_time,
            duration_in_second: object.duration_in_second,
            complete_time: object.complete_time,
            files: object.archive_files,
            download_token: None,
        }
    }
}
