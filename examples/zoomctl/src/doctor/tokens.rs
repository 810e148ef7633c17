//! The store, the lock and the keys.

use std::time::Duration;

use anyhow::Result;
use backend::{Backend, TokenHome};
use token_store::{Filter, Holder, KeyId, KeyProvider as _, LockKey, TokenStoreExt as _};

use super::finding::Finding;

const STORE: &str = "token store";
const LOCK: &str = "lock";
const KEYS: &str = "keys";

pub(super) async fn check(backend: &Backend) -> Vec<Finding> {
    let home = &backend.tokens;
    vec![store(home).await, lock(home).await, keys(home).await]
}

async fn store(home: &TokenHome) -> Finding {
    match home.store.find_all(&Filter::all()).await {
        Ok(records) => Finding::good(STORE, format!("{} records in {}", records.len(), home.place)),
        Err(error) => Finding::bad(
            STORE,
            format!("{} cannot be read: {:#}", home.place, anyhow::Error::from(error)),
            "see that it is up and that ZOOM_TOKEN_STORE is right; a record that cannot be read is named above",
        ),
    }
}

async fn lock(home: &TokenHome) -> Finding {
    let round = async {
        let (key, holder) = (LockKey::new("doctor"), Holder::random()?);
        let fence = home
            .lock
            .try_acquire(&key, &holder, Duration::from_secs(5))
            .await?;
        home.lock.release(&key, &holder).await?;
        anyhow::Ok(fence)
    };
    match round.await {
        Ok(Some(_)) => Finding::good(
            LOCK,
            format!("leases are given and taken back in {}", home.lock_place),
        ),
        Ok(None) => Finding::good(
            LOCK,
            format!("another doctor holds the lease in {}", home.lock_place),
        ),
        Err(error) => Finding::warning(
            LOCK,
            format!("{} does not answer: {error:#}", home.lock_place),
            "tokens stay right without it; mend it so that hosts do not refresh twice",
        ),
    }
}

async fn keys(home: &TokenHome) -> Finding {
    match sealed_by(home).await {
        Ok(keys) if keys.unknown.is_empty() => Finding::good(
            KEYS,
            format!(
                "{} seals; {} records are sealed with older keys",
                keys.primary, keys.older
            ),
        ),
        Ok(keys) => Finding::bad(
            KEYS,
            format!(
                "no key {} is known, and records are sealed with it",
                keys.unknown.join(", ")
            ),
            "give the key back (behind the first one); nothing is lost until then",
        ),
        Err(error) => Finding::bad(KEYS, format!("{error:#}"), "see ZOOM_TOKEN_KEYS, or the key file"),
    }
}

struct SealedBy {
    primary: KeyId,
    older: usize,
    unknown: Vec<String>,
}

async fn sealed_by(home: &TokenHome) -> Result<SealedBy> {
    let primary = home.keys.primary().await?.id().clone();
    let (mut older, mut unknown) = (0, Vec::new());
    for (id, records) in home.sealed_by().await? {
        if home.keys.key(&id).await?.is_none() {
            unknown.push(id.to_string());
        } else if id != primary {
            older += records;
        }
    }
    Ok(SealedBy {
        primary,
        older,
        unknown,
    })
}
