use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use token_store::{ConnectionId, OwnerId};
use zoom_core::{AccountId, Client, UserId};

use crate::{Cause, Connection, Feature};

zoom_core::open_enum! {
    /// Which kind of account.
    pub enum AccountKind {
        /// The user's own.
        User => "user",
        /// The organisation's.
        Organisation => "organisation",
        /// The product's.
        System => "system",
    }

    /// Why an account can be used, or cannot.
    pub enum Reason {
        /// It can.
        Live => "live",
        /// The owner has never connected.
        NotConnected => "not_connected",
        /// The owner has left, or the user has removed the app; the detail says which.
        Disconnected => "disconnected",
        /// The owner's tokens are dead; the detail says why.
        Expired => "expired",
        /// Zoom has closed the user or the account; the detail says which.
        Deactivated => "deactivated",
        /// The tokens may not do what is needed; the detail names what they lack.
        MissingScope => "missing_scope",
        /// The user has no licence for what is needed; the detail names the feature.
        NoLicence => "no_licence",
        /// What is needed is switched off in the user's settings; the detail names the feature.
        SwitchedOff => "switched_off",
        /// The vault has no key that opens the tokens.
        Unreadable => "unreadable",
        /// The host has given no such account, or wants none.
        NotConfigured => "not_configured",
    }
}

/// An account that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Considered {
    /// Which kind.
    pub account: AccountKind,
    /// Whose; the product's own is nobody's.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// Which connection, if there is or was one.
    #[serde(default)]
    pub connection: Option<ConnectionId>,
    /// What was found.
    pub reason: Reason,
    /// More about it, as a short code such as `invalid_grant`, or the names of what is missing.
    #[serde(default)]
    pub detail: Option<String>,
    /// Since when, where that is known.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

impl Considered {
    pub(super) fn new(account: AccountKind, owner: Option<OwnerId>, reason: Reason) -> Self {
        Self {
            account,
            owner,
            connection: None,
            reason,
            detail: None,
            since: None,
        }
    }

    /// What was found, in words that go on a sentence.
    fn in_words(&self) -> String {
        let owner = self.owner.as_ref().map_or("nobody", OwnerId::as_str);
        let on = self
            .since
            .map(|at| format!(" on {}", at.to_zoned(TimeZone::UTC).date()))
            .unwrap_or_default();
        let why = self
            .detail
            .as_deref()
            .map(|detail| format!(" ({})", self.phrase(detail)))
            .unwrap_or_default();
        match &self.reason {
            Reason::Live => format!("{owner}'s connection works"),
            Reason::NotConnected => format!("{owner} has never connected"),
            Reason::Disconnected => format!("{owner}'s connection ended{on}{why}"),
            Reason::Expired => format!("{owner}'s connection expired{on}{why}"),
            Reason::Deactivated => format!("{owner}'s Zoom user is not there any more{on}{why}"),
            Reason::MissingScope => format!("{owner}'s connection lacks permission{why}"),
            Reason::NoLicence => format!("{owner}'s Zoom user has no licence{why}"),
            Reason::SwitchedOff => format!("{owner}'s Zoom settings do not allow it{why}"),
            Reason::Unreadable => format!("{owner}'s tokens cannot be opened"),
            Reason::NotConfigured => "no system account may be used".to_owned(),
            other @ Reason::_Other(_) => format!("{owner}'s connection is {other}"),
        }
    }

    /// The detail for people, where it is a code that we know.
    fn phrase(&self, detail: &str) -> String {
        let cause = Cause::from(detail);
        match self.reason {
            Reason::MissingScope => detail.to_owned(),
            Reason::NoLicence | Reason::SwitchedOff => {
                lower_first(Feature::from_name(detail).map_or(detail, |feature| feature.title()))
            }
            _ if cause.is_known() => lower_first(cause.message().trim_end_matches('.')),
            _ => detail.to_owned(),
        }
    }
}

/// The account that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResolvedAccount {
    /// The user's own.
    User(Connection),
    /// The organisation's.
    Organisation(Connection),
    /// The product's.
    System,
}

impl ResolvedAccount {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> AccountKind {
        match self {
            Self::User(_) => AccountKind::User,
            Self::Organisation(_) => AccountKind::Organisation,
            Self::System => AccountKind::System,
        }
    }

    /// The connection, unless it is the product's own account.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        match self {
            Self::User(connection) | Self::Organisation(connection) => Some(connection),
            Self::System => None,
        }
    }
}

/// On which account to act, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Resolution {
    /// The account.
    pub account: ResolvedAccount,
    /// Zoom's API on its behalf.
    pub client: Client,
    /// The user to act as.
    pub user: UserId,
    /// What was found about the account that comes first: `Live`, or why it was passed over.
    pub reason: Reason,
    /// Every account that was looked at, in order; the last one was chosen.
    pub considered: Vec<Considered>,
}

impl Resolution {
    /// What to keep with the thing that is done on the account: without secrets, and without the client.
    #[must_use]
    pub fn record(&self, at: Timestamp) -> ResolutionRecord {
        let connection = self.account.connection();
        ResolutionRecord {
            at,
            account: self.account.kind(),
            owner: connection.map(|connection| connection.owner.clone()),
            connection: connection.map(|connection| connection.id.clone()),
            zoom_account: connection.map(|connection| connection.account_id.clone()),
            zoom_user: connection.map_or_else(|| self.user.clone(), |connection| connection.user_id.clone()),
            reason: self.reason.clone(),
            considered: self.considered.clone(),
        }
    }

    /// Whether an account that comes before was passed over.
    #[must_use]
    pub fn fell_back(&self) -> bool {
        self.considered.len() > 1
    }

    /// One sentence for people: the account, and what was wrong with those that come before.
    #[must_use]
    pub fn explain(&self) -> String {
        explain(&self.considered)
    }
}

/// What a host keeps of a [`Resolution`], so that "why was this meeting under that account" has an answer later, when
/// the connections have changed. Ids and codes only: no names, no addresses, no secrets.
///
/// Its serde form is stable; codes of newer versions survive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResolutionRecord {
    /// When it was decided.
    pub at: Timestamp,
    /// Which kind of account it was.
    pub account: AccountKind,
    /// Whose; the product's own is nobody's.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// Which connection.
    #[serde(default)]
    pub connection: Option<ConnectionId>,
    /// The connection's account at Zoom.
    #[serde(default)]
    pub zoom_account: Option<AccountId>,
    /// The user at Zoom.
    pub zoom_user: UserId,
    /// What was found about the account that comes first.
    pub reason: Reason,
    /// Every account that was looked at, in order; the last one was chosen.
    #[serde(default)]
    pub considered: Vec<Considered>,
}

impl ResolutionRecord {
    /// One sentence for people: the account, and what was wrong with those that come before.
    ///
    /// ```
    /// # fn main() -> Result<(), serde_json::Error> {
    /// let stored = r#"{"at": "2026-11-22T10:00:00Z", "account": "system", "zoom_user": "host@example.com",
    ///     "reason": "expired", "considered": [
    ///     {"account": "user", "owner": "maya", "reason": "not_connected"},
    ///     {"account": "organisation", "owner": "org-7", "connection": "c1", "reason": "expired",
    ///      "detail": "invalid_grant", "since": "2026-11-21T08:30:00Z"},
    ///     {"account": "system", "reason": "live"}]}"#;
    /// let record: zoom_oauth::ResolutionRecord = serde_json::from_str(stored)?;
    /// assert_eq!(
    ///     record.explain(),
    ///     "made under the system account because maya has never connected and org-7's connection expired on \
    ///      2026-11-21 (Zoom no longer accepts this connection)"
    /// );
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn explain(&self) -> String {
        explain(&self.considered)
    }
}

/// For the middle of a sentence; Zoom stays Zoom.
fn lower_first(text: &str) -> String {
    match text.strip_prefix("Zoom") {
        Some(_) => text.to_owned(),
        None => {
            let mut letters = text.chars();
            let first = letters.next().map(|letter| letter.to_lowercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    }
}

fn explain(considered: &[Considered]) -> String {
    let Some((chosen, passed_over)) = considered.split_last() else {
        return "made under an account that nobody noted".to_owned();
    };
    let owner = chosen.owner.as_ref().map_or("nobody", OwnerId::as_str);
    let account = match &chosen.account {
        AccountKind::User => format!("{owner}'s own account"),
        AccountKind::Organisation => format!("the account of the organisation {owner}"),
        other => format!("the {other} account"),
    };
    if passed_over.is_empty() {
        return format!("made under {account}");
    }
    let why: Vec<String> = passed_over.iter().map(Considered::in_words).collect();
    format!("made under {account} because {}", why.join(" and "))
}
