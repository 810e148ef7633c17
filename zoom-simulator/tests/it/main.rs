//! The simulator seen from outside: plain HTTP, as a client that has never heard of this crate would use it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

mod control;
mod downloads;
mod faults;
mod meetings;
mod oauth;
mod receiver;
mod rest;
mod support;
mod webhooks;
