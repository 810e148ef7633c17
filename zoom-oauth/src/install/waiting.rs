//! The records of installations that wait.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use token_store::{ConnectionId, Expect, Filter, OwnerId, RecordKind, Status, StoredConnection, Versioned};
use zeroize::Zeroizing;

use super::{Parked, ParkedView};
use crate::{
    Connections, Error, ErrorKind, SessionBinding,
    digest::digest,
    random::random_text,
    records::{INSTALLATION, SaveError},
    revocation::LeftGrant,
    tokens::{Tokens, same},
};

/// Whose a record is while nobody was signed in.
const NOBODY: &str = "(nobody)";
/// The same code may arrive so often before the first ticket stops working.
const MOST_TICKETS: usize = 4;
/// A claim that has begun is given so long after its time before it counts as dead.
const GRACE: SignedDuration = SignedDuration::from_mins(10);

/// An installation that waits, with its sealed part open.
pub(super) struct Waiting {
    pub(super) record: StoredConnection,
    pub(super) tokens: Tokens,
    expect: Expect,
    session: String,
    /// Hashes.
    tickets: Vec<String>,
}

/// The first line of the sealed part; the second is the tokens.
#[derive(Serialize, Deserialize)]
struct Door {
    session: String,
    tickets: Vec<String>,
}

/// A record of nobody yet, or of whoever is signed in.
pub(super) fn record(id: ConnectionId, session: &SessionBinding, now: Timestamp) -> StoredConnection {
    let owner = session.owner.clone().unwrap_or_else(|| OwnerId::new(NOBODY));
    StoredConnection::new(id, owner, RecordKind::Installation, Status::Pending, now)
}

impl Waiting {
    pub(super) fn new(record: StoredConnection, tokens: Tokens, session: &SessionBinding) -> Self {
        Self {
            record,
            tokens,
            expect: Expect::Absent,
            session: session.hash.clone(),
            tickets: Vec::new(),
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.record.expires_at.is_none_or(|at| at <= now)
    }

    /// Whether it is this session that may go on, and this owner, if somebody was signed in when it came.
    fn check(&self, session: &SessionBinding) -> Result<(), Error> {
        let of_nobody = self.record.owner.as_str() == NOBODY;
        let another = !of_nobody && session.owner.as_ref() != Some(&self.record.owner);
        if another || !same(&self.session, &session.hash) {
            return Err(Error::new(ErrorKind::ForeignSession));
        }
        Ok(())
    }
}

impl Connections {
    /// Of one code there is one installation.
    pub(super) fn installation_id(&self, code: &str) -> ConnectionId {
        let mut hash = digest(&["installation", self.inner.records.app(), code]);
        hash.truncate(32);
        ConnectionId::new(format!("install-{hash}"))
    }

    /// Another ticket to an installation that is here already.
    pub(super) async fn park_again(
        &self,
        id: &ConnectionId,
        session: &SessionBinding,
    ) -> Result<Option<Parked>, Error> {
        let Some(waiting) = self.load_waiting(id).await? else {
            return Ok(None);
        };
        waiting.check(session)?;
        if waiting.is_over(self.inner.clock.now()) {
            return Err(Error::new(ErrorKind::ExpiredTicket));
        }
        self.save_new(waiting).await.map(Some)
    }

    /// Saves it with one more ticket.
    pub(super) async fn save_new(&self, mut waiting: Waiting) -> Result<Parked, Error> {
        let secret = random_text()?;
        let ticket = format!("{}.{secret}", waiting.record.id);
        waiting.tickets.push(hash_of(&ticket));
        let surplus = waiting.tickets.len().saturating_sub(MOST_TICKETS);
        waiting.tickets.drain(..surplus);
        let view = ParkedView::from_record(&waiting.record)
            .ok_or_else(|| Error::new(ErrorKind::UnexpectedAnswer))?;
        self.save_waiting(&mut waiting).await?;
        Ok(Parked { ticket, view })
    }

    /// The installation that a ticket is for. Looking does not use the ticket up, nor does a foreign session.
    pub(super) async fn waiting(&self, ticket: &str, session: &SessionBinding) -> Result<Waiting, Error> {
        let unknown = || Error::new(ErrorKind::UnknownTicket);
        let (id, _) = ticket.split_once('.').ok_or_else(unknown)?;
        let waiting = self.load_waiting(&ConnectionId::new(id)).await?;
        let waiting = waiting.ok_or_else(unknown)?;
        let hash = hash_of(ticket);
        if !waiting.tickets.iter().any(|known| same(known, &hash)) {
            return Err(unknown());
        }
        if waiting.is_over(self.inner.clock.now()) {
            return Err(Error::new(ErrorKind::ExpiredTicket));
        }
        waiting.check(session)?;
        Ok(waiting)
    }

    /// Uses the ticket up: of many, one gets it.
    pub(super) async fn take(&self, mut waiting: Waiting) -> Result<Waiting, Error> {
        loop {
            waiting.record.status = Status::Disconnected;
            match self.save_waiting(&mut waiting).await {
                Ok(()) => return Ok(waiting),
                Err(SaveError::Failed(error)) => return Err(error),
                // Another claim was faster, or only a change of keys: it is looked at again.
                Err(SaveError::Conflict) => {
                    let found = self.load_waiting(&waiting.record.id).await?;
                    waiting = found.ok_or_else(|| Error::new(ErrorKind::UnknownTicket))?;
                }
            }
        }
    }

    /// The claim may be tried again.
    pub(super) async fn put_back(&self, mut waiting: Waiting) {
        let error = loop {
            waiting.record.status = Status::Pending;
            match self.save_waiting(&mut waiting).await {
                Ok(()) => return,
                Err(SaveError::Failed(error)) => break error,
                Err(SaveError::Conflict) => match self.inner.records.store.load(&waiting.record.id).await {
                    // A change of keys.
                    Ok(Some(now)) if now.value.sealed.is_some() => {
                        waiting.expect = Expect::Generation(now.generation);
                    }
                    Ok(_) => return,
                    Err(error) => break error.into(),
                },
            }
        };
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "an installation cannot be claimed again"
        );
    }

    pub(super) async fn forget_installation(&self, record: &StoredConnection) {
        if let Err(error) = self.inner.records.store.delete(&record.id).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a claimed installation was not removed"
            );
        }
    }

    /// Deletes what waits for an owner to be claimed; returns the grants, which are still to be ended, and how many
    /// records there were.
    pub(crate) async fn leave_installations(
        &self,
        owner: &OwnerId,
    ) -> Result<(Vec<LeftGrant>, usize), Error> {
        let filter = Filter::all().kind(RecordKind::Installation).owner(owner.clone());
        let (mut left, mut deleted) = (Vec::new(), 0);
        for found in self.inner.records.find(&filter).await? {
            let record = found.value.clone();
            // What does not open is of no use to anybody; it goes, too.
            let waiting = self.open_waiting(found).await.ok().flatten();
            self.inner.records.delete(&record.id).await?;
            left.extend(waiting.map(|waiting| LeftGrant::new(&record, waiting.tokens)));
            deleted += 1;
        }
        Ok((left, deleted))
    }

    /// Deletes what nobody has claimed in time, and ends its grant at Zoom. Whoever calls it does not wait for Zoom.
    pub(crate) async fn sweep_installations(&self) {
        if let Err(error) = self.try_sweep().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "installations that nobody claimed were not removed"
            );
        }
    }

    async fn try_sweep(&self) -> Result<(), Error> {
        let now = self.inner.clock.now();
        let over = Filter::all().kind(RecordKind::Installation).expires_before(now);
        for found in self.inner.records.find(&over).await? {
            let begun = found.value.status != Status::Pending;
            let recent = found
                .value
                .expires_at
                .is_some_and(|at| now.duration_since(at) < GRACE);
            if begun && recent {
                continue;
            }
            // What does not open is of no use to anybody; it goes, too.
            let waiting = self.open_waiting(found.clone()).await.ok().flatten();
            let mut record = found.value;
            record.status = Status::Disconnected;
            record.sealed = None;
            let expect = Expect::Generation(found.generation);
            match self.inner.records.store.save(&record, expect).await {
                Ok(_) => {}
                Err(error) if error.is_conflict() => continue,
                Err(error) => return Err(error.into()),
            }
            tracing::info!(installation = %record.id, "nobody has claimed an installation");
            self.end_installation(record, waiting.map(|waiting| waiting.tokens))
                .await;
        }
        Ok(())
    }

    /// Deletes an installation, and ends its grant unless somebody lives on it.
    pub(super) async fn end_installation(&self, record: StoredConnection, tokens: Option<Tokens>) {
        self.forget_installation(&record).await;
        if let Some(tokens) = tokens {
            let (this, grant) = (self.clone(), LeftGrant::new(&record, tokens));
            tokio::spawn(async move { this.end_grant(grant).await });
        }
    }

    /// An installation that nobody has begun to claim.
    async fn load_waiting(&self, id: &ConnectionId) -> Result<Option<Waiting>, Error> {
        match self.inner.records.store.load(id).await? {
            Some(found) if found.value.status == Status::Pending => self.open_waiting(found).await,
            _ => Ok(None),
        }
    }

    async fn open_waiting(&self, found: Versioned<StoredConnection>) -> Result<Option<Waiting>, Error> {
        let records = &self.inner.records;
        if found.value.kind != RecordKind::Installation || !records.is_ours(&found.value) {
            return Ok(None);
        }
        let Some(secret) = records.open(&found, INSTALLATION).await? else {
            return Ok(None);
        };
        let mut lines = secret.splitn(2, |byte| *byte == b'\n');
        let (Some(door), Some(tokens)) = (lines.next(), lines.next()) else {
            return Err(broken());
        };
        let door: Door = serde_json::from_slice(door).map_err(|_| broken())?;
        Ok(Some(Waiting {
            tokens: Tokens::from_bytes(tokens)?,
            record: found.value,
            expect: Expect::Generation(found.generation),
            session: door.session,
            tickets: door.tickets,
        }))
    }

    async fn save_waiting(&self, waiting: &mut Waiting) -> Result<(), SaveError> {
        let tokens = waiting.tokens.to_bytes().map_err(SaveError::Failed)?;
        let door = Door {
            session: waiting.session.clone(),
            tickets: waiting.tickets.clone(),
        };
        let door = serde_json::to_vec(&door).map_err(|_| SaveError::Failed(broken()))?;
        let secret = Zeroizing::new([&door, b"\n".as_slice(), &tokens].concat());
        waiting.record.updated_at = self.inner.clock.now();
        let generation = self
            .inner
            .records
            .save_sealed(waiting.record.clone(), INSTALLATION, &secret, waiting.expect)
            .await?;
        waiting.expect = Expect::Generation(generation);
        Ok(())
    }
}

/// The store learns a hash of the ticket, and that sealed.
fn hash_of(ticket: &str) -> String {
    digest(&["ticket", ticket])
}

fn broken() -> Error {
    Error::with_source(ErrorKind::Vault, "the sealed part is not an installation")
}
