use serde::{Deserialize, Serialize};

use crate::{lenient, model::OtherFields, open_enum};

/// How a meeting is run. What is `None` is not sent, so Zoom's default or the present value stays.
///
/// Zoom has some seventy of these. The ones products rely on are fields; [`other`](Self::other) keeps and sends the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MeetingSettings {
    /// Whether the host's camera is on from the beginning.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub host_video: Option<bool>,
    /// Whether the participants' cameras are.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub participant_video: Option<bool>,
    /// Whether people may come before the host; has no effect with a waiting room.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub join_before_host: Option<bool>,
    /// How many minutes before the start they may: 5, 10, 15, or 0 for any.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub jbh_time: Option<u32>,
    /// Whether people are muted when they come in.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub mute_upon_entry: Option<bool>,
    /// Whether the host's personal meeting id is used.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub use_pmi: Option<bool>,
    /// Registration: 0 admits everybody who registers, 1 asks the host, 2 needs none.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub approval_type: Option<u32>,
    /// How people hear each other.
    #[serde(deserialize_with = "lenient::option", skip_serializing_if = "Option::is_none")]
    pub audio: Option<Audio>,
    /// What is recorded without anybody pressing a button.
    #[serde(deserialize_with = "lenient::option", skip_serializing_if = "Option::is_none")]
    pub auto_recording: Option<AutoRecording>,
    /// Who else may start it: e-mail addresses or ids, separated by semicolons.
    #[serde(deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub alternative_hosts: Option<String>,
    /// Whether the host lets people in.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub waiting_room: Option<bool>,
    /// Whether people must sign in.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub meeting_authentication: Option<bool>,
    /// Whether Zoom writes mail to the alternative hosts and others.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub email_notification: Option<bool>,
    /// Whether Zoom itself can hear it. End-to-end encryption excludes cloud recording.
    #[serde(deserialize_with = "lenient::option", skip_serializing_if = "Option::is_none")]
    pub encryption_type: Option<EncryptionType>,
    /// Everything else.
    #[serde(flatten)]
    pub other: OtherFields,
}

open_enum! {
    /// How people hear each other.
    pub enum Audio {
        /// Telephone and computer.
        Both => "both",
        /// Telephone.
        Telephony => "telephony",
        /// Computer.
        Voip => "voip",
        /// A service of somebody else.
        ThirdParty => "thirdParty",
    }

    /// What is recorded without anybody pressing a button.
    pub enum AutoRecording {
        /// To the host's computer.
        Local => "local",
        /// To Zoom's cloud, from where it can be had.
        Cloud => "cloud",
        /// Nothing.
        None => "none",
    }

    /// Whether Zoom itself can hear a meeting.
    pub enum EncryptionType {
        /// It can.
        Enhanced => "enhanced_encryption",
        /// It cannot: no recording, no transcript.
        EndToEnd => "e2ee",
    }
}
