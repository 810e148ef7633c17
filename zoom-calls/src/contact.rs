//! Contacts: who the customer on a call is.

mod csv;
mod directory;
mod matching;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ContactId;

pub use csv::{CsvDirectory, CsvError};
pub use directory::{ContactDirectory, ContactQuery, MemoryDirectory, StubDirectory};
pub(crate) use matching::match_call;
pub use matching::{normalized_email, normalized_phone};

/// A person in the host's directory, with what is known of where the lead came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contact {
    /// The id in the host's directory.
    pub id: ContactId,
    /// The main address.
    pub email: Option<String>,
    /// Other addresses of the same person.
    pub aliases: Vec<String>,
    /// The full name.
    pub name: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// The phone number, in E.164 form (`+15145550123`).
    pub phone: Option<String>,
    /// Where the lead came from, in the host's own words (`Google Ads`, `Referral`).
    pub lead_source: Option<String>,
    /// `utm_source` of the first touch.
    pub utm_source: Option<String>,
    /// `utm_medium` of the first touch.
    pub utm_medium: Option<String>,
    /// `utm_campaign` of the first touch.
    pub utm_campaign: Option<String>,
    /// Click ids of the first touch, such as `gclid`, by name.
    pub click_ids: Vec<String>,
    /// The page that sent the visitor.
    pub referrer: Option<String>,
    /// When the first touch was.
    pub first_touch_at: Option<Timestamp>,
}

impl Contact {
    /// A contact of whom nothing but the id is known yet.
    #[must_use]
    pub fn new(id: ContactId) -> Self {
        Self {
            id,
            email: None,
            aliases: Vec::new(),
            name: None,
            company: None,
            phone: None,
            lead_source: None,
            utm_source: None,
            utm_medium: None,
            utm_campaign: None,
            click_ids: Vec::new(),
            referrer: None,
            first_touch_at: None,
        }
    }
}

/// What matching found for a call (reference §4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContactMatch {
    /// The contact that the call belongs to. `None` when there are only suggestions.
    pub linked: Option<ScoredContact>,
    /// Contacts a person may want to look at, best first.
    pub suggestions: Vec<ScoredContact>,
    /// Who decided. A person's decision is never undone by a new run.
    pub decided_by: DecidedBy,
}

impl ContactMatch {
    /// A person's decision: this contact and no other.
    #[must_use]
    pub fn by_person(contact: Contact) -> Self {
        let linked = ScoredContact {
            contact,
            method: MatchMethod::ExplicitLink,
            score: 100,
            person: None,
        };
        Self {
            linked: Some(linked),
            suggestions: Vec::new(),
            decided_by: DecidedBy::Person,
        }
    }
}

/// A contact and how well it fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScoredContact {
    /// The contact as it was when it was matched.
    pub contact: Contact,
    /// What matched.
    pub method: MatchMethod,
    /// 0–100; 90 and more links by itself if it is unique.
    pub score: u8,
    /// The display name of the participant that matched.
    pub person: Option<String>,
}

/// What matched, with the score it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MatchMethod {
    /// A person or a tracking field said so: 100.
    ExplicitLink,
    /// The main address, exactly: 95.
    EmailExact,
    /// Another address of the contact: 90.
    EmailAlias,
    /// The phone number in E.164: 90.
    Phone,
    /// The domain of the address, never one of a free-mail provider: 60.
    Domain,
    /// The full name, and the company's domain too: 60.
    NameAndDomain,
    /// The full name only: 30, a suggestion and never a link.
    Name,
}

impl MatchMethod {
    /// The score of the method.
    #[must_use]
    pub fn score(self) -> u8 {
        match self {
            Self::ExplicitLink => 100,
            Self::EmailExact => 95,
            Self::EmailAlias | Self::Phone => 90,
            Self::Domain | Self::NameAndDomain => 60,
            Self::Name => 30,
        }
    }
}

/// Who decided on a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecidedBy {
    /// The rules of this crate.
    Rules,
    /// A person.
    Person,
}
