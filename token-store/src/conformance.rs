//! The contracts of [`TokenStore`](crate::TokenStore) and [`RefreshLock`](crate::RefreshLock) as tests, one per
//! numbered rule, for whoever writes a home of their own.
//!
//! Rules use names that nobody else uses, so the home behind a store need not be empty.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a rule fails by panicking, as tests do"
)]

pub mod durable;
pub mod history;
pub mod lock;
mod processes;
pub mod store;

pub use self::durable::DurableHome;
use crate::{ConnectionId, OwnerId, RecordKind, Status, StoredConnection};

/// Runs one rule on threads of its own, so that races are races.
#[doc(hidden)]
pub fn run(rule: impl Future<Output = ()>) {
    runtime().block_on(rule);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Tests a [`TokenStore`](crate::TokenStore): rules 1 to 30 of its contract, each on a store of its own.
///
/// ```
/// mod memory {
///     token_store::token_store_conformance!(async { token_store::MemoryStore::new() });
/// }
/// ```
#[macro_export]
macro_rules! token_store_conformance {
    ($make:expr) => {
        $crate::__each_store_rule! { __store_rule_on_a_store [$make] }
    };
}

/// Tests a [`TokenStore`](crate::TokenStore) that outlives the process: rules 1 to 37 of its contract. Takes a future
/// of a fresh [`DurableHome`](crate::conformance::DurableHome). One rule starts the test binary again, as a second and
/// a third process on the same home; nothing has to be set up for it.
#[macro_export]
macro_rules! durable_token_store_conformance {
    ($make:expr) => {
        $crate::__each_store_rule! { __store_rule_on_a_home [$make] }
        $crate::__durable_rules! {
            [$make]
            reopened_store_has_what_was_saved
            two_handles_never_both_win
            a_corrupt_record_is_an_error_not_an_absence
            a_corrupt_record_hides_no_other
            a_newer_version_s_record_is_read
            many_may_open_a_new_home_at_once
        }

        #[test]
        fn writers_in_two_processes_never_both_win() {
            $crate::conformance::durable::writers_in_two_processes_never_both_win(
                ::std::concat!(
                    ::std::module_path!(),
                    "::writers_in_two_processes_never_both_win"
                ),
                || $make,
            );
        }
    };
}

/// Tests a [`RefreshLock`](crate::RefreshLock): the rules of its contract, each on a lock of its own. Takes a function
/// that makes the lock with the [`Clock`](crate::Clock) it is given, so that leases end without waiting.
///
/// ```
/// mod memory {
///     token_store::refresh_lock_conformance!(|clock| async { token_store::MemoryLock::new().with_clock(clock) });
/// }
/// ```
#[macro_export]
macro_rules! refresh_lock_conformance {
    ($make:expr) => {
        $crate::__lock_rules! {
            [$make]
            a_free_key_is_acquired
            a_held_key_is_refused
            a_lease_is_not_reentrant
            a_released_key_is_free
            only_the_holder_releases
            an_expired_lease_is_free
            a_late_release_takes_nothing
            fences_grow
            keys_are_independent
            one_of_many_racing_attempts_wins
            contenders_never_hold_at_once
            one_of_many_racing_for_an_expired_lease_wins
            a_failed_attempt_changes_nothing
            a_repeated_release_takes_nothing
            an_endless_lease_does_not_overflow
            a_lease_of_nothing_is_over_at_once
            odd_names_are_kept_apart
            many_keys_are_held_at_once
            a_dropped_attempt_ends_by_time
        }
    };
}

/// Tests a [`History`](crate::History): the rules of its contract, each on a history of its own.
///
/// ```
/// mod memory {
///     token_store::history_conformance!(async { token_store::MemoryHistory::new() });
/// }
/// ```
#[macro_export]
macro_rules! history_conformance {
    ($make:expr) => {
        $crate::__history_rules! {
            [$make]
            entries_come_newest_first
            no_more_than_asked_for
            what_was_appended_is_returned
            connections_are_kept_apart
            the_same_entry_twice_is_two
            erase_forgets_one_owner
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __history_rules {
    ([$make:expr] $($rule:ident)+) => {
        $(#[test]
        fn $rule() {
            $crate::conformance::run(async {
                $crate::conformance::history::$rule(::std::sync::Arc::new($make.await)).await;
            });
        })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __each_store_rule {
    ($each:ident [$make:expr]) => {
        $crate::$each! {
            [$make]
            what_was_saved_is_loaded
            an_absent_record_is_none
            generations_start_at_one_and_grow_by_one
            absent_conflicts_with_a_record
            stale_save_conflicts
            a_deleted_record_conflicts
            any_replaces_and_refuses_a_sealed_part
            one_of_many_racing_saves_wins
            one_of_many_racing_inserts_wins
            delete_is_idempotent
            find_filters_by_every_field
            pages_are_the_flat_list
            unicode_ids_are_kept_apart
            unknown_status_survives
            attributes_are_kept
            absent_and_empty_are_kept_apart
            times_are_kept_to_the_microsecond
            long_ids_are_kept_apart
            large_records_are_kept
            a_nul_is_kept_or_refused
            a_reinserted_record_starts_anew
            a_refused_save_changes_nothing
            a_deleted_record_is_found_by_nobody
            a_saved_record_moves_between_look_ups
            expires_before_is_exclusive
            page_sizes_have_bounds
            a_page_goes_on_behind_a_deleted_record
            a_find_among_writes_skips_and_repeats_nothing
            a_record_is_never_seen_half_saved
            a_dropped_save_has_happened_or_has_not
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_rule_on_a_store {
    ([$make:expr] $($rule:ident)+) => {
        $(#[test]
        fn $rule() {
            $crate::conformance::run(async {
                $crate::conformance::store::$rule(::std::sync::Arc::new($make.await)).await;
            });
        })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_rule_on_a_home {
    ([$make:expr] $($rule:ident)+) => {
        $(#[test]
        fn $rule() {
            $crate::conformance::run(async {
                let home = $make.await;
                let store = $crate::conformance::durable::open(&home).await;
                $crate::conformance::store::$rule(store).await;
            });
        })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __durable_rules {
    ([$make:expr] $($rule:ident)+) => {
        $(#[test]
        fn $rule() {
            $crate::conformance::run(async {
                $crate::conformance::durable::$rule(&$make.await).await;
            });
        })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __lock_rules {
    ([$make:expr] $($rule:ident)+) => {
        $(#[test]
        fn $rule() {
            $crate::conformance::run(async {
                let time = $crate::conformance::lock::HandTurned::default();
                let lock = ($make)(time.clock()).await;
                $crate::conformance::lock::$rule(::std::sync::Arc::new(lock), &time).await;
            });
        })+
    };
}

/// A name that no other rule uses.
fn unique(name: &str) -> String {
    format!("{name}-{}", ConnectionId::random().expect("random bytes"))
}

fn record(id: &str, owner: &str) -> StoredConnection {
    let now = "2026-11-22T10:00:00.123456Z".parse().expect("an instant");
    StoredConnection::new(
        ConnectionId::new(id),
        OwnerId::new(owner),
        RecordKind::Connection,
        Status::Active,
        now,
    )
}

/// A record with every field filled.
fn full_record(id: &str, owner: &str) -> StoredConnection {
    let mut record = record(id, owner);
    record.provider_account = Some("account".into());
    record.provider_user = Some("user".into());
    record.display_name = Some("Zoë O'Neill 🦉".into());
    record.email = Some("zoë@example.com".into());
    record.status = Status::Degraded;
    record.status_reason = Some("a scope is missing".into());
    record.scopes = vec!["meeting:read".into(), "user:read".into()];
    record.attributes.insert("app".into(), "Brand B 🦉".into());
    record.updated_at = "2026-11-22T11:00:00.000001Z".parse().expect("an instant");
    record.expires_at = Some("2026-11-22T12:00:00.999999Z".parse().expect("an instant"));
    record.sealed = Some("v1.k1.AAECAwQFBgcICQoL.c2VhbGVk".parse().expect("a sealed part"));
    record
}
