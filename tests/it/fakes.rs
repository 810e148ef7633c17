//! Servers of others: Slack, and speech.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri},
    response::IntoResponse,
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex, task::JoinHandle};
use url::Url;

/// Serves until dropped.
struct Server {
    address: std::net::SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A Slack that keeps what is posted to it. It can be made to answer otherwise, and then repeats the request's own path,
/// as careless servers do.
pub(crate) struct Slack {
    server: Server,
    state: Arc<SlackState>,
}

#[derive(Default)]
struct SlackState {
    posts: Mutex<Vec<Value>>,
    refusals: Mutex<Vec<u16>>,
}

impl Slack {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(SlackState::default());
        let routes = Router::new().fallback(post(slack)).with_state(Arc::clone(&state));
        Self {
            server: Server::start(routes).await,
            state,
        }
    }

    /// The address of an incoming webhook, with its secret path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/services/{path}", self.server.address)
    }

    pub(crate) async fn refuse_next(&self, status: u16) {
        self.state.refusals.lock().await.push(status);
    }

    pub(crate) async fn posts(&self) -> Vec<Value> {
        self.state.posts.lock().await.clone()
    }
}

async fn slack(State(state): State<Arc<SlackState>>, uri: Uri, body: Bytes) -> impl IntoResponse {
    if let Some(status) = state.refusals.lock().await.pop() {
        return (StatusCode::from_u16(status).unwrap(), format!("not at {uri}"));
    }
    state
        .posts
        .lock()
        .await
        .push(serde_json::from_slice(&body).unwrap());
    (StatusCode::OK, "ok".to_owned())
}

/// A speech server that speaks OpenAI's language. The one that holds never answers.
pub(crate) struct Speech {
    server: Server,
    heard: Arc<AtomicUsize>,
}

impl Speech {
    pub(crate) async fn that_answers() -> Self {
        Self::start(true).await
    }

    pub(crate) async fn that_holds() -> Self {
        Self::start(false).await
    }

    async fn start(answers: bool) -> Self {
        let heard = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&heard);
        let transcribe = async move |body: Bytes| {
            assert!(body.len() > 10_000, "the sound arrives");
            counter.fetch_add(1, Ordering::SeqCst);
            if !answers {
                std::future::pending::<()>().await;
            }
            Json(answer())
        };
        let routes = Router::new().route("/v1/audio/transcriptions", post(transcribe));
        Self {
            server: Server::start(routes.layer(axum::extract::DefaultBodyLimit::disable())).await,
            heard,
        }
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.server.address)).unwrap()
    }

    /// How many files have arrived in full.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

fn answer() -> Value {
    let segment = |start: u32, text: &str| json!({ "start": start, "end": start + 9, "text": text, "avg_logprob": -0.2, "no_speech_prob": 0.01 });
    json!({
        "language": "english",
        "duration": 60.0,
        "segments": [
            segment(0, "Thanks for making the time today, the zeppelin is ready."),
            segment(10, "Honestly the price is too high for us, it is too expensive."),
            segment(20, "I will send the proposal by Friday the 27th."),
        ],
    })
}
