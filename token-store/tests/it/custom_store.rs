//! A store of your own: records as JSON documents in whatever your product already runs on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use token_store::{
    ConnectionId, Expect, Filter, Generation, Page, PageToken, StoreError, StoredConnection, TokenStore,
    Versioned,
};

type Documents = BTreeMap<ConnectionId, (Generation, String)>;

/// Replace the map by your database, and the mutex by its transaction.
#[derive(Debug, Default)]
struct DocumentStore(Mutex<Documents>);

impl DocumentStore {
    /// Your database's errors become `StoreError::unavailable(error)`: the caller may try again.
    fn documents(&self) -> Result<MutexGuard<'_, Documents>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is there and cannot be read is `Corrupt`, never absent.
fn read(id: &ConnectionId, found: &(Generation, String)) -> Result<Versioned<StoredConnection>, StoreError> {
    let value = serde_json::from_str(&found.1).map_err(|error| StoreError::corrupt(id.clone(), error))?;
    let generation = found.0;
    Ok(Versioned { value, generation })
}

#[async_trait]
impl TokenStore for DocumentStore {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        let documents = self.documents()?;
        documents.get(id).map(|found| read(id, found)).transpose()
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let json = serde_json::to_string(record).map_err(|_| StoreError::Invalid("not JSON"))?;
        // One transaction: look, let `advance` decide, write. Every rule about conditional saves is in that call.
        let mut documents = self.documents()?;
        let current = documents.get(&record.id).map(|(generation, _)| *generation);
        let generation = expect.advance(record, current)?;
        documents.insert(record.id.clone(), (generation, json));
        Ok(generation)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.documents()?.remove(id);
        Ok(())
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let documents = self.documents()?;
        let (mut items, mut unreadable, mut last) = (Vec::new(), Vec::new(), None);
        // Replace by a query with the filter's getters and an index; ordered by id, from behind the page's position.
        for (id, found) in documents.iter() {
            if page.position().is_some_and(|position| id <= position) {
                continue;
            }
            if items.len() + unreadable.len() == filter.page_size() {
                let next = last.map(PageToken::after);
                return Ok(Page {
                    items,
                    unreadable,
                    next,
                });
            }
            match read(id, found) {
                Ok(record) if filter.matches(&record.value) => items.push(record),
                Ok(_) => continue,
                Err(_) => unreadable.push(id.clone()),
            }
            last = Some(id.clone());
        }
        let next = None;
        Ok(Page {
            items,
            unreadable,
            next,
        })
    }
}

// And the proof that it keeps the contract, one test per rule.
#[cfg(test)]
token_store::token_store_conformance!(async { DocumentStore::default() });
