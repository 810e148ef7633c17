use std::{fmt, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    ConnectionId, Expect, Generation, OwnerId, RecordKind, Status, StoreError, StoredConnection, Versioned,
};

/// Where connections are kept. A store never sees a token: the secret part of a record arrives sealed.
///
/// # Contract
///
/// Each rule is a test of the same name in `token_store_conformance!`.
///
/// 1. `what_was_saved_is_loaded`: a load returns every field as it was saved, times to the microsecond.
/// 2. `an_absent_record_is_none`: a load of an unknown id is `None`, not an error.
/// 3. `generations_start_at_one_and_grow_by_one`: a save returns the generation it produced, and a load shows it.
/// 4. `absent_conflicts_with_a_record`: `Expect::Absent` saves only where nothing is.
/// 5. `stale_save_conflicts`: `Expect::Generation` saves only over that generation, and a refused save changes nothing.
/// 6. `a_deleted_record_conflicts`: nor does `Expect::Generation` bring a deleted record back.
/// 7. `any_replaces_and_refuses_a_sealed_part`: `Expect::Any` saves over anything, but no record with a sealed part.
/// 8. `one_of_many_racing_saves_wins`: of concurrent saves over one generation exactly one succeeds.
/// 9. `one_of_many_racing_inserts_wins`: of concurrent saves with `Expect::Absent` exactly one succeeds.
/// 10. `delete_is_idempotent`: a delete removes the record; deleting nothing succeeds.
/// 11. `find_filters_by_every_field`: a find returns what [`Filter::matches`] and nothing else.
/// 12. `pages_are_the_flat_list`: pages are ordered by id (bytes), show each record once, and end with `None`; a page
///     holds no more than asked for.
/// 13. `unicode_ids_are_kept_apart`: ids are compared byte by byte: no case folding, no normalisation, no trimming.
/// 14. `unknown_status_survives`: a kind or status that this version does not know is kept as it is.
/// 15. `attributes_are_kept`: whatever their names and however many, and a save replaces them all.
/// 16. `absent_and_empty_are_kept_apart`: an empty text is not an absent one, nor is a list with an empty text empty.
/// 17. `times_are_kept_to_the_microsecond`: from the year 1 to the year 9999; what is finer may be cut.
/// 18. `long_ids_are_kept_apart`: ids and owners of 512 bytes, compared to their last one.
/// 19. `large_records_are_kept`: a sealed part of 64 KB, hundreds of scopes.
/// 20. `a_nul_is_kept_or_refused`: a text with the character NUL is kept, or refused with [`StoreError::Invalid`];
///     never cut.
/// 21. `a_reinserted_record_starts_anew`: after a delete, an insert makes generation 1, with nothing of the old record.
/// 22. `a_refused_save_changes_nothing`: neither the record nor what finds return.
/// 23. `a_deleted_record_is_found_by_nobody`: no find shows it once the delete returned.
/// 24. `a_saved_record_moves_between_look_ups`: once a save returned, finds go by what it saved.
/// 25. `expires_before_is_exclusive`: a record that expires at that instant, or never, is not found.
/// 26. `page_sizes_have_bounds`: those of [`Filter::page_size`]: one at least, 1000 at most, 100 if not said.
/// 27. `a_page_goes_on_behind_a_deleted_record`: a page token outlives the record that it names.
/// 28. `a_find_among_writes_skips_and_repeats_nothing`: a record that is there from the first page to the last is
///     shown once, whatever is saved and deleted in between.
/// 29. `a_record_is_never_seen_half_saved`: loads and finds show one save's fields with that save's generation, and
///     nobody sees an older one after a newer one.
/// 30. `a_dropped_save_has_happened_or_has_not`: never half, and it stands in nobody's way.
///
/// And for homes that outlive a process, `durable_token_store_conformance!`:
///
/// 31. `reopened_store_has_what_was_saved`: a save that returned is there for another handle on the same home.
/// 32. `two_handles_never_both_win`: rules 5 and 8 hold between handles.
/// 33. `a_corrupt_record_is_an_error_not_an_absence`: a load of it fails with [`StoreError::Corrupt`].
/// 34. `a_corrupt_record_hides_no_other`: a find names it in [`Page::unreadable`] and returns its neighbours.
/// 35. `a_newer_version_s_record_is_read`: fields that this version does not know hinder nobody; a save may drop them.
/// 36. `many_may_open_a_new_home_at_once`: ten hosts that start together make its tables once.
/// 37. `writers_in_two_processes_never_both_win`: rules 5 and 8 hold between processes.
///
/// # Clone
///
/// Use it as `Arc<dyn TokenStore>`.
///
/// # Cancellation
///
/// Any future may be dropped; rule 30 says what then holds.
///
/// # Errors
///
/// `Conflict` only for a generation that differs; a home that does not answer is `Unavailable`.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The record, and its generation.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError>;

    /// Saves if the store has what `expect` says; returns the generation it produced. [`Expect::advance`] decides.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Invalid`], [`StoreError::Unavailable`].
    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError>;

    /// Removes the record if there is one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError>;

    /// One page of the records that match, ordered by id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError>;
}

/// Which records to find. An empty filter finds all; every setter narrows it.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    owner: Option<OwnerId>,
    kind: Option<RecordKind>,
    status: Option<Status>,
    provider_account: Option<String>,
    provider_user: Option<String>,
    expires_before: Option<Timestamp>,
    page_size: Option<u32>,
}

impl Filter {
    /// Every record.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Records of this owner.
    #[must_use]
    pub fn owner(mut self, owner: OwnerId) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Records of this kind.
    #[must_use]
    pub fn kind(mut self, kind: RecordKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Records with this status.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Records of this account at the provider.
    #[must_use]
    pub fn provider_account(mut self, account: impl Into<String>) -> Self {
        self.provider_account = Some(account.into());
        self
    }

    /// Records of this user at the provider.
    #[must_use]
    pub fn provider_user(mut self, user: impl Into<String>) -> Self {
        self.provider_user = Some(user.into());
        self
    }

    /// Records that expire, and do so before this instant.
    #[must_use]
    pub fn expires_before(mut self, instant: Timestamp) -> Self {
        self.expires_before = Some(instant);
        self
    }

    /// At most so many records on a page: 1 to 1000, 100 if not said.
    #[must_use]
    pub fn with_page_size(mut self, size: u32) -> Self {
        self.page_size = Some(size);
        self
    }

    /// What [`owner`](Self::owner) was given.
    #[must_use]
    pub fn get_owner(&self) -> Option<&OwnerId> {
        self.owner.as_ref()
    }

    /// What [`kind`](Self::kind) was given.
    #[must_use]
    pub fn get_kind(&self) -> Option<&RecordKind> {
        self.kind.as_ref()
    }

    /// What [`status`](Self::status) was given.
    #[must_use]
    pub fn get_status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// What [`provider_account`](Self::provider_account) was given.
    #[must_use]
    pub fn get_provider_account(&self) -> Option<&str> {
        self.provider_account.as_deref()
    }

    /// What [`provider_user`](Self::provider_user) was given.
    #[must_use]
    pub fn get_provider_user(&self) -> Option<&str> {
        self.provider_user.as_deref()
    }

    /// What [`expires_before`](Self::expires_before) was given.
    #[must_use]
    pub fn get_expires_before(&self) -> Option<Timestamp> {
        self.expires_before
    }

    /// How many records a page may hold, within its bounds.
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.page_size.map_or(100, |size| size.clamp(1, 1000) as usize)
    }

    /// Whether a record is among those asked for: the rule that a store's query must follow.
    #[must_use]
    pub fn matches(&self, record: &StoredConnection) -> bool {
        fn same<T: PartialEq + ?Sized>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        same(self.owner.as_ref(), Some(&record.owner))
            && same(self.kind.as_ref(), Some(&record.kind))
            && same(self.status.as_ref(), Some(&record.status))
            && same(
                self.provider_account.as_deref(),
                record.provider_account.as_deref(),
            )
            && same(self.provider_user.as_deref(), record.provider_user.as_deref())
            && self
                .expires_before
                .is_none_or(|before| record.expires_at.is_some_and(|at| at < before))
    }
}

/// Where a page starts: at the beginning, or behind a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageToken(Option<ConnectionId>);

impl PageToken {
    /// The first page.
    #[must_use]
    pub fn first() -> Self {
        Self(None)
    }

    /// The page of the records whose ids are greater, byte by byte.
    #[must_use]
    pub fn after(id: ConnectionId) -> Self {
        Self(Some(id))
    }

    /// The id it starts behind; `None` for the first page.
    #[must_use]
    pub fn position(&self) -> Option<&ConnectionId> {
        self.0.as_ref()
    }
}

/// Some of the records that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever writes a store builds it")]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Records of this page that are there and cannot be read.
    pub unreadable: Vec<ConnectionId>,
    /// The next page, if there may be more.
    pub next: Option<PageToken>,
}

/// What can be said with a store's four methods.
pub trait TokenStoreExt: TokenStore {
    /// All records that match; those that cannot be read are left out and logged by id.
    ///
    /// # Errors
    /// Those of [`TokenStore::find`].
    fn find_all(
        &self,
        filter: &Filter,
    ) -> impl Future<Output = Result<Vec<Versioned<StoredConnection>>, StoreError>> + Send {
        async move {
            let mut found = Vec::new();
            let mut token = PageToken::first();
            loop {
                let page = self.find(filter, token.clone()).await?;
                for id in &page.unreadable {
                    tracing::error!(connection = %id, "a record cannot be read");
                }
                found.extend(page.items);
                match page.next {
                    Some(next) if next != token => token = next,
                    _ => return Ok(found),
                }
            }
        }
    }

    /// The record, if it is this owner's; `None` for somebody else's, just as for one that is not there. Whoever takes
    /// an id from outside asks with this, so that guessing one shows nothing.
    ///
    /// # Errors
    /// Those of [`TokenStore::load`].
    fn load_owned(
        &self,
        owner: &OwnerId,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<Option<Versioned<StoredConnection>>, StoreError>> + Send {
        async move {
            let found = self.load(id).await?;
            Ok(found.filter(|found| found.value.owner == *owner))
        }
    }
}

impl<S: TokenStore + ?Sized> TokenStoreExt for S {}

macro_rules! through_pointer {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<S: TokenStore + ?Sized> TokenStore for $pointer<S> {
            async fn load(
                &self,
                id: &ConnectionId,
            ) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
                (**self).load(id).await
            }

            async fn save(
                &self,
                record: &StoredConnection,
                expect: Expect,
            ) -> Result<Generation, StoreError> {
                (**self).save(record, expect).await
            }

            async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
                (**self).delete(id).await
            }

            async fn find(
                &self,
                filter: &Filter,
                page: PageToken,
            ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
                (**self).find(filter, page).await
            }
        }
    };
}
through_pointer!(Arc);
through_pointer!(Box);
