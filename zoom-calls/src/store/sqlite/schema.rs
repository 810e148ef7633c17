//! Tables and statements.

use sqlx::SqlSafeStr;
use sqlx::SqlitePool;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::failed;
use crate::StoreError;

/// `at` is start, else creation, in microseconds since 1970, UTC. `body` and `words` are JSON. `indexed` is what the search
/// index was made from. `calls_search` reads its text from `calls_utterance`; a topic is an utterance without a number.
const CREATE: &str = "
CREATE TABLE calls_call (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    words TEXT NOT NULL,
    indexed TEXT NOT NULL
) STRICT;
CREATE INDEX calls_call_by_owner ON calls_call (owner, at DESC);
CREATE INDEX calls_call_by_time ON calls_call (at DESC);
CREATE TABLE calls_utterance (
    row INTEGER PRIMARY KEY,
    call TEXT NOT NULL,
    utterance INTEGER,
    start_ms INTEGER,
    speaker TEXT,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX calls_utterance_by_call ON calls_utterance (call);
CREATE VIRTUAL TABLE calls_search USING fts5 (
    text, content = 'calls_utterance', content_rowid = 'row', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER calls_utterance_added AFTER INSERT ON calls_utterance BEGIN
    INSERT INTO calls_search (rowid, text) VALUES (new.row, new.text);
END;
CREATE TRIGGER calls_utterance_removed AFTER DELETE ON calls_utterance BEGIN
    INSERT INTO calls_search (calls_search, rowid, text) VALUES ('delete', old.row, old.text);
END;
";

pub(super) const LOAD: &str = "
SELECT body, words, revision FROM calls_call
WHERE id = ?2 AND (?1 IS NULL OR owner IN (SELECT value FROM json_each(?1)))";

pub(super) const INDEXED: &str = "SELECT indexed FROM calls_call WHERE id = ?1";

pub(super) const INSERT: &str = "
INSERT INTO calls_call (id, owner, revision, status, at, body, words, indexed)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ?9 = 0
ON CONFLICT (id) DO NOTHING";

pub(super) const UPDATE: &str = "
UPDATE calls_call SET revision = ?3, status = ?4, at = ?5, body = ?6, words = ?7, indexed = ?8
WHERE id = ?1 AND owner = ?2 AND revision = ?9";

macro_rules! list {
    ($scope:literal) => {
        concat!(
            "SELECT body, revision FROM calls_call WHERE ",
            $scope,
            " AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR at < ?4) \
             ORDER BY at DESC, id LIMIT ?5"
        )
    };
}

/// Of everybody: ?1 is null.
pub(super) const LIST: &str = list!("?1 IS NULL");

/// Of some owners, through the index of owners: the calls of all others are not read.
pub(super) const LIST_OF: &str = list!("owner IN (SELECT value FROM json_each(?1))");

pub(super) const SEARCH: &str = "
SELECT c.body AS body, c.revision AS revision, u.utterance AS utterance, u.start_ms AS start_ms, u.speaker AS speaker,
       u.text AS text
FROM calls_search s JOIN calls_utterance u ON u.row = s.rowid JOIN calls_call c ON c.id = u.call
WHERE calls_search MATCH ?2 AND (?1 IS NULL OR c.owner IN (SELECT value FROM json_each(?1)))
ORDER BY bm25(calls_search), c.at DESC, u.row LIMIT ?3";

pub(super) const DELETE: &str = "
DELETE FROM calls_call WHERE id = ?2 AND (?1 IS NULL OR owner IN (SELECT value FROM json_each(?1)))";

pub(super) const INSERT_UTTERANCE: &str =
    "INSERT INTO calls_utterance (call, utterance, start_ms, speaker, text) VALUES (?1, ?2, ?3, ?4, ?5)";

pub(super) const DELETE_UTTERANCES: &str = "DELETE FROM calls_utterance WHERE call = ?1";

/// Makes the tables, or brings them up to date; several processes may do so at once.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let create = Migration::new(
        1,
        "calls".into(),
        MigrationType::Simple,
        CREATE.into_sql_str(),
        /* in our transaction */ true,
    );
    let mut migrator = Migrator::with_migrations(vec![create]);
    migrator.dangerous_set_table_name("calls_migrations");
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    transaction.commit().await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;

    #[tokio::test]
    async fn the_list_of_an_owner_reads_no_other_calls() {
        let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
        migrate(&pool).await.unwrap();
        for (statement, index) in [
            (LIST_OF, "calls_call_by_owner (owner=?)"),
            (LIST, "calls_call_by_time"),
        ] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
            let first: String = plan.fetch_all(&pool).await.unwrap()[0].get("detail");
            assert!(first.ends_with(index), "{first}");
        }
    }
}
