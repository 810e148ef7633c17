//! The journeys across crates live in `it/`.

/// The README's example is compiled like every other.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
