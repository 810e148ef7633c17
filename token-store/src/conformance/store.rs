//! Rules 1 to 30 of [`TokenStore`], which every store keeps.

mod fields;
mod finds;
mod races;
mod saves;

use std::sync::Arc;

pub(super) use self::races::race;
pub use self::{
    fields::{
        a_nul_is_kept_or_refused, absent_and_empty_are_kept_apart, attributes_are_kept,
        large_records_are_kept, long_ids_are_kept_apart, times_are_kept_to_the_microsecond,
        unicode_ids_are_kept_apart, unknown_status_survives, what_was_saved_is_loaded,
    },
    finds::{
        a_deleted_record_is_found_by_nobody, a_page_goes_on_behind_a_deleted_record,
        a_saved_record_moves_between_look_ups, expires_before_is_exclusive, find_filters_by_every_field,
        page_sizes_have_bounds, pages_are_the_flat_list,
    },
    races::{
        a_dropped_save_has_happened_or_has_not, a_find_among_writes_skips_and_repeats_nothing,
        a_record_is_never_seen_half_saved, one_of_many_racing_inserts_wins, one_of_many_racing_saves_wins,
    },
    saves::{
        a_deleted_record_conflicts, a_refused_save_changes_nothing, a_reinserted_record_starts_anew,
        absent_conflicts_with_a_record, an_absent_record_is_none, any_replaces_and_refuses_a_sealed_part,
        delete_is_idempotent, generations_start_at_one_and_grow_by_one, stale_save_conflicts,
    },
};
use super::{full_record, record, unique};
use crate::{Expect, Filter, Generation, StoredConnection, TokenStore, TokenStoreExt as _};

async fn save(store: &Arc<dyn TokenStore>, record: &StoredConnection, expect: Expect) -> Generation {
    store.save(record, expect).await.expect("the save succeeds")
}

async fn load(store: &Arc<dyn TokenStore>, id: &str) -> Option<(StoredConnection, Generation)> {
    let found = store.load(&id.into()).await.expect("the load succeeds");
    found.map(|found| (found.value, found.generation))
}

async fn delete(store: &Arc<dyn TokenStore>, record: &StoredConnection) {
    store.delete(&record.id).await.expect("the delete succeeds");
}

/// The ids that a find returns, over all pages.
async fn find(store: &Arc<dyn TokenStore>, filter: Filter) -> Vec<String> {
    let found = store.find_all(&filter).await.expect("the find succeeds");
    found
        .into_iter()
        .map(|found| found.value.id.to_string())
        .collect()
}

/// One filter for each way to look a record up.
fn look_ups(record: &StoredConnection) -> Vec<Filter> {
    let mut filters = vec![
        Filter::all().owner(record.owner.clone()),
        Filter::all()
            .owner(record.owner.clone())
            .kind(record.kind.clone())
            .status(record.status.clone()),
    ];
    if let Some(account) = &record.provider_account {
        filters.push(Filter::all().provider_account(account));
        if let Some(user) = &record.provider_user {
            filters.push(Filter::all().provider_account(account).provider_user(user));
        }
    }
    if let Some(expires_at) = record.expires_at {
        let after = expires_at + jiff::SignedDuration::from_secs(1);
        filters.push(Filter::all().owner(record.owner.clone()).expires_before(after));
    }
    filters
}
