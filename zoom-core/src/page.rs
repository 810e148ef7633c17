//! Lists that come in pages.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{decode::explain, lenient};

/// Where the next page begins; opaque, and good for fifteen minutes.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct PageToken(String);

impl PageToken {
    /// Takes the token as Zoom wrote it.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token as Zoom writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageToken(..)")
    }
}

/// What a page can be a page of.
pub trait PageItem: DeserializeOwned + Send {
    /// The name of the list in Zoom's answer: `meetings`, `participants`.
    const KEY: &'static str;
}

/// One page of a list.
///
/// Only `next` decides whether there is more; a page may be empty and not be the last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries, in Zoom's order.
    pub items: Vec<T>,
    /// Entries that could not be read. One odd entry does not cost the page.
    pub skipped: Vec<SkippedItem>,
    /// The next page, if there is one.
    pub next: Option<PageToken>,
    /// How many entries all pages have together, where Zoom says.
    pub total: Option<u64>,
    /// The first day covered, where the list is one of days.
    pub from: Option<Date>,
    /// The last day covered, where the list is one of days.
    pub to: Option<Date>,
}

impl<T> Page<T> {
    /// A page, for tests.
    #[must_use]
    pub const fn new(items: Vec<T>, next: Option<PageToken>) -> Self {
        Self {
            items,
            skipped: vec![],
            next,
            total: None,
            from: None,
            to: None,
        }
    }
}

/// An entry of a page that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedItem {
    /// Its place in Zoom's list, from 0.
    pub position: usize,
    /// What was wrong with it; names fields and types, never values.
    pub reason: String,
}

impl<'de, T: PageItem> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default, deserialize_with = "lenient::option")]
            next_page_token: Option<PageToken>,
            #[serde(default, deserialize_with = "lenient::number")]
            total_records: Option<u64>,
            #[serde(default, deserialize_with = "lenient::option")]
            from: Option<Date>,
            #[serde(default, deserialize_with = "lenient::option")]
            to: Option<Date>,
            #[serde(flatten)]
            rest: serde_json::Map<String, Value>,
        }

        let mut wire = Wire::deserialize(deserializer)?;
        let entries = match wire.rest.remove(T::KEY) {
            Some(Value::Array(entries)) => entries,
            Some(Value::Null) => vec![],
            Some(_) => return Err(serde::de::Error::custom("expected a list")),
            None => return Err(serde::de::Error::missing_field(T::KEY)),
        };
        let mut page = Self::new(Vec::with_capacity(entries.len()), wire.next_page_token);
        (page.total, page.from, page.to) = (wire.total_records, wire.from, wire.to);
        for (position, entry) in entries.into_iter().enumerate() {
            match T::deserialize(entry) {
                Ok(item) => page.items.push(item),
                Err(error) => page.skipped.push(SkippedItem {
                    position,
                    reason: explain(&error),
                }),
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        id: u64,
    }

    impl PageItem for Item {
        const KEY: &'static str = "items";
    }

    fn read(json: &str) -> Result<Page<Item>, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn an_empty_token_means_the_end() {
        assert_eq!(read(r#"{"items":[],"next_page_token":""}"#).unwrap().next, None);
        assert_eq!(read(r#"{"items":[]}"#).unwrap().next, None);
        let page =
            read(r#"{"items":[],"next_page_token":"x","total_records":"3","from":"2026-01-01","to":""}"#)
                .unwrap();
        assert_eq!((page.next, page.total), (Some(PageToken::new("x")), Some(3)));
        assert_eq!((page.from, page.to), (Some(jiff::civil::date(2026, 1, 1)), None));
    }

    #[test]
    fn one_odd_entry_does_not_cost_the_page() {
        let page = read(r#"{"items":[{"id":1},{"id":"canary"},{"id":3}]}"#).unwrap();
        assert_eq!(page.items, [Item { id: 1 }, Item { id: 3 }]);
        assert_eq!(page.skipped.len(), 1);
        assert_eq!(page.skipped[0].position, 1);
        assert!(
            !page.skipped[0].reason.contains("canary"),
            "{}",
            page.skipped[0].reason
        );
    }

    #[test]
    fn an_answer_without_the_list_is_not_an_empty_page() {
        assert!(read(r#"{"total_records":0}"#).is_err());
        assert!(read(r#"{"items":{}}"#).is_err());
        assert!(read(r#"{"items":null}"#).unwrap().items.is_empty());
    }
}
