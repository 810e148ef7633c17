//! The notes that this crate keeps in a record, by name. Anybody with the database can read them.

use jiff::Timestamp;
use token_store::StoredConnection;
use url::Url;

/// Which of the host's apps the record belongs to; absent for the one without a name.
pub(crate) const APP: &str = "app";

/// When its tokens were last refreshed.
pub(crate) const REFRESHED_AT: &str = "refreshed_at";

/// The app that has no name of its own.
pub(crate) const DEFAULT_APP: &str = "default";

pub(crate) fn app(record: &StoredConnection) -> &str {
    record.attributes.get(APP).map_or(DEFAULT_APP, String::as_str)
}

/// Notes the app, unless it is the one without a name: what was saved before there were names stays as it is.
pub(crate) fn set_app(record: &mut StoredConnection, app: &str) {
    if app != DEFAULT_APP {
        record.attributes.insert(APP.into(), app.into());
    }
}

/// Where the API of the account's region is, as the last token answer named it.
pub(crate) const API_URL: &str = "api_url";

/// Who at the host opened the connection.
pub(crate) const OPENED_BY: &str = "opened_by";

/// As it stands in the store: whoever uses it must ask [`Endpoints::region`](crate::Endpoints) first.
pub(crate) fn api_url(record: &StoredConnection) -> Option<&str> {
    record.attributes.get(API_URL).map(String::as_str)
}

/// An answer that names none leaves what an earlier one named.
pub(crate) fn set_api_url(record: &mut StoredConnection, api_url: Option<&Url>) {
    if let Some(api_url) = api_url {
        let origin = api_url.as_str().trim_end_matches('/');
        record.attributes.insert(API_URL.into(), origin.into());
    }
}

pub(crate) fn opened_by(record: &StoredConnection) -> Option<&str> {
    record.attributes.get(OPENED_BY).map(String::as_str)
}

pub(crate) fn set_opened_by(record: &mut StoredConnection, who: Option<&str>) {
    if let Some(who) = who {
        record.attributes.insert(OPENED_BY.into(), who.into());
    }
}

pub(crate) fn refreshed_at(record: &StoredConnection) -> Option<Timestamp> {
    record.attributes.get(REFRESHED_AT)?.parse().ok()
}

pub(crate) fn set_refreshed_at(record: &mut StoredConnection, at: Timestamp) {
    record.attributes.insert(REFRESHED_AT.into(), at.to_string());
}
