use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use test_services::Redis;
use tokio::net::{TcpListener, TcpStream};

use super::*;

const LEASE: Duration = Duration::from_secs(3600);

async fn lock(redis: &Redis) -> RedisLock {
    RedisLock::connect(&redis.database()).await.unwrap()
}

async fn acquire(lock: &RedisLock, holder: &str, lease: Duration) -> Result<Option<Fence>, StoreError> {
    lock.try_acquire(&LockKey::new("key"), &Holder::new(holder), lease)
        .await
}

async fn release(lock: &RedisLock, holder: &str) {
    lock.release(&LockKey::new("key"), &Holder::new(holder))
        .await
        .unwrap();
}

#[tokio::test]
async fn leases_end_by_the_server_s_clock() {
    let lock = lock(Redis::shared()).await;
    let first = acquire(&lock, "a", LEASE).await.unwrap();
    assert_eq!(acquire(&lock, "b", LEASE).await.unwrap(), None);
    release(&lock, "a").await;
    let mut next = acquire(&lock, "b", Duration::from_millis(1)).await.unwrap();
    assert!(first < next);
    next = None;
    while next.is_none() {
        next = acquire(&lock, "c", LEASE).await.unwrap();
    }
    assert_eq!(acquire(&lock, "d", LEASE).await.unwrap(), None);
}

#[tokio::test]
async fn an_attempt_that_is_repeated_gets_what_it_has() {
    let lock = lock(Redis::shared()).await;
    let ask = |attempt| {
        let mut call = lock.acquire.prepare_invoke();
        call.key("token-store:lease:key")
            .arg("a")
            .arg(attempt)
            .arg("")
            .arg(60_000)
            .arg(60_000);
        let link = lock.link.clone();
        async move { link.invoke::<Option<u64>>(&call).await.unwrap() }
    };
    let first = ask("first").await;
    assert!(first.is_some());
    assert_eq!(ask("first").await, first);
    assert_eq!(ask("second").await, None);
    release(&lock, "a").await;
    assert!(
        ask("second").await > first,
        "nothing is left of a lease that was given back"
    );
}

#[tokio::test]
async fn keys_do_not_stay_for_ever() {
    let url = Redis::shared().database();
    let lock = RedisLock::connect(&url).await.unwrap();
    acquire(&lock, "a", LEASE).await.unwrap().unwrap();
    release(&lock, "a").await;
    let (mut connection, _) = lock.link.connection().await.unwrap();
    let left: i64 = ::redis::cmd("PTTL")
        .arg("token-store:lease:key")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!(left > 0, "{left}");
}

#[tokio::test]
async fn a_redis_that_was_started_anew_serves_the_next_call() {
    let redis = Redis::start();
    let lock = lock(&redis).await;
    let first = acquire(&lock, "a", LEASE).await.unwrap();
    redis.restart_empty();
    let second = acquire(&lock, "b", LEASE).await.unwrap();
    assert!(
        first < second && first.is_some(),
        "numbers grow: {first:?} {second:?}"
    );
}

#[tokio::test]
async fn a_redis_that_is_gone_or_silent_is_unavailable_and_comes_back() {
    let redis = Redis::start();
    let lock = lock(&redis).await.with_patience(Duration::from_millis(200));
    for (stop, start) in [
        (Redis::pause as fn(&Redis), Redis::resume as fn(&Redis)),
        (Redis::kill, Redis::restart_empty),
    ] {
        stop(&redis);
        for _ in 0..2 {
            let answer = acquire(&lock, "a", LEASE).await;
            assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        }
        start(&redis);
        // A slow machine may need more than one attempt; none hangs.
        while lock
            .release(&LockKey::new("key"), &Holder::new("a"))
            .await
            .is_err()
        {}
        assert!(acquire(&lock, "b", LEASE).await.is_ok());
        release(&lock, "b").await;
    }
}

/// Passes everything on to Redis, until told to lose it: connections then stay open and silent, as when a network
/// loses packets. New ones are passed on again.
async fn lossy_way_to(redis: &Redis, loses: Arc<AtomicBool>) -> String {
    let url = redis.database();
    let (address, database) = url.trim_start_matches("redis://").split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let way = format!("redis://{}/{database}", listener.local_addr().unwrap());
    let address = address.to_owned();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(&address).await.unwrap();
            let loses = Arc::clone(&loses);
            tokio::spawn(async move {
                let mut ends = (near, far);
                while !loses.load(Ordering::SeqCst) {
                    let passing = tokio::io::copy_bidirectional(&mut ends.0, &mut ends.1);
                    drop(tokio::time::timeout(Duration::from_millis(5), passing).await);
                }
                loses.store(false, Ordering::SeqCst);
                std::future::pending::<()>().await;
                drop(ends);
            });
        }
    });
    way
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_replaced() {
    let loses = Arc::new(AtomicBool::new(false));
    let url = lossy_way_to(Redis::shared(), Arc::clone(&loses)).await;
    let lock = RedisLock::connect(&url).await.unwrap();
    assert!(acquire(&lock, "a", LEASE).await.unwrap().is_some());
    loses.store(true, Ordering::SeqCst);
    while loses.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    let answer = acquire(&lock, "b", LEASE).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert_eq!(acquire(&lock, "b", LEASE).await.unwrap(), None);
}

#[tokio::test]
async fn nobody_at_the_address_is_told_at_once_or_later() {
    let url = "redis://:canary-password@127.0.0.1:1/";
    let now = RedisLock::connect(url).await.unwrap_err();
    assert!(matches!(now, StoreError::Unavailable(_)), "{now:?}");
    let later = RedisLock::connect_later(url).unwrap();
    let error = acquire(&later, "a", LEASE).await.unwrap_err();
    for shown in [format!("{later:?}"), format!("{error:?}"), format!("{now:?}")] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    let error = RedisLock::connect_later("redis://:canary-password@").unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}
