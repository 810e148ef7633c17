//! What must not pass with a state, whichever way it is kept.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;
use token_store::{Filter, MemoryStore, PageToken, StaticKeys, TokenStore as _, Vault};
use zoom_core::Sleeper;
use zoom_oauth::{
    App, AuthorizeRequest, Callback, ClientSecret, Connections, ErrorKind, SessionBinding, StateKind,
};

use crate::zoom::{Fault, Zoom, owner, session, vault};

const BOTH: [StateKind; 2] = [StateKind::Stored, StateKind::Sealed];

struct Setting {
    zoom: Zoom,
    store: MemoryStore,
    connections: Connections,
    kind: StateKind,
}

impl Setting {
    async fn new(kind: StateKind) -> Self {
        let zoom = Zoom::start().await;
        let store = MemoryStore::new();
        let connections = host(&zoom, &store, kind);
        Self {
            zoom,
            store,
            connections,
            kind,
        }
    }

    /// Consents, with the code of `code_of` and the state of `state_of`.
    async fn back(&self) -> (Callback, String, String) {
        let started = self.zoom.authorize(&self.connections, "rep").await;
        let callback = self.zoom.consent(&started.url);
        let code = self.zoom.state().secrets.last().unwrap().clone();
        (callback, code, started.state)
    }

    async fn refused(&self, callback: &Callback, session: &SessionBinding) -> ErrorKind {
        let refused = self.connections.connect(callback, session).await.unwrap_err();
        refused.kind()
    }

    fn exchanges(&self) -> usize {
        self.zoom.calls("authorization_code")
    }
}

/// One process of the host.
fn host(zoom: &Zoom, store: &MemoryStore, kind: StateKind) -> Connections {
    zoom.builder(store.clone())
        .with_state(kind)
        .with_sleeper(Sleeper::new(|_| tokio::task::yield_now()))
        .build()
        .unwrap()
}

#[tokio::test]
async fn what_was_said_at_the_start_comes_back_with_the_connection() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let request = AuthorizeRequest::new(&owner("rép 🦀"), &session()).opened_by("admin-7");
        let started = set.connections.authorize_with(&request).await.unwrap();
        assert!(
            started.url.as_str().len() < 1000,
            "{kind:?}: {}",
            started.url.as_str().len()
        );
        let callback = set.zoom.consent(&started.url);
        let connected = set.connections.connect(&callback, &session()).await.unwrap();
        assert_eq!(connected.owner, owner("rép 🦀"));
        assert_eq!(connected.opened_by.as_deref(), Some("admin-7"));
        let found = set.connections.connection(&connected.owner).await.unwrap();
        assert_eq!(found.unwrap().opened_by.as_deref(), Some("admin-7"));
    }
}

#[tokio::test]
async fn a_sealed_state_writes_no_row_and_shows_nothing() {
    let set = Setting::new(StateKind::Sealed).await;
    let request = AuthorizeRequest::new(&owner("owner-canary"), &session()).opened_by("opener-canary");
    let started = set.connections.authorize_with(&request).await.unwrap();
    let rows = set.store.find(&Filter::all(), PageToken::first()).await.unwrap();
    assert!(rows.items.is_empty());
    for part in started.state.split('.') {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    }
}

#[tokio::test]
async fn a_replayed_state_is_refused_before_zoom_is_asked() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let (callback, _, state) = set.back().await;
        set.connections.connect(&callback, &session()).await.unwrap();
        assert_eq!(set.refused(&callback, &session()).await, ErrorKind::UnknownState);
        let other_code = Callback::new(set.zoom.code_of_an_install(), state);
        assert_eq!(
            set.refused(&other_code, &session()).await,
            ErrorKind::UnknownState
        );
        assert_eq!(set.exchanges(), 1, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_replay_at_once_one_gets_in() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let (callback, ..) = set.back().await;
        let racers: Vec<_> = (0..8)
            .map(|_| {
                let (connections, callback) = (set.connections.clone(), callback.clone());
                tokio::spawn(async move { connections.connect(&callback, &session()).await.is_ok() })
            })
            .collect();
        let mut connected = 0;
        for racer in racers {
            connected += usize::from(racer.await.unwrap());
        }
        assert_eq!((connected, set.exchanges()), (1, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn a_replay_at_another_process_comes_to_nothing() {
    for (kind, expected) in [
        (StateKind::Stored, ErrorKind::UnknownState),
        (StateKind::Sealed, ErrorKind::InvalidCode),
    ] {
        let set = Setting::new(kind).await;
        let (callback, _, state) = set.back().await;
        let connected = set.connections.connect(&callback, &session()).await.unwrap();
        let another = host(&set.zoom, &set.store, set.kind);
        let refused = another.connect(&callback, &session()).await.unwrap_err();
        assert_eq!(refused.kind(), expected);
        // Nor does it help to bring a code of one's own: it was not asked for with this state's verifier.
        set.zoom.state().user = ("acc-1".into(), "attacker".into());
        let other = set.zoom.authorize(&set.connections, "attacker").await;
        set.zoom.consent(&other.url);
        let own_code = set.zoom.state().secrets.last().unwrap().clone();
        let another = host(&set.zoom, &set.store, set.kind);
        let refused = another
            .connect(&Callback::new(own_code, state.clone()), &session())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), expected);
        let unasked = Callback::new(set.zoom.code_of_an_install(), state);
        let another = host(&set.zoom, &set.store, set.kind);
        assert_eq!(
            another.connect(&unasked, &session()).await.unwrap_err().kind(),
            expected
        );
        let found = set.connections.connection(&owner("rep")).await.unwrap().unwrap();
        assert_eq!(found.user_id, connected.user_id);
    }
}

#[tokio::test]
async fn a_state_does_not_change_browsers() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let (victim_s, ..) = set.back().await;
        let attacker = SessionBinding::new("the attacker's cookie");
        assert_eq!(set.refused(&victim_s, &attacker).await, ErrorKind::ForeignSession);
        // The attacker's own callback, opened in the victim's browser.
        let started = set
            .connections
            .authorize(&owner("attacker"), &attacker)
            .await
            .unwrap();
        let planted = set.zoom.consent(&started.url);
        assert_eq!(set.refused(&planted, &session()).await, ErrorKind::ForeignSession);
        assert_eq!(set.exchanges(), 0);
        // Neither used anything up.
        set.connections.connect(&victim_s, &session()).await.unwrap();
    }
}

#[tokio::test]
async fn a_state_does_not_change_owners() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let (callback, ..) = set.back().await;
        let other = session().with_owner(owner("other"));
        assert_eq!(set.refused(&callback, &other).await, ErrorKind::ForeignSession);
        assert_eq!(set.exchanges(), 0);
        let rep = session().with_owner(owner("rep"));
        let connected = set.connections.connect(&callback, &rep).await.unwrap();
        assert_eq!(connected.owner, owner("rep"));
    }
}

#[tokio::test]
async fn a_state_does_not_change_apps() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let redirect = "https://app.example/zoom/callback".parse().unwrap();
        let brand =
            App::new("client-1", ClientSecret::new("canary-client-secret"), redirect).with_name("brand");
        let brand = Connections::builder(brand, Arc::new(set.store.clone()), vault())
            .endpoints(set.zoom.endpoints())
            .clock(set.zoom.clock())
            .with_state(kind)
            .build()
            .unwrap();
        let (callback, ..) = set.back().await;
        let refused = brand.connect(&callback, &session()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::UnknownState);
        assert_eq!(set.exchanges(), 0);
        set.connections.connect(&callback, &session()).await.unwrap();
    }
}

#[tokio::test]
async fn a_state_runs_out() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let (callback, ..) = set.back().await;
        set.zoom.pass(SignedDuration::from_mins(10));
        assert_eq!(set.refused(&callback, &session()).await, ErrorKind::ExpiredState);
        assert_eq!(set.exchanges(), 0);
    }
}

#[tokio::test]
async fn a_code_that_is_used_or_too_old_is_told_from_an_app_that_is_wrong() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        for (body, expected) in [
            (
                json!({ "reason": "Code is expired", "error": "invalid_request" }),
                ErrorKind::InvalidCode,
            ),
            (
                json!({ "code": 4733, "message": "Code is expired" }),
                ErrorKind::InvalidCode,
            ),
            (
                json!({ "reason": "Invalid authorization code canary", "error": "invalid_request" }),
                ErrorKind::InvalidCode,
            ),
            (json!({ "error": "invalid_grant" }), ErrorKind::InvalidCode),
            (
                json!({ "reason": "Redirection URI mismatch", "error": "invalid_request" }),
                ErrorKind::RedirectMismatch,
            ),
            (
                json!({ "errorCode": 4709, "errorMessage": "canary" }),
                ErrorKind::RedirectMismatch,
            ),
            (json!({ "error": "invalid_client" }), ErrorKind::Refused),
            (
                json!({ "reason": "The app has been disabled by the developer", "error": "invalid_grant" }),
                ErrorKind::Refused,
            ),
            (
                json!({ "code": 4732, "message": "Creating authorization code error." }),
                ErrorKind::Unavailable,
            ),
        ] {
            let (callback, ..) = set.back().await;
            set.zoom.fail_next(Fault::Refusal(400, body.clone()));
            let refused = set.connections.connect(&callback, &session()).await.unwrap_err();
            assert_eq!(refused.kind(), expected, "{body}");
            assert!(!format!("{refused} {refused:?}").contains("canary"));
        }
    }
}

#[tokio::test]
async fn a_state_that_was_tampered_with_is_unknown() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let (_, code, state) = set.back().await;
        let unknown = async |state: String| {
            let shown = format!("{kind:?}: {state}");
            let callback = Callback::new(code.clone(), state);
            assert_eq!(
                set.refused(&callback, &session()).await,
                ErrorKind::UnknownState,
                "{shown}"
            );
        };
        // Every character but the ones that say which key it is.
        for (at, character) in state.char_indices() {
            let other = if character == 'A' { 'B' } else { 'A' };
            let mut tampered = state.clone();
            tampered.replace_range(at..=at, &other.to_string());
            unknown(tampered).await;
        }
        for length in (1..state.len()).step_by(7) {
            unknown(state[..length].to_owned()).await;
        }
        unknown(format!("{state}=")).await;
        unknown(format!("{state}A")).await;
        unknown(format!("{state}.")).await;
        unknown(format!("{state}{state}")).await;
        for garbage in [
            "v1",
            "v1.k1.AAAAAAAAAAAAAAAA.",
            "v1...",
            "v9.k1.AAAAAAAAAAAAAAAA.AAAA",
            "....",
            "\u{0}",
            "п\u{0301}🦀\u{202e}ﷺ",
            "%00%ff",
            "../../etc/passwd",
            "' or 1=1 --",
        ] {
            unknown(garbage.to_owned()).await;
        }
        unknown("🦀".repeat(100_000)).await;
        assert_eq!(set.exchanges(), 0);
        let callback = Callback::new(code.clone(), state.clone());
        set.connections.connect(&callback, &session()).await.unwrap();
    }
}

#[tokio::test]
async fn a_state_of_another_key_is_unknown() {
    let set = Setting::new(StateKind::Sealed).await;
    for keys in [
        "k1:HxseHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE=",
        "k2:HxseHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE=",
    ] {
        let vault = Vault::new(Arc::new(StaticKeys::parse(keys).unwrap()));
        let redirect = "https://app.example/zoom/callback".parse().unwrap();
        let app = App::new("client-1", ClientSecret::new("canary-client-secret"), redirect);
        let forger = Connections::builder(app, Arc::new(MemoryStore::new()), vault)
            .endpoints(set.zoom.endpoints())
            .clock(set.zoom.clock())
            .with_state(StateKind::Sealed)
            .build()
            .unwrap();
        let forged = set.zoom.authorize(&forger, "rep").await;
        let callback = set.zoom.consent(&forged.url);
        assert_eq!(set.refused(&callback, &session()).await, ErrorKind::UnknownState);
    }
    assert_eq!(set.exchanges(), 0);
}

#[tokio::test]
async fn what_the_vault_sealed_as_something_else_is_no_state() {
    let set = Setting::new(StateKind::Sealed).await;
    let connected = set.zoom.connect(&set.connections, "rep").await;
    let record = set.store.load(&connected.id).await.unwrap().unwrap();
    let (_, code, _) = set.back().await;
    let tokens = record.value.sealed.unwrap().to_string();
    let callback = Callback::new(code, tokens);
    assert_eq!(set.refused(&callback, &session()).await, ErrorKind::UnknownState);
}

#[tokio::test]
async fn a_denial_uses_the_state_up() {
    for kind in BOTH {
        let set = Setting::new(kind).await;
        let (callback, _, state) = set.back().await;
        let denied = Callback::from_query(&format!("error=access_denied&state={state}"));
        assert_eq!(set.refused(&denied, &session()).await, ErrorKind::Denied);
        assert_eq!(set.refused(&callback, &session()).await, ErrorKind::UnknownState);
        assert_eq!(set.exchanges(), 0);
    }
}
