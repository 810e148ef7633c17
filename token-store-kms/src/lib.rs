#![doc = include_str!("../README.md")]

#[cfg(feature = "aws")]
mod aws;
#[cfg(any(feature = "aws", feature = "transit"))]
mod http;
#[cfg(feature = "transit")]
mod transit;

#[cfg(feature = "aws")]
pub use aws::{AwsCredentials, AwsKms};
#[cfg(any(feature = "aws", feature = "transit"))]
pub use http::SetupError;
#[cfg(feature = "transit")]
pub use transit::Transit;
