use jiff::Timestamp;
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{ConnectionId, Generation, RecordKind, Status, StoreError, StoredConnection, Versioned};

/// The columns of `token_store_records`, by name: with `*`, a column that a newer version adds would come as a surprise
/// to statements that this process has already prepared, and a record would seem to be absent.
macro_rules! columns {
    () => {
        "id, owner, kind, provider_account, provider_user, display_name, email, status, status_reason, scopes, \
         attributes, created_at, updated_at, expires_at, sealed, generation"
    };
}
pub(super) use columns;

/// Reads a row of `token_store_records`; whatever is wrong with it comes back with its id.
pub(super) fn read(row: &SqliteRow) -> Result<Versioned<StoredConnection>, StoreError> {
    let id = ConnectionId::new(row.try_get::<String, _>("id").map_err(StoreError::unavailable)?);
    read_fields(row, &id).map_err(|source| StoreError::corrupt(id, source))
}

fn read_fields(
    row: &SqliteRow,
    id: &ConnectionId,
) -> Result<Versioned<StoredConnection>, Box<dyn std::error::Error + Send + Sync>> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column);
    let mut record = StoredConnection::new(
        id.clone(),
        text("owner")?.into(),
        RecordKind::from(text("kind")?.as_str()),
        Status::from(text("status")?.as_str()),
        Timestamp::from_microsecond(row.try_get("created_at")?)?,
    );
    record.provider_account = optional("provider_account")?;
    record.provider_user = optional("provider_user")?;
    record.display_name = optional("display_name")?;
    record.email = optional("email")?;
    record.status_reason = optional("status_reason")?;
    record.scopes = serde_json::from_str(&text("scopes")?)?;
    record.attributes = serde_json::from_str(&text("attributes")?)?;
    record.updated_at = Timestamp::from_microsecond(row.try_get("updated_at")?)?;
    record.expires_at = row
        .try_get::<Option<i64>, _>("expires_at")?
        .map(Timestamp::from_microsecond)
        .transpose()?;
    record.sealed = optional("sealed")?.map(|sealed| sealed.parse()).transpose()?;
    let generation = Generation::new(u64::try_from(row.try_get::<i64, _>("generation")?)?);
    Ok(Versioned {
        value: record,
        generation,
    })
}

/// A generation as SQLite keeps it.
pub(super) fn generation_column(generation: Generation) -> Result<i64, StoreError> {
    i64::try_from(generation.get()).map_err(|_| StoreError::Invalid("the generation is out of range"))
}
