mod progress;
mod quarantine;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use tokio::time::{Interval, MissedTickBehavior, interval};
use zeroize::Zeroizing;

use self::{progress::Stop, quarantine::Marks};
pub use self::{
    progress::{Progress, RotationError},
    quarantine::Quarantined,
};
use crate::{
    Clock, ConnectionId, Expect, Filter, Generation, PageToken, RecordKind, SealContext, StoreError,
    StoredConnection, TokenStore, Vault, VaultError, Versioned,
};

/// How often a record is tried whose host is always faster; then it is left to the next pass.
const ATTEMPTS: u32 = 16;
const RATE: u32 = 100;

/// A pass over a store that seals everything as the vault seals today: under the primary key, or in envelopes.
///
/// * Hosts keep serving meanwhile. Every save is conditional: whoever refreshed a token in between is not overwritten.
/// * It can be stopped at any time, by dropping it too. Begin again, or go on from [`Progress::position`]; what is done
///   already is passed over.
/// * Nothing is ever deleted. What does not open stays as it is, to the byte and at its generation, so that it opens
///   again the moment its key is back; a mark of kind [`RecordKind::Quarantine`] beside it says so.
///   [`Quarantined::list`] reads the marks, and the pass that finds the record well again removes its mark.
/// * A key service or a store that does not answer stops the pass; that is no reason for quarantine.
///
/// Hosts that still seal with the older key do so behind the pass as well. Let every host know the new key first, and
/// retire the older one after a pass that rotated nothing and [has nothing left](Progress::has_nothing_left).
///
/// ```
/// # use std::sync::Arc;
/// # use token_store::{KeyFile, MemoryStore, Rotation, Vault};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # let (folder, store) = (tempfile::tempdir()?, Arc::new(MemoryStore::new()));
/// # let path = folder.path().join("keys");
/// let keys = KeyFile::open_or_create(path)?;
/// let old = keys.ids()?.remove(0);
/// keys.add_primary()?;
/// let rotation = Rotation::new(store, Vault::new(Arc::new(keys.clone())), ["tokens"]);
/// let done = rotation.run(|progress| println!("{progress}")).await?;
/// if done.rotated == 0 && done.has_nothing_left() {
///     keys.retire(&old)?;
/// }
/// # Ok(()) })
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rotation {
    store: Arc<dyn TokenStore>,
    vault: Vault,
    fields: Vec<String>,
    rate: Option<NonZeroU32>,
    is_dry: bool,
    start: PageToken,
    filter: Filter,
    clock: Clock,
}

impl Rotation {
    /// A pass over this store with this vault.
    ///
    /// `fields` are the [field names](SealContext::field) that the store's records were sealed for. A record does not
    /// say which of them is its own, and need not: it opens for no other.
    #[must_use]
    pub fn new(
        store: Arc<dyn TokenStore>,
        vault: Vault,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            store,
            vault,
            fields: fields.into_iter().map(Into::into).collect(),
            rate: NonZeroU32::new(RATE),
            is_dry: false,
            start: PageToken::first(),
            filter: Filter::all(),
            clock: Clock::system(),
        }
    }

    /// At most so many steps in a second, a page read or a record sealed: 100 if not said, zero for no limit.
    #[must_use]
    pub fn with_rate(mut self, per_second: u32) -> Self {
        self.rate = NonZeroU32::new(per_second);
        self
    }

    /// Opens everything that it would seal anew, and changes nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.is_dry = true;
        self
    }

    /// Goes on where another pass was stopped.
    #[must_use]
    pub fn starting_at(mut self, position: PageToken) -> Self {
        self.start = position;
        self
    }

    /// Reads so many records at a time: 1 to 1000, 100 if not said.
    #[must_use]
    pub fn with_page_size(mut self, size: u32) -> Self {
        self.filter = Filter::all().with_page_size(size);
        self
    }

    /// Reads the time of a quarantine from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the pass. `on_progress` is told after every record and once more at the end.
    ///
    /// # Errors
    /// What stopped the pass, with the progress until there.
    pub async fn run(
        &self,
        mut on_progress: impl FnMut(&Progress) + Send,
    ) -> Result<Progress, RotationError> {
        let mut pass = Pass {
            rotation: self,
            pace: self.rate.map(pace),
            marks: Marks::new(Arc::clone(&self.store), self.clock.clone()),
            progress: Progress::at(self.start.clone()),
        };
        match pass.run(&mut on_progress).await {
            Ok(()) => Ok(pass.progress),
            Err(stop) => Err(RotationError::new(pass.progress, stop)),
        }
    }
}

fn pace(rate: NonZeroU32) -> Interval {
    // Of more than a thousand million steps in a second nothing would be left, and an interval of nothing is none.
    let mut pace = interval((Duration::from_secs(1) / rate.get()).max(Duration::from_nanos(1)));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

struct Pass<'a> {
    rotation: &'a Rotation,
    pace: Option<Interval>,
    marks: Marks,
    progress: Progress,
}

impl Pass<'_> {
    async fn run(&mut self, on_progress: &mut (impl FnMut(&Progress) + Send)) -> Result<(), Stop> {
        let Rotation {
            store,
            filter,
            is_dry,
            ..
        } = self.rotation;
        let mut next = Some(self.rotation.start.clone());
        while let Some(token) = next.take() {
            self.step().await;
            let page = store.find(filter, token.clone()).await?;
            for id in page.unreadable {
                tracing::error!(connection = %id, "a record cannot be read");
                self.progress.seen += 1;
                self.progress.unreadable.push(id);
            }
            for found in page.items {
                let id = found.value.id.clone();
                if found.value.kind != RecordKind::Quarantine {
                    self.progress.seen += 1;
                    self.record(found).await?;
                }
                self.progress.position = PageToken::after(id);
                on_progress(&self.progress);
            }
            // A store that gives the same page again would keep us here for ever.
            next = page.next.filter(|next| *next != token);
            if let Some(next) = &next {
                self.progress.position = next.clone();
            }
        }
        if !is_dry {
            self.progress.recovered = self.marks.sweep(&self.rotation.vault).await?;
        }
        on_progress(&self.progress);
        Ok(())
    }

    async fn record(&mut self, mut found: Versioned<StoredConnection>) -> Result<(), Stop> {
        let Rotation {
            store, vault, is_dry, ..
        } = self.rotation;
        let id = found.value.id.clone();
        for _ in 0..ATTEMPTS {
            let Some(sealed) = &found.value.sealed else {
                self.progress.current += 1;
                return Ok(());
            };
            if vault.is_current(sealed).await? {
                self.progress.current += 1;
                return Ok(());
            }
            self.step().await;
            let (field, secret) = match self.open(&found).await {
                Ok(opened) => opened,
                Err(error @ (VaultError::UnknownKey(_) | VaultError::DoesNotOpen)) => {
                    // What we have may be older than what is there.
                    let Some(now) = self.load(&id).await? else {
                        return Ok(());
                    };
                    if now.generation == found.generation {
                        self.progress.quarantined += 1;
                        self.progress.left += 1;
                        if !is_dry {
                            self.marks.set(&found, &error).await?;
                        }
                        return Ok(());
                    }
                    found = now;
                    continue;
                }
                Err(other) => return Err(other.into()),
            };
            if *is_dry {
                self.progress.rotated += 1;
                self.progress.left += 1;
                return Ok(());
            }
            let mut record = found.value.clone();
            let place = place(&found.value, &field, found.generation.next());
            record.sealed = Some(vault.seal(&place, &secret).await?);
            match store.save(&record, Expect::Generation(found.generation)).await {
                Ok(_) => {
                    self.progress.rotated += 1;
                    return Ok(());
                }
                Err(StoreError::Conflict) => self.progress.conflicts += 1,
                Err(other) => return Err(other.into()),
            }
            let Some(now) = self.load(&id).await? else {
                return Ok(());
            };
            found = now;
        }
        self.progress.left += 1;
        Ok(())
    }

    /// The secret, and the field it was sealed for.
    async fn open(
        &self,
        found: &Versioned<StoredConnection>,
    ) -> Result<(String, Zeroizing<Vec<u8>>), VaultError> {
        let Rotation { vault, fields, .. } = self.rotation;
        if let Some(sealed) = &found.value.sealed {
            for field in fields {
                let place = place(&found.value, field, found.generation);
                match vault.open(&place, sealed).await {
                    Ok(secret) => return Ok((field.clone(), secret)),
                    Err(VaultError::DoesNotOpen) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Err(VaultError::DoesNotOpen)
    }

    /// The record as it is now; `None` when it is gone, or cannot be read any more, which is noted.
    async fn load(&mut self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, Stop> {
        match self.rotation.store.load(id).await {
            Err(StoreError::Corrupt { id, .. }) => {
                self.progress.unreadable.push(id);
                Ok(None)
            }
            loaded => Ok(loaded?),
        }
    }

    async fn step(&mut self) {
        if let Some(pace) = &mut self.pace {
            pace.tick().await;
        }
    }
}

fn place<'a>(record: &'a StoredConnection, field: &'a str, generation: Generation) -> SealContext<'a> {
    SealContext {
        owner: &record.owner,
        connection: &record.id,
        field,
        generation,
    }
}

#[cfg(test)]
mod tests;
