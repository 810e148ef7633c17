//! The store, the lock and the keys.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use backend::{Backend, TokenHome, sealed_by};
use token_store::{Filter, Holder, KeyId, KeyProvider as _, LockKey, TokenStoreExt as _};

use super::finding::Finding;

const STORE: &str = "token store";
const LOCK: &str = "lock";
const KEYS: &str = "keys";

pub(super) async fn check(backend: &Backend) -> Vec<Finding> {
    let home = &backend.tokens;
    let lock = lock(home).await;
    match home.store.find_all(&Filter::all()).await {
        Ok(records) => {
            let store = format!("{} records in {}", records.len(), home.place);
            vec![
                Finding::good(STORE, store),
                lock,
                keys(home, sealed_by(&records)).await,
            ]
        }
        Err(error) => {
            let found = format!("{} cannot be read: {:#}", home.place, anyhow::Error::from(error));
            let fix = "see that it is up and that ZOOM_TOKEN_STORE is right; a record that cannot be read is named above";
            vec![Finding::bad(STORE, found, fix), lock]
        }
    }
}

async fn lock(home: &TokenHome) -> Finding {
    let round = async {
        let (key, holder) = (LockKey::new("doctor"), Holder::random()?);
        let lock = &home.shared_lock;
        let fence = lock.try_acquire(&key, &holder, Duration::from_secs(5)).await?;
        lock.release(&key, &holder).await?;
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

async fn keys(home: &TokenHome, sealed: BTreeMap<KeyId, usize>) -> Finding {
    match whose(home, sealed).await {
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

/// What the keys have sealed.
struct Whose {
    primary: KeyId,
    older: usize,
    unknown: Vec<String>,
}

async fn whose(home: &TokenHome, sealed: BTreeMap<KeyId, usize>) -> Result<Whose> {
    let primary = home.keys.primary().await?.id().clone();
    let (mut older, mut unknown) = (0, Vec::new());
    for (id, records) in sealed {
        if home.keys.key(&id).await?.is_none() {
            unknown.push(id.to_string());
        } else if id != primary {
            older += records;
        }
    }
    Ok(Whose {
        primary,
        older,
        unknown,
    })
}
