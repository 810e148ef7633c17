use serde_json::{Value, json};
use static_assertions::assert_not_impl_any;
use token_store::{ConnectionId, Envelope, Generation, OwnerId, SealContext, Vault};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::*;

assert_not_impl_any!(AwsCredentials: fmt::Display, PartialEq, Serialize, Copy);

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "a-session-token";
const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";

fn credentials() -> AwsCredentials {
    AwsCredentials::new("AKIDEXAMPLE", SECRET).with_session_token(SESSION)
}

fn name() -> KeyId {
    KeyId::new("kms-1").unwrap()
}

/// KMS as far as two actions go: it checks who asks and how the request is signed, keeps the encryption context in the
/// blob, and decrypts for the same one only.
struct FakeKms;

impl FakeKms {
    fn answer(request: &Request) -> Result<Value, (u16, &'static str)> {
        let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap();
        let signed: Vec<(&str, &str)> = [
            "content-type",
            "host",
            "x-amz-date",
            "x-amz-security-token",
            "x-amz-target",
        ]
        .map(|name| (name, header(name)))
        .to_vec();
        let expected = sigv4::authorization(
            &credentials(),
            ("eu-central-1", "kms"),
            header("x-amz-date"),
            &signed,
            &request.body,
        );
        if header("authorization") != expected {
            return Err((400, "com.amazonaws.kms#InvalidSignatureException"));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        if body["KeyId"] != ARN {
            return Err((400, "NotFoundException"));
        }
        match header("x-amz-target") {
            "TrentService.Encrypt" => {
                let blob =
                    json!({ "for": body["EncryptionContext"], "holds": body["Plaintext"] }).to_string();
                Ok(
                    json!({ "KeyId": ARN, "CiphertextBlob": *http::encode(blob.as_bytes()), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }),
                )
            }
            "TrentService.Decrypt" => {
                let blob = http::decode(body["CiphertextBlob"].as_str().unwrap()).unwrap();
                let Ok(blob) = serde_json::from_slice::<Value>(&blob) else {
                    return Err((400, "InvalidCiphertextException"));
                };
                if blob["for"] != body["EncryptionContext"] {
                    return Err((400, "InvalidCiphertextException"));
                }
                Ok(
                    json!({ "KeyId": ARN, "Plaintext": blob["holds"], "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }),
                )
            }
            _ => Err((400, "UnknownOperationException")),
        }
    }
}

impl Respond for FakeKms {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        match Self::answer(request) {
            Ok(answer) => ResponseTemplate::new(200).set_body_json(answer),
            Err((status, kind)) => {
                // The message of the real one repeats what it was sent.
                let sent = String::from_utf8_lossy(&request.body).into_owned();
                ResponseTemplate::new(status).set_body_json(json!({ "__type": kind, "message": sent }))
            }
        }
    }
}

async fn serve(respond: impl Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}

fn kms(server: &MockServer) -> AwsKms {
    let kms = AwsKms::new(name(), ARN, "eu-central-1", credentials()).unwrap();
    kms.with_endpoint(&server.uri()).unwrap()
}

fn ids() -> (OwnerId, ConnectionId) {
    ("rep-7 🦉".into(), "c0ffee".into())
}

#[tokio::test]
async fn a_data_key_comes_back_for_its_connection_only() {
    let server = serve(FakeKms).await;
    let kms = kms(&server);
    let (owner, connection) = ids();
    let (stranger, other) = ("stranger".into(), "other".into());
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    let key = DataKey::generate().unwrap();
    let wrapped = kms.wrap(&key, &context).await.unwrap();
    assert_eq!(wrapped.key_id(), &kms.primary().await.unwrap());
    let unwrapped = kms.unwrap(&wrapped, &context).await.unwrap();
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
            kms.unwrap(&wrapped, &moved).await,
            Err(VaultError::DoesNotOpen)
        ));
    }
    let changed = Wrapped::new(name(), b"changed".to_vec());
    assert!(matches!(
        kms.unwrap(&changed, &context).await,
        Err(VaultError::DoesNotOpen)
    ));

    let asked = server.received_requests().await.unwrap().len();
    let foreign = Wrapped::new(KeyId::new("kms-0").unwrap(), wrapped.bytes().to_vec());
    let refused = kms.unwrap(&foreign, &context).await;
    assert!(matches!(refused, Err(VaultError::UnknownKey(id)) if id.as_str() == "kms-0"));
    assert_eq!(
        server.received_requests().await.unwrap().len(),
        asked,
        "not even asked"
    );
}

#[tokio::test]
async fn a_vault_seals_and_opens_and_asks_once() {
    let server = serve(FakeKms).await;
    let (owner, connection) = ids();
    let place = SealContext {
        owner: &owner,
        connection: &connection,
        field: "tokens",
        generation: Generation::FIRST,
    };
    let sealing = Vault::enveloped(Envelope::new(std::sync::Arc::new(kms(&server))));
    let sealed = sealing.seal(&place, b"the refresh token").await.unwrap();
    let opening = Vault::enveloped(Envelope::new(std::sync::Arc::new(kms(&server))));
    for _ in 0..3 {
        let opened = opening.open(&place, &sealed).await.unwrap();
        assert_eq!(opened.as_slice(), b"the refresh token");
    }
    assert_eq!(
        server.received_requests().await.unwrap().len(),
        2,
        "one Encrypt, one Decrypt"
    );
}

#[tokio::test]
async fn what_kms_says_decides_whether_to_try_again_and_nothing_of_it_leaks() {
    let (owner, connection) = ids();
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    for (status, kind, expected) in [
        (400, "ThrottlingException", "unavailable"),
        (400, "com.amazonaws.kms#LimitExceededException", "unavailable"),
        (500, "KMSInternalException", "unavailable"),
        (503, "", "unavailable"),
        (429, "TooManyRequestsException", "unavailable"),
        (400, "AccessDeniedException", "refused"),
        (403, "AccessDeniedException", "refused"),
        (400, "ExpiredTokenException", "refused"),
        (400, "DisabledException", "refused"),
        (400, "NotFoundException", "refused"),
        (302, "", "refused"),
        (400, "InvalidCiphertextException", "does not open"),
        (400, "IncorrectKeyException", "does not open"),
        (200, "", "unavailable"),
    ] {
        let message = format!("{SECRET} {SESSION} rep-7");
        let answer = json!({ "__type": kind, "message": message });
        let template = ResponseTemplate::new(status).set_body_json(answer);
        let server = serve(template.insert_header("location", "http://127.0.0.1:1/")).await;
        let kms = kms(&server);
        let wrapped = Wrapped::new(name(), b"blob".to_vec());
        let error = kms.unwrap(&wrapped, &context).await.unwrap_err();
        let found = match &error {
            VaultError::Unavailable(_) => "unavailable",
            VaultError::Refused(_) => "refused",
            VaultError::DoesNotOpen => "does not open",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{status} {kind}");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let shown = format!("{error} {error:?} {source:?} {kms:?} {:?}", credentials());
        for hidden in [SECRET, SESSION, "rep-7", "AKIDEXAMPLE"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_names_no_address() {
    let (owner, connection) = ids();
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    let kms = AwsKms::new(name(), ARN, "eu-central-1", credentials()).unwrap();
    let nobody = kms.with_endpoint("http://127.0.0.1:1/secret-path").unwrap();
    let error = nobody
        .wrap(&DataKey::generate().unwrap(), &context)
        .await
        .unwrap_err();
    assert!(error.is_retryable());
    assert!(!format!("{error:?}").contains("http://"), "{error:?}");
}

#[tokio::test]
async fn renewed_credentials_are_used() {
    let server = serve(FakeKms).await;
    let (owner, connection) = ids();
    let context = WrapContext {
        owner: &owner,
        connection: &connection,
    };
    let kms = kms(&server);
    kms.replace_credentials(AwsCredentials::new("AKIDEXAMPLE", "old").with_session_token(SESSION));
    let refused = kms.wrap(&DataKey::generate().unwrap(), &context).await;
    assert!(matches!(refused, Err(VaultError::Refused(_))));
    kms.replace_credentials(credentials());
    assert!(kms.wrap(&DataKey::generate().unwrap(), &context).await.is_ok());
}

#[test]
fn a_region_is_no_address() {
    for region in ["", "eu/../", "a.example.com#"] {
        let made = AwsKms::new(name(), ARN, region, credentials());
        assert_eq!(made.err(), Some(SetupError::Address), "{region}");
    }
    let kms = AwsKms::new(name(), ARN, "eu-central-1", credentials()).unwrap();
    assert_eq!(kms.endpoint.as_str(), "https://kms.eu-central-1.amazonaws.com/");
}
