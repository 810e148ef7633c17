//! Not yet written.

pub mod samples;
