//! Speech to text on this machine: not yet written.
