use serde_json::{Value, json};
use token_store::{ConnectionId, OwnerId};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::*;

const TOKEN: &str = "hvs.a-token";

fn name() -> KeyId {
    KeyId::new("transit-1").unwrap()
}

/// The transit engine as far as two actions go: it checks the token, keeps the associated data in the ciphertext, and
/// decrypts for the same data only.
struct FakeTransit;

impl FakeTransit {
    fn answer(request: &Request) -> Result<Value, (u16, &'static str)> {
        if request.headers.get("x-vault-token").unwrap() != TOKEN {
            return Err((403, "permission denied"));
        }
        if request.headers.get("x-vault-namespace").unwrap() != "team-a" {
            return Err((404, "no handler for route"));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let bound = json!([body["associated_data"], body["context"]]);
        match request.url.path() {
            "/v1/crypto/transit/encrypt/tokens" => {
                let held = json!([bound, body["plaintext"]]).to_string();
                Ok(
                    json!({ "ciphertext": format!("vault:v3:{}", *http::encode(held.as_bytes())), "key_version": 3 }),
                )
            }
            "/v1/crypto/transit/decrypt/tokens" => {
                let Some(held) = body["ciphertext"].as_str().unwrap().strip_prefix("vault:v3:") else {
                    return Err((400, "invalid ciphertext: no prefix"));
                };
                let held: Value = serde_json::from_slice(&http::decode(held).unwrap()).unwrap();
                if held[0] != bound {
                    return Err((400, "cipher: message authentication failed"));
                }
                Ok(json!({ "plaintext": held[1] }))
            }
            _ => Err((404, "")),
        }
    }
}

impl Respond for FakeTransit {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        match Self::answer(request) {
            Ok(data) => ResponseTemplate::new(200).set_body_json(json!({ "request_id": "r", "data": data })),
            Err((status, error)) => ResponseTemplate::new(status).set_body_json(json!({ "errors": [error] })),
        }
    }
}

async fn serve(respond: impl Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}

fn transit(server: &MockServer) -> Transit {
    let transit = Transit::new(name(), &server.uri(), "tokens", TOKEN).unwrap();
    transit
        .with_mount("/crypto/transit/")
        .unwrap()
        .with_namespace("team-a")
}

fn ids() -> (OwnerId, ConnectionId) {
    ("rep-7".into(), "c0ffee".into())
}

#[tokio::test]
async fn a_data_key_comes_back_for_its_connection_only() {
    let server = serve(FakeTransit).await;
    for transit in [transit(&server), transit(&server).derived()] {
        let (owner, connection) = ids();
        let (stranger, other) = ("stranger".into(), "other".into());
        let context = WrapContext {
            owner: &owner,
            connection: &connection,
        };
        let key = DataKey::generate().unwrap();
        let wrapped = transit.wrap(&key, &context).await.unwrap();
        assert!(wrapped.bytes().starts_with(b"vault:v3:"));
        assert_eq!(wrapped.key_id(), &transit.primary().await.unwrap());
        let unwrapped = transit.unwrap(&wrapped, &context).await.unwrap();
        assert_eq!(unwrapped.expose_secret(), key.expose_secret());
        for moved in [
            WrapContext {
                owner: &stranger,
                ..context
            },
            WrapContext {
                connection: &other,
                ..context
            },
        ] {
            assert!(matches!(
                transit.unwrap(&wrapped, &moved).await,
                Err(VaultError::DoesNotOpen)
            ));
        }
        for changed in [b"changed".to_vec(), vec![0xFF]] {
            let refused = transit.unwrap(&Wrapped::new(name(), changed), &context).await;
            assert!(matches!(refused, Err(VaultError::DoesNotOpen)));
        }
        let foreign = Wrapped::new(KeyId::new("transit-0").unwrap(), wrapped.bytes().to_vec());
        assert!(matches!(
            transit.unwrap(&foreign, &context).await,
            Err(VaultError::UnknownKey(_))
        ));
    }
    let requests = server.received_requests().await.unwrap();
    let with_context = requests
        .iter()
        .filter(|request| String::from_utf8_lossy(&request.body).contains("\"context\""));
    assert_eq!(
        with_context.count(),
        requests.len() / 2,
        "for the derived key only"
    );
}

#[tokio::test]
async fn what_vault_says_decides_whether_to_try_again_and_nothing_of_it_leaks() {
    let (owner, connection) = ids();
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    for (status, error, expected) in [
        (429, "request path rate limit quota exceeded", "unavailable"),
        (500, "internal error", "unavailable"),
        (502, "", "unavailable"),
        (503, "Vault is sealed", "unavailable"),
        (412, "required index state not present", "unavailable"),
        (403, "permission denied", "refused"),
        (404, "no handler for route", "refused"),
        (400, "encryption key not found", "refused"),
        (
            400,
            "ciphertext or signature version is disallowed by policy (too old)",
            "refused",
        ),
        (400, "cipher: message authentication failed", "does not open"),
        (
            400,
            "invalid ciphertext: could not decode base64",
            "does not open",
        ),
        (200, "", "unavailable"),
    ] {
        let answer = json!({ "errors": [error, format!("{TOKEN} rep-7")] });
        let server = serve(ResponseTemplate::new(status).set_body_json(answer)).await;
        let transit = transit(&server);
        let refused = transit
            .unwrap(&Wrapped::new(name(), b"vault:v1:abc".to_vec()), &context)
            .await;
        let failure = refused.unwrap_err();
        let found = match &failure {
            VaultError::Unavailable(_) => "unavailable",
            VaultError::Refused(_) => "refused",
            VaultError::DoesNotOpen => "does not open",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{status} {error}");
        let source = std::error::Error::source(&failure).map(ToString::to_string);
        let shown = format!("{failure} {failure:?} {source:?} {transit:?}");
        for hidden in [TOKEN, "rep-7", "abc"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_data_key_of_another_length_does_not_open() {
    let answer = json!({ "data": { "plaintext": "c2hvcnQ=" } });
    let server = serve(ResponseTemplate::new(200).set_body_json(answer)).await;
    let (owner, connection) = ids();
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    let wrapped = Wrapped::new(name(), b"vault:v1:abc".to_vec());
    assert!(matches!(
        transit(&server).unwrap(&wrapped, &context).await,
        Err(VaultError::DoesNotOpen)
    ));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let server = serve(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 1 << 20])).await;
    let (owner, connection) = ids();
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    let failure = transit(&server)
        .wrap(&DataKey::generate().unwrap(), &context)
        .await
        .unwrap_err();
    assert_eq!(
        std::error::Error::source(&failure).unwrap().to_string(),
        "key service answered 0 answer too long"
    );
}

#[tokio::test]
async fn a_renewed_token_is_used() {
    let server = serve(FakeTransit).await;
    let (owner, connection) = ids();
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    let transit = transit(&server);
    transit.replace_token("expired");
    let refused = transit.wrap(&DataKey::generate().unwrap(), &context).await;
    assert!(matches!(refused, Err(VaultError::Refused(_))));
    transit.replace_token(TOKEN);
    assert!(
        transit
            .wrap(&DataKey::generate().unwrap(), &context)
            .await
            .is_ok()
    );
}

#[test]
fn names_that_would_lead_elsewhere_are_refused() {
    let made = |address: &str, key: &str| Transit::new(name(), address, key, TOKEN).map(drop);
    assert!(made("https://vault.internal:8200", "tokens").is_ok());
    assert_eq!(
        made("http://vault.internal:8200", "tokens"),
        Err(SetupError::Address)
    );
    for key in ["", "..", "a/b", "a?b", "a b", "a#b", "%2e"] {
        assert_eq!(made("https://vault", key), Err(SetupError::Name), "{key}");
    }
    for mount in ["", "/", "a//b", "../sys"] {
        let transit = Transit::new(name(), "https://vault", "tokens", TOKEN).unwrap();
        assert_eq!(
            transit.with_mount(mount).map(drop),
            Err(SetupError::Name),
            "{mount}"
        );
    }
}
