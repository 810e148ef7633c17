//! A history with one defect fails the rule that forbids it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use async_trait::async_trait;
use token_store::{ConnectionId, Entry, History, MemoryHistory, OwnerId, StoreError, conformance};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    OrdersByTime,
    IgnoresTheLimit,
    LosesTheReason,
    FoldsCase,
    MergesTheSame,
    ForgetsEverybody,
}

#[derive(Debug)]
struct Broken(MemoryHistory, Defect);

#[async_trait]
impl History for Broken {
    async fn append(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut entry = entry.clone();
        match self.1 {
            Defect::LosesTheReason => entry.reason = None,
            Defect::FoldsCase => entry.connection = fold(&entry.connection),
            Defect::MergesTheSame if self.0.entries(&entry.connection, 1).await?.contains(&entry) => {
                return Ok(());
            }
            Defect::ForgetsEverybody => entry.owner = OwnerId::new("somebody"),
            _ => {}
        }
        self.0.append(&entry).await
    }

    async fn entries(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Entry>, StoreError> {
        match self.1 {
            Defect::OrdersByTime => {
                let mut found = self.0.entries(connection, limit).await?;
                found.sort_by_key(|entry| std::cmp::Reverse(entry.at));
                Ok(found)
            }
            Defect::IgnoresTheLimit => self.0.entries(connection, usize::MAX).await,
            Defect::FoldsCase => self.0.entries(&fold(connection), limit).await,
            _ => self.0.entries(connection, limit).await,
        }
    }

    async fn erase(&self, owner: &OwnerId) -> Result<u64, StoreError> {
        match self.1 {
            Defect::ForgetsEverybody => self.0.erase(&OwnerId::new("somebody")).await,
            _ => self.0.erase(owner).await,
        }
    }
}

fn fold(id: &ConnectionId) -> ConnectionId {
    id.as_str().to_lowercase().into()
}

fn fails<F: Future<Output = ()>>(rule: impl FnOnce(Arc<dyn History>) -> F, defect: Defect) {
    let history = Arc::new(Broken(MemoryHistory::new(), defect));
    let result = catch_unwind(AssertUnwindSafe(|| conformance::run(rule(history))));
    assert!(
        result.is_err(),
        "the suite does not see that a history {defect:?}"
    );
}

#[test]
fn each_history_rule_catches_its_defect() {
    use conformance::history::*;
    fails(entries_come_newest_first, Defect::OrdersByTime);
    fails(no_more_than_asked_for, Defect::IgnoresTheLimit);
    fails(what_was_appended_is_returned, Defect::LosesTheReason);
    fails(connections_are_kept_apart, Defect::FoldsCase);
    fails(the_same_entry_twice_is_two, Defect::MergesTheSame);
    fails(erase_forgets_one_owner, Defect::ForgetsEverybody);
}
