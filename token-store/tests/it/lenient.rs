//! A lock whose home goes away and comes back.

use std::{
    future::pending,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use token_store::{
    Fence, Holder, Lenient, LockKey, MemoryLock, RefreshLock, StoreError, conformance::lock::HandTurned,
};

const LEASE: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Home {
    Up,
    Down,
    Silent,
    /// Does what it is asked, and its answer is lost.
    Mute,
}

#[derive(Debug)]
struct Faulty {
    lock: MemoryLock,
    home: Mutex<Home>,
    asked: AtomicUsize,
    released: AtomicUsize,
}

impl Faulty {
    async fn answer(&self) -> Result<(), StoreError> {
        let home = *self.home.lock().unwrap();
        match home {
            Home::Up | Home::Mute => Ok(()),
            Home::Down => Err(StoreError::unavailable("refused")),
            Home::Silent => pending().await,
        }
    }

    fn becomes(&self, home: Home) {
        *self.home.lock().unwrap() = home;
    }
}

#[async_trait]
impl RefreshLock for Faulty {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answer().await?;
        let fence = self.lock.try_acquire(key, holder, lease).await;
        if *self.home.lock().unwrap() == Home::Mute {
            return pending().await;
        }
        fence
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        self.answer().await?;
        self.lock.release(key, holder).await?;
        self.released.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A lenient lock, the home behind it, the clock of both, and what was logged.
struct Scene {
    lock: Lenient,
    home: Arc<Faulty>,
    time: HandTurned,
    key: LockKey,
}

impl Scene {
    fn new() -> Self {
        let time = HandTurned::default();
        let home = Arc::new(Faulty {
            lock: MemoryLock::new().with_clock(time.clock()),
            home: Mutex::new(Home::Up),
            asked: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
        });
        Self {
            lock: Lenient::new(home.clone())
                .with_clock(time.clock())
                .with_rest(REST),
            home,
            time,
            key: LockKey::new("connection:c"),
        }
    }

    async fn acquire(&self, holder: &str) -> Option<u64> {
        let holder = Holder::new(holder);
        let fence = self.lock.try_acquire(&self.key, &holder, LEASE).await;
        fence.unwrap().map(Fence::get)
    }

    async fn release(&self, holder: &str) {
        self.lock.release(&self.key, &Holder::new(holder)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_home_costs_one_wait_and_is_left_alone() {
    let scene = Scene::new();
    scene.home.becomes(Home::Silent);
    for holder in ["a", "b", "c"] {
        assert!(scene.acquire(holder).await.is_some(), "work goes on");
        assert_eq!(
            scene.acquire("other").await,
            None,
            "one at a time in this process"
        );
        scene.release(holder).await;
    }
    assert_eq!(scene.home.asked.load(Ordering::SeqCst), 1);
    scene.time.turn(REST);
    assert!(scene.acquire("d").await.is_some());
    assert_eq!(
        scene.home.asked.load(Ordering::SeqCst),
        2,
        "it is asked again after a rest"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_the_home_holds_when_the_home_goes_away() {
    let scene = Scene::new();
    assert!(scene.acquire("a").await.is_some());
    scene.home.becomes(Home::Down);
    assert_eq!(scene.acquire("b").await, None);
    scene.release("a").await;
    assert!(scene.acquire("b").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_home_decides_again_when_it_is_back() {
    let scene = Scene::new();
    scene.home.becomes(Home::Down);
    assert!(scene.acquire("a").await.is_some());
    scene.release("a").await;
    scene.home.becomes(Home::Up);
    scene.time.turn(REST);
    let elsewhere = Holder::new("another process");
    let got = scene.home.lock.try_acquire(&scene.key, &elsewhere, LEASE).await;
    assert!(got.unwrap().is_some());
    assert_eq!(scene.acquire("b").await, None);
    scene.home.lock.release(&scene.key, &elsewhere).await.unwrap();
    assert!(
        scene.acquire("c").await.is_some(),
        "a refused attempt holds nothing here"
    );
}

#[tokio::test(start_paused = true)]
async fn numbers_grow_through_an_outage() {
    let scene = Scene::new();
    let mut numbers = Vec::new();
    for home in [
        Home::Up,
        Home::Up,
        Home::Down,
        Home::Down,
        Home::Up,
        Home::Down,
        Home::Up,
    ] {
        scene.home.becomes(home);
        scene.time.turn(REST);
        numbers.push(scene.acquire("a").await.unwrap());
        scene.release("a").await;
        // What the home still holds because it was away when it was given back.
        scene.time.turn(LEASE);
    }
    assert!(
        numbers.is_sorted_by(|earlier, later| earlier < later),
        "{numbers:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_answer_took_is_given_back() {
    let scene = Scene::new();
    scene.home.becomes(Home::Mute);
    assert!(scene.acquire("a").await.is_some());
    scene.home.becomes(Home::Up);
    scene.release("a").await;
    while scene.home.released.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    scene.time.turn(REST);
    assert!(
        scene.acquire("b").await.is_some(),
        "nobody waits for the end of a's lease"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_once() {
    // Whether a place logs at all is settled when it is first reached, and other tests reach it too.
    outage(&Scene::new()).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    outage(&Scene::new()).await;
    let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told = |what| lines.matches(what).count();
    assert_eq!(
        (told("locks is away"), told("locks is back"), told("WARN")),
        (1, 1, 1),
        "{lines}"
    );
}

async fn outage(scene: &Scene) {
    for home in [Home::Down, Home::Up] {
        scene.home.becomes(home);
        for _ in 0..3 {
            scene.acquire("a").await.unwrap();
            scene.release("a").await;
            scene.time.turn(REST);
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
