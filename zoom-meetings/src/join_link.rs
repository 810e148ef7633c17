//! The Zoom meeting that a calendar event, or any text, points at.
//!
//! Invitations hide the link in HTML, behind redirects and between dial-in numbers. Everything that comes out of
//! here is rebuilt from its parts: host, meeting id and passcode. Registrant tokens (`tk`), host keys (`zak`) and
//! start links are secrets, and there is no way for one to survive.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use zoom_core::MeetingId;

#[cfg(test)]
mod tests;
mod text;
mod unwrap;

/// Which part of an event a link was found in, best first.
///
/// The order is the ranking: a link in structured conference data is what the organiser's calendar will open, a
/// link in the description may be last week's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkSource {
    /// Structured conference data: `CONFERENCE`, `X-GOOGLE-CONFERENCE`, a calendar API's entry points.
    Conference,
    /// The event's own address, `URL`.
    Url,
    /// `LOCATION`.
    Location,
    /// `DESCRIPTION` as it stands.
    Description,
    /// The description with its HTML taken off, or `X-ALT-DESC`.
    Html,
    /// Words like “Meeting ID: 812 3456 7890”, without a link.
    Text,
    /// The `UID` that Zoom gives its own calendar files.
    Uid,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkKind {
    /// A meeting with its id.
    Meeting,
    /// A webinar with its id.
    Webinar,
    /// A personal link, `/my/name`: the id is the user's personal meeting id and is not in the link.
    Personal(String),
    /// A registration page: the id is not in the link.
    Registration,
}

/// A join link without its secrets.
///
/// * `url` is rebuilt from host, path and passcode (`pwd`); no other query, no fragment, no user name survives.
/// * A start link (`/s/…`) gives its id and a join link; the start link itself is dropped.
/// * `Debug` leaves the query out, because the passcode is in it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JoinLink {
    kind: LinkKind,
    meeting_id: Option<MeetingId>,
    url: Option<Url>,
    source: LinkSource,
}

impl fmt::Debug for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinLink")
            .field("kind", &self.kind)
            .field("meeting_id", &self.meeting_id)
            .field("url", &self.url.as_ref().map(without_query))
            .field("source", &self.source)
            .finish()
    }
}

impl JoinLink {
    /// Reads one link, wrapped or not: `https://zoom.us/j/…`, a Google redirect, a Safe Link, `zoommtg://…`.
    ///
    /// `None` when it leads to no Zoom meeting.
    #[must_use]
    pub fn parse(link: &str) -> Option<Self> {
        best(
            unwrap::links(link)
                .into_iter()
                .map(|found| found.from(LinkSource::Url))
                .collect(),
        )
    }

    /// Finds the meeting in a piece of text: its best link, else an id written out in words.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        EventTexts::new().text(LinkSource::Description, text).join_link()
    }

    /// What the link leads to.
    #[must_use]
    pub fn kind(&self) -> &LinkKind {
        &self.kind
    }

    /// The meeting's number; `None` for personal links and registration pages that name none.
    #[must_use]
    pub fn meeting_id(&self) -> Option<MeetingId> {
        self.meeting_id
    }

    /// The address to join at, without secrets; `None` when only an id was found.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// Where it was found.
    #[must_use]
    pub fn source(&self) -> LinkSource {
        self.source
    }

    pub(crate) fn from_uid(uid: &str) -> Option<Self> {
        text::zoom_uid(uid).map(|id| Self::bare(id, LinkSource::Uid))
    }

    fn bare(id: MeetingId, source: LinkSource) -> Self {
        Self {
            kind: LinkKind::Meeting,
            meeting_id: Some(id),
            url: None,
            source,
        }
    }
}

/// The texts of one event, to be searched together.
///
/// A link that carries a meeting id goes before one that does not; then the better source; then the longer link,
/// which is the one that kept its passcode.
#[derive(Debug, Clone, Default)]
pub struct EventTexts<'a> {
    texts: Vec<(LinkSource, &'a str)>,
}

impl<'a> EventTexts<'a> {
    /// No texts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one text of the event.
    #[must_use]
    pub fn text(mut self, source: LinkSource, text: &'a str) -> Self {
        self.texts.push((source, text));
        self
    }

    /// The meeting that the event points at.
    #[must_use]
    pub fn join_link(&self) -> Option<JoinLink> {
        let mut found = Vec::new();
        for (source, text) in &self.texts {
            found.extend(unwrap::links(text).into_iter().map(|link| link.from(*source)));
            if text.contains('<') {
                let stripped = text::without_tags(text);
                let source = (*source).max(LinkSource::Html);
                found.extend(unwrap::links(&stripped).into_iter().map(|link| link.from(source)));
            }
        }
        match best(found) {
            Some(link) if link.meeting_id.is_some() => Some(link),
            // A personal link or a registration page, with the id beside it in words.
            Some(mut link) => {
                link.meeting_id = self.id_in_words();
                Some(link)
            }
            None => self.id_in_words().map(|id| JoinLink::bare(id, LinkSource::Text)),
        }
    }

    /// Other products write “Meeting ID: …” too, so the event must say that it is about Zoom.
    fn id_in_words(&self) -> Option<MeetingId> {
        let about_zoom = self
            .texts
            .iter()
            .any(|(_, text)| text.to_lowercase().contains("zoom"));
        if !about_zoom {
            return None;
        }
        self.texts
            .iter()
            .find_map(|(_, text)| text::meeting_id(&text::without_tags(text)))
    }
}

fn best(found: Vec<JoinLink>) -> Option<JoinLink> {
    let rank = |link: &JoinLink| {
        let length = link.url.as_ref().map_or(0, |url| url.as_str().len());
        (link.meeting_id.is_none(), link.source, std::cmp::Reverse(length))
    };
    // The first of equals wins, so that the order in the text decides and nothing else.
    found.into_iter().min_by_key(rank)
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}
