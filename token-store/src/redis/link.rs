use std::{io, sync::Arc, time::Duration};

use ::redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisError, ScriptInvocation, aio::MultiplexedConnection,
};
use tokio::{sync::Mutex, time::timeout};

use crate::StoreError;

/// One connection that all calls share, made when it is needed and given up after an error.
#[derive(Clone)]
pub(super) struct Link {
    client: Client,
    pub(super) patience: Duration,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    connection: Option<MultiplexedConnection>,
    /// How many there were, so that an error ends the connection it came from and no later one.
    number: u64,
}

impl Link {
    pub(super) fn new(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            // The reason may quote the URL, and a password stands in it.
            client: Client::open(url)
                .map_err(|_| StoreError::Invalid("the text is not a URL of a Redis server"))?,
            patience: Duration::from_millis(500),
            open: Arc::default(),
        })
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        match timeout(self.patience, self.connection()).await {
            Ok(connected) => connected.map(drop).map_err(StoreError::unavailable),
            Err(_) => Err(no_answer()),
        }
    }

    /// Runs the script; again over a new connection if an older one turns out to be broken, as it is when the server
    /// was started anew. So a script must bear being run twice.
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let mut used = None;
        let answer = timeout(self.patience, self.try_twice(call, &mut used)).await;
        let error = match answer {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => StoreError::unavailable(error),
            Err(_) => no_answer(),
        };
        if let Some(number) = used {
            self.give_up(number).await;
        }
        Err(error)
    }

    async fn try_twice<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
        used: &mut Option<u64>,
    ) -> Result<T, RedisError> {
        let (mut connection, number) = self.connection().await?;
        *used = Some(number);
        match call.invoke_async(&mut connection).await {
            Err(error) if error.is_unrecoverable_error() => {}
            answer => return answer,
        }
        self.give_up(number).await;
        let (mut connection, number) = self.connection().await?;
        *used = Some(number);
        call.invoke_async(&mut connection).await
    }

    pub(super) async fn connection(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &open.connection {
            return Ok((connection.clone(), open.number));
        }
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience))
            .set_response_timeout(Some(self.patience));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&settings)
            .await?;
        open.number += 1;
        open.connection = Some(connection.clone());
        Ok((connection, open.number))
    }

    async fn give_up(&self, number: u64) {
        let mut open = self.open.lock().await;
        if open.number == number {
            open.connection = None;
        }
    }
}

fn no_answer() -> StoreError {
    StoreError::unavailable(io::Error::from(io::ErrorKind::TimedOut))
}
