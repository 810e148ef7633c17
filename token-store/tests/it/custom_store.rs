//! A store of your own: records as JSON documents in whatever your product already runs on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use token_store::{
    ConnectionId, Expect, Filter, Generation, Page, PageToken, StoreError, StoredConnection, TokenStore,
    Versioned,
};

/// The map stands for your database, the mutex for its transaction.
#[derive(Debug, Default)]
struct DocumentStore {
    documents: Mutex<BTreeMap<ConnectionId, (Generation, String)>>,
}

fn read(
    id: &ConnectionId,
    generation: Generation,
    json: &str,
) -> Result<Versioned<StoredConnection>, StoreError> {
    let value = serde_json::from_str(json).map_err(|error| StoreError::corrupt(id.clone(), error))?;
    Ok(Versioned { value, generation })
}

#[async_trait]
impl TokenStore for DocumentStore {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        documents
            .get(id)
            .map(|(generation, json)| read(id, *generation, json))
            .transpose()
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let json =
            serde_json::to_string(record).map_err(|_| StoreError::Invalid("the record is not JSON"))?;
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let current = documents.get(&record.id).map(|(generation, _)| *generation);
        // The whole rule of conditional saves, to be called between the look and the write.
        let generation = expect.advance(record, current)?;
        documents.insert(record.id.clone(), (generation, json));
        Ok(generation)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
        Ok(())
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Page {
            items: Vec::new(),
            unreadable: Vec::new(),
            next: None,
        };
        let mut last = None;
        for (id, (generation, json)) in documents
            .iter()
            .filter(|(id, _)| page.position().is_none_or(|at| *id > at))
        {
            if found.items.len() + found.unreadable.len() == filter.page_size() {
                found.next = last.map(PageToken::after);
                break;
            }
            match read(id, *generation, json) {
                Ok(record) if !filter.matches(&record.value) => continue,
                Ok(record) => found.items.push(record),
                Err(_) => found.unreadable.push(id.clone()),
            }
            last = Some(id.clone());
        }
        Ok(found)
    }
}

// And the proof that it keeps the contract, one test per rule.
#[cfg(test)]
token_store::token_store_conformance!(async { DocumentStore::default() });
