use jiff::Timestamp;
use sqlx::{Row, sqlite::SqliteRow};

use crate::{Counts, Fence, Job, JobId, JobRecord, JobState, QueueError, WorkerId};

/// An error of the database: a damaged row, or no answer.
pub(super) fn corrupt_or_unavailable(error: sqlx::Error) -> QueueError {
    match error {
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => QueueError::corrupt(error),
        _ => QueueError::unavailable(error),
    }
}

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Ids and fences come from SQLite and fit; one that does not names no row.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn state_number(state: JobState) -> i64 {
    match state {
        JobState::Waiting => 0,
        JobState::Running => 1,
        JobState::Done => 2,
        JobState::Dead => 3,
    }
}

/// A row with the columns of `statements`, in their order.
pub(super) fn record(row: &SqliteRow) -> Result<JobRecord, QueueError> {
    let id = JobId::new(unsigned(row, 0)?);
    let mut job = Job::stored(id, get(row, 1)?, get(row, 2)?, required_time(row, 8)?);
    job.dedupe_key = get(row, 4)?;
    job.ordering_key = get(row, 5)?;
    job.attempt = unsigned(row, 6)?;
    job.max_attempts = unsigned(row, 7)?;
    job.run_at = required_time(row, 9)?;
    let mut record = JobRecord::waiting(job);
    record.state = match get::<i64>(row, 3)? {
        0 => JobState::Waiting,
        1 => JobState::Running,
        2 => JobState::Done,
        3 => JobState::Dead,
        _ => return Err(QueueError::corrupt("unknown state")),
    };
    record.fence = Fence::new(unsigned(row, 10)?);
    record.worker = get::<Option<String>>(row, 11)?.map(WorkerId::new);
    record.lease_expires_at = time(row, 12)?;
    record.finished_at = time(row, 13)?;
    record.last_error = get(row, 14)?;
    Ok(record)
}

pub(super) fn counts(row: &SqliteRow) -> Result<Counts, QueueError> {
    let mut counts = Counts::zero();
    for (column, state) in [
        JobState::Waiting,
        JobState::Running,
        JobState::Done,
        JobState::Dead,
    ]
    .into_iter()
    .enumerate()
    {
        counts.add(state, unsigned(row, column)?);
    }
    Ok(counts)
}

pub(super) fn get<'r, T>(row: &'r SqliteRow, column: usize) -> Result<T, QueueError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(corrupt_or_unavailable)
}

pub(super) fn unsigned<T: TryFrom<i64>>(row: &SqliteRow, column: usize) -> Result<T, QueueError> {
    T::try_from(get::<i64>(row, column)?).map_err(|_| QueueError::corrupt("a number is out of range"))
}

fn time(row: &SqliteRow, column: usize) -> Result<Option<Timestamp>, QueueError> {
    let micros: Option<i64> = get(row, column)?;
    micros
        .map(Timestamp::from_microsecond)
        .transpose()
        .map_err(QueueError::corrupt)
}

fn required_time(row: &SqliteRow, column: usize) -> Result<Timestamp, QueueError> {
    time(row, column)?.ok_or_else(|| QueueError::corrupt("a time is missing"))
}
