//! The crate against real sockets.

#[cfg(test)]
mod download;
#[cfg(test)]
#[cfg(feature = "openai")]
mod openai;
#[cfg(test)]
mod server;
