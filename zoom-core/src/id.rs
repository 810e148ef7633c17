//! Zoom's identifiers, each a type of its own.

use thiserror::Error;

mod meeting_id;
mod meeting_uuid;

pub use meeting_id::MeetingId;
pub use meeting_uuid::MeetingUuid;

/// A text that is not an identifier of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a valid {kind}")]
#[non_exhaustive]
pub struct ParseIdError {
    /// The identifier that was wanted, such as `MeetingId`.
    pub kind: &'static str,
}

/// Makes identifiers over text: `new`, `as_str`, `Display`, `FromStr`, serde as a plain string. Zoom sends some ids as
/// numbers in one place and as strings in another, so both are read.
#[macro_export]
#[doc(hidden)]
macro_rules! id_type {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name(::std::string::String);

        impl $name {
            /// Takes the identifier as Zoom wrote it.
            #[must_use]
            $vis fn new(id: impl ::core::convert::Into<::std::string::String>) -> Self {
                Self(id.into())
            }

            /// The identifier as Zoom writes it.
            #[must_use]
            $vis fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::ParseIdError;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                if text.is_empty() {
                    return Err($crate::__private::not_an_id(stringify!($name)));
                }
                Ok(Self::new(text))
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::__private::serde::Serializer,
            {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::__private::serde::Deserializer<'de>,
            {
                $crate::__private::text_or_number(deserializer).map(Self)
            }
        }

        impl $crate::PathSegment for $name {
            fn path_segment(&self) -> ::std::string::String {
                $crate::__private::encode_segment(&self.0)
            }
        }
    )+};
}

id_type! {
    /// A Zoom user. An e-mail address and `me` are understood by Zoom in its place.
    ///
    /// Identifiers do not stand in for each other. This compiles, and the same with an [`AccountId`] does not:
    ///
    /// ```
    /// fn settings_of(user: &zoom_core::UserId) {}
    /// settings_of(&zoom_core::UserId::new("KDcuGIm1QgePTO8WbOqwIQ"));
    /// ```
    ///
    /// ```compile_fail,E0308
    /// fn settings_of(user: &zoom_core::UserId) {}
    /// settings_of(&zoom_core::AccountId::new("oRwFJeEkRZ6Zl4CLbzN8Uw"));
    /// ```
    pub struct UserId;
    /// A Zoom account: the organisation, with one or many users.
    pub struct AccountId;
    /// One file of a cloud recording.
    pub struct RecordingFileId;
    /// Somebody who registered for a meeting.
    pub struct RegistrantId;
    /// One occurrence of a recurring meeting.
    pub struct OccurrenceId;
    /// One stay of one participant in one meeting; a rejoin gets another.
    pub struct ParticipantId;
}

impl UserId {
    /// The user the token belongs to; for Server-to-Server tokens the app's owner.
    #[must_use]
    pub fn me() -> Self {
        Self::new("me")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_strings_in_json() {
        let id: UserId = serde_json::from_str("\"KDcuGIm1QgePTO8WbOqwIQ\"").unwrap();
        assert_eq!(id.as_str(), "KDcuGIm1QgePTO8WbOqwIQ");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"KDcuGIm1QgePTO8WbOqwIQ\"");
    }

    #[test]
    fn ids_sent_as_numbers_are_read() {
        let id: ParticipantId = serde_json::from_str("16778240").unwrap();
        assert_eq!(id, ParticipantId::new("16778240"));
        assert!(serde_json::from_str::<ParticipantId>("true").is_err());
    }

    #[test]
    fn an_empty_text_is_not_an_id() {
        assert_eq!(
            "".parse::<UserId>().unwrap_err().to_string(),
            "not a valid UserId"
        );
        assert!("me".parse::<UserId>().is_ok_and(|id| id == UserId::me()));
    }
}
