//! Where contacts come from.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use zoom_recordings::StageError;

use super::Contact;
use super::matching::{normalized_email, normalized_phone};
use crate::OwnerId;
use crate::side::normalized_name;

/// A question to a directory. The value is already normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContactQuery {
    /// Contacts whose main address or alias is this.
    Email(String),
    /// Contacts with an address in this domain.
    Domain(String),
    /// Contacts with this phone number, in E.164.
    Phone(String),
    /// Contacts with this full name, compared without case and diacritics.
    Name(String),
}

impl ContactQuery {
    /// Whether a contact answers the question; for directories that look through a list.
    #[must_use]
    pub fn matches(&self, contact: &Contact) -> bool {
        let mut addresses = contact
            .email
            .iter()
            .chain(&contact.aliases)
            .filter_map(|email| normalized_email(email));
        match self {
            Self::Email(email) => addresses.any(|address| address == *email),
            Self::Domain(domain) => addresses.any(|a| a.rsplit_once('@').is_some_and(|(_, of)| of == domain)),
            Self::Phone(phone) => contact
                .phone
                .as_deref()
                .and_then(normalized_phone)
                .is_some_and(|p| p == *phone),
            Self::Name(name) => contact
                .name
                .as_deref()
                .is_some_and(|of| normalized_name(of) == *name),
        }
    }
}

/// The host's contacts.
///
/// # Contract
///
/// 1. *scoped*: an answer holds only contacts that this owner may see.
/// 2. *exact*: an answer holds every contact that [`ContactQuery::matches`] and no other.
/// 3. *nobody*: nobody found is an empty list, not an error.
///
/// # Clone
///
/// Implementations are shared as `Arc<dyn ContactDirectory>`.
///
/// # Cancellation
///
/// A query changes nothing and may be dropped at any time.
///
/// # Errors
///
/// [`StageError`]: transient when asking again may help.
#[async_trait]
pub trait ContactDirectory: fmt::Debug + Send + Sync + 'static {
    /// The contacts that answer the query.
    async fn find(&self, owner: &OwnerId, query: &ContactQuery) -> Result<Vec<Contact>, StageError>;
}

/// Contacts in memory, the same for every owner.
#[derive(Clone, Debug, Default)]
pub struct MemoryDirectory {
    contacts: Vec<Contact>,
}

impl MemoryDirectory {
    /// A directory of these contacts.
    pub fn new(contacts: impl IntoIterator<Item = Contact>) -> Self {
        Self {
            contacts: contacts.into_iter().collect(),
        }
    }

    /// Everybody in it.
    #[must_use]
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }
}

#[async_trait]
impl ContactDirectory for MemoryDirectory {
    async fn find(&self, _owner: &OwnerId, query: &ContactQuery) -> Result<Vec<Contact>, StageError> {
        Ok(self
            .contacts
            .iter()
            .filter(|contact| query.matches(contact))
            .cloned()
            .collect())
    }
}

/// A directory without anybody, which remembers what it was asked. For tests.
#[derive(Debug, Default)]
pub struct StubDirectory {
    asked: Mutex<Vec<ContactQuery>>,
}

impl StubDirectory {
    /// A directory without anybody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The questions so far.
    #[must_use]
    pub fn asked(&self) -> Vec<ContactQuery> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl ContactDirectory for StubDirectory {
    async fn find(&self, _owner: &OwnerId, query: &ContactQuery) -> Result<Vec<Contact>, StageError> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(query.clone());
        Ok(Vec::new())
    }
}
