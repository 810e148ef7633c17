use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use serde::Serialize;
use token_store::{ConnectionId, Entry, History, OwnerId, Status, StoredConnection};
use tokio::sync::broadcast::{self, error::RecvError};
use tracing::Instrument as _;
use zoom_core::Clock;

use crate::{Connections, Error};

/// How many events a slow reader of the stream may be behind before it misses some.
const BACKLOG: usize = 1024;

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// An owner has connected a Zoom user for the first time.
    Connected,
    /// It works, and something that the host needs is missing.
    Degraded,
    /// It works again, or nothing is missing any more.
    Recovered,
    /// Its tokens are dead; the owner has to connect again.
    Expired,
    /// The owner has connected the same Zoom user again.
    Reconnected,
    /// The owner has left.
    Disconnected,
    /// The user has removed the app at Zoom.
    Deauthorized,
}

impl EventKind {
    /// The name that serde writes, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Degraded => "degraded",
            Self::Recovered => "recovered",
            Self::Expired => "expired",
            Self::Reconnected => "reconnected",
            Self::Disconnected => "disconnected",
            Self::Deauthorized => "deauthorized",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that happened to a connection, told after it was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectionEvent {
    /// Which connection.
    pub connection: ConnectionId,
    /// Whose.
    pub owner: OwnerId,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// What the connection is now.
    pub status: Status,
    /// Why, as a short code.
    pub reason: Option<String>,
}

/// Whoever wants to know what becomes of connections: to mail an owner, to show a banner, to count.
///
/// # Contract
///
/// 1. The change is saved before it is told, and told by the process that made it: once, not at all if that process
///    dies in between. The [history](Connections::history) and the connection itself are the word on what is.
/// 2. `notify` is waited for: hand longer work to a queue.
///
/// # Clone
///
/// Use it as `Arc<dyn ConnectionEvents>`.
///
/// # Cancellation
///
/// It runs in a task of its own that no caller drops. If it panics, that is logged, without the panic's text, and
/// nothing else suffers.
///
/// # Errors
///
/// None: what goes wrong in a host's own code is the host's to log.
#[async_trait]
pub trait ConnectionEvents: fmt::Debug + Send + Sync + 'static {
    /// Takes the news.
    async fn notify(&self, event: &ConnectionEvent);
}

/// Tells everybody who asked: the history, the host's own listener, the streams.
#[derive(Clone, Debug)]
pub(crate) struct Announcer {
    history: Option<Arc<dyn History>>,
    listener: Option<Arc<dyn ConnectionEvents>>,
    stream: broadcast::Sender<ConnectionEvent>,
    clock: Clock,
}

impl Announcer {
    pub(crate) fn new(
        history: Option<Arc<dyn History>>,
        listener: Option<Arc<dyn ConnectionEvents>>,
        clock: Clock,
    ) -> Self {
        let (stream, _) = broadcast::channel(BACKLOG);
        Self {
            history,
            listener,
            stream,
            clock,
        }
    }

    pub(crate) fn history(&self) -> Option<&dyn History> {
        self.history.as_deref()
    }

    /// Tells what has just been saved.
    pub(crate) async fn announce(&self, record: &StoredConnection, kind: EventKind) {
        let event = ConnectionEvent {
            connection: record.id.clone(),
            owner: record.owner.clone(),
            at: self.clock.now(),
            kind,
            status: record.status.clone(),
            reason: record.status_reason.clone(),
        };
        tracing::info!(connection = %event.connection, event = %kind, reason = event.reason, "a connection has changed");
        if let Some(history) = &self.history
            && let Err(error) = history.append(&entry(&event)).await
        {
            tracing::warn!(connection = %event.connection, error = &error as &dyn std::error::Error,
                "an event is missing in the history");
        }
        if let Some(listener) = &self.listener {
            // In a task of its own: a listener that panics ends nothing but itself, and takes no lease with it.
            let (listener, news) = (Arc::clone(listener), event.clone());
            let told = async move { listener.notify(&news).await };
            let told = tokio::spawn(told.in_current_span()).await;
            if told.is_err_and(|error| error.is_panic()) {
                tracing::error!(connection = %event.connection, "the host's listener has panicked");
            }
        }
        // Nobody listening is fine.
        let _ = self.stream.send(event);
    }
}

fn entry(event: &ConnectionEvent) -> Entry {
    Entry {
        connection: event.connection.clone(),
        owner: event.owner.clone(),
        at: event.at,
        event: event.kind.as_str().to_owned(),
        status: event.status.clone(),
        reason: event.reason.clone(),
    }
}

impl Connections {
    /// What becomes of connections in this process, from now on. A reader who falls far behind misses the oldest.
    pub fn events(&self) -> impl Stream<Item = ConnectionEvent> + Send + Unpin + 'static {
        let receiver = self.inner.announcer.stream.subscribe();
        let next = |mut receiver: broadcast::Receiver<ConnectionEvent>| async move {
            loop {
                match receiver.recv().await {
                    Ok(event) => return Some((event, receiver)),
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "a reader of connection events is too slow");
                    }
                    Err(RecvError::Closed) => return None,
                }
            }
        };
        Box::pin(stream::unfold(receiver, next))
    }

    /// What happened to the owner's connection, newest first, `limit` entries at most; nothing if the host gave no
    /// [history](crate::ConnectionsBuilder::history).
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage).
    pub async fn history(&self, owner: &OwnerId, limit: usize) -> Result<Vec<Entry>, Error> {
        let Some(history) = &self.inner.announcer.history else {
            return Ok(Vec::new());
        };
        match self.connection(owner).await? {
            Some(connection) => Ok(history.entries(&connection.id, limit).await?),
            None => Ok(Vec::new()),
        }
    }
}
