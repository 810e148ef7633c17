//! Enums that Zoom may grow.

/// Makes an enum of the texts we know that keeps every other text as it came.
///
/// A text that is not in the list parses, prints and serialises unchanged; it can be read by `as_str()` and cannot be
/// matched on, so that learning it later breaks nobody.
///
/// ```
/// zoom_core::open_enum! {
///     /// How a meeting is going.
///     pub enum Progress {
///         /// Nobody is there.
///         Waiting => "waiting",
///     }
/// }
/// assert_eq!(Progress::from("waiting"), Progress::Waiting);
/// assert_eq!(Progress::from("paused").as_str(), "paused");
/// ```
#[macro_export]
macro_rules! open_enum {
    ($($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)+
            #[doc(hidden)]
            _Other($crate::__private::OtherText),
        }

        impl $name {
            /// The text Zoom uses.
            #[must_use]
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::_Other(other) => other.as_str(),
                }
            }

            /// Whether this version of the crate knows the text.
            #[must_use]
            $vis fn is_known(&self) -> bool {
                !matches!(self, Self::_Other(_))
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::_Other($crate::__private::OtherText::new(other)),
                }
            }
        }

        impl ::core::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::__private::serde::Serializer,
            {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::__private::serde::Deserializer<'de>,
            {
                <::std::string::String as $crate::__private::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    )+};
}

/// Like [`open_enum!`](crate::open_enum) for kinds that Zoom numbers; text with a number in it is read too.
macro_rules! open_code {
    ($($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident => $code:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)+
            #[doc(hidden)]
            _Other($crate::open_enum::OtherCode),
        }

        impl $name {
            /// The number Zoom uses.
            #[must_use]
            $vis const fn code(self) -> i64 {
                match self {
                    $(Self::$variant => $code,)+
                    Self::_Other(other) => other.get(),
                }
            }
        }

        impl From<i64> for $name {
            fn from(code: i64) -> Self {
                match code {
                    $($code => Self::$variant,)+
                    other => Self::_Other($crate::open_enum::OtherCode::new(other)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = $crate::lenient::text_or_number(deserializer)?;
                let code: i64 = text.trim().parse().map_err(serde::de::Error::custom)?;
                Ok(Self::from(code))
            }
        }
    )+};
}
pub(crate) use open_code;

/// A text we do not know. Cannot be made or read outside the enum it sits in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherText(Box<str>);

impl OtherText {
    /// For [`open_enum!`](crate::open_enum).
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// For [`open_enum!`](crate::open_enum).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number we do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OtherCode(i64);

impl OtherCode {
    pub(crate) const fn new(code: i64) -> Self {
        Self(code)
    }

    pub(crate) const fn get(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::model::{FileType, MeetingType, RecordingType};

    #[test]
    fn known_texts_become_variants() {
        assert_eq!(FileType::from("M4A"), FileType::M4a);
        assert!(!FileType::from("m4a").is_known());
        assert_eq!(
            RecordingType::from("shared_screen_with_speaker_view(CC)"),
            RecordingType::SharedScreenWithSpeakerViewCc
        );
    }

    #[test]
    fn numbered_kinds_are_read_from_numbers_and_text() {
        for json in ["8", "\"8\""] {
            let kind: MeetingType = serde_json::from_str(json).unwrap();
            assert_eq!(kind, MeetingType::RecurringFixedTime);
        }
        assert!(serde_json::from_str::<MeetingType>("\"eight\"").is_err());
    }

    proptest! {
        #[test]
        fn every_text_survives_the_round_trip(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            let value: FileType = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(value.as_str(), text.as_str());
            prop_assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }

        #[test]
        fn every_code_survives_the_round_trip(code in any::<i64>()) {
            let value: MeetingType = serde_json::from_str(&code.to_string()).unwrap();
            prop_assert_eq!(serde_json::to_string(&value).unwrap(), code.to_string());
        }
    }
}
