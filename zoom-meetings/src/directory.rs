//! Who belongs to us, and which customer somebody else belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

/// Which side of the table somebody sits on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a table has two sides")]
pub enum Side {
    /// The organisation that the report is for.
    Internal,
    /// Everybody else.
    External,
}

/// Who a meeting is booked to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Customer {
    /// A customer of the directory, else the domain of an e-mail address, else the address itself where the domain is
    /// a mail provider's.
    Named(String),
    /// Nobody from outside was invited or present.
    Internal,
    /// Somebody from outside was present whose address is not known.
    Unknown,
}

impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Internal => f.write_str("(internal)"),
            Self::Unknown => f.write_str("(unknown)"),
        }
    }
}

impl Serialize for Customer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What an organisation knows of itself and its customers.
///
/// Somebody is internal when, in this order: the directory does not name them as a customer, and names their address
/// or domain as internal; or they are the meeting's host; or Zoom marks them as a user of the account. All names are
/// compared in lower case; a domain covers its subdomains.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    internal: BTreeSet<String>,
    customers: BTreeMap<String, String>,
}

/// Domains where an address says nothing about a company.
const MAIL_PROVIDERS: [&str; 20] = [
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "t-online.de",
    "web.de",
    "yahoo.com",
    "yandex.ru",
];

impl Directory {
    /// Knows nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everybody at this domain, or this one address, is internal.
    #[must_use]
    pub fn internal(mut self, domain_or_email: &str) -> Self {
        self.internal.insert(normal(domain_or_email));
        self
    }

    /// Everybody at this domain, or this one address, belongs to a customer.
    #[must_use]
    pub fn customer(mut self, domain_or_email: &str, name: impl Into<String>) -> Self {
        self.customers.insert(normal(domain_or_email), name.into());
        self
    }

    /// Whether the directory can tell an internal address.
    pub(crate) fn knows_internal(&self) -> bool {
        !self.internal.is_empty()
    }

    /// The side of somebody, by address, host's address and Zoom's own mark.
    #[must_use]
    pub fn side(&self, email: Option<&str>, host_email: Option<&str>, marked_internal: bool) -> Side {
        if let Some(email) = email.map(normal) {
            if lookup(&email, |name| self.customers.contains_key(name).then_some(())).is_some() {
                return Side::External;
            }
            if lookup(&email, |name| self.internal.contains(name).then_some(())).is_some() {
                return Side::Internal;
            }
            if host_email.map(normal).is_some_and(|host| host == email) {
                return Side::Internal;
            }
        }
        if marked_internal {
            Side::Internal
        } else {
            Side::External
        }
    }

    /// The customer of an external address.
    #[must_use]
    pub fn customer_of(&self, email: &str) -> Customer {
        let email = normal(email);
        if let Some(name) = lookup(&email, |name| self.customers.get(name).cloned()) {
            return Customer::Named(name);
        }
        match email.rsplit_once('@') {
            Some((_, domain)) if !domain.is_empty() && !MAIL_PROVIDERS.contains(&domain) => {
                Customer::Named(domain.to_owned())
            }
            _ => Customer::Named(email),
        }
    }
}

pub(crate) fn normal(text: &str) -> String {
    text.trim().trim_start_matches('@').to_lowercase()
}

/// The address first, then its domain, then the domains above it.
fn lookup<T>(email: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    if let Some(found) = find(email) {
        return Some(found);
    }
    let (_, mut domain) = email.rsplit_once('@')?;
    loop {
        if let Some(found) = find(domain) {
            return Some(found);
        }
        (_, domain) = domain.split_once('.')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_goes_before_domain_and_domain_before_the_one_above() {
        let directory = Directory::new()
            .internal("us.example")
            .customer("freelancer@us.example", "Freelancer")
            .customer("acme.example", "Acme")
            .customer("lab.acme.example", "Acme Lab");
        assert_eq!(
            directory.side(Some("Rep@Sales.Us.Example"), None, false),
            Side::Internal
        );
        assert_eq!(
            directory.side(Some("freelancer@us.example"), None, true),
            Side::External
        );
        assert_eq!(
            directory.customer_of("x@lab.acme.example"),
            Customer::Named("Acme Lab".into())
        );
        assert_eq!(
            directory.customer_of("x@hq.acme.example"),
            Customer::Named("Acme".into())
        );
        assert_eq!(
            directory.customer_of("X@Other.example"),
            Customer::Named("other.example".into())
        );
        assert_eq!(
            directory.side(Some("x@notus.example"), None, false),
            Side::External
        );
    }

    #[test]
    fn private_mailbox_is_a_customer_of_its_own() {
        assert_eq!(
            Directory::new().customer_of("jo@gmail.com"),
            Customer::Named("jo@gmail.com".into())
        );
    }

    #[test]
    fn host_and_zooms_mark_count_when_the_directory_is_silent() {
        let directory = Directory::new();
        assert_eq!(
            directory.side(Some("H@x.example"), Some("h@x.example"), false),
            Side::Internal
        );
        assert_eq!(directory.side(None, Some("h@x.example"), true), Side::Internal);
        assert_eq!(directory.side(None, None, false), Side::External);
    }
}
