use std::{collections::HashMap, sync::Arc};

use anyhow::Context as _;
use token_store::{Expect, OwnerId, SealContext, StoredConnection, TokenStore, Vault};

use crate::{record, vault};

/// A store as the crates use it: each secret sealed for its place and generation, each save conditional.
#[derive(Debug)]
pub struct SealedStore {
    store: Arc<dyn TokenStore>,
    vault: Vault,
    /// What was saved last, as somebody has it who refreshes.
    records: HashMap<String, (StoredConnection, Expect)>,
}

impl SealedStore {
    /// Over `sqlite://path` or `postgres://…`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            store: token_store::connect(url).await?.store,
            vault: vault()?,
            records: HashMap::new(),
        })
    }

    /// Seals for the generation that comes, and saves.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn put(&mut self, id: &str, secret: &str) -> anyhow::Result<()> {
        let owner = OwnerId::new("bench");
        if !self.records.contains_key(id) {
            let there = self.store.load(&id.into()).await?;
            let expect = there.map_or(Expect::Absent, |there| Expect::Generation(there.generation));
            self.records.insert(id.to_owned(), (record(&owner, id), expect));
        }
        let (record, expect) = self.records.get_mut(id).context("a record")?;
        let place = SealContext {
            owner: &record.owner,
            connection: &record.id,
            field: "tokens",
            generation: expect.next().context("a generation")?,
        };
        record.sealed = Some(self.vault.seal(&place, secret.as_bytes()).await?);
        *expect = Expect::Generation(self.store.save(record, *expect).await?);
        Ok(())
    }

    /// Loads and opens. Returns how much it was.
    ///
    /// # Errors
    /// When it is not there, or does not open.
    pub async fn get(&self, id: &str) -> anyhow::Result<usize> {
        let found = self.store.load(&id.into()).await?.context("it is gone")?;
        let place = SealContext {
            owner: &found.value.owner,
            connection: &found.value.id,
            field: "tokens",
            generation: found.generation,
        };
        let sealed = found.value.sealed.as_ref().context("it is empty")?;
        Ok(self.vault.open(&place, sealed).await?.len())
    }
}
