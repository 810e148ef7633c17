//! A directory from a CSV file, as every CRM exports one.

use std::collections::HashMap;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use zoom_recordings::StageError;

use super::{Contact, ContactDirectory, ContactQuery, MemoryDirectory};
use crate::{ContactId, OwnerId};

/// Click ids that a landing page may have kept, in the names ad networks use.
const CLICK_IDS: [&str; 7] = [
    "gclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "msclkid",
    "ttclid",
    "li_fat_id",
];

/// Contacts from CSV with a header line.
///
/// Columns by name, in any order and case: `id`, `email`, `aliases` (separated by `;`), `name`, `company`, `phone`,
/// `lead_source`, `utm_source`, `utm_medium`, `utm_campaign`, `referrer`, `first_touch_at` (a date or an RFC 3339 time), and
/// a column per click id (`gclid`, …). Other columns are ignored. A row needs an id, an e-mail address or a name; without
/// an id the address, then the name, is the id.
#[derive(Clone, Debug)]
pub struct CsvDirectory {
    contacts: MemoryDirectory,
}

/// Why a CSV could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// The file could not be opened or read.
    #[error("the contacts file could not be read")]
    Io(#[source] std::io::Error),
    /// A line is not CSV.
    #[error("line {line} of the contacts is not valid CSV")]
    Malformed {
        /// The line, from 1.
        line: u64,
    },
    /// A row says neither id nor e-mail address nor name.
    #[error("line {line} of the contacts names nobody")]
    Nobody {
        /// The line, from 1.
        line: u64,
    },
    /// `first_touch_at` is neither a date nor a time.
    #[error("line {line} of the contacts has a first_touch_at that is no date")]
    Date {
        /// The line, from 1.
        line: u64,
    },
}

impl CsvDirectory {
    /// Reads contacts from CSV text; a byte order mark is skipped.
    ///
    /// # Errors
    ///
    /// [`CsvError`] with the line that could not be read. Nothing is skipped silently.
    pub fn parse(csv: &[u8]) -> Result<Self, CsvError> {
        let csv = csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv);
        let mut reader = ::csv::ReaderBuilder::new()
            .flexible(true)
            .trim(::csv::Trim::All)
            .from_reader(csv);
        let header = reader
            .headers()
            .map_err(|_| CsvError::Malformed { line: 1 })?
            .clone();
        let columns: HashMap<String, usize> = header
            .iter()
            .enumerate()
            .map(|(at, name)| (name.to_lowercase().replace([' ', '-'], "_"), at))
            .collect();
        let mut contacts = Vec::new();
        let mut line = 1;
        for row in reader.records() {
            let row = row.map_err(|error| CsvError::Malformed {
                line: error.position().map_or(line + 1, ::csv::Position::line),
            })?;
            line = row.position().map_or(line + 1, ::csv::Position::line);
            let cell = |name: &str| {
                columns
                    .get(name)
                    .and_then(|at| row.get(*at))
                    .filter(|cell| !cell.is_empty())
                    .map(str::to_owned)
            };
            let id = cell("id")
                .or_else(|| cell("email"))
                .or_else(|| cell("name"))
                .ok_or(CsvError::Nobody { line })?;
            let first_touch_at = match cell("first_touch_at") {
                None => None,
                Some(text) => Some(timestamp(&text).ok_or(CsvError::Date { line })?),
            };
            contacts.push(Contact {
                email: cell("email"),
                aliases: cell("aliases")
                    .iter()
                    .flat_map(|all| all.split(';'))
                    .map(|one| one.trim().to_owned())
                    .collect(),
                name: cell("name"),
                company: cell("company"),
                phone: cell("phone"),
                lead_source: cell("lead_source"),
                utm_source: cell("utm_source"),
                utm_medium: cell("utm_medium"),
                utm_campaign: cell("utm_campaign"),
                click_ids: CLICK_IDS
                    .iter()
                    .filter(|name| cell(name).is_some())
                    .map(|name| (*name).to_owned())
                    .collect(),
                referrer: cell("referrer"),
                first_touch_at,
                ..Contact::new(ContactId::new(id))
            });
        }
        Ok(Self {
            contacts: MemoryDirectory::new(contacts),
        })
    }

    /// Reads a CSV file.
    ///
    /// # Errors
    ///
    /// [`CsvError`] when the file cannot be read or a line of it cannot.
    pub async fn open(path: impl AsRef<Path> + Send) -> Result<Self, CsvError> {
        Self::parse(&tokio::fs::read(path).await.map_err(CsvError::Io)?)
    }

    /// Everybody in it.
    #[must_use]
    pub fn contacts(&self) -> &[Contact] {
        self.contacts.contacts()
    }
}

#[async_trait]
impl ContactDirectory for CsvDirectory {
    async fn find(&self, owner: &OwnerId, query: &ContactQuery) -> Result<Vec<Contact>, StageError> {
        self.contacts.find(owner, query).await
    }
}

/// A time, or the first moment of a day in UTC.
fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        Some(
            text.parse::<Date>()
                .ok()?
                .to_zoned(TimeZone::UTC)
                .ok()?
                .timestamp(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "\u{feff}E-Mail,Name,Email,Company,Lead Source,utm_medium,GCLID,first_touch_at,aliases,notes\n\
        ,\"Ortiz, Daniel\",Daniel@Tidewater.example,Tidewater,Google Ads,cpc,abc,2026-10-02,d@t.example; dan@t.example,x\n\
        ,Priya,,,,,,2026-10-03T08:00:00Z,,\n";

    #[test]
    fn columns_are_found_by_name_whatever_their_order_and_case() {
        let directory = CsvDirectory::parse(CSV.as_bytes()).unwrap();
        let [daniel, priya] = directory.contacts() else {
            panic!("two contacts")
        };
        assert_eq!(daniel.id, ContactId::new("Daniel@Tidewater.example"));
        assert_eq!(daniel.name.as_deref(), Some("Ortiz, Daniel"));
        assert_eq!(daniel.aliases, ["d@t.example", "dan@t.example"]);
        assert_eq!(daniel.click_ids, ["gclid"]);
        assert_eq!(daniel.first_touch_at.unwrap().to_string(), "2026-10-02T00:00:00Z");
        assert_eq!(priya.id, ContactId::new("Priya"));
        assert_eq!(priya.first_touch_at.unwrap().to_string(), "2026-10-03T08:00:00Z");
    }

    #[test]
    fn a_row_that_cannot_be_understood_is_named_by_its_line() {
        assert!(matches!(
            CsvDirectory::parse(b"email,company\na@b.example,x\n,y\n"),
            Err(CsvError::Nobody { line: 3 })
        ));
        let bad_date = CsvDirectory::parse(b"email,first_touch_at\na@b.example,soon\n");
        assert!(matches!(bad_date, Err(CsvError::Date { line: 2 })));
        assert!(matches!(
            CsvDirectory::parse(b"email\n\xff\xfe\n"),
            Err(CsvError::Malformed { line: 2 })
        ));
    }
}
