use tracing::Instrument as _;

use crate::Error;

/// Runs to its end even if whoever waits for it goes away.
pub(crate) async fn detached<T: Send + 'static>(
    task: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::spawn(task.in_current_span()).await {
        Ok(result) => result,
        Err(_) => Err(Error::unavailable("it was ended before it was done")),
    }
}
