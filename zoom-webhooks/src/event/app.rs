use jiff::Timestamp;
use serde::Deserialize;
use zoom_core::{AccountId, UserId, lenient};

use crate::head::event_time;

/// A user or an admin removed the app, or the app revoked the user's token.
///
/// Zoom sends it in two forms, an older and a newer one, and again after every revoke: forgetting twice must be fine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AppDeauthorized {
    /// The account.
    pub account_id: AccountId,
    /// Whose authorization is gone.
    pub user_id: UserId,
    /// The app; several may share an address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub client_id: Option<String>,
    /// When.
    #[serde(default, deserialize_with = "event_time")]
    pub deauthorization_time: Option<Timestamp>,
    /// Whether the user lets the app keep their data (older form only).
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub user_data_retention: Option<bool>,
}
