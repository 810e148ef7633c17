use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{AccountId, Link, MeetingId, PageItem, UserId, lenient, open_enum, open_enum::open_code};

/// A user of a Zoom account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct User {
    /// Absent for users who have not accepted their invitation.
    #[serde(deserialize_with = "lenient::option")]
    pub id: Option<UserId>,
    /// First name.
    #[serde(deserialize_with = "lenient::text")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(deserialize_with = "lenient::text")]
    pub last_name: Option<String>,
    /// The name others see.
    #[serde(deserialize_with = "lenient::text")]
    pub display_name: Option<String>,
    /// E-mail address.
    #[serde(deserialize_with = "lenient::text")]
    pub email: Option<String>,
    /// Which licence the user has.
    #[serde(rename = "type", deserialize_with = "lenient::option")]
    pub user_type: Option<UserType>,
    /// Name of the user's role, such as `Owner`.
    #[serde(deserialize_with = "lenient::text")]
    pub role_name: Option<String>,
    /// Id of the user's role; `0` is the owner, `1` an administrator.
    #[serde(deserialize_with = "lenient::text")]
    pub role_id: Option<String>,
    /// The personal meeting's id.
    #[serde(deserialize_with = "lenient::option")]
    pub pmi: Option<MeetingId>,
    /// Whether instant meetings use the personal meeting's id.
    #[serde(deserialize_with = "lenient::boolean")]
    pub use_pmi: Option<bool>,
    /// The personal meeting's link, with its passcode.
    #[serde(deserialize_with = "lenient::link")]
    pub personal_meeting_url: Option<Link>,
    /// Time zone, as an IANA name.
    #[serde(deserialize_with = "lenient::text")]
    pub timezone: Option<String>,
    /// Whether the e-mail address was verified.
    #[serde(deserialize_with = "lenient::boolean")]
    pub verified: Option<bool>,
    /// Department.
    #[serde(deserialize_with = "lenient::text")]
    pub dept: Option<String>,
    /// When the user came to the account.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// When the user came to Zoom.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub user_created_at: Option<Timestamp>,
    /// Last sign-in.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub last_login_time: Option<Timestamp>,
    /// Picture.
    #[serde(deserialize_with = "lenient::url")]
    pub pic_url: Option<Url>,
    /// Groups the user is in.
    #[serde(deserialize_with = "lenient::or_default")]
    pub group_ids: Vec<String>,
    /// The account the user belongs to.
    #[serde(deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// The account's number.
    #[serde(deserialize_with = "lenient::number")]
    pub account_number: Option<u64>,
    /// Language, such as `en-US`.
    #[serde(deserialize_with = "lenient::text")]
    pub language: Option<String>,
    /// Whether the user can work.
    #[serde(deserialize_with = "lenient::option")]
    pub status: Option<UserStatus>,
    /// Job title.
    #[serde(deserialize_with = "lenient::text")]
    pub job_title: Option<String>,
    /// Company.
    #[serde(deserialize_with = "lenient::text")]
    pub company: Option<String>,
    /// Location.
    #[serde(deserialize_with = "lenient::text")]
    pub location: Option<String>,
    /// Zoom's cluster the user lives on, such as `us02`.
    #[serde(deserialize_with = "lenient::text")]
    pub cluster: Option<String>,
}

impl User {
    /// The best name there is: display name, else first and last name, else e-mail address.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        if let Some(name) = &self.display_name {
            return Some(name.clone());
        }
        let parts: Vec<&str> = [&self.first_name, &self.last_name]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if parts.is_empty() {
            self.email.clone()
        } else {
            Some(parts.join(" "))
        }
    }

    /// Whether the user can record to the cloud and meet for longer than 40 minutes, as far as the licence goes.
    #[must_use]
    pub fn is_licensed(&self) -> bool {
        self.user_type == Some(UserType::Licensed)
    }
}

impl PageItem for User {
    const KEY: &'static str = "users";
}

open_code! {
    /// A user's licence.
    pub enum UserType {
        /// Free: 40 minutes, no cloud recording.
        Basic => 1,
        /// Paid.
        Licensed => 2,
        /// On premises.
        OnPremises => 3,
        /// No licence for meetings.
        NoMeetings => 4,
        /// None yet.
        None => 99,
    }
}

open_enum! {
    /// Whether a user can work.
    pub enum UserStatus {
        /// Yes.
        Active => "active",
        /// Switched off by an administrator.
        Inactive => "inactive",
        /// Invited.
        Pending => "pending",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_called_by_the_best_name_there_is() {
        let mut user = User {
            email: Some("host@sim.example".into()),
            ..User::default()
        };
        assert_eq!(user.name().as_deref(), Some("host@sim.example"));
        user.last_name = Some("Host".into());
        assert_eq!(user.name().as_deref(), Some("Host"));
        user.first_name = Some("Hugo".into());
        assert_eq!(user.name().as_deref(), Some("Hugo Host"));
        user.display_name = Some("Hugo H.".into());
        assert_eq!(user.name().as_deref(), Some("Hugo H."));
    }
}
