//! Connections against a small Zoom of the test's own: one-use codes and refresh tokens, faults on demand.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod apps;
mod connect;
mod erase;
mod events;
mod health;
mod installs;
mod leave;
mod probe;
mod processes;
mod refresh;
mod regions;
mod resolver;
mod revocation;
mod secrets;
mod server_to_server;
mod states;
mod stores;
mod welcome;
mod zoom;
