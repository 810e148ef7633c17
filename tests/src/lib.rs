//! The journeys across crates live in `it/`.
