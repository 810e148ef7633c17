use jiff::Timestamp;
use serde::Deserialize;
use zoom_core::{AccountId, ParticipantId, RegistrantId, UserId, lenient};

use super::meeting::{EventMeeting, MeetingPayload};

/// Somebody came or left. The two may arrive in either order, twice, and after the meeting's end.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "MeetingPayload")]
#[non_exhaustive]
pub struct ParticipantEvent {
    /// The account.
    pub account_id: Option<AccountId>,
    /// The meeting.
    pub meeting: EventMeeting,
    /// Who.
    pub participant: EventParticipant,
}

impl TryFrom<MeetingPayload> for ParticipantEvent {
    type Error = &'static str;

    fn try_from(mut payload: MeetingPayload) -> Result<Self, Self::Error> {
        let participant = payload
            .object
            .participant
            .take()
            .ok_or("missing field `participant`")?;
        Ok(Self {
            account_id: payload.account_id,
            meeting: payload.object.try_into()?,
            participant,
        })
    }
}

/// One stay of somebody in a meeting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventParticipant {
    /// This stay, in this meeting only; another after a rejoin.
    #[serde(deserialize_with = "lenient::option")]
    pub user_id: Option<ParticipantId>,
    /// The name they go by.
    #[serde(deserialize_with = "lenient::text")]
    pub user_name: Option<String>,
    /// The Zoom user, if they are signed in.
    #[serde(deserialize_with = "lenient::option")]
    pub id: Option<UserId>,
    /// The participant, in this meeting only.
    #[serde(deserialize_with = "lenient::text")]
    pub participant_uuid: Option<String>,
    /// When they came.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub join_time: Option<Timestamp>,
    /// When they left.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub leave_time: Option<Timestamp>,
    /// Why they left, in words for people.
    #[serde(deserialize_with = "lenient::text")]
    pub leave_reason: Option<String>,
    /// E-mail address; absent for guests from outside the account.
    #[serde(deserialize_with = "lenient::text")]
    pub email: Option<String>,
    /// Their registration.
    #[serde(deserialize_with = "lenient::option")]
    pub registrant_id: Option<RegistrantId>,
    /// The Zoom user once more.
    #[serde(deserialize_with = "lenient::option")]
    pub participant_user_id: Option<UserId>,
    /// The host application's own key, where the SDK set one.
    #[serde(deserialize_with = "lenient::text")]
    pub customer_key: Option<String>,
    /// Where they dialled in from.
    #[serde(deserialize_with = "lenient::text")]
    pub phone_number: Option<String>,
}
