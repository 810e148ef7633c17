//! Enough of Zoom to make meetings on: a server that keeps them, with tokens that can be killed.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use token_store::{MemoryStore, OwnerId, StaticKeys, Vault};
use url::Url;
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};
use zoom_core::{AccessToken, StaticToken, UserId};
use zoom_oauth::{App, Callback, ClientSecret, Connections, Endpoints, Resolver, SessionBinding};

/// What a real answer carries and nothing may keep.
pub(super) const CANARY: &str = "zak-canary";

#[derive(Clone, Default)]
pub(super) struct State {
    meetings: Arc<Mutex<Vec<Value>>>,
    bodies: Arc<Mutex<Vec<Value>>>,
    /// Answer the next creation with this status; `made` says whether the meeting is made all the same.
    next_status: Arc<AtomicU16>,
    made: Arc<AtomicBool>,
    own_tokens_dead: Arc<AtomicBool>,
}

pub(super) struct FakeZoom {
    pub(super) server: MockServer,
    pub(super) state: State,
    pub(super) connections: Connections,
    pub(super) resolver: Resolver,
}

impl FakeZoom {
    pub(super) async fn start() -> Self {
        let server = MockServer::start().await;
        let state = State::default();
        let routes = [
            Mock::given(method("POST")).and(path("/oauth/token")),
            Mock::given(method("GET")).and(path("/v2/users/me")),
            Mock::given(method("POST")).and(path_regex("^/v2/users/[^/]+/meetings$")),
            Mock::given(method("GET")).and(path_regex("^/v2/users/[^/]+/meetings$")),
            Mock::given(method("GET")).and(path_regex("^/v2/meetings/")),
            Mock::given(method("DELETE")).and(path_regex("^/v2/meetings/")),
        ];
        for route in routes {
            route.respond_with(state.clone()).mount(&server).await;
        }
        let base: Url = server.uri().parse().unwrap();
        let app = App::new(
            "client",
            ClientSecret::new("secret"),
            "https://host.example/callback".parse().unwrap(),
        );
        let keys = StaticKeys::parse("k1:arnx6499M4j0+dWG9m6Z/VQIDfLERvDlhmiwnAihbdA=").unwrap();
        let connections = Connections::builder(app, Arc::new(MemoryStore::new()), Vault::new(Arc::new(keys)))
            .endpoints(Endpoints::at(&base).with_plain_http())
            .build()
            .unwrap();
        let system = Arc::new(StaticToken::new(AccessToken::new("system-token")));
        let resolver =
            Resolver::new(connections.clone()).with_system(system, UserId::new("pool@system.example"));
        Self {
            server,
            state,
            connections,
            resolver,
        }
    }

    pub(super) async fn connect(&self, owner: &OwnerId) {
        let session = SessionBinding::new("browser");
        let authorization = self.connections.authorize(owner, &session).await.unwrap();
        let state = authorization
            .url
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned();
        self.connections
            .connect(&Callback::new("code", state), &session)
            .await
            .unwrap();
    }

    /// The next creation is answered with a failure, after the meeting was made or without.
    pub(super) fn fail_next_creation(&self, status: u16, made: bool) {
        self.state.next_status.store(status, Ordering::SeqCst);
        self.state.made.store(made, Ordering::SeqCst);
    }

    pub(super) fn kill_own_tokens(&self) {
        self.state.own_tokens_dead.store(true, Ordering::SeqCst);
    }

    pub(super) fn revive_own_tokens(&self) {
        self.state.own_tokens_dead.store(false, Ordering::SeqCst);
    }

    pub(super) fn meetings(&self) -> Vec<Value> {
        self.state.meetings.lock().unwrap().clone()
    }

    /// The bodies of all creations that arrived, refused ones too.
    pub(super) fn creations(&self) -> Vec<Value> {
        self.state.bodies.lock().unwrap().clone()
    }
}

impl Respond for State {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let at = request.url.path();
        let token = request
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let own = token.contains("own-token");
        if at == "/oauth/token" {
            return self.tokens(request);
        }
        if own && self.own_tokens_dead.load(Ordering::SeqCst) {
            return answer(401, json!({"code": 124, "message": "Invalid access token."}));
        }
        match (request.method.as_str(), at) {
            ("GET", "/v2/users/me") => answer(
                200,
                json!({"id": "U1", "account_id": "A1", "email": "rep@us.example"}),
            ),
            ("POST", _) => self.create(request, own),
            ("GET", _) if at.ends_with("/meetings") => {
                let host = if own { "U1" } else { "pool" };
                let list: Vec<Value> = self
                    .meetings
                    .lock()
                    .unwrap()
                    .iter()
                    .filter(|meeting| meeting["host_id"] == host)
                    .map(listed)
                    .collect();
                answer(200, json!({"next_page_token": "", "meetings": list}))
            }
            (verb, _) => self.one(verb, at),
        }
    }
}

impl State {
    fn tokens(&self, request: &Request) -> ResponseTemplate {
        let refresh = String::from_utf8_lossy(&request.body).contains("refresh_token");
        if refresh && self.own_tokens_dead.load(Ordering::SeqCst) {
            return answer(400, json!({"reason": "Invalid Token!", "error": "invalid_grant"}));
        }
        answer(
            200,
            json!({"access_token": "own-token", "refresh_token": "r", "token_type": "bearer", "expires_in": 3600, "scope": "meeting:write:meeting"}),
        )
    }

    fn create(&self, request: &Request, own: bool) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        self.bodies.lock().unwrap().push(body.clone());
        let status = self.next_status.swap(0, Ordering::SeqCst);
        if status != 0 && !self.made.load(Ordering::SeqCst) {
            return answer(status, json!({"code": 300, "message": "no"}));
        }
        let mut meetings = self.meetings.lock().unwrap();
        let id = 85_000_000_000 + u64::try_from(meetings.len()).unwrap();
        // Zoom answers in UTC whatever was sent.
        let zone = jiff::tz::TimeZone::get(body["timezone"].as_str().unwrap()).unwrap();
        let wall: jiff::civil::DateTime = body["start_time"].as_str().unwrap().parse().unwrap();
        let start = wall.to_zoned(zone).unwrap().timestamp();
        let meeting = json!({
            "id": id, "uuid": "next==", "host_id": if own { "U1" } else { "pool" }, "host_email": "host@us.example", "topic": body["topic"],
            "type": 2, "start_time": start.to_string(), "duration": body["duration"], "timezone": body["timezone"], "agenda": body["agenda"],
            "start_url": format!("https://us02web.zoom.us/s/{id}?zak={CANARY}"),
            "join_url": format!("https://us02web.zoom.us/j/{id}?pwd=abc.1&tk={CANARY}"),
        });
        meetings.push(meeting.clone());
        if status == 0 {
            answer(201, meeting)
        } else {
            answer(status, json!({"code": 500, "message": "no"}))
        }
    }

    fn one(&self, verb: &str, at: &str) -> ResponseTemplate {
        let id: u64 = at.rsplit('/').next().unwrap().parse().unwrap();
        let mut meetings = self.meetings.lock().unwrap();
        let Some(index) = meetings.iter().position(|meeting| meeting["id"] == id) else {
            return answer(404, json!({"code": 3001, "message": "Meeting does not exist."}));
        };
        if verb == "DELETE" {
            meetings.remove(index);
            return ResponseTemplate::new(204);
        }
        answer(200, meetings[index].clone())
    }
}

/// A list shows less than the whole: the first 250 characters of an agenda.
fn listed(meeting: &Value) -> Value {
    let mut listed = meeting.clone();
    let agenda: String = meeting["agenda"].as_str().unwrap().chars().take(250).collect();
    listed["agenda"] = json!(agenda);
    listed
}

fn answer(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}
