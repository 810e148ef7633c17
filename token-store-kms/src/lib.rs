#![doc = include_str!("../README.md")]

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "transit")]
mod transit;

#[cfg(feature = "aws")]
pub use aws::{AwsCredentials, AwsKms};
#[cfg(feature = "http")]
pub use http::SetupError;
#[cfg(feature = "transit")]
pub use transit::Transit;
