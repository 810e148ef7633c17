//! Calls in memory, for tests and demos.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{CallFilter, CallStore, CallSummary, Scope, SearchHit, SearchQuery, StoreError};
use crate::{Call, CallId};

/// Keeps calls as long as the process lives. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryCallStore {
    calls: Arc<Mutex<BTreeMap<CallId, Call>>>,
}

impl MemoryCallStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<CallId, Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CallStore for MemoryCallStore {
    async fn load(&self, scope: &Scope, id: &CallId) -> Result<Option<Call>, StoreError> {
        Ok(self
            .calls()
            .get(id)
            .filter(|call| scope.covers(&call.owner))
            .cloned())
    }

    async fn save(&self, call: &Call) -> Result<u64, StoreError> {
        let mut calls = self.calls();
        let stored = calls.get(&call.id);
        // The owner of a call never changes: an id that belongs to somebody else is not there to be replaced.
        if stored.map_or(0, |stored| stored.revision) != call.revision
            || stored.is_some_and(|s| s.owner != call.owner)
        {
            return Err(StoreError::Conflict);
        }
        let revision = call.revision + 1;
        calls.insert(
            call.id.clone(),
            Call {
                revision,
                ..call.clone()
            },
        );
        Ok(revision)
    }

    async fn list(&self, scope: &Scope, filter: &CallFilter) -> Result<Vec<CallSummary>, StoreError> {
        let calls = self.calls();
        let covered = calls
            .values()
            .filter(|call| scope.covers(&call.owner))
            .map(CallSummary::from);
        let mut found: Vec<CallSummary> = covered.filter(|call| filter.matches(call)).collect();
        found.sort_by(|a, b| b.at().cmp(&a.at()).then_with(|| a.id.cmp(&b.id)));
        found.truncate(filter.limit);
        Ok(found)
    }

    async fn search(
        &self,
        scope: &Scope,
        query: &SearchQuery,
        limit: usize,
    ) -> Result<Vec<SearchHit>, StoreError> {
        let calls = self.calls();
        let mut found = Vec::new();
        for call in calls.values().filter(|call| scope.covers(&call.owner)) {
            let topic = [(None, None, None, call.topic.as_str())];
            let said = call
                .transcript
                .iter()
                .flat_map(|transcript| &transcript.utterances);
            let said = said.map(|u| (Some(u.id), Some(u.start_ms), u.speaker.clone(), u.text.as_str()));
            for (utterance_id, start_ms, speaker, text) in topic.into_iter().chain(said) {
                if !query.matches(text) {
                    continue;
                }
                let (snippet, highlights) = query.snippet(text);
                let hit = SearchHit {
                    call_id: call.id.clone(),
                    owner: call.owner.clone(),
                    topic: call.topic.clone(),
                    started_at: call.started_at,
                    utterance_id,
                    start_ms,
                    speaker,
                    snippet,
                    highlights,
                };
                found.push((query.count(text), hit));
            }
        }
        found.sort_by_key(|(count, hit)| {
            (
                Reverse(*count),
                Reverse(hit.started_at),
                hit.call_id.clone(),
                hit.start_ms,
            )
        });
        Ok(found.into_iter().map(|(_, hit)| hit).take(limit).collect())
    }

    async fn delete(&self, scope: &Scope, id: &CallId) -> Result<bool, StoreError> {
        let mut calls = self.calls();
        let covered = calls.get(id).is_some_and(|call| scope.covers(&call.owner));
        Ok(covered && calls.remove(id).is_some())
    }
}
