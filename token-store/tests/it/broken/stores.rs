use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use jiff::SignedDuration;
use token_store::{
    ConnectionId, Expect, Filter, Generation, MemoryStore, Page, PageToken, Status, StoreError,
    StoredConnection, TokenStore, TokenStoreExt as _, Versioned, conformance::store::*,
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
    DropsEmptyAttributes,
    TakesEmptyForAbsent,
    KeepsMilliseconds,
    CutsIds,
    CutsLists,
    CutsAtNul,
    NumbersOnAfterDeletion,
    FindsRefused,
    FindsDeleted,
    FindsByTheFirstSave,
    IncludesTheInstant,
    KnowsNoBounds,
    NeedsThePagesRecord,
    CountsPages,
    ReadsInTwoSteps,
    SavesInTwoSteps,
}

#[derive(Debug)]
struct Store {
    inner: MemoryStore,
    defect: Defect,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    ghosts: Vec<StoredConnection>,
    first: BTreeMap<ConnectionId, StoredConnection>,
    deleted: Vec<ConnectionId>,
    offsets: HashMap<ConnectionId, usize>,
}

#[async_trait]
impl TokenStore for Store {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        let mut found = self.inner.load(&self.fold(id)).await?;
        if self.defect == Defect::FailsOnAbsent && found.is_none() {
            return Err(StoreError::unavailable("nothing there"));
        }
        let Some(found) = &mut found else { return Ok(found) };
        if self.defect == Defect::ReadsInTwoSteps {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if let Some(later) = self.inner.load(id).await? {
                found.value.email = later.value.email;
            }
        }
        let value = &mut found.value;
        match self.defect {
            Defect::LosesAField => value.email = None,
            Defect::SkipsAGeneration => found.generation = found.generation.next(),
            Defect::FlattensUnknownStatus if !["active", "expired"].contains(&value.status.as_str()) => {
                value.status = Status::Pending;
            }
            Defect::DropsEmptyAttributes => value.attributes.retain(|_, text| !text.is_empty()),
            Defect::TakesEmptyForAbsent => value.email = value.email.take().filter(|text| !text.is_empty()),
            Defect::KeepsMilliseconds => {
                let rounded = value.updated_at.round(jiff::Unit::Millisecond);
                value.updated_at = rounded.unwrap();
            }
            Defect::CutsLists => value.scopes.truncate(255),
            _ => {}
        }
        Ok(Some(found.clone()))
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let mut record = record.clone();
        record.id = self.fold(&record.id);
        let current = self.inner.load(&record.id).await?;
        let over = |current: Option<Generation>| current.map_or(Expect::Absent, Expect::Generation);
        let wrong = match (self.defect, expect) {
            (Defect::OverwritesOnAbsent, Expect::Absent) => true,
            (Defect::IgnoresGenerations, Expect::Generation(_)) => true,
            (Defect::RevivesDeleted, Expect::Generation(_)) => current.is_none(),
            (Defect::SealsUnderAny, Expect::Any) => true,
            // A look, a pause, a write: nothing holds the record in between.
            (Defect::RacesSaves, Expect::Generation(_)) | (Defect::RacesInserts, Expect::Absent) => {
                expect.advance(&record, current.as_ref().map(|current| current.generation))?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                true
            }
            (Defect::SavesInTwoSteps, Expect::Generation(_)) => {
                // First the number, then what belongs to it.
                let before = current.map_or_else(|| record.clone(), |current| current.value);
                self.inner.save(&before, expect).await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
                true
            }
            _ => false,
        };
        if !wrong {
            let saved = self.inner.save(&record, expect).await;
            let mut notes = self.notes.lock().unwrap();
            if saved.is_err() {
                notes.ghosts.push(record);
            } else {
                notes.first.entry(record.id.clone()).or_insert(record.clone());
                if self.defect == Defect::NumbersOnAfterDeletion && notes.deleted.contains(&record.id) {
                    return saved.map(Generation::next);
                }
            }
            return saved;
        }
        loop {
            let current = self.inner.load(&record.id).await?.map(|found| found.generation);
            match self.inner.save(&record, over(current)).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        let found = self.inner.load(id).await?;
        if self.defect == Defect::FailsToDeleteNothing && found.is_none() {
            return Err(StoreError::unavailable("nothing there"));
        }
        if self.defect == Defect::FindsDeleted {
            let mut notes = self.notes.lock().unwrap();
            notes.ghosts.extend(found.map(|found| found.value));
        }
        self.notes.lock().unwrap().deleted.push(id.clone());
        self.inner.delete(id).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let mut filter = filter.clone();
        match self.defect {
            Defect::IgnoresAFilter => {
                if let Some(owner) = filter.get_owner() {
                    filter = Filter::all().owner(owner.clone());
                }
            }
            Defect::IncludesTheInstant => {
                if let Some(before) = filter.get_expires_before()
                    && let Ok(after) = before.checked_add(SignedDuration::from_micros(1))
                {
                    filter = filter.expires_before(after);
                }
            }
            Defect::KnowsNoBounds if filter.page_size() == 100 => return self.all(|_| true, &filter).await,
            Defect::FindsByTheFirstSave => {
                let first = self.notes.lock().unwrap().first.clone();
                return self
                    .all(|record| filter.matches(&first[&record.id]), &Filter::all())
                    .await;
            }
            Defect::NeedsThePagesRecord => {
                if let Some(position) = page.position()
                    && self.inner.load(position).await?.is_none()
                {
                    return self.all(|_| false, &filter).await;
                }
            }
            Defect::CountsPages => return self.counted(&filter, page).await,
            _ => {}
        }
        let mut found = self.inner.find(&filter, page).await?;
        if self.defect == Defect::RepeatsAcrossPages && found.next.is_some() && found.items.len() > 1 {
            let before_last = &found.items[found.items.len() - 2];
            found.next = Some(PageToken::after(before_last.value.id.clone()));
        }
        if [Defect::FindsRefused, Defect::FindsDeleted].contains(&self.defect) {
            let notes = self.notes.lock().unwrap();
            let ghosts = notes.ghosts.iter().filter(|ghost| filter.matches(ghost));
            found.items.extend(ghosts.map(|ghost| Versioned {
                value: ghost.clone(),
                generation: Generation::FIRST,
            }));
        }
        Ok(found)
    }
}

impl Store {
    fn with(defect: Defect) -> Arc<dyn TokenStore> {
        Arc::new(Self {
            inner: MemoryStore::new(),
            defect,
            notes: Mutex::default(),
        })
    }

    fn fold(&self, id: &ConnectionId) -> ConnectionId {
        match self.defect {
            Defect::FoldsCase => id.as_str().to_lowercase().into(),
            Defect::CutsIds => id.as_str().chars().take(255).collect::<String>().into(),
            Defect::CutsAtNul => id.as_str().split('\0').next().unwrap().into(),
            _ => id.clone(),
        }
    }

    /// Everything on one page.
    async fn all(
        &self,
        keep: impl Fn(&StoredConnection) -> bool + Send,
        filter: &Filter,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let mut items = self.inner.find_all(filter).await?;
        items.retain(|found| keep(&found.value));
        Ok(Page {
            items,
            unreadable: Vec::new(),
            next: None,
        })
    }

    /// Pages by how many records stood on those before, as `OFFSET` does.
    async fn counted(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let mut notes = self.notes.lock().unwrap().offsets.clone();
        let offset = page
            .position()
            .map_or(0, |position| notes.remove(position).unwrap());
        let mut found = self.all(|_| true, filter).await?;
        let is_last = found.items.len() <= offset + filter.page_size();
        found.items = found
            .items
            .into_iter()
            .skip(offset)
            .take(filter.page_size())
            .collect();
        if let (false, Some(last)) = (is_last, found.items.last()) {
            let id = last.value.id.clone();
            let next = offset + filter.page_size();
            self.notes.lock().unwrap().offsets.insert(id.clone(), next);
            found.next = Some(PageToken::after(id));
        }
        Ok(found)
    }
}

#[test]
fn each_store_rule_catches_its_defect() {
    macro_rules! caught {
        ($($rule:ident: $defect:ident,)+) => {
            $(assert!(
                super::fails($rule(Store::with(Defect::$defect))),
                "{} does not see that a store {:?}",
                stringify!($rule),
                Defect::$defect,
            );)+
        };
    }
    caught! {
        what_was_saved_is_loaded: LosesAField,
        an_absent_record_is_none: FailsOnAbsent,
        generations_start_at_one_and_grow_by_one: SkipsAGeneration,
        absent_conflicts_with_a_record: OverwritesOnAbsent,
        stale_save_conflicts: IgnoresGenerations,
        a_deleted_record_conflicts: RevivesDeleted,
        any_replaces_and_refuses_a_sealed_part: SealsUnderAny,
        one_of_many_racing_saves_wins: RacesSaves,
        one_of_many_racing_inserts_wins: RacesInserts,
        delete_is_idempotent: FailsToDeleteNothing,
        find_filters_by_every_field: IgnoresAFilter,
        pages_are_the_flat_list: RepeatsAcrossPages,
        unicode_ids_are_kept_apart: FoldsCase,
        unknown_status_survives: FlattensUnknownStatus,
        attributes_are_kept: DropsEmptyAttributes,
        absent_and_empty_are_kept_apart: TakesEmptyForAbsent,
        times_are_kept_to_the_microsecond: KeepsMilliseconds,
        long_ids_are_kept_apart: CutsIds,
        large_records_are_kept: CutsLists,
        a_nul_is_kept_or_refused: CutsAtNul,
        a_reinserted_record_starts_anew: NumbersOnAfterDeletion,
        a_refused_save_changes_nothing: FindsRefused,
        a_deleted_record_is_found_by_nobody: FindsDeleted,
        a_saved_record_moves_between_look_ups: FindsByTheFirstSave,
        expires_before_is_exclusive: IncludesTheInstant,
        page_sizes_have_bounds: KnowsNoBounds,
        a_page_goes_on_behind_a_deleted_record: NeedsThePagesRecord,
        a_find_among_writes_skips_and_repeats_nothing: CountsPages,
        a_record_is_never_seen_half_saved: ReadsInTwoSteps,
        a_dropped_save_has_happened_or_has_not: SavesInTwoSteps,
    }
}
