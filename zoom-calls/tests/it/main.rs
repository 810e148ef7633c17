//! What the crate does through its public surface.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod pipeline;
mod slack;
mod stores;
