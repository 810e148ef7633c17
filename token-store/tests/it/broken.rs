//! The suite itself: a store, home or lock with one defect fails the rule that forbids it.

mod homes;
mod locks;
mod stores;

use std::panic::{AssertUnwindSafe, catch_unwind};

use token_store::conformance;

/// Whether a rule finds fault.
fn fails(rule: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| conformance::run(rule))).is_err()
}
