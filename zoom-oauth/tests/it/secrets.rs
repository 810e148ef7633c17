//! Every secret has a mark on it, goes through everything that works and everything that fails, and may come out
//! nowhere: not in logs, errors, panics, what is printed or served, the stores, or the addresses that are asked for.

mod canary;
mod capture;
mod failures;
mod fake;
mod flows;
mod homes;
mod needles;
mod panics;
mod shown;
mod stage;
mod types;
