//! Redis is paused, killed and started empty while two processes refresh: work goes on, and no older value is ever
//! written over a newer one.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{Row as _, SqlitePool};
use test_services::Redis;
use token_store::{
    Clock, ConnectionId, Expect, Holder, Lenient, LockKey, RecordKind, RedisLock, RefreshLock, SqliteStore,
    Status, StoredConnection, TokenStore, Versioned,
};

const STORE: &str = "TOKEN_STORE_OUTAGE_STORE";
const LOCKS: &str = "TOKEN_STORE_OUTAGE_LOCKS";
const READY: &str = "outage: ready";
const CONNECTIONS: usize = 3;
const LEASE: Duration = Duration::from_secs(30);

#[test]
fn two_processes_refresh_whatever_happens_to_redis() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let (Ok(store), Ok(locks)) = (env::var(STORE), env::var(LOCKS)) {
        return runtime.block_on(refresh_until_told(&store, &locks));
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.sqlite").display());
    let redis = Redis::start();
    let pool = runtime.block_on(prepare(&url));
    let mut processes: Vec<Child> = (0..2).map(|_| start(&url, &redis.database())).collect();
    for happening in [
        |_: &Redis| {},
        Redis::pause,
        Redis::resume,
        Redis::kill,
        Redis::restart_empty,
        Redis::restart_empty,
        Redis::kill,
    ] {
        happening(&redis);
        runtime.block_on(work_goes_on(&pool));
    }
    for process in &mut processes {
        // The end of its input tells it to finish.
        drop(process.stdin.take());
    }
    for mut process in processes {
        assert!(process.wait().unwrap().success(), "every task ends");
    }
    runtime.block_on(nothing_older_won(&url, &pool));
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new(format!("connection-{number}"))
}

/// The connections, the provider that gives them new tokens, and a table of what was saved.
async fn prepare(url: &str) -> SqlitePool {
    let store = SqliteStore::connect(url).await.unwrap();
    let pool = SqlitePool::connect(url).await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE provider (id TEXT PRIMARY KEY, token INTEGER NOT NULL);
         CREATE TABLE saves (id TEXT NOT NULL, generation INTEGER NOT NULL, token INTEGER NOT NULL);",
    )
    .execute(&pool)
    .await
    .unwrap();
    for number in 0..CONNECTIONS {
        let now = Clock::system().now();
        let mut record = StoredConnection::new(
            id(number),
            "rep".into(),
            RecordKind::Connection,
            Status::Active,
            now,
        );
        record.status_reason = Some("0".into());
        store.save(&record, Expect::Absent).await.unwrap();
        sqlx::query("INSERT INTO provider VALUES (?, 0)")
            .bind(record.id.as_str())
            .execute(&pool)
            .await
            .unwrap();
    }
    pool
}

fn start(store: &str, locks: &str) -> Child {
    let mut process = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "outage::two_processes_refresh_whatever_happens_to_redis",
            "--nocapture",
        ])
        .env(STORE, store)
        .env(LOCKS, locks)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.contains(READY)));
    std::thread::spawn(move || lines.count());
    process
}

/// Waits until every connection was refreshed ten times more.
async fn work_goes_on(pool: &SqlitePool) {
    let before = saved(pool).await;
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    while saved(pool)
        .await
        .iter()
        .zip(&before)
        .any(|(now, before)| *now < before + 10)
    {
        assert!(tokio::time::Instant::now() < patience, "work stands still");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn saved(pool: &SqlitePool) -> Vec<i64> {
    let rows = sqlx::query("SELECT generation FROM token_store_records ORDER BY id")
        .fetch_all(pool)
        .await;
    rows.unwrap().iter().map(|row| row.get("generation")).collect()
}

async fn nothing_older_won(url: &str, pool: &SqlitePool) {
    let store = SqliteStore::connect(url).await.unwrap();
    for number in 0..CONNECTIONS {
        let rows = sqlx::query("SELECT generation, token FROM saves WHERE id = ? ORDER BY generation, token")
            .bind(id(number).as_str())
            .fetch_all(pool)
            .await
            .unwrap();
        let saves: Vec<(i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let generations: Vec<i64> = saves.iter().map(|(generation, _)| *generation).collect();
        let one_each: Vec<i64> = (2..).take(saves.len()).collect();
        assert_eq!(generations, one_each, "one save for each generation");
        assert!(
            saves.is_sorted_by(|earlier, later| earlier.1 < later.1),
            "{saves:?}"
        );
        let found = store.load(&id(number)).await.unwrap().unwrap();
        let last = (found.generation.get() as i64, token(&found));
        assert_eq!(Some(&last), saves.last(), "the last save is what stands there");
    }
}

/// What each process does: three tasks for each connection, every one refreshing again and again.
async fn refresh_until_told(store: &str, locks: &str) {
    let pool = SqlitePool::connect(store).await.unwrap();
    let store = SqliteStore::connect(store).await.unwrap();
    let redis = RedisLock::connect_later(locks).unwrap();
    let lock = Lenient::new(Arc::new(redis))
        .with_patience(Duration::from_millis(100))
        .with_rest(Duration::from_millis(100));
    let is_over = Arc::new(AtomicBool::new(false));
    let tasks = (0..CONNECTIONS * 3).map(|number| {
        let (pool, store, lock, is_over) = (pool.clone(), store.clone(), lock.clone(), Arc::clone(&is_over));
        tokio::spawn(async move {
            let id = id(number % CONNECTIONS);
            while !is_over.load(Ordering::SeqCst) {
                let found = store.load(&id).await.unwrap().unwrap();
                refresh(&pool, &store, &lock, &id, token(&found)).await;
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut output = std::io::stdout();
    writeln!(output, "{READY}").unwrap();
    let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    input.await.unwrap().unwrap();
    is_over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
}

/// Returns when the store has a newer token than this one.
async fn refresh(pool: &SqlitePool, store: &SqliteStore, lock: &Lenient, id: &ConnectionId, refused: i64) {
    let (key, holder) = (LockKey::connection(id), Holder::random().unwrap());
    while lock.try_acquire(&key, &holder, LEASE).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if token(&store.load(id).await.unwrap().unwrap()) > refused {
            return;
        }
    }
    let mut found = store.load(id).await.unwrap().unwrap();
    if token(&found) <= refused {
        let new = exchange(pool, id).await;
        found.value.status_reason = Some(new.to_string());
        match store
            .save(&found.value, Expect::Generation(found.generation))
            .await
        {
            Ok(generation) => {
                sqlx::query("INSERT INTO saves VALUES (?, ?, ?)")
                    .bind(id.as_str())
                    .bind(generation.get() as i64)
                    .bind(new)
                    .execute(pool)
                    .await
                    .unwrap();
            }
            // Another process was faster, as may be while Redis is away.
            Err(error) => {
                assert!(error.is_conflict(), "{error:?}");
                let adopted = store.load(id).await.unwrap().unwrap();
                assert!(token(&adopted) > refused);
            }
        }
    }
    lock.release(&key, &holder).await.unwrap();
}

/// Each exchange gives a newer token.
async fn exchange(pool: &SqlitePool, id: &ConnectionId) -> i64 {
    let row = sqlx::query("UPDATE provider SET token = token + 1 WHERE id = ? RETURNING token")
        .bind(id.as_str())
        .fetch_one(pool)
        .await
        .unwrap();
    row.get("token")
}

fn token(found: &Versioned<StoredConnection>) -> i64 {
    found.value.status_reason.as_deref().unwrap().parse().unwrap()
}
