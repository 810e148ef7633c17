//! Zoom's token endpoint, as strict as Zoom is said to be: a code works once and with its verifier, a refresh token
//! works once, a new consent ends the tokens of the one before.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, mpsc},
    time::Duration,
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};
use token_store::{MemoryStore, StaticKeys, TokenStore, Vault};
use tokio::sync::Semaphore;
use url::Url;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::path_regex};
use zoom_core::{Clock, Sleeper};
use zoom_oauth::{
    App, Authorization, Callback, ClientSecret, Connection, Connections, ConnectionsBuilder, Endpoints,
    OwnerId, SessionBinding,
};

/// What goes wrong with the next call of the token endpoint.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Status(u16),
    /// A 429 that says how long to wait.
    RateLimited(u32),
    /// Zoom does it, and the answer is a web page.
    LostAnswer,
    InvalidClient,
    /// Any refusal.
    Refusal(u16, serde_json::Value),
    /// Zoom is a while in answering: until the sender says so or goes away.
    Slow(Arc<Slow>),
}

/// A call that stands still at Zoom.
#[derive(Debug)]
pub(crate) struct Slow {
    arrived: Semaphore,
    go: Mutex<mpsc::Receiver<()>>,
}

impl Slow {
    pub(crate) fn new() -> (Arc<Self>, mpsc::Sender<()>) {
        let (sender, go) = mpsc::channel();
        (
            Arc::new(Self {
                arrived: Semaphore::new(0),
                go: Mutex::new(go),
            }),
            sender,
        )
    }

    pub(crate) async fn call_arrives(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Who consents next: account, user.
    pub(crate) user: (String, String),
    /// Code → challenge, if there is one, and user.
    codes: HashMap<String, (Option<String>, (String, String))>,
    /// What token answers name as the region's address, if not `https://api.zoom.us`.
    pub(crate) api_url: Option<serde_json::Value>,
    access: HashMap<String, (String, String)>,
    refresh: HashMap<String, (String, String)>,
    pub(crate) faults: VecDeque<Fault>,
    /// Grants of all token calls that arrived.
    pub(crate) calls: Vec<String>,
    /// How often somebody asked who they are.
    pub(crate) looks: usize,
    pub(crate) revoked: Vec<String>,
    /// How often somebody asked to revoke, dead tokens included.
    pub(crate) revocations: usize,
    pub(crate) revoke_is_down: bool,
    /// What a revoke that is down says to wait, in seconds.
    pub(crate) revoke_retry_after: Option<u32>,
    /// How often somebody asked to revoke.
    pub(crate) revoke_calls: usize,
    /// What tokens may do.
    pub(crate) scope: String,
    /// What is said of the user besides id, account, name and address.
    pub(crate) profile: serde_json::Value,
    /// The user's settings.
    pub(crate) settings: serde_json::Value,
    /// What the next calls of the API get instead: status and number.
    pub(crate) refusals: VecDeque<(u16, i64)>,
    /// The same for the next looks at the settings.
    settings_refusals: VecDeque<(u16, i64)>,
    /// Every access token that was ever given out, with its user.
    given: Vec<(String, (String, String))>,
    /// Every secret that was ever given out.
    pub(crate) secrets: Vec<String>,
    next: u32,
}

#[derive(Clone, Debug)]
struct Responder(Arc<Mutex<State>>);

pub(crate) struct Zoom {
    server: MockServer,
    /// The same Zoom behind another address, so that a slow call at one does not hold up the other.
    second_door: MockServer,
    state: Arc<Mutex<State>>,
    time: Arc<Mutex<Timestamp>>,
}

/// A sleeper that does not sleep.
pub(crate) fn quick() -> Sleeper {
    Sleeper::new(|_| tokio::task::yield_now())
}

pub(crate) fn owner(name: &str) -> OwnerId {
    OwnerId::new(name)
}

pub(crate) fn session() -> SessionBinding {
    SessionBinding::new("cookie-secret")
}

pub(crate) fn vault() -> Vault {
    let keys = StaticKeys::parse("k1:arnx6499M4j0+dWG9m6Z/VQIDfLERvDlhmiwnAihbdA=").unwrap();
    Vault::new(Arc::new(keys))
}

impl Zoom {
    pub(crate) async fn start() -> Self {
        let state = State {
            user: ("acc-1".into(), "user-1".into()),
            scope: "meeting:read:meeting user:read:user".into(),
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let (server, second_door) = (MockServer::start().await, MockServer::start().await);
        for door in [&server, &second_door] {
            Mock::given(path_regex(".*"))
                .respond_with(Responder(Arc::clone(&state)))
                .mount(door)
                .await;
        }
        let time = Arc::new(Mutex::new("2026-11-22T10:00:00Z".parse().unwrap()));
        Self {
            server,
            second_door,
            state,
            time,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints::at(&self.server.uri().parse().unwrap())
    }

    /// The addresses that were asked for.
    pub(crate) async fn asked(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        requests.iter().map(|request| request.url.to_string()).collect()
    }

    /// As a token answer names it.
    pub(crate) fn address(&self) -> String {
        self.server.uri()
    }

    pub(crate) fn second_door(&self) -> Endpoints {
        Endpoints::at(&self.second_door.uri().parse().unwrap())
    }

    pub(crate) fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Clock::new(move || *time.lock().unwrap())
    }

    /// The hands of the clock, for sleepers that move them.
    pub(crate) fn time(&self) -> Arc<Mutex<Timestamp>> {
        Arc::clone(&self.time)
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        *self.time.lock().unwrap() += time;
    }

    /// Until tokens have to be refreshed.
    pub(crate) fn pass_an_hour(&self) {
        self.pass(SignedDuration::from_mins(60));
    }

    /// How often tokens were asked for with this grant.
    pub(crate) fn calls(&self, grant: &str) -> usize {
        self.state().calls.iter().filter(|call| *call == grant).count()
    }

    pub(crate) fn fail_next(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// The `access` or `refresh` token that was given out last.
    pub(crate) fn newest_secret(&self, kind: &str) -> String {
        let state = self.state();
        let newest = state.secrets.iter().rfind(|secret| secret.contains(kind));
        newest.unwrap().clone()
    }

    /// All tokens of the user are dead from now on.
    pub(crate) fn revoke_all(&self) {
        let mut state = self.state();
        state.access.clear();
        state.refresh.clear();
    }

    /// Access tokens are refused from now on; refresh tokens live.
    pub(crate) fn refuse_access_tokens(&self) {
        self.state().access.clear();
    }

    pub(crate) fn refuse_settings(&self, status: u16, code: i64) {
        self.state().settings_refusals.push_back((status, code));
    }

    /// Access tokens live, and nobody gets new ones.
    pub(crate) fn end_refresh_tokens(&self) {
        self.state().refresh.clear();
    }

    /// Zoom forgets that it has ended access tokens.
    pub(crate) fn allow_all_access_tokens(&self) {
        let mut state = self.state();
        state.access = state.given.iter().cloned().collect();
    }

    pub(crate) fn end_all_but_the_newest_access_token(&self) {
        let mut state = self.state();
        state.access = state.given.last().cloned().into_iter().collect();
    }

    pub(crate) fn builder(&self, store: impl TokenStore) -> ConnectionsBuilder {
        let redirect = "https://app.example/zoom/callback".parse().unwrap();
        let app = App::new("client-1", ClientSecret::new("canary-client-secret"), redirect);
        Connections::builder(app, Arc::new(store), vault())
            .endpoints(self.endpoints())
            .clock(self.clock())
    }

    /// Connections with a vault that opens nothing of what the others sealed.
    pub(crate) fn with_another_key(&self, store: impl TokenStore) -> Connections {
        let keys = StaticKeys::parse("k2:ZWMqKCpFyNS/LswGY6nOPfvX/o9epG34o6WD+uNMmao=").unwrap();
        let redirect = "https://app.example/zoom/callback".parse().unwrap();
        let app = App::new("client-1", ClientSecret::new("canary-client-secret"), redirect);
        Connections::builder(app, Arc::new(store), Vault::new(Arc::new(keys)))
            .endpoints(self.endpoints())
            .clock(self.clock())
            .build()
            .unwrap()
    }

    /// Connections that do not wait between tries.
    pub(crate) fn connections(&self, store: impl TokenStore) -> Connections {
        self.builder(store).with_sleeper(quick()).build().unwrap()
    }

    /// The user signs in and consents: what the browser brings back.
    pub(crate) fn consent(&self, url: &Url) -> Callback {
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(!query.contains_key("scope"));
        let mut state = self.state();
        let code = state.secret("code");
        let user = state.user.clone();
        state
            .codes
            .insert(code.clone(), (Some(query["code_challenge"].clone()), user));
        let mut back = url::form_urlencoded::Serializer::new(String::from("?"));
        back.append_pair("code", &code)
            .append_pair("state", &query["state"]);
        Callback::from_query(&back.finish())
    }

    /// The user adds the app in the Marketplace: what the browser brings, without anybody here having asked.
    pub(crate) fn install(&self) -> Callback {
        Callback::from_query(&format!("?code={}", self.code_of_an_install()))
    }

    pub(crate) fn code_of_an_install(&self) -> String {
        let mut state = self.state();
        let code = state.secret("code");
        let user = state.user.clone();
        state.codes.insert(code.clone(), (None, user));
        code
    }

    pub(crate) async fn authorize(&self, connections: &Connections, name: &str) -> Authorization {
        connections.authorize(&owner(name), &session()).await.unwrap()
    }

    /// The whole way.
    pub(crate) async fn connect(&self, connections: &Connections, name: &str) -> Connection {
        let started = self.authorize(connections, name).await;
        connections
            .connect(&self.consent(&started.url), &session())
            .await
            .unwrap()
    }

    /// A connected rep, an hour later.
    pub(crate) async fn connected() -> (Self, Connections) {
        let zoom = Self::start().await;
        let connections = zoom.connections(MemoryStore::new());
        zoom.connect(&connections, "rep").await;
        (zoom, connections)
    }
}

impl State {
    fn secret(&mut self, kind: &str) -> String {
        self.next += 1;
        let secret = format!("canary-{kind}-{}", self.next);
        self.secrets.push(secret.clone());
        secret
    }

    fn tokens(&mut self, user: (String, String), with_refresh: bool) -> ResponseTemplate {
        let access = self.secret("access");
        self.access.insert(access.clone(), user.clone());
        self.given.push((access.clone(), user.clone()));
        let mut body = json!({
            "access_token": access,
            "token_type": "bearer",
            "expires_in": 3599,
            "scope": self.scope,
            "api_url": self.api_url.clone().unwrap_or_else(|| "https://api.zoom.us".into()),
        });
        if with_refresh {
            let refresh = self.secret("refresh");
            self.refresh.insert(refresh.clone(), user);
            body["refresh_token"] = refresh.into();
        }
        ResponseTemplate::new(200).set_body_json(body)
    }

    fn token(&mut self, form: &HashMap<String, String>, fault: Option<Fault>) -> ResponseTemplate {
        let grant = form["grant_type"].clone();
        self.calls.push(grant.clone());
        let lost = matches!(fault, Some(Fault::LostAnswer));
        match fault {
            Some(Fault::Status(status)) => {
                return ResponseTemplate::new(status).set_body_string("<html>canary-body</html>");
            }
            Some(Fault::RateLimited(seconds)) => {
                return ResponseTemplate::new(429).insert_header("Retry-After", seconds.to_string().as_str());
            }
            Some(Fault::InvalidClient) => return refusal("invalid_client"),
            Some(Fault::Refusal(status, body)) => return ResponseTemplate::new(status).set_body_json(body),
            Some(Fault::LostAnswer | Fault::Slow(_)) | None => {}
        }
        let answer = match grant.as_str() {
            "authorization_code" => {
                assert_eq!(form["redirect_uri"], "https://app.example/zoom/callback");
                let verifier = form.get("code_verifier");
                self.secrets.extend(verifier.cloned());
                let challenge = verifier.map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
                match self.codes.remove(&form["code"]) {
                    Some((expected, user)) if expected == challenge => {
                        self.access.retain(|_, of| *of != user);
                        self.refresh.retain(|_, of| *of != user);
                        self.tokens(user, true)
                    }
                    _ => refusal("invalid_grant"),
                }
            }
            "refresh_token" => match self.refresh.remove(&form["refresh_token"]) {
                Some(user) => self.tokens(user, true),
                None => refusal("invalid_grant"),
            },
            "account_credentials" => {
                // Accounts that allow one token at a time: the new one ends the one before.
                let user = (form["account_id"].clone(), "system".to_owned());
                self.access.retain(|_, of| *of != user);
                self.tokens(user, false)
            }
            _ => refusal("unsupported_grant_type"),
        };
        // Slow enough that whoever comes at the same time does come at the same time.
        let answer = answer.set_delay(Duration::from_millis(20));
        if lost {
            ResponseTemplate::new(200).set_body_string("<html>canary-body</html>")
        } else {
            answer
        }
    }
}

impl State {
    /// Ends the user's grant as a whole.
    fn revoke(&mut self, token: &str) -> ResponseTemplate {
        self.revoke_calls += 1;
        if self.revoke_is_down {
            let down = ResponseTemplate::new(503);
            return match self.revoke_retry_after {
                Some(seconds) => down.insert_header("Retry-After", seconds.to_string().as_str()),
                None => down,
            };
        }
        match self.access.remove(token) {
            Some(user) => {
                self.revoked.push(token.to_owned());
                self.refresh.retain(|_, of| *of != user);
                self.access.retain(|_, of| *of != user);
                ResponseTemplate::new(200).set_body_json(json!({ "status": "success" }))
            }
            None => refusal("invalid_grant"),
        }
    }
}

fn refusal(error: &str) -> ResponseTemplate {
    let reason = "canary-reason with a token in it";
    ResponseTemplate::new(400).set_body_json(json!({ "reason": reason, "error": error }))
}

impl State {
    fn api(&mut self, path: &str, token: &str) -> ResponseTemplate {
        let no = |status, code: i64| {
            let message = "canary-message";
            ResponseTemplate::new(status).set_body_json(json!({ "code": code, "message": message }))
        };
        if path == "/users/me" {
            self.looks += 1;
        }
        let refusals = match path {
            "/users/me/settings" if !self.settings_refusals.is_empty() => &mut self.settings_refusals,
            _ => &mut self.refusals,
        };
        if let Some((status, code)) = refusals.pop_front() {
            return no(status, code);
        }
        let Some((account, user)) = self.access.get(token) else {
            return no(401, 124);
        };
        let mut said = match path {
            "/users/me" => json!({
                "id": user,
                "account_id": account,
                "display_name": "Riley Rep",
                "email": "riley@sim.example",
            }),
            "/users/me/settings" => self.settings.clone(),
            other => panic!("nothing at {other}"),
        };
        if let (Some(said), Some(more), "/users/me") = (said.as_object_mut(), self.profile.as_object(), path)
        {
            said.extend(more.clone());
        }
        ResponseTemplate::new(200).set_body_json(said)
    }
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let header = request
            .headers
            .get("authorization")
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default();
        if let Some(path) = request.url.path().strip_prefix("/v2") {
            return state.api(path, header.strip_prefix("Bearer ").unwrap_or_default());
        }
        let basic = header
            .strip_prefix("Basic ")
            .and_then(|text| STANDARD.decode(text).ok())
            .unwrap_or_default();
        assert!(
            [
                b"client-1:canary-client-secret".as_slice(),
                b"s2s-1:canary-s2s-secret"
            ]
            .contains(&basic.as_slice())
        );
        let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        state.revocations += usize::from(request.url.path() == "/oauth/revoke");
        match request.url.path() {
            "/oauth/token" => {
                let fault = state.faults.pop_front();
                if let Some(Fault::Slow(slow)) = &fault {
                    drop(state);
                    slow.arrived.add_permits(1);
                    let _ = slow.go.lock().unwrap().recv();
                    state = self.0.lock().unwrap();
                }
                state.token(&form, fault)
            }
            "/oauth/revoke" => state.revoke(&form["token"]),
            other => panic!("nothing at {other}"),
        }
    }
}
