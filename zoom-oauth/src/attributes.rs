//! The notes that this crate keeps in a record, by name. Anybody with the database can read them.

use jiff::Timestamp;
use token_store::StoredConnection;
use url::Url;

use crate::{Licence, Missing, missing::Lack};

/// Which of the host's apps the record belongs to; absent for the one without a name.
pub(crate) const APP: &str = "app";
/// What the connection lacks, as JSON; absent when nothing is missing.
pub(crate) const MISSING: &str = "missing";
/// When Zoom was last asked what it has and what it lacks.
pub(crate) const CHECKED_AT: &str = "checked_at";
/// When Zoom last sent a webhook for it, to the minute.
pub(crate) const WEBHOOK_AT: &str = "webhook_at";
/// When its tokens were last refreshed.
pub(crate) const REFRESHED_AT: &str = "refreshed_at";
/// That somebody is about to spend the record's refresh token, or has tried to.
pub(crate) const REFRESH_INTENT: &str = "refresh_intent";
/// Which licence the Zoom user has.
pub(crate) const LICENCE: &str = "licence";
/// Whether the Zoom user may record to the cloud: `true` or `false`.
pub(crate) const CLOUD_RECORDING: &str = "cloud_recording";
/// Whether Zoom makes transcripts of cloud recordings: `true` or `false`.
pub(crate) const AUDIO_TRANSCRIPT: &str = "audio_transcript";

/// Where the API of the account's region is, as the last token answer named it.
pub(crate) const API_URL: &str = "api_url";
/// Who at the host opened the connection.
pub(crate) const OPENED_BY: &str = "opened_by";
/// That the owner of an unfinished connect may come back as another Zoom user.
pub(crate) const SWITCH_USER: &str = "switch_user";

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

pub(crate) fn missing(record: &StoredConnection) -> Vec<Missing> {
    let lacks: Vec<Lack> = record
        .attributes
        .get(MISSING)
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    lacks.into_iter().map(Missing::from).collect()
}

pub(crate) fn set_missing(record: &mut StoredConnection, missing: &[Missing]) {
    let lacks: Vec<Lack> = missing.iter().map(Lack::from).collect();
    let json = serde_json::to_string(&lacks).ok().filter(|_| !lacks.is_empty());
    set(record, MISSING, json);
}

pub(crate) fn licence(record: &StoredConnection) -> Option<Licence> {
    record
        .attributes
        .get(LICENCE)
        .map(|text| Licence::from(text.as_str()))
}

pub(crate) fn time(record: &StoredConnection, name: &str) -> Option<Timestamp> {
    record.attributes.get(name)?.parse().ok()
}

pub(crate) fn set_time(record: &mut StoredConnection, name: &str, at: Timestamp) {
    set(record, name, Some(at.to_string()));
}

pub(crate) fn flag(record: &StoredConnection, name: &str) -> Option<bool> {
    record.attributes.get(name)?.parse().ok()
}

/// As it stands in the store; `refresh::intent` reads it.
pub(crate) fn refresh_intent(record: &StoredConnection) -> Option<&str> {
    record.attributes.get(REFRESH_INTENT).map(String::as_str)
}

pub(crate) fn set_refresh_intent(record: &mut StoredConnection, intent: Option<String>) {
    set(record, REFRESH_INTENT, intent);
}

/// Notes it, or that it is not known.
pub(crate) fn set(record: &mut StoredConnection, name: &str, value: Option<String>) {
    match value {
        Some(value) => record.attributes.insert(name.into(), value),
        None => record.attributes.remove(name),
    };
}
