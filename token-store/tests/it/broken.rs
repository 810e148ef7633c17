//! The suite itself: a store or lock with one defect fails the rule that forbids it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use token_store::{
    ConnectionId, Expect, Fence, Filter, Generation, Holder, LockKey, MemoryLock, MemoryStore, Page,
    PageToken, RefreshLock, Status, StoreError, StoredConnection, TokenStore, Versioned, conformance,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    LosesAField,
    FailsOnAbsent,
    SkipsAGeneration,
    OverwritesOnAbsent,
    IgnoresGenerations,
    RevivesDeleted,
    SealsUnderAny,
    RacesSaves,
    RacesInserts,
    FailsToDeleteNothing,
    IgnoresAFilter,
    RepeatsAcrossPages,
    FoldsCase,
    FlattensUnknownStatus,
}

#[derive(Debug)]
struct Store(MemoryStore, Defect);

#[async_trait]
impl TokenStore for Store {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        let mut found = self.0.load(&self.fold(id)).await?;
        if self.1 == Defect::FailsOnAbsent && found.is_none() {
            return Err(StoreError::unavailable("nothing there"));
        }
        if let Some(found) = &mut found {
            match self.1 {
                Defect::LosesAField => found.value.email = None,
                Defect::SkipsAGeneration => found.generation = found.generation.next(),
                Defect::FlattensUnknownStatus
                    if !["active", "expired"].contains(&found.value.status.as_str()) =>
                {
                    found.value.status = Status::Pending;
                }
                _ => {}
            }
        }
        Ok(found)
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let mut record = record.clone();
        record.id = self.fold(&record.id);
        let current = self.0.load(&record.id).await?.map(|found| found.generation);
        let over = |current: Option<Generation>| current.map_or(Expect::Absent, Expect::Generation);
        let wrong = match (self.1, expect) {
            (Defect::OverwritesOnAbsent, Expect::Absent) => true,
            (Defect::IgnoresGenerations, Expect::Generation(_)) => true,
            (Defect::RevivesDeleted, Expect::Generation(_)) => current.is_none(),
            (Defect::SealsUnderAny, Expect::Any) => true,
            // A look, a pause, a write: nothing holds the record in between.
            (Defect::RacesSaves, Expect::Generation(_)) | (Defect::RacesInserts, Expect::Absent) => {
                expect.advance(&record, current)?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                true
            }
            _ => false,
        };
        if !wrong {
            return self.0.save(&record, expect).await;
        }
        loop {
            let current = self.0.load(&record.id).await?.map(|found| found.generation);
            match self.0.save(&record, over(current)).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        if self.1 == Defect::FailsToDeleteNothing && self.0.load(id).await?.is_none() {
            return Err(StoreError::unavailable("nothing there"));
        }
        self.0.delete(id).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let looser = filter.get_owner().map(|owner| Filter::all().owner(owner.clone()));
        match (self.1, looser) {
            (Defect::IgnoresAFilter, Some(looser)) => self.0.find(&looser, page).await,
            (Defect::RepeatsAcrossPages, _) => {
                let mut found = self.0.find(filter, page).await?;
                if found.next.is_some() && found.items.len() > 1 {
                    let before_last = &found.items[found.items.len() - 2];
                    found.next = Some(PageToken::after(before_last.value.id.clone()));
                }
                Ok(found)
            }
            _ => self.0.find(filter, page).await,
        }
    }
}

impl Store {
    fn fold(&self, id: &ConnectionId) -> ConnectionId {
        if self.1 == Defect::FoldsCase {
            id.as_str().to_lowercase().into()
        } else {
            id.clone()
        }
    }
}

fn fails<F: Future<Output = ()>>(rule: impl FnOnce(Arc<dyn TokenStore>) -> F, defect: Defect) {
    let store = Arc::new(Store(MemoryStore::new(), defect));
    let result = catch_unwind(AssertUnwindSafe(|| conformance::run(rule(store))));
    assert!(result.is_err(), "the suite does not see that a store {defect:?}");
}

#[test]
fn each_store_rule_catches_its_defect() {
    use conformance::store::*;
    fails(what_was_saved_is_loaded, Defect::LosesAField);
    fails(an_absent_record_is_none, Defect::FailsOnAbsent);
    fails(generations_start_at_one_and_grow_by_one, Defect::SkipsAGeneration);
    fails(absent_conflicts_with_a_record, Defect::OverwritesOnAbsent);
    fails(stale_save_conflicts, Defect::IgnoresGenerations);
    fails(a_deleted_record_conflicts, Defect::RevivesDeleted);
    fails(any_replaces_and_refuses_a_sealed_part, Defect::SealsUnderAny);
    fails(one_of_many_racing_saves_wins, Defect::RacesSaves);
    fails(one_of_many_racing_inserts_wins, Defect::RacesInserts);
    fails(delete_is_idempotent, Defect::FailsToDeleteNothing);
    fails(find_filters_by_every_field, Defect::IgnoresAFilter);
    fails(pages_are_the_flat_list, Defect::RepeatsAcrossPages);
    fails(unicode_ids_are_kept_apart, Defect::FoldsCase);
    fails(unknown_status_survives, Defect::FlattensUnknownStatus);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum LockDefect {
    NeverGives,
    AlwaysGives,
    IsReentrant,
    NeverFrees,
    FreesForAnybody,
    NeverExpires,
    RepeatsFences,
    FoldsKeys,
}

#[derive(Debug)]
struct Lock {
    inner: MemoryLock,
    defect: LockDefect,
    given: AtomicU64,
    last: std::sync::Mutex<Option<(LockKey, Holder)>>,
}

#[async_trait]
impl RefreshLock for Lock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let folded = LockKey::new(key.as_str().to_lowercase());
        let key = if self.defect == LockDefect::FoldsKeys {
            &folded
        } else {
            key
        };
        let lease = if self.defect == LockDefect::NeverExpires {
            Duration::from_secs(1 << 40)
        } else {
            lease
        };
        let last = self.last.lock().unwrap().clone();
        match self.defect {
            LockDefect::NeverGives => return Ok(None),
            LockDefect::AlwaysGives => {
                return Ok(Some(Fence::new(self.given.fetch_add(1, Ordering::SeqCst))));
            }
            LockDefect::IsReentrant if last == Some((key.clone(), holder.clone())) => {
                return Ok(Some(Fence::new(9)));
            }
            _ => {}
        }
        let fence = self.inner.try_acquire(key, holder, lease).await?;
        if fence.is_some() {
            *self.last.lock().unwrap() = Some((key.clone(), holder.clone()));
        }
        Ok(if self.defect == LockDefect::RepeatsFences {
            fence.map(|_| Fence::new(1))
        } else {
            fence
        })
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        let last = self.last.lock().unwrap().clone();
        match (self.defect, last) {
            (LockDefect::NeverFrees, _) => Ok(()),
            (LockDefect::FreesForAnybody, Some((key, holder))) => self.inner.release(&key, &holder).await,
            _ => self.inner.release(key, holder).await,
        }
    }
}

#[test]
fn each_lock_rule_catches_its_defect() {
    use conformance::lock::*;
    macro_rules! fails {
        ($rule:ident, $defect:ident) => {
            let time = HandTurned::default();
            let lock = Arc::new(Lock {
                inner: MemoryLock::new().with_clock(time.clock()),
                defect: LockDefect::$defect,
                given: AtomicU64::new(1),
                last: Default::default(),
            });
            let result = catch_unwind(AssertUnwindSafe(|| conformance::run($rule(lock, &time))));
            assert!(
                result.is_err(),
                "{} does not see {:?}",
                stringify!($rule),
                LockDefect::$defect
            );
        };
    }
    fails!(a_free_key_is_acquired, NeverGives);
    fails!(a_held_key_is_refused, AlwaysGives);
    fails!(a_lease_is_not_reentrant, IsReentrant);
    fails!(a_released_key_is_free, NeverFrees);
    fails!(only_the_holder_releases, FreesForAnybody);
    fails!(an_expired_lease_is_free, NeverExpires);
    fails!(a_late_release_takes_nothing, FreesForAnybody);
    fails!(fences_grow, RepeatsFences);
    fails!(keys_are_independent, FoldsKeys);
    fails!(one_of_many_racing_attempts_wins, AlwaysGives);
}
