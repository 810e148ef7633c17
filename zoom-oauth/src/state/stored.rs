//! States in the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use token_store::{ConnectionId, Expect, Filter, OwnerId, RecordKind, Status, StoredConnection, Versioned};
use zeroize::Zeroizing;

use super::{Started, Terms, broken, unknown};
use crate::{
    Connections, Error, ErrorKind, SessionBinding,
    digest::digest,
    random::random_text,
    records::{AUTHORIZATION, Records, SaveError},
};

/// The sealed part of the record; the rest of a started connect stands in its columns.
#[derive(Serialize, Deserialize)]
struct Document {
    verifier: Zeroizing<String>,
    session: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened_by: Option<String>,
    #[serde(default)]
    switch_user: bool,
}

impl Connections {
    pub(crate) async fn store_state(&self, started: &Started) -> Result<String, Error> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let owner = &started.terms.owner;
        forget_started(&inner.records, owner, Some(now)).await?;
        let state = random_text()?;
        let mut record = StoredConnection::new(
            id_of(&state),
            owner.clone(),
            RecordKind::Authorization,
            Status::Pending,
            now,
        );
        record.expires_at = Some(started.expires_at);
        inner.records.sign(&mut record);
        let document = Document {
            verifier: started.verifier.clone(),
            session: started.session.clone(),
            opened_by: started.terms.opened_by.clone(),
            switch_user: started.terms.switch_user,
        };
        // Room enough, so that growing leaves no copies behind.
        let mut secret = Zeroizing::new(Vec::with_capacity(1024));
        serde_json::to_writer(&mut *secret, &document).map_err(|_| broken())?;
        inner
            .records
            .save_sealed(record, AUTHORIZATION, &secret, Expect::Absent)
            .await?;
        Ok(state)
    }

    pub(crate) async fn consume_stored(
        &self,
        state: &str,
        session: &SessionBinding,
    ) -> Result<Started, Error> {
        let inner = &self.inner;
        let id = id_of(state);
        loop {
            let found = inner.records.store.load(&id).await?.ok_or_else(unknown)?;
            match self.try_to_consume(&id, found, session).await {
                // Another callback was faster, or only a change of keys: it is looked at again.
                Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => return Err(error),
                Ok(started) => {
                    remove(&inner.records, &id).await;
                    return Ok(started);
                }
            }
        }
    }

    async fn try_to_consume(
        &self,
        id: &ConnectionId,
        found: Versioned<StoredConnection>,
        session: &SessionBinding,
    ) -> Result<Started, SaveError> {
        let inner = &self.inner;
        let record = &found.value;
        let waits = record.kind == RecordKind::Authorization && record.status == Status::Pending;
        if !(waits && inner.records.is_ours(record)) {
            return Err(unknown().into());
        }
        let Some(expires_at) = record.expires_at.filter(|at| *at > inner.clock.now()) else {
            remove(&inner.records, id).await;
            return Err(Error::new(ErrorKind::ExpiredState).into());
        };
        let secret = inner
            .records
            .open(&found, AUTHORIZATION)
            .await?
            .ok_or_else(unknown)?;
        let document: Document = serde_json::from_slice(&secret).map_err(|_| broken())?;
        let started = Started {
            terms: Terms {
                owner: record.owner.clone(),
                opened_by: document.opened_by,
                switch_user: document.switch_user,
            },
            session: document.session,
            verifier: document.verifier,
            expires_at,
        };
        // A foreign session does not use it up: its rightful owner may still come.
        started.check(session)?;
        let mut used = record.clone();
        used.status = Status::Disconnected;
        used.sealed = None;
        let expect = Expect::Generation(found.generation);
        inner.records.store.save(&used, expect).await?;
        Ok(started)
    }
}

/// Forgets an owner's started connects: all of them, or those that have run out.
pub(crate) async fn forget_started(
    records: &Records,
    owner: &OwnerId,
    run_out_by: Option<Timestamp>,
) -> Result<(), Error> {
    let mut filter = Filter::all().kind(RecordKind::Authorization).owner(owner.clone());
    if let Some(now) = run_out_by {
        filter = filter.expires_before(now);
    }
    for found in records.find(&filter).await? {
        records.store.delete(&found.value.id).await?;
    }
    Ok(())
}

/// Forgets what all owners have started and not finished in time. What cannot be removed now is removed later.
pub(crate) async fn sweep_started(records: &Records, now: Timestamp) {
    let over = Filter::all().kind(RecordKind::Authorization).expires_before(now);
    match records.find(&over).await {
        Ok(found) => {
            for found in found {
                remove(records, &found.value.id).await;
            }
        }
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "connects that nobody finished were not removed"
        ),
    }
}

/// A used-up state is of no use to anybody; that its row is still there costs only space.
async fn remove(records: &Records, id: &ConnectionId) {
    if let Err(error) = records.store.delete(id).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a used-up state was not removed"
        );
    }
}

/// The store learns a hash of the state: whoever reads the store cannot make a callback.
fn id_of(state: &str) -> ConnectionId {
    ConnectionId::new(format!("state-{}", digest(&["state", state])))
}
