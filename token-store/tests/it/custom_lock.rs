//! A lock of your own: one row for each key, changed by one conditional statement.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use token_store::{Clock, Fence, Holder, LockKey, RefreshLock, StoreError};

/// Replace the map by a table of keys, and what happens under the mutex by one statement each.
#[derive(Debug)]
struct TableLock {
    rows: Mutex<HashMap<LockKey, Row>>,
    clock: Clock,
}

#[derive(Debug)]
struct Row {
    holder: Option<Holder>,
    until: Timestamp,
    fence: u64,
}

#[async_trait]
impl RefreshLock for TableLock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let now = self.clock.now();
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        // INSERT … ON CONFLICT (key) DO UPDATE SET holder = …, until = …, fence = fence + 1
        // WHERE holder IS NULL OR until <= now RETURNING fence
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let found = rows.get(key);
        if found.is_some_and(|row| row.holder.is_some() && now < row.until) {
            return Ok(None);
        }
        // The row stays when its lease is over, or numbers would begin anew.
        let fence = found.map_or(1, |row| row.fence + 1);
        let holder = Some(holder.clone());
        rows.insert(key.clone(), Row { holder, until, fence });
        Ok(Some(Fence::new(fence)))
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        // UPDATE … SET holder = NULL WHERE key = … AND holder = …
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = rows.get_mut(key)
            && row.holder.as_ref() == Some(holder)
        {
            row.holder = None;
        }
        Ok(())
    }
}

// And the proof, with a clock that the rules turn by hand.
#[cfg(test)]
token_store::refresh_lock_conformance!(|clock| async move {
    TableLock {
        rows: Mutex::default(),
        clock,
    }
});
