//! Step *clean*: the temporary media are deleted, and the call is ready.

use std::io::ErrorKind;

use tokio::fs;

use super::Inner;
use super::error::{PipelineError, StepError};
use super::files::folder;
use super::handler::Outcome;
use super::job::CallJob;
use crate::{CallId, CallStatus, Scope};

pub(super) async fn run(inner: &Inner, payload: &CallJob) -> Result<Option<Outcome>, StepError> {
    remove(inner, &payload.call).await?;
    let updated = inner.update(&payload.call, |call| {
        (call.status, call.status_reason) = (CallStatus::Ready, None);
    });
    Ok(updated.await?.map(|_| Outcome::done(Vec::new())))
}

/// Deletes the folder of a call, if there is one.
pub(super) async fn remove(inner: &Inner, call: &CallId) -> std::io::Result<()> {
    match fs::remove_dir_all(folder(inner, call)).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Deletes the folders of calls that nobody works on any more.
pub(super) async fn sweep(inner: &Inner) -> Result<usize, PipelineError> {
    let mut folders = match fs::read_dir(&inner.work_dir).await {
        Ok(folders) => folders,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(PipelineError::File(error)),
    };
    let mut removed = 0;
    while let Some(entry) = folders.next_entry().await.map_err(PipelineError::File)? {
        let name = entry.file_name();
        let Some(id) = name.to_str().filter(|name| name.starts_with("call_")) else {
            continue;
        };
        let id = CallId::new(id);
        let call = inner.store.load(&Scope::All, &id).await?;
        if call.is_none_or(|call| matches!(call.status, CallStatus::Ready | CallStatus::Failed)) {
            remove(inner, &id).await.map_err(PipelineError::File)?;
            removed += 1;
        }
    }
    Ok(removed)
}
