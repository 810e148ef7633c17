//! The shipped homes against the contract, and broken homes against the suite.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod broken;
mod broken_history;
mod connecting;
mod custom_lock;
mod custom_store;
mod homes;
mod lenient;
mod outage;
mod owners;
mod rotation;
