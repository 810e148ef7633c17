//! The simulator seen from outside: plain HTTP, as a client that has never heard of this crate would use it.

mod control;
mod downloads;
mod faults;
mod meetings;
mod oauth;
mod receiver;
mod rest;
mod support;
mod webhooks;
