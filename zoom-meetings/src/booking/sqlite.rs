//! Bookings in SQLite, beside the tables of others.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, SqlSafeStr, Sqlite, SqliteConnection, SqlitePool, Transaction};

use token_store::{Holder, OwnerId, open_sqlite};
use zoom_core::{MeetingId, MeetingUuid};

use super::{BookedInstance, Booking, BookingError, BookingStore, Claim, Intent, SessionId, SessionState};

const TABLES: &str = include_str!("sqlite/0001_tables.sql");

/// Bookings in a SQLite file, for any number of processes on one machine.
#[derive(Debug, Clone)]
pub struct SqliteBookingStore {
    pool: SqlitePool,
}

impl SqliteBookingStore {
    /// Opens a database, `sqlite://path` or `sqlite::memory:`, and brings its tables up to date.
    ///
    /// An intent must survive a power cut as well as a crash, or two meetings may be made; bookings are rare, so
    /// `synchronous` is `FULL`.
    ///
    /// # Errors
    ///
    /// [`BookingError::Unavailable`] when it cannot be opened.
    pub async fn connect(url: &str) -> Result<Self, BookingError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(BookingError::unavailable)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(15));
        // A database in memory lives and dies with its connection: one, and kept.
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let pool = if in_memory {
            SqlitePoolOptions::new()
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
        } else {
            SqlitePoolOptions::new()
        };
        Self::from_pool(
            open_sqlite(pool, options)
                .await
                .map_err(BookingError::unavailable)?,
        )
        .await
    }

    /// Uses the host's own pool and brings the tables up to date; several processes may do so at once.
    ///
    /// # Errors
    ///
    /// [`BookingError::Unavailable`] when the database does not answer.
    pub async fn from_pool(pool: SqlitePool) -> Result<Self, BookingError> {
        let tables = Migration::new(
            1,
            Cow::Borrowed("tables"),
            MigrationType::Simple,
            TABLES.into_sql_str(),
            false,
        );
        let mut migrator = Migrator::with_migrations(vec![tables]);
        migrator.dangerous_set_table_name("meetings_migrations");
        let store = Self { pool };
        let mut transaction = store.begin().await?;
        // Not `run`: its future is not Send.
        migrator
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(BookingError::unavailable)?;
        transaction.commit().await.map_err(BookingError::unavailable)?;
        Ok(store)
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, BookingError> {
        self.pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(BookingError::unavailable)
    }

    async fn read(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>, BookingError> {
        self.pool.acquire().await.map_err(BookingError::unavailable)
    }
}

async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), BookingError> {
    transaction.commit().await.map_err(BookingError::unavailable)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl BookingStore for SqliteBookingStore {
    async fn claim(
        &self,
        intent: &Intent,
        holder: &Holder,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, BookingError> {
        let mut transaction = self.begin().await?;
        let claim = match row_of(&mut transaction, &intent.session).await? {
            None => {
                sqlx::query("INSERT INTO meetings_bookings (session, owner, holder, claimed_until, body) VALUES (?, ?, ?, ?, ?)")
                    .bind(intent.session.as_str())
                    .bind(intent.owner.as_str())
                    .bind(holder.as_str())
                    .bind(until.as_millisecond())
                    .bind(json(intent)?)
                    .execute(&mut *transaction)
                    .await
                    .map_err(BookingError::unavailable)?;
                Claim::Fresh
            }
            Some(row) => match state(&mut transaction, &row).await? {
                SessionState::Booked(booking) => Claim::Booked(booking),
                SessionState::Intended(stored) => {
                    let claimed_until: i64 = column(&row, "claimed_until")?;
                    let claimed_until =
                        Timestamp::from_millisecond(claimed_until).map_err(BookingError::corrupt)?;
                    if now < claimed_until {
                        return Ok(Claim::Busy { until: claimed_until });
                    }
                    sqlx::query(
                        "UPDATE meetings_bookings SET holder = ?, claimed_until = ? WHERE session = ?",
                    )
                    .bind(holder.as_str())
                    .bind(until.as_millisecond())
                    .bind(intent.session.as_str())
                    .execute(&mut *transaction)
                    .await
                    .map_err(BookingError::unavailable)?;
                    Claim::Resumed(stored)
                }
            },
        };
        commit(transaction).await?;
        Ok(claim)
    }

    async fn confirm(&self, booking: &Booking, holder: &Holder) -> Result<(), BookingError> {
        let mut transaction = self.begin().await?;
        if let Some(other) =
            booking_where(&mut transaction, "meeting_id = ?", number(booking.meeting_id)).await?
        {
            return Err(if other.session == booking.session {
                BookingError::Superseded
            } else {
                BookingError::MeetingTaken
            });
        }
        // Instances are rows of their own.
        let body = json(&Booking {
            instances: Vec::new(),
            ..booking.clone()
        })?;
        let done = sqlx::query(
            "UPDATE meetings_bookings SET owner = ?, meeting_id = ?, starts_at = ?, holder = NULL, claimed_until = NULL, body = ? \
             WHERE session = ? AND holder = ?",
        )
        .bind(booking.owner.as_str())
        .bind(number(booking.meeting_id))
        .bind(booking.start.as_millisecond())
        .bind(body)
        .bind(booking.session.as_str())
        .bind(holder.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(BookingError::unavailable)?;
        if done.rows_affected() == 0 {
            return Err(BookingError::Superseded);
        }
        commit(transaction).await
    }

    async fn withdraw(&self, session: &SessionId, holder: &Holder) -> Result<(), BookingError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query("DELETE FROM meetings_bookings WHERE session = ? AND holder = ?")
            .bind(session.as_str())
            .bind(holder.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(BookingError::unavailable)?;
        if done.rows_affected() == 0 {
            return Err(BookingError::Superseded);
        }
        commit(transaction).await
    }

    async fn by_session(&self, session: &SessionId) -> Result<Option<SessionState>, BookingError> {
        let mut connection = self.read().await?;
        match row_of(&mut connection, session).await? {
            Some(row) => state(&mut connection, &row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn by_meeting(&self, meeting: MeetingId) -> Result<Option<Booking>, BookingError> {
        booking_where(&mut *self.read().await?, "meeting_id = ?", number(meeting)).await
    }

    async fn by_instance(&self, instance: &MeetingUuid) -> Result<Option<Booking>, BookingError> {
        let clause = "meeting_id = (SELECT meeting_id FROM meetings_instances WHERE uuid = ?)";
        booking_where(&mut *self.read().await?, clause, instance.as_str().to_owned()).await
    }

    async fn add_instance(
        &self,
        meeting: MeetingId,
        instance: &BookedInstance,
    ) -> Result<Option<Booking>, BookingError> {
        let mut transaction = self.begin().await?;
        if booking_where(&mut transaction, "meeting_id = ?", number(meeting))
            .await?
            .is_none()
        {
            return Ok(None);
        }
        sqlx::query("INSERT INTO meetings_instances (uuid, meeting_id, started_at) VALUES (?, ?, ?) ON CONFLICT (uuid) DO NOTHING")
            .bind(instance.uuid.as_str())
            .bind(number(meeting))
            .bind(instance.started_at.as_millisecond())
            .execute(&mut *transaction)
            .await
            .map_err(BookingError::unavailable)?;
        let booking = booking_where(&mut transaction, "meeting_id = ?", number(meeting)).await?;
        commit(transaction).await?;
        Ok(booking)
    }

    async fn list(&self, owner: &OwnerId) -> Result<Vec<Booking>, BookingError> {
        let mut connection = self.read().await?;
        let rows = sqlx::query("SELECT meeting_id, body FROM meetings_bookings WHERE owner = ? AND meeting_id IS NOT NULL ORDER BY starts_at, session")
            .bind(owner.as_str())
            .fetch_all(&mut *connection)
            .await
            .map_err(BookingError::unavailable)?;
        let mut bookings = Vec::with_capacity(rows.len());
        for row in rows {
            bookings.push(booking(&mut connection, &row).await?);
        }
        Ok(bookings)
    }
}

async fn row_of(
    connection: &mut SqliteConnection,
    session: &SessionId,
) -> Result<Option<SqliteRow>, BookingError> {
    sqlx::query("SELECT meeting_id, claimed_until, body FROM meetings_bookings WHERE session = ?")
        .bind(session.as_str())
        .fetch_optional(connection)
        .await
        .map_err(BookingError::unavailable)
}

async fn state(connection: &mut SqliteConnection, row: &SqliteRow) -> Result<SessionState, BookingError> {
    if column::<Option<i64>>(row, "meeting_id")?.is_some() {
        return booking(connection, row)
            .await
            .map(|booking| SessionState::Booked(Box::new(booking)));
    }
    let body: String = column(row, "body")?;
    serde_json::from_str(&body)
        .map(SessionState::Intended)
        .map_err(BookingError::corrupt)
}

async fn booking_where<'q, T>(
    connection: &mut SqliteConnection,
    clause: &'static str,
    value: T,
) -> Result<Option<Booking>, BookingError>
where
    T: sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + 'q,
{
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT meeting_id, body FROM meetings_bookings WHERE {clause}"
    ));
    let row = sqlx::query(sql)
        .bind(value)
        .fetch_optional(&mut *connection)
        .await
        .map_err(BookingError::unavailable)?;
    match row {
        Some(row) => booking(connection, &row).await.map(Some),
        None => Ok(None),
    }
}

/// The booking of a row, with its instances.
async fn booking(connection: &mut SqliteConnection, row: &SqliteRow) -> Result<Booking, BookingError> {
    let body: String = column(row, "body")?;
    let mut booking: Booking = serde_json::from_str(&body).map_err(BookingError::corrupt)?;
    let rows = sqlx::query(
        "SELECT uuid, started_at FROM meetings_instances WHERE meeting_id = ? ORDER BY started_at, uuid",
    )
    .bind(number(booking.meeting_id))
    .fetch_all(connection)
    .await
    .map_err(BookingError::unavailable)?;
    booking.instances = rows.iter().map(instance).collect::<Result<_, _>>()?;
    Ok(booking)
}

fn instance(row: &SqliteRow) -> Result<BookedInstance, BookingError> {
    let started_at =
        Timestamp::from_millisecond(column(row, "started_at")?).map_err(BookingError::corrupt)?;
    Ok(BookedInstance {
        uuid: MeetingUuid::new(column::<String>(row, "uuid")?),
        started_at,
    })
}

fn column<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
    row: &'r SqliteRow,
    name: &'static str,
) -> Result<T, BookingError> {
    row.try_get(name).map_err(BookingError::corrupt)
}

fn json(value: &impl serde::Serialize) -> Result<String, BookingError> {
    serde_json::to_string(value).map_err(BookingError::corrupt)
}

/// Zoom's numbers have eleven digits.
fn number(meeting: MeetingId) -> i64 {
    i64::try_from(meeting.get()).unwrap_or(i64::MAX)
}
