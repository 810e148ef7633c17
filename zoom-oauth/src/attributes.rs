//! The notes that this crate keeps in a record, by name. Anybody with the database can read them.

use token_store::StoredConnection;

/// Which of the host's apps the record belongs to; absent for the one without a name.
pub(crate) const APP: &str = "app";

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
