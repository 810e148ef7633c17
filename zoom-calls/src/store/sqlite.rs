//! Calls in a SQLite file, with full-text search.

mod schema;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use job_queue::open_sqlite;
use serde_json::Value;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::{CallFilter, CallStore, CallSummary, Scope, SearchHit, SearchQuery, StoreError};
use crate::{Call, CallId, OwnerId};

/// The fields of a call that are kept apart from the rest: a list of calls does not read every word that was said.
const WORDS: [&str; 2] = ["transcript", "zoom_transcript"];

/// A store in a SQLite file, for any number of processes of one machine.
///
/// Its tables begin with `calls_` and may live in a file with others.
#[derive(Clone)]
pub struct SqliteCallStore {
    pool: SqlitePool,
}

impl fmt::Debug for SqliteCallStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteCallStore")
    }
}

impl SqliteCallStore {
    /// Opens or creates the file of a URL like `sqlite://path/to/calls.db`; `sqlite::memory:` is one that vanishes with the
    /// store. The tables are made, or brought up to date.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or was written by a newer version.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(failed)?
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            .synchronous(SqliteSynchronous::Normal);
        let pool = if url.contains(":memory:") || url.contains("mode=memory") {
            // One connection for ever: with the connection the data goes.
            let only_one = SqlitePoolOptions::new()
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None);
            open_sqlite(only_one, options).await
        } else {
            let options = options.journal_mode(SqliteJournalMode::Wal);
            open_sqlite(SqlitePoolOptions::new().max_connections(4), options).await
        };
        Self::from_pool(pool.map_err(failed)?).await
    }

    /// A store in a database that the host has opened. The tables are made, or brought up to date.
    ///
    /// # Errors
    ///
    /// When the tables cannot be made.
    pub async fn from_pool(pool: SqlitePool) -> Result<Self, StoreError> {
        schema::migrate(&pool).await?;
        Ok(Self { pool })
    }
}

#[async_trait]
impl CallStore for SqliteCallStore {
    async fn load(&self, scope: &Scope, id: &CallId) -> Result<Option<Call>, StoreError> {
        let row = sqlx::query(schema::LOAD)
            .bind(owners(scope)?)
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.map(|row| call(&row, true)).transpose()
    }

    async fn save(&self, call: &Call) -> Result<u64, StoreError> {
        let (body, words) = texts(call)?;
        let indexed = indexed(call);
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let before: Option<String> = sqlx::query(schema::INDEXED)
            .bind(call.id.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?
            .map(|row| row.try_get(0).map_err(corrupt))
            .transpose()?;
        let revision = call.revision + 1;
        let saved = sqlx::query(if call.revision == 0 {
            schema::INSERT
        } else {
            schema::UPDATE
        })
        .bind(call.id.as_str())
        .bind(call.owner.as_str())
        .bind(number(revision))
        .bind(call.status.as_str())
        .bind(CallSummary::from(call).at().as_microsecond())
        .bind(&body)
        .bind(&words)
        .bind(&indexed)
        .bind(number(call.revision))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if saved.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        if before.as_deref() != Some(indexed.as_str()) {
            index(&mut transaction, call).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(revision)
    }

    async fn list(&self, scope: &Scope, filter: &CallFilter) -> Result<Vec<CallSummary>, StoreError> {
        let owners = owners(scope)?;
        let statement = match owners {
            Some(_) => schema::LIST_OF,
            None => schema::LIST,
        };
        let rows = sqlx::query(statement)
            .bind(owners)
            .bind(filter.status.map(|status| status.as_str()))
            .bind(filter.from.map(Timestamp::as_microsecond))
            .bind(filter.to.map(Timestamp::as_microsecond))
            .bind(i64::try_from(filter.limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| Ok(CallSummary::from(&call(row, false)?)))
            .collect()
    }

    async fn search(
        &self,
        scope: &Scope,
        query: &SearchQuery,
        limit: usize,
    ) -> Result<Vec<SearchHit>, StoreError> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(schema::SEARCH)
            .bind(owners(scope)?)
            .bind(query.fts5())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| hit(row, query)).collect()
    }

    async fn delete(&self, scope: &Scope, id: &CallId) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let deleted = sqlx::query(schema::DELETE)
            .bind(owners(scope)?)
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let was_there = deleted.rows_affected() > 0;
        if was_there {
            forget_words(&mut transaction, id).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(was_there)
    }
}

/// Replaces what search knows of a call.
async fn index(connection: &mut SqliteConnection, call: &Call) -> Result<(), StoreError> {
    forget_words(connection, &call.id).await?;
    let topic = [(None, None, None, call.topic.as_str())];
    let said = call
        .transcript
        .iter()
        .flat_map(|transcript| &transcript.utterances);
    let said = said.map(|u| {
        (
            Some(i64::from(u.id)),
            Some(number(u.start_ms)),
            u.speaker.as_deref(),
            u.text.as_str(),
        )
    });
    for (utterance, start_ms, speaker, text) in topic.into_iter().chain(said) {
        sqlx::query(schema::INSERT_UTTERANCE)
            .bind(call.id.as_str())
            .bind(utterance)
            .bind(start_ms)
            .bind(speaker)
            .bind(text)
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

async fn forget_words(connection: &mut SqliteConnection, id: &CallId) -> Result<(), StoreError> {
    sqlx::query(schema::DELETE_UTTERANCES)
        .bind(id.as_str())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// The owners of a scope as a JSON list; `None` for everybody.
fn owners(scope: &Scope) -> Result<Option<String>, StoreError> {
    let owners: Vec<&str> = match scope {
        Scope::All => return Ok(None),
        Scope::Owner(owner) => vec![owner.as_str()],
        Scope::Owners(owners) => owners.iter().map(OwnerId::as_str).collect(),
    };
    serde_json::to_string(&owners).map(Some).map_err(corrupt)
}

/// What search depends on: when it is unchanged, nothing is indexed anew.
fn indexed(call: &Call) -> String {
    format!(
        "{}\n{}",
        call.transcript
            .as_ref()
            .map(zoom_recordings::Transcript::hash)
            .unwrap_or_default(),
        call.topic
    )
}

/// The call without its words, and the words.
fn texts(call: &Call) -> Result<(String, String), StoreError> {
    let mut body = serde_json::to_value(call).map_err(corrupt)?;
    let mut words = serde_json::Map::new();
    if let Some(fields) = body.as_object_mut() {
        words.extend(WORDS.iter().filter_map(|name| fields.remove_entry(*name)));
    }
    Ok((body.to_string(), Value::Object(words).to_string()))
}

fn call(row: &SqliteRow, with_words: bool) -> Result<Call, StoreError> {
    let mut body: Value = serde_json::from_str(row.try_get("body").map_err(corrupt)?).map_err(corrupt)?;
    if let (true, Some(fields)) = (with_words, body.as_object_mut()) {
        let words: serde_json::Map<String, Value> =
            serde_json::from_str(row.try_get("words").map_err(corrupt)?).map_err(corrupt)?;
        fields.extend(words);
    }
    let mut call: Call = serde_json::from_value(body).map_err(corrupt)?;
    call.revision = u64::try_from(row.try_get::<i64, _>("revision").map_err(corrupt)?).map_err(corrupt)?;
    Ok(call)
}

fn hit(row: &SqliteRow, query: &SearchQuery) -> Result<SearchHit, StoreError> {
    let of_call = call(row, false)?;
    let text: &str = row.try_get("text").map_err(corrupt)?;
    let (snippet, highlights) = query.snippet(text);
    let utterance: Option<i64> = row.try_get("utterance").map_err(corrupt)?;
    let start_ms: Option<i64> = row.try_get("start_ms").map_err(corrupt)?;
    Ok(SearchHit {
        call_id: of_call.id,
        owner: of_call.owner,
        topic: of_call.topic,
        started_at: of_call.started_at,
        utterance_id: utterance.map(u32::try_from).transpose().map_err(corrupt)?,
        start_ms: start_ms.map(u64::try_from).transpose().map_err(corrupt)?,
        speaker: row.try_get("speaker").map_err(corrupt)?,
        snippet,
        highlights,
    })
}

/// SQLite's integers are signed; no revision or time of a call comes near the end of them.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn corrupt(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Corrupt(Box::new(source))
}

fn failed(source: sqlx::Error) -> StoreError {
    match source {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => corrupt(source),
        other => StoreError::Unavailable(Box::new(other)),
    }
}
