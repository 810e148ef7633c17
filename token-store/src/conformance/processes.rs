use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use super::{durable::DurableHome, record, runtime, unique};
use crate::{ConnectionId, Expect, StoreError, TokenStore};

/// Set for the processes that a rule starts: the address of the home and the id of the record.
const HOME: &str = "TOKEN_STORE_CONFORMANCE_HOME";
const RECORD: &str = "TOKEN_STORE_CONFORMANCE_RECORD";
/// Stands in the line that a process writes when it is about to begin.
const READY: &str = "token-store conformance: ready";

const PROCESSES: u64 = 2;
const TASKS: u64 = 3;
const STEPS: u64 = 15;

/// Rule 37. The test starts its own binary twice more, with nothing but itself to run and the home's address in the
/// environment; `test` is its full name. There it counts up in one record, each step a load and a conditional save.
pub fn writers_in_two_processes_never_both_win<H, F>(test: &str, make: impl FnOnce() -> F)
where
    H: DurableHome,
    F: Future<Output = H>,
{
    let runtime = runtime();
    if let (Ok(address), Ok(id)) = (env::var(HOME), env::var(RECORD)) {
        return runtime.block_on(count::<H>(&address, &ConnectionId::new(id)));
    }
    let (home, store, first) = runtime.block_on(async {
        let home = make().await;
        let store = H::open(&home.address()).await;
        let first = record(&unique("id"), &unique("owner"));
        store
            .save(&first, Expect::Absent)
            .await
            .expect("the save succeeds");
        (home, store, first)
    });
    let mut writers: Vec<Child> = (0..PROCESSES)
        .map(|_| start(test, &home.address(), &first.id))
        .collect();
    for writer in &mut writers {
        wait_until_ready(writer);
    }
    for writer in &mut writers {
        // The end of its input is the signal to begin.
        drop(writer.stdin.take());
    }
    for mut writer in writers {
        let end = writer.wait().expect("the process ends");
        assert!(end.success(), "a writing process failed: {end}");
    }
    let found = runtime
        .block_on(store.load(&first.id))
        .expect("the load succeeds")
        .expect("the record");
    let steps = PROCESSES * TASKS * STEPS;
    assert_eq!(
        (counted(&found.value.status_reason), found.generation.get()),
        (steps, steps + 1),
        "each step that was saved is there"
    );
}

fn start(test: &str, address: &str, id: &ConnectionId) -> Child {
    // The harness names a test without the name of its crate.
    let test = test.split_once("::").map_or(test, |(_, rest)| rest);
    Command::new(env::current_exe().expect("the path of this binary"))
        .args(["--exact", test, "--nocapture"])
        .env(HOME, address)
        .env(RECORD, id.as_str())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this binary starts once more")
}

fn wait_until_ready(writer: &mut Child) {
    let output = writer.stdout.take().expect("its output");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains(READY)),
        "the process runs this test"
    );
    // The rest must go somewhere, or the process would wait for a reader.
    std::thread::spawn(move || lines.count());
}

/// What a writing process does.
async fn count<H: DurableHome>(address: &str, id: &ConnectionId) {
    let store = H::open(address).await;
    writeln!(std::io::stdout(), "{READY}").expect("the other end listens");
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .expect("the signal to begin");
    let tasks = (0..TASKS).map(|_| {
        let (store, id) = (Arc::clone(&store), id.clone());
        tokio::spawn(async move {
            for _ in 0..STEPS {
                step(&store, &id).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("the writer finishes");
    }
}

async fn step(store: &Arc<dyn TokenStore>, id: &ConnectionId) {
    loop {
        let mut found = store
            .load(id)
            .await
            .expect("the load succeeds")
            .expect("the record");
        found.value.status_reason = Some((counted(&found.value.status_reason) + 1).to_string());
        match store
            .save(&found.value, Expect::Generation(found.generation))
            .await
        {
            Ok(_) => return,
            Err(StoreError::Conflict) => tokio::task::yield_now().await,
            Err(other) => panic!("a loser gets a conflict, not {other:?}"),
        }
    }
}

fn counted(text: &Option<String>) -> u64 {
    text.as_deref().map_or(0, |text| text.parse().expect("a number"))
}
