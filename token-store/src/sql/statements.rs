//! The statements on records that every database here understands. Each is one statement, so nobody can come between
//! the look and the write.

use sqlx::{Database, Encode, QueryBuilder, Type, query::Query};

use super::{Columns, generation_column};
use crate::{ConnectionId, Expect, Filter, Generation, PageToken, StoreError, StoredConnection};

/// The columns of `token_store_records` but the id, which comes first, and the generation, which comes last.
macro_rules! fields {
    () => {
        "owner, kind, provider_account, provider_user, display_name, email, status, status_reason, scopes, \
         attributes, created_at, updated_at, expires_at, sealed"
    };
}

/// Where a save binds the fields, between the id at `$1` and the generation at `$16`.
macro_rules! values {
    () => {
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15"
    };
}

/// The columns stand there by name: with `*`, a column that a newer version adds would come as a surprise to statements
/// that this process has already prepared, and a record would seem to be absent.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, ",
            fields!(),
            ", generation FROM token_store_records WHERE ",
            $condition
        )
    };
}

macro_rules! insert {
    ($on_conflict:expr) => {
        concat!(
            "INSERT INTO token_store_records AS kept (id, ",
            fields!(),
            ", generation) VALUES ($1, ",
            values!(),
            ", $16) ON CONFLICT (id) DO ",
            $on_conflict,
            " RETURNING generation"
        )
    };
}

pub(crate) const LOAD: &str = select!("id = $1");
/// For conditions to be added.
const FIND: &str = select!("TRUE");
pub(crate) const DELETE: &str = "DELETE FROM token_store_records WHERE id = $1";

const SAVE_OVER_NOTHING: &str = insert!("NOTHING");
const SAVE_OVER_ANYTHING: &str = insert!(concat!(
    "UPDATE SET (",
    fields!(),
    ", generation) = (",
    values!(),
    ", kept.generation + 1)"
));
const SAVE_OVER_A_GENERATION: &str = concat!(
    "UPDATE token_store_records SET (",
    fields!(),
    ", generation) = (",
    values!(),
    ", $16) WHERE id = $1 AND generation = $16 - 1 RETURNING generation"
);

/// The same for a record that stays where the indexes have it, but for the time it expires. SQLite writes every index
/// whose columns an update names, changed or not, and nearly all saves change none of them.
#[cfg(feature = "sqlite")]
const SAVE_IN_PLACE: &str =
    "UPDATE token_store_records SET (display_name, email, status_reason, scopes, attributes, created_at, updated_at,
         expires_at, sealed, generation) = ($6, $7, $9, $10, $11, $12, $13, $14, $15, $16)
     WHERE id = $1 AND generation = $16 - 1 AND owner = $2 AND kind = $3 AND provider_account IS $4
         AND provider_user IS $5 AND status = $8";

/// A save over a known generation that changes nothing by which records are found. It affects no row when it would, or
/// when the store has something else.
#[cfg(feature = "sqlite")]
pub(crate) fn save_in_place<'query, DB>(
    record: &StoredConnection,
    over: Generation,
) -> Result<Query<'query, DB, DB::Arguments>, StoreError>
where
    DB: Database,
    for<'text> &'text str: Encode<'text, DB> + Type<DB>,
    for<'text> Option<&'text str>: Encode<'text, DB> + Type<DB>,
    for<'number> i64: Encode<'number, DB> + Type<DB>,
    for<'number> Option<i64>: Encode<'number, DB> + Type<DB>,
{
    bind(SAVE_IN_PLACE, record, over.next())
}

/// A save, to be run to its end: [`saved`] reads its rows.
pub(crate) fn save<'query, DB>(
    record: &StoredConnection,
    expect: Expect,
) -> Result<Query<'query, DB, DB::Arguments>, StoreError>
where
    DB: Database,
    for<'text> &'text str: Encode<'text, DB> + Type<DB>,
    for<'text> Option<&'text str>: Encode<'text, DB> + Type<DB>,
    for<'number> i64: Encode<'number, DB> + Type<DB>,
    for<'number> Option<i64>: Encode<'number, DB> + Type<DB>,
{
    let (statement, current) = match expect {
        Expect::Absent => (SAVE_OVER_NOTHING, None),
        Expect::Generation(generation) => (SAVE_OVER_A_GENERATION, Some(generation)),
        Expect::Any => (SAVE_OVER_ANYTHING, None),
    };
    // What it will be if the store has what is expected, which the statement sees to.
    bind(statement, record, expect.advance(record, current)?)
}

fn bind<'query, DB>(
    statement: &'static str,
    record: &StoredConnection,
    generation: Generation,
) -> Result<Query<'query, DB, DB::Arguments>, StoreError>
where
    DB: Database,
    for<'text> &'text str: Encode<'text, DB> + Type<DB>,
    for<'text> Option<&'text str>: Encode<'text, DB> + Type<DB>,
    for<'number> i64: Encode<'number, DB> + Type<DB>,
    for<'number> Option<i64>: Encode<'number, DB> + Type<DB>,
{
    let scopes = serde_json::to_string(&record.scopes)
        .map_err(|_| StoreError::Invalid("the scopes cannot be written as text"))?;
    let attributes = serde_json::to_string(&record.attributes)
        .map_err(|_| StoreError::Invalid("the attributes cannot be written as text"))?;
    let sealed = record.sealed.as_ref().map(ToString::to_string);
    Ok(sqlx::query(statement)
        .bind(record.id.as_str())
        .bind(record.owner.as_str())
        .bind(record.kind.as_str())
        .bind(record.provider_account.as_deref())
        .bind(record.provider_user.as_deref())
        .bind(record.display_name.as_deref())
        .bind(record.email.as_deref())
        .bind(record.status.as_str())
        .bind(record.status_reason.as_deref())
        .bind(scopes.as_str())
        .bind(attributes.as_str())
        .bind(record.created_at.as_microsecond())
        .bind(record.updated_at.as_microsecond())
        .bind(record.expires_at.map(|at| at.as_microsecond()))
        .bind(sealed.as_deref())
        .bind(generation_column(generation)?))
}

/// How a database likes to be searched.
pub(crate) struct Search {
    /// What the column of kinds is called in a condition, so that an index is used or left alone.
    pub(crate) kind: &'static str,
    /// The same of ids.
    pub(crate) id: &'static str,
    /// Whether the database can hold such a text at all. What it cannot hold, it cannot have.
    pub(crate) can_hold: fn(&str) -> bool,
}

impl Search {
    /// Only what is asked for stands in the statement, so that an index serves it, however many records there are.
    pub(crate) fn push<DB>(self, query: &mut QueryBuilder<DB>, filter: &Filter, page: &PageToken)
    where
        DB: Database,
        String: for<'text> Encode<'text, DB> + Type<DB>,
        i64: for<'number> Encode<'number, DB> + Type<DB>,
    {
        let Self { kind, id, can_hold } = self;
        let texts = [
            ("owner", filter.get_owner().map(|owner| owner.as_str())),
            (kind, filter.get_kind().map(|kind| kind.as_str())),
            ("status", filter.get_status().map(|status| status.as_str())),
            ("provider_account", filter.get_provider_account()),
            ("provider_user", filter.get_provider_user()),
        ];
        query.push(FIND);
        for (column, text) in texts {
            match text {
                Some(text) if can_hold(text) => {
                    query.push(format!(" AND {column} = ")).push_bind(text.to_owned());
                }
                Some(_) => {
                    query.push(" AND FALSE");
                }
                None => {}
            }
        }
        if let Some(before) = filter.get_expires_before() {
            query
                .push(" AND expires_at < ")
                .push_bind(before.as_microsecond());
        }
        if let Some(after) = page.position() {
            query
                .push(format!(" AND {id} > "))
                .push_bind(after.as_str().to_owned());
        }
        query.push(format!(" ORDER BY {id} LIMIT "));
        query.push_bind(i64::try_from(filter.page_size() + 1).unwrap_or(i64::MAX));
    }
}

/// The generation that a save produced; no row when the store had something else.
pub(crate) fn saved(rows: &[impl Columns], id: &ConnectionId) -> Result<Generation, StoreError> {
    let row = rows.first().ok_or(StoreError::Conflict)?;
    let number = row.number("generation").map_err(StoreError::unavailable)?;
    u64::try_from(number)
        .map(Generation::new)
        .map_err(|source| StoreError::corrupt(id.clone(), source))
}
