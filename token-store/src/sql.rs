//! What the homes in databases have in common: how rows are read, and how tables come to be.

mod statements;

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::{
    ColumnIndex, Decode, Row, SqlSafeStr as _, Type,
    migrate::{Migration, MigrationType, Migrator},
};

#[cfg(feature = "sqlite")]
pub(crate) use self::statements::save_in_place;
pub(crate) use self::statements::{DELETE, LOAD, Search, save, saved};
use crate::{
    ConnectionId, Entry, Fence, Generation, Page, PageToken, RecordKind, Status, StoreError,
    StoredConnection, Versioned,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A row whose columns have names and hold texts and numbers, as those of every database here do.
pub(crate) trait Columns {
    fn text(&self, column: &str) -> Result<String, sqlx::Error>;
    fn optional_text(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn number(&self, column: &str) -> Result<i64, sqlx::Error>;
    fn optional_number(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
}

impl<R> Columns for R
where
    R: Row,
    for<'name> &'name str: ColumnIndex<R>,
    for<'row> String: Decode<'row, R::Database> + Type<R::Database>,
    for<'row> i64: Decode<'row, R::Database> + Type<R::Database>,
{
    fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        self.try_get(column)
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        self.try_get(column)
    }

    fn number(&self, column: &str) -> Result<i64, sqlx::Error> {
        self.try_get(column)
    }

    fn optional_number(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }
}

/// Reads a row of `token_store_records`; whatever is wrong with it comes back with its id.
pub(crate) fn record(row: &impl Columns) -> Result<Versioned<StoredConnection>, StoreError> {
    let id = ConnectionId::new(row.text("id").map_err(StoreError::unavailable)?);
    fields(row, &id).map_err(|source| StoreError::corrupt(id, source))
}

fn fields(row: &impl Columns, id: &ConnectionId) -> Result<Versioned<StoredConnection>, BoxError> {
    let mut record = StoredConnection::new(
        id.clone(),
        row.text("owner")?.into(),
        RecordKind::from(row.text("kind")?.as_str()),
        Status::from(row.text("status")?.as_str()),
        Timestamp::from_microsecond(row.number("created_at")?)?,
    );
    record.provider_account = row.optional_text("provider_account")?;
    record.provider_user = row.optional_text("provider_user")?;
    record.display_name = row.optional_text("display_name")?;
    record.email = row.optional_text("email")?;
    record.status_reason = row.optional_text("status_reason")?;
    record.scopes = serde_json::from_str(&row.text("scopes")?)?;
    record.attributes = serde_json::from_str(&row.text("attributes")?)?;
    record.updated_at = Timestamp::from_microsecond(row.number("updated_at")?)?;
    record.expires_at = row
        .optional_number("expires_at")?
        .map(Timestamp::from_microsecond)
        .transpose()?;
    record.sealed = row
        .optional_text("sealed")?
        .map(|sealed| sealed.parse())
        .transpose()?;
    let generation = Generation::new(u64::try_from(row.number("generation")?)?);
    Ok(Versioned {
        value: record,
        generation,
    })
}

/// A page of `size` records out of rows that were asked for one more, which shows whether there is another page.
pub(crate) fn page(
    rows: &[impl Columns],
    size: usize,
) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
    let mut page = Page {
        items: Vec::new(),
        unreadable: Vec::new(),
        next: None,
    };
    let mut last = None;
    for row in rows.iter().take(size) {
        match record(row) {
            Ok(found) => {
                last = Some(found.value.id.clone());
                page.items.push(found);
            }
            Err(StoreError::Corrupt { id, .. }) => {
                last = Some(id.clone());
                page.unreadable.push(id);
            }
            Err(other) => return Err(other),
        }
    }
    if rows.len() > size {
        page.next = last.map(PageToken::after);
    }
    Ok(page)
}

/// Reads a row of `token_store_history`.
pub(crate) fn entry(row: &impl Columns, connection: &ConnectionId) -> Result<Entry, StoreError> {
    let read = || -> Result<Entry, BoxError> {
        Ok(Entry {
            connection: row.text("connection")?.into(),
            owner: row.text("owner")?.into(),
            at: Timestamp::from_microsecond(row.number("at")?)?,
            event: row.text("event")?,
            status: Status::from(row.text("status")?.as_str()),
            reason: row.optional_text("reason")?,
        })
    };
    read().map_err(|source| StoreError::corrupt(connection.clone(), source))
}

/// Reads the fence of a lease.
pub(crate) fn fence(row: &impl Columns) -> Result<Fence, StoreError> {
    let number = row.number("fence").map_err(StoreError::unavailable)?;
    u64::try_from(number)
        .map(Fence::new)
        .map_err(StoreError::unavailable)
}

/// A generation as databases keep it.
fn generation_column(generation: Generation) -> Result<i64, StoreError> {
    i64::try_from(generation.get()).map_err(|_| StoreError::Invalid("the generation is out of range"))
}

/// Applies migrations that are numbered, named and never changed once released, and keeps book about them in a table of
/// ours, so that a host's own migrations are left alone. The caller holds a lock.
pub(crate) fn migrator(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = migrations.iter().map(|&(version, name, sql)| {
        let (name, sql) = (Cow::Borrowed(name), sql.into_sql_str());
        Migration::new(version, name, MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name("token_store_migrations");
    migrator.set_locking(false);
    // A newer host may have been here: what it adds does not hinder an older one.
    migrator.set_ignore_missing(true);
    migrator
}
