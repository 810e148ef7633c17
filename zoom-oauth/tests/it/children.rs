//! Real processes: this test binary, started again with orders in its environment.

mod points;

use std::{
    env,
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use token_store::{KeyProvider, RefreshLock, SqliteStore, StaticKeys, TokenStore, Vault};
use zoom_core::{AccountId, Clock, TokenSource as _};
use zoom_oauth::{
    App, ClientSecret, Connections, ConnectionsBuilder, Endpoints, OwnerId, ServerToServer,
    ServerToServerBuilder,
};

use self::points::{Points, Stopping};

const ORDERS: &str = "ZOOM_OAUTH_TEST_ORDERS";
/// What a line begins with that is for the parent and not the test harness's.
const MARK: char = '@';

/// Where a process finds Zoom and the file, and what its clock shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) zoom: url::Url,
    pub(crate) app: (String, String),
    pub(crate) system: (String, String, String),
    pub(crate) now: Timestamp,
}

impl Place {
    fn clock(&self) -> Clock {
        let now = self.now;
        Clock::new(move || now)
    }

    pub(crate) async fn store(&self) -> SqliteStore {
        SqliteStore::connect(&self.file).await.unwrap()
    }

    fn lock(&self, store: &SqliteStore) -> impl RefreshLock + use<> {
        let now = self.now;
        store.lock().with_clock(token_store::Clock::new(move || now))
    }

    fn builder(
        &self,
        store: Arc<dyn TokenStore>,
        lock: Arc<dyn RefreshLock>,
        keys: Arc<dyn KeyProvider>,
    ) -> ConnectionsBuilder {
        let (id, secret) = self.app.clone();
        let redirect = "https://app.example/zoom/callback".parse().unwrap();
        Connections::builder(
            App::new(id, ClientSecret::new(secret), redirect),
            store,
            Vault::new(keys),
        )
        .endpoints(Endpoints::at(&self.zoom))
        .clock(self.clock())
        .lock(lock)
    }

    /// What a host opens when it starts.
    pub(crate) async fn connections(&self) -> Connections {
        let store = self.store().await;
        let lock = Arc::new(self.lock(&store));
        self.builder(Arc::new(store), lock, keys()).build().unwrap()
    }

    async fn system(&self) -> ServerToServerBuilder {
        let store = self.store().await;
        let lock = Arc::new(self.lock(&store));
        let (account, id, secret) = self.system.clone();
        ServerToServer::builder(
            AccountId::new(account),
            id,
            ClientSecret::new(secret),
            Arc::new(store),
            Vault::new(keys()),
        )
        .endpoints(Endpoints::at(&self.zoom))
        .clock(self.clock())
        .lock(lock)
    }
}

pub(crate) fn keys() -> Arc<dyn KeyProvider> {
    Arc::new(StaticKeys::parse("k1:arnx6499M4j0+dWG9m6Z/VQIDfLERvDlhmiwnAihbdA=").unwrap())
}

/// What a process is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Orders {
    /// One call of the owner's, whose token has to be refreshed for it; standing still at a point on the way.
    Refresh {
        place: Place,
        owner: String,
        stop_at: Option<usize>,
    },
    /// As soon as a line comes in: so many calls at once.
    Stampede {
        place: Place,
        owner: String,
        callers: usize,
    },
    /// The same for the product's own account.
    System { place: Place, callers: usize },
}

/// A process that is under way. It is killed when this goes, if it has not ended.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(orders: &Orders) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "children::a_process_does_as_it_is_told",
                "--test-threads=1",
            ])
            .env(ORDERS, serde_json::to_string(orders).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What it says next; nothing when it has ended.
    pub(crate) fn says(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            // The harness does not end its line before the test is done.
            if let Some((_, said)) = line.split_once(MARK) {
                return Some(said.to_owned());
            }
        }
    }

    pub(crate) fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// SIGKILL: nothing of it runs any more when this returns. Tells what else it had said.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.says()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// To the parent, past the harness.
fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{MARK}{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The other side: does nothing unless there are orders.
#[test]
fn a_process_does_as_it_is_told() {
    let Ok(orders) = env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match orders {
            Orders::Refresh {
                place,
                owner,
                stop_at,
            } => refresh(&place, &owner, stop_at).await,
            Orders::Stampede {
                place,
                owner,
                callers,
            } => stampede(&place, &owner, callers).await,
            Orders::System { place, callers } => system(&place, callers).await,
        }
    });
}

async fn refresh(place: &Place, owner: &str, stop_at: Option<usize>) {
    let points = Points::new(stop_at);
    let store = place.store().await;
    let lock = Arc::new(Stopping::new(place.lock(&store), &points));
    let store = Arc::new(Stopping::new(store, &points));
    let keys = Arc::new(Stopping::new(keys(), &points));
    let connections = place.builder(store, lock, keys).build().unwrap();
    let source = connections.token_source(&OwnerId::new(owner)).await.unwrap();
    say("go");
    points.begin();
    source.access_token().await.unwrap();
    say("done");
}

async fn stampede(place: &Place, owner: &str, callers: usize) {
    let connections = place.connections().await;
    let source = connections.token_source(&OwnerId::new(owner)).await.unwrap();
    wait_for_go();
    let calls: Vec<_> = (0..callers)
        .map(|_| {
            let source = Arc::clone(&source);
            tokio::spawn(async move { source.access_token().await.map(|token| token.fingerprint()) })
        })
        .collect();
    for call in calls {
        say(&call.await.unwrap().unwrap_or_else(|error| error.to_string()));
    }
    say("done");
}

async fn system(place: &Place, callers: usize) {
    let source = place.system().await.build().unwrap();
    wait_for_go();
    let calls: Vec<_> = (0..callers)
        .map(|_| {
            let source = source.clone();
            tokio::spawn(async move {
                let answer = source.client().users().me().await;
                let token = source.access_token().await.map(|token| token.fingerprint());
                match (answer, token) {
                    (Ok(_), Ok(token)) => token,
                    (Err(error), _) => error.to_string(),
                    (_, Err(error)) => error.to_string(),
                }
            })
        })
        .collect();
    for call in calls {
        say(&call.await.unwrap());
    }
    say("done");
}

fn wait_for_go() {
    say("ready");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}
