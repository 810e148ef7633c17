//! Connections against a small Zoom of the test's own: one-use codes and refresh tokens, faults on demand.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod apps;
mod children;
mod connect;
mod erase;
mod events;
mod health;
mod installs;
mod keeper;
mod kill_matrix;
mod leave;
mod probe;
mod processes;
mod refresh;
mod regions;
mod resolver;
mod revocation;
mod secrets;
mod server_to_server;
mod side_by_side;
mod stage;
mod stampede;
mod states;
mod stores;
mod unfinished;
mod welcome;
mod zoom;
