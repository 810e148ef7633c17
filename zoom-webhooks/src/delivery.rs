use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use jiff::Timestamp;
use zoom_core::{AccountId, MeetingUuid};

use crate::{Event, PayloadError, dedup, head::Head};

/// Something that Zoom really sent. Only [`Verifier::verify`](crate::Verifier::verify) makes one.
///
/// Nothing is read before it is asked for; an odd body is still a delivery that can be stored and acknowledged.
#[derive(Clone)]
pub struct Delivery {
    body: Bytes,
    secret_id: Arc<str>,
    head: OnceLock<Arc<Head>>,
}

impl Delivery {
    /// The name of Zoom's check that an address is ours.
    pub(crate) const URL_VALIDATION: &'static str = "endpoint.url_validation";

    pub(crate) fn verified(body: &[u8], secret_id: Arc<str>) -> Self {
        Self {
            body: Bytes::copy_from_slice(body),
            secret_id,
            head: OnceLock::new(),
        }
    }

    fn head(&self) -> &Head {
        self.head.get_or_init(|| Arc::new(Head::read(&self.body)))
    }

    /// The event's name, such as `meeting.started`; empty when the body is no webhook.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head().name
    }

    /// When it happened, by Zoom's clock.
    #[must_use]
    pub fn event_ts(&self) -> Option<Timestamp> {
        self.head().event_ts
    }

    /// The account it happened in.
    #[must_use]
    pub fn account_id(&self) -> Option<&AccountId> {
        self.head().account_id.as_ref()
    }

    /// The meeting instance it is about, if it is about one.
    #[must_use]
    pub fn meeting_uuid(&self) -> Option<&MeetingUuid> {
        self.head().meeting_uuid.as_ref()
    }

    /// Whether Zoom wants to know if the address is ours: not an event.
    #[must_use]
    pub fn is_challenge(&self) -> bool {
        self.name() == Self::URL_VALIDATION
    }

    /// The meeting's number as text, for events that do not name the instance.
    pub(crate) fn meeting_id(&self) -> Option<&str> {
        self.head().meeting_id.as_deref()
    }

    /// The id of the secret that signed it.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        &self.secret_id
    }

    /// The body, byte for byte; out of an [`Inbox`](crate::Inbox), without its secrets.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// A key that is the same for deliveries of the same event: made of its name, time, account and all ids in it, so
    /// neither other tokens, other links nor another order of fields make another event of it.
    #[must_use]
    pub fn dedup_key(&self) -> String {
        dedup::key(&self.body)
    }

    /// The event as its type. A name this crate does not know is [`Event::Unknown`].
    ///
    /// # Errors
    ///
    /// When the payload does not have the shape its name promises. The delivery is still here to be stored.
    pub fn event(&self) -> Result<Event, PayloadError> {
        Event::read(&self.body)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("name", &self.name())
            .field("event_ts", &self.event_ts())
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_not_impl_any!(Delivery: serde::de::DeserializeOwned, Default, From<Vec<u8>>, From<Bytes>);

    #[test]
    fn debug_shows_no_payload() {
        let body =
            br#"{"event":"recording.completed","download_token":"canary","payload":{"account_id":"canary"}}"#;
        let shown = format!("{:?}", Delivery::verified(body, "one".into()));
        assert!(
            shown.contains("recording.completed") && !shown.contains("canary"),
            "{shown}"
        );
    }
}
