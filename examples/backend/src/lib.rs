//! What a product writes once: the crates wired into one backend, with a simulated Zoom for those who have no account.
#![expect(
    clippy::missing_errors_doc,
    reason = "an example: every error is an anyhow chain that says what to do"
)]

mod backend;
mod clients;
mod config;
mod database;
mod simulated;
pub mod speech;
mod time;
mod tokens;
mod webhooks;

pub use backend::Backend;
pub use config::{Config, Credentials, OpenAi, SystemAccount, VARIABLES, Zoom};
pub use simulated::SimulatedZoom;
pub use time::TimeReported;
pub use tokens::{TokenHome, sealed_by};
