//! Proves that a queue keeps the contract of [`JobQueue`](crate::JobQueue).
