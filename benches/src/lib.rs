#![doc = include_str!("../README.md")]

mod measure;
mod plain;
mod sealed;
mod seed;
mod stampede;

pub use measure::{Timed, cpu_time, print, timed, timed_async};
pub use plain::Plain;
pub use sealed::SealedStore;
pub use seed::{Seed, connections, final_refresh, record, secret, vault};
pub use stampede::{Outcome, run, wait_until};
