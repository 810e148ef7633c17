//! When Zoom last spoke of a connection.

use jiff::{SignedDuration, Timestamp};
use token_store::{Status, StoredConnection};
use zoom_core::{AccountId, UserId};

use crate::{Connections, Error, attributes, records::SaveError};

/// A note is of use to a person; it need not be exact.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(1);

impl Connections {
    /// Notes that Zoom has sent a webhook for an account, or for one user of it:
    /// [`last_webhook_at`](crate::Connection::last_webhook_at) shows it. Written at most once a minute for each
    /// connection, and never in the way of a refresh: whoever else is writing goes first, and the note is left out.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage), which a webhook's handler may ignore.
    pub async fn note_webhook(
        &self,
        account: &AccountId,
        user: Option<&UserId>,
        at: Timestamp,
    ) -> Result<(), Error> {
        for found in self.records_of_zoom(account, user).await? {
            if !is_due(&found.value, at) {
                continue;
            }
            let Some(mut slot) = self.inner.records.load(&found.value.id).await? else {
                continue;
            };
            if !is_due(&slot.record, at) {
                continue;
            }
            attributes::set_time(&mut slot.record, attributes::WEBHOOK_AT, at);
            match self.inner.records.save(&slot).await {
                Ok(_) | Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

fn is_due(record: &StoredConnection, at: Timestamp) -> bool {
    let noted = attributes::time(record, attributes::WEBHOOK_AT);
    let refreshing = record.attributes.contains_key(attributes::REFRESH_INTENT);
    record.status != Status::Disconnected
        && !refreshing
        && noted.is_none_or(|noted| at.duration_since(noted) >= AT_MOST_EVERY)
}
