//! A real PostgreSQL and a real Redis for tests: started by them, gone with them.
//!
//! Each test binary starts a server when its first test asks for one, and all its tests share it, every one with a
//! place of its own:
//!
//! ```no_run
//! let store = test_services::Postgres::shared().database(); // postgres://…
//! let locks = test_services::Redis::shared().database(); // redis://…
//! ```
//!
//! A test that wants to break a server starts one of its own:
//!
//! ```no_run
//! let redis = test_services::Redis::start();
//! redis.pause();
//! redis.resume();
//! redis.kill();
//! redis.restart_empty();
//! ```
//!
//! Everything happens in a temporary folder. Server and folder go with the process that started them, however it ends.
//! Where the programs are missing, the test fails and says what to install; it is never skipped.
#![expect(
    clippy::panic,
    reason = "a service that does not start fails the test that asked for it"
)]

mod postgres;
mod redis;
mod server;

pub use postgres::Postgres;
pub use redis::Redis;
