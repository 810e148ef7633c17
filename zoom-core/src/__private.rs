//! What the exported macros need where they are used. Not part of the public interface.

use crate::ParseIdError;

pub use crate::{
    lenient::text_or_number, open_enum::OtherText, request::encode_segment, secret::fingerprint,
};
pub use secrecy;
pub use serde;

#[must_use]
pub const fn not_an_id(kind: &'static str) -> ParseIdError {
    ParseIdError { kind }
}
