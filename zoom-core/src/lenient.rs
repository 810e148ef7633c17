//! Reading what Zoom really sends, for `#[serde(deserialize_with = "…")]`.
//!
//! Zoom writes `""` where others write null or leave the field out, numbers as strings and strings as numbers. Use each
//! of these together with `#[serde(default)]`.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;
use url::Url;

use crate::{Link, time::parse_timestamp};

/// `""` and null are `None`; anything else is read as `T`.
///
/// # Errors
/// Fails when there is a value and it is not a `T`.
pub fn option<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        value => T::deserialize(value).map(Some).map_err(D::Error::custom),
    }
}

/// A number that may arrive as text; `""` and null are `None`.
///
/// # Errors
/// Fails when there is a value and it is not such a number.
pub fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + FromStr,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| D::Error::custom("expected a number in this text")),
        value => T::deserialize(value).map(Some).map_err(D::Error::custom),
    }
}

/// A yes or no that may arrive as `1`/`0` or as text; `""` and null are `None`.
///
/// # Errors
/// Fails when there is a value and it is neither yes nor no.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(value)),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(Some(false)),
        Value::Number(number) if number.as_u64() == Some(1) => Ok(Some(true)),
        Value::String(text) => match text.as_str() {
            "" => Ok(None),
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(D::Error::custom("expected yes or no in this text")),
        },
        _ => Err(D::Error::custom("expected yes or no")),
    }
}

/// Text that may arrive as a number; `""` and null are `None`.
///
/// # Errors
/// Fails when there is a value and it is neither text nor a number.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("expected text")),
    }
}

/// A time in any form Zoom uses, UTC where it names no offset; `""` and null are `None`.
///
/// # Errors
/// Fails when there is text and it is not a time.
pub fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !text.trim().is_empty() => parse_timestamp(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom("expected a time")),
        _ => Ok(None),
    }
}

/// A URL; `""`, null and what is not a URL are `None`, so that one odd link does not cost the rest.
///
/// # Errors
/// Fails when there is a value and it is not text.
pub fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| Url::parse(&text).ok()))
}

/// A [`Link`], as [`url()`] reads a URL.
///
/// # Errors
/// Fails when there is a value and it is not text.
pub fn link<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Link>, D::Error> {
    Ok(url(deserializer)?.map(Link::new))
}

/// Null is the default value, an empty list for instance.
///
/// # Errors
/// Fails when there is a value and it is not a `T`.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A list of which entries that cannot be read are left out, so that one odd entry does not cost the rest; null is
/// empty.
///
/// # Errors
/// Fails when there is a value and it is not a list.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let entries = Option::<Vec<Value>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(entries
        .into_iter()
        .filter_map(|entry| T::deserialize(entry).ok())
        .collect())
}

#[doc(hidden)]
///  Text as it is, or a number as text.
pub fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("expected text or a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "option")]
        user: Option<UserId>,
        #[serde(default, deserialize_with = "number")]
        count: Option<u64>,
        #[serde(default, deserialize_with = "boolean")]
        yes: Option<bool>,
        #[serde(default, deserialize_with = "text")]
        name: Option<String>,
        #[serde(default, deserialize_with = "timestamp")]
        at: Option<Timestamp>,
        #[serde(default, deserialize_with = "url")]
        link: Option<Url>,
        #[serde(default, deserialize_with = "or_default")]
        list: Vec<u8>,
    }

    fn read(json: &str) -> Result<Sample, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn empty_text_null_and_absence_are_the_same() {
        let empty = r#"{"user":"","count":"","yes":"","name":"","at":"","link":"","list":null}"#;
        let null = r#"{"user":null,"count":null,"yes":null,"name":null,"at":null,"link":null,"list":null}"#;
        for json in ["{}", empty, null] {
            assert_eq!(read(json).unwrap(), Sample::default(), "{json}");
        }
    }

    #[test]
    fn numbers_and_text_stand_in_for_each_other() {
        let sample = read(r#"{"user":7,"count":"42","yes":1,"name":5,"link":"not a link"}"#).unwrap();
        assert_eq!(sample.user, Some(UserId::new("7")));
        assert_eq!((sample.count, sample.yes), (Some(42), Some(true)));
        assert_eq!((sample.name.as_deref(), sample.link), (Some("5"), None));
    }

    #[test]
    fn nonsense_is_refused() {
        for json in [
            r#"{"count":"many"}"#,
            r#"{"count":[]}"#,
            r#"{"yes":"perhaps"}"#,
            r#"{"at":"soon"}"#,
            r#"{"name":{}}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
