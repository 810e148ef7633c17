//! The simulator seen from outside: plain HTTP, as a client that has never heard of this crate would use it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

mod consent;
mod control;
mod downloads;
mod faults;
mod held;
mod meetings;
mod oauth;
mod people;
mod receiver;
mod refusals;
mod rest;
mod support;
mod webhooks;
