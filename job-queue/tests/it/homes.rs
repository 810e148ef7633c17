use std::sync::Arc;

use job_queue::{MemoryQueue, SqliteQueue, conformance::Home};

mod memory {
    use super::*;
    job_queue::job_queue_conformance!(async |clock| MemoryQueue::new().with_clock(clock));
}

mod sqlite_memory {
    use super::*;
    job_queue::job_queue_conformance!(async |clock| {
        SqliteQueue::connect("sqlite::memory:")
            .await
            .unwrap()
            .with_clock(clock)
    });
}

mod sqlite_file {
    use super::*;
    job_queue::job_queue_conformance!(async |clock| {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("jobs.sqlite").display());
        let queue = SqliteQueue::connect(&url).await.unwrap().with_clock(clock);
        Home::keeping(Arc::new(queue), folder)
    });
}
