mod history;
mod lock;
mod store;

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use self::{history::PostgresHistory, lock::PostgresLock, store::PostgresStore};
use crate::{StoreError, sql};

async fn connect(url: &str) -> Result<PgPool, StoreError> {
    if !knows_parameters(url) {
        return Err(StoreError::Invalid(
            "a parameter in the URL of the Postgres database is not known",
        ));
    }
    // The reason may quote the URL, and a password stands in it.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Invalid("the text is not a URL of a Postgres database"))?;
    PgPoolOptions::new()
        // Whoever refreshes holds a lease meanwhile.
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(|connection, _| Box::pin(as_we_expect(connection)))
        .connect_with(options)
        .await
        .map_err(unavailable)
}

/// Postgres's own default, in which whoever comes second sees what the first one wrote. A database may have another one,
/// and then a lost race is a failed transaction instead of a conflict or a held lease.
async fn as_we_expect(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let statement = "SET default_transaction_isolation TO 'read committed'";
    sqlx::raw_sql(statement).execute(connection).await?;
    Ok(())
}

/// What may stand behind the question mark of a URL. The driver logs any other parameter with its value, which would be
/// the password if its name is mistyped.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// What hosted databases put into the addresses that they hand out and the driver does without, saying so in the log.
/// None of it is a secret.
const DONE_WITHOUT: [&str; 6] = [
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "pgbouncer",
    "sslnegotiation",
    "target_session_attrs",
];

fn knows_parameters(url: &str) -> bool {
    let without_fragment = url.split('#').next().unwrap_or(url);
    let Some((_, query)) = without_fragment.split_once('?') else {
        return true;
    };
    query.split('&').filter(|piece| !piece.is_empty()).all(|piece| {
        let name = piece.split('=').next().unwrap_or(piece);
        PARAMETERS.contains(&name)
            || DONE_WITHOUT.contains(&name)
            || (name.starts_with("options[") && name.ends_with(']'))
    })
}

/// In the order in which they are applied; one that was released is never changed.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "tables", include_str!("postgres/0001_tables.sql"))];

/// Names our migrations among all advisory locks of a database; any number that others are unlikely to choose.
const MIGRATION_LOCK: i64 = 0x746f_6b65_6e73_746f;

async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    migrate_to(pool, &MIGRATIONS).await
}

/// Brings the tables up to date, all or nothing. Many hosts may do so at once: the lock lets one after the other in,
/// and goes with the transaction.
async fn migrate_to(
    pool: &PgPool,
    migrations: &[(i64, &'static str, &'static str)],
) -> Result<(), StoreError> {
    let mut transaction = pool.begin().await.map_err(unavailable)?;
    let newest = migrations.iter().map(|&(version, ..)| version).max();
    if applied(&mut transaction).await.map_err(unavailable)? >= newest {
        return Ok(());
    }
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *transaction)
        .await
        .map_err(unavailable)?;
    // Not `run`: its future is not Send.
    sql::migrator(migrations)
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(StoreError::unavailable)?;
    transaction.commit().await.map_err(unavailable)
}

/// The newest migration that was applied: a host whose tables others made needs no right to make any.
async fn applied(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let has_table = "SELECT to_regclass('token_store_migrations') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(has_table)
        .fetch_one(&mut *connection)
        .await?
    {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM token_store_migrations WHERE success")
        .fetch_one(connection)
        .await
}

/// What Postgres will never take is the caller's to mend; everything else may work later.
fn unavailable(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        Some("22021") => StoreError::Invalid("Postgres keeps no text with a NUL character in it"),
        Some("54000") => StoreError::Invalid("an id is too long for an index of Postgres"),
        _ => StoreError::unavailable(error),
    }
}

/// Whether a text can be in a table at all.
fn can_be_kept(text: &str) -> bool {
    !text.contains('\0')
}

#[cfg(test)]
mod tests;
