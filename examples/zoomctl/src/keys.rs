//! `zoomctl keys`: which keys seal the tokens, and how to change them while hosts work.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use backend::{Backend, Config, TokenHome};
use clap::{Args, Subcommand};
use serde::Serialize;
use token_store::{ConnectionId, KeyId, KeyProvider as _, PageToken, Progress, Quarantined, Rotation};

use crate::{on_backend, output};

/// Subcommands of `zoomctl keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Every key, and how many records it has sealed
    List(List),
    /// Seal everything with the first key; in a key file, with a new one that is made for it
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Look whether everything would open, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Seal with the first key there is, and make no new one
    #[arg(long)]
    no_new_key: bool,
    /// Keep older keys in the file, although nothing needs them any more
    #[arg(long)]
    keep_old: bool,
    /// Records in a second; 0 for no limit
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// Go on after this record, where a pass was stopped
    #[arg(long, value_name = "RECORD")]
    from: Option<String>,
    #[arg(long)]
    json: bool,
}

impl Keys {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        on_backend(config, async |backend: &Backend| match self {
            Self::List(command) => command.on(&backend.tokens).await,
            Self::Rotate(command) => command.on(&backend.tokens).await,
        })
        .await
    }
}

/// A key, or one that is missing.
#[derive(Debug, Serialize)]
struct Row {
    key: String,
    role: &'static str,
    records: usize,
}

impl List {
    async fn on(self, home: &TokenHome) -> Result<()> {
        let rows = rows(home).await?;
        let quarantined = Quarantined::list(&*home.store).await?;
        if self.json {
            let quarantined: Vec<_> = quarantined
                .iter()
                .map(|record| {
                    serde_json::json!({
                        "connection": record.connection,
                        "owner": record.owner,
                        "reason": record.reason,
                        "since": record.since,
                    })
                })
                .collect();
            return output::json(&serde_json::json!({ "keys": rows, "quarantined": quarantined }));
        }
        output::table(
            ["key", "role", "records"],
            rows.iter()
                .map(|row| [row.key.clone(), row.role.to_owned(), row.records.to_string()]),
        );
        for record in quarantined {
            println!(
                "{} of {} does not open since {}: {}",
                record.connection, record.owner, record.since, record.reason
            );
        }
        Ok(())
    }
}

async fn rows(home: &TokenHome) -> Result<Vec<Row>> {
    let mut sealed = home.sealed_by().await?;
    let primary = home.keys.primary().await?.id().clone();
    let mut rows = vec![Row {
        records: sealed.remove(&primary).unwrap_or_default(),
        key: primary.to_string(),
        role: "seals",
    }];
    for id in home.older_keys()? {
        sealed.entry(id).or_default();
    }
    for (id, records) in sealed {
        let role = if home.keys.key(&id).await?.is_some() {
            "opens"
        } else {
            "unknown"
        };
        rows.push(Row {
            key: id.to_string(),
            role,
            records,
        });
    }
    Ok(rows)
}

impl Rotate {
    async fn on(self, home: &TokenHome) -> Result<()> {
        let older = home.older_keys()?;
        let added = match &home.key_file {
            Some(file) if !(self.dry_run || self.no_new_key || self.from.is_some()) => {
                let before = home.keys.primary().await?.id().clone();
                let added = file.add_primary().context("no new key could be made")?;
                Some((before, added))
            }
            _ => None,
        };
        let progress = self.pass(home).await?;
        let mut retired = Vec::new();
        if progress.has_nothing_left() && !self.dry_run && !self.keep_old {
            let before = added.iter().map(|(before, _)| before.clone());
            retired = retire(home, older.into_iter().chain(before).collect()).await?;
        }
        let added = added.map(|(_, added)| added.to_string());
        if self.json {
            output::json(&serde_json::json!({
                "dry_run": self.dry_run,
                "added": added,
                "seen": progress.seen,
                "rotated": progress.rotated,
                "current": progress.current,
                "quarantined": progress.quarantined,
                "conflicts": progress.conflicts,
                "left": progress.left,
                "unreadable": progress.unreadable,
                "retired": retired,
            }))?;
        } else {
            if let Some(added) = added {
                println!("New key {added}: it seals from now on.");
            }
            println!("{progress}");
            for key in retired {
                println!("Key {key} is no longer needed and out of the file.");
            }
        }
        ensure!(
            self.dry_run || progress.has_nothing_left(),
            "{} records are not sealed with the first key; `zoomctl keys list` shows them",
            progress.left
        );
        Ok(())
    }

    async fn pass(&self, home: &TokenHome) -> Result<Progress> {
        let store = Arc::clone(&home.store);
        let mut rotation = Rotation::new(
            store,
            home.vault.clone(),
            zoom_oauth::SEALED_FIELDS.iter().copied(),
        )
        .with_rate(self.rate);
        if self.dry_run {
            rotation = rotation.dry_run();
        }
        if let Some(from) = &self.from {
            rotation = rotation.starting_at(PageToken::after(ConnectionId::new(from)));
        }
        let done = rotation
            .run(|progress| tracing::debug!(%progress, "rotating"))
            .await;
        done.map_err(|error| {
            let at = error.progress().position.position().map(ToString::to_string);
            let again = at.map_or_else(String::new, |at| format!("; go on with --from {at}"));
            anyhow::Error::new(error).context(format!("not everything is sealed anew{again}"))
        })
    }
}

/// Takes keys out of the file that have sealed nothing that is left.
async fn retire(home: &TokenHome, candidates: Vec<KeyId>) -> Result<Vec<String>> {
    let Some(file) = &home.key_file else {
        return Ok(Vec::new());
    };
    let sealed = home.sealed_by().await?;
    let mut retired = Vec::new();
    for id in candidates {
        if !sealed.contains_key(&id) {
            file.retire(&id)?;
            retired.push(id.to_string());
        }
    }
    Ok(retired)
}
