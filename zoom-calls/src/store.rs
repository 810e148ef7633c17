//! Where calls are kept and found again.

mod memory;
mod search;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Call, CallId, CallStatus, ObjectionCategory, OwnerId};

pub use memory::MemoryCallStore;
pub use search::{SearchHit, SearchQuery};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteCallStore;

/// A home for calls.
///
/// # Contract
///
/// 1. *round_trip*: a saved call loads as it was saved, with the new revision.
/// 2. *stale_save_conflicts*: `save` replaces exactly the revision that the call carries (0: no call of this id is stored)
///    and otherwise changes nothing and answers [`StoreError::Conflict`]. Of several savers of one revision one wins.
/// 3. *scoped*: what a scope does not cover is not there: not loaded, not listed, not found, not deleted. The scope is part
///    of the query, not a filter on its answer.
/// 4. *listed_newest_first*: `list` gives the newest call first (start, else creation; then id), cut to the filter's limit.
/// 5. *found_by_words*: `search` finds utterances and topics that hold every word and every "phrase" of the query, without
///    regard to case and diacritics; a word that ends in `*` is a prefix. An empty query finds nothing.
/// 6. *found_as_saved*: search knows the transcript as last saved: new words are found at once, old ones no more.
/// 7. *deleted_is_gone*: a deleted call is neither loaded, nor listed, nor found; `delete` says whether there was one.
///
/// # Clone
///
/// Implementations are shared as `Arc<dyn CallStore>`, and by several processes when the home is a database.
///
/// # Cancellation
///
/// A dropped `save` or `delete` has happened as a whole or not at all.
///
/// # Errors
///
/// [`StoreError`]; `None` means that there is no such call in the scope, never that the store is broken.
#[async_trait]
pub trait CallStore: fmt::Debug + Send + Sync + 'static {
    /// The call of this id.
    async fn load(&self, scope: &Scope, id: &CallId) -> Result<Option<Call>, StoreError>;
    /// Stores a call in place of the revision that it carries; returns the new revision.
    async fn save(&self, call: &Call) -> Result<u64, StoreError>;
    /// Calls, newest first, without their words.
    async fn list(&self, scope: &Scope, filter: &CallFilter) -> Result<Vec<CallSummary>, StoreError>;
    /// Where these words were said, best first.
    async fn search(
        &self,
        scope: &Scope,
        query: &SearchQuery,
        limit: usize,
    ) -> Result<Vec<SearchHit>, StoreError>;
    /// Forgets a call and its words; says whether there was one.
    async fn delete(&self, scope: &Scope, id: &CallId) -> Result<bool, StoreError>;
}

/// Whose calls a query may see.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Calls of one owner.
    Owner(OwnerId),
    /// Calls of these owners: a team.
    Owners(Vec<OwnerId>),
    /// Every call: for workers and administrators.
    All,
}

impl Scope {
    /// Whether the scope covers this owner's calls.
    #[must_use]
    pub fn covers(&self, owner: &OwnerId) -> bool {
        match self {
            Self::Owner(only) => only == owner,
            Self::Owners(some) => some.contains(owner),
            Self::All => true,
        }
    }
}

impl From<&OwnerId> for Scope {
    fn from(owner: &OwnerId) -> Self {
        Self::Owner(owner.clone())
    }
}

/// Which calls to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFilter {
    pub(crate) status: Option<CallStatus>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) limit: usize,
}

impl Default for CallFilter {
    fn default() -> Self {
        Self {
            status: None,
            from: None,
            to: None,
            limit: 100,
        }
    }
}

impl CallFilter {
    /// The newest hundred calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only calls in this state.
    #[must_use]
    pub fn status(mut self, status: CallStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only calls that began in `[from, to)`; a call whose start is not known counts by its creation.
    #[must_use]
    pub fn between(mut self, from: Timestamp, to: Timestamp) -> Self {
        (self.from, self.to) = (Some(from), Some(to));
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn matches(&self, call: &CallSummary) -> bool {
        self.status.is_none_or(|status| status == call.status)
            && self.from.is_none_or(|from| from <= call.at())
            && self.to.is_none_or(|to| call.at() < to)
    }
}

/// A line of the list of calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallSummary {
    /// The call.
    pub id: CallId,
    /// Its owner.
    pub owner: OwnerId,
    /// Its topic.
    pub topic: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// How long it was.
    pub duration_ms: Option<u64>,
    /// How far it has come.
    pub status: CallStatus,
    /// Why, when waiting or failed.
    pub status_reason: Option<String>,
    /// The name (else the address) of the linked contact.
    pub contact: Option<String>,
    /// The company of the linked contact.
    pub company: Option<String>,
    /// The lead source, or source and medium.
    pub lead_source: Option<String>,
    /// Sentiment, 0–100.
    pub sentiment_0_100: Option<u8>,
    /// The call signal score.
    pub closing_score: Option<u8>,
    /// What was objected to.
    pub objections: Vec<ObjectionCategory>,
    /// How many next steps there are.
    pub next_steps: usize,
}

impl CallSummary {
    /// Start, else creation: the time by which calls are sorted.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.started_at.unwrap_or(self.created_at)
    }
}

impl From<&Call> for CallSummary {
    fn from(call: &Call) -> Self {
        let analysis = call.analysis.as_ref();
        let contact = call
            .contact
            .as_ref()
            .and_then(|found| found.linked.as_ref())
            .map(|linked| &linked.contact);
        let mut objections: Vec<_> = analysis
            .iter()
            .flat_map(|a| &a.objections)
            .map(|o| o.category)
            .collect();
        objections.sort_unstable();
        objections.dedup();
        Self {
            id: call.id.clone(),
            owner: call.owner.clone(),
            topic: call.topic.clone(),
            started_at: call.started_at,
            created_at: call.created_at,
            duration_ms: call.duration_ms,
            status: call.status,
            status_reason: call.status_reason.clone(),
            contact: contact.and_then(|c| c.name.clone().or_else(|| c.email.clone())),
            company: contact.and_then(|c| c.company.clone()),
            lead_source: call.attribution.as_ref().and_then(crate::Attribution::label),
            sentiment_0_100: analysis
                .and_then(|a| a.sentiment.as_ref())
                .and_then(|s| s.score_0_100),
            closing_score: analysis.and_then(|a| a.closing.as_ref()).map(|c| c.score),
            objections,
            next_steps: analysis.map_or(0, |a| a.next_steps.len()),
        }
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody saved the call meanwhile: load it again and decide anew.
    #[error("the call was changed by somebody else")]
    Conflict,
    /// What is stored cannot be read; trying again does not help.
    #[error("the stored call cannot be read")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
    /// The home cannot be reached or refuses; trying again may help.
    #[error("the store of calls is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// What to do: run the same again, later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict | Self::Unavailable(_))
    }
}
