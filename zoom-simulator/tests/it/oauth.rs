//! Codes and tokens.

use std::time::Duration;

use serde_json::json;
use zoom_simulator::{AppKind, AppSpec, Rotation, UserSpec};

use crate::receiver::Receiver;
use crate::support::{BASIL, CALLBACK, ELEANOR, MAYA, Tokens, answer, call, query, start};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[tokio::test]
async fn a_browser_and_a_back_end_get_a_token() {
    let zoom = start(|config| config.optional_scopes = vec!["meeting:read:meeting".to_owned()]).await;
    let authorize = zoom.authorize_url(
        "SimClientId_01",
        &[
            ("state", "x&y=z ☕"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ],
    );
    let page = zoom.http.get(authorize.clone()).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html;charset=utf-8");
    let html = page.text().await.unwrap();
    for part in [
        "Maya Chen",
        "Eleanor Hart",
        "Basil Free",
        "user:read:user",
        "value=\"allow\"",
        "value=\"deny\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<script"));

    // what the form sends when the box of the optional scope is empty
    let form = [
        ("request", authorize.query().unwrap()),
        ("user", ELEANOR),
        ("decision", "allow"),
    ];
    let response = zoom
        .http
        .post(zoom.url("/oauth/authorize"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 302);
    let callback = url::Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    assert!(callback.as_str().starts_with(CALLBACK));
    assert_eq!(query(&callback, "state").unwrap(), "x&y=z ☕");

    let code = query(&callback, "code").unwrap();
    let (status, body) = zoom
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("bearer"), &json!(3599))
    );
    assert_eq!(body["api_url"], zoom.url(""));
    let scope = body["scope"].as_str().unwrap();
    assert!(
        scope.contains("user:read:user") && !scope.contains("meeting:read:meeting"),
        "{scope}"
    );
    let tokens = Tokens::of(&body);
    let (status, me) = zoom.get(&tokens.access, "/v2/users/me").await;
    assert_eq!(
        (status, &me["email"], &me["type"]),
        (200, &json!(ELEANOR), &json!(2))
    );
    assert_eq!(me["account_id"], zoom.sim.config().account_id);
}

#[tokio::test]
async fn no_is_an_answer_too() {
    let zoom = start(|_| ()).await;
    let callback = zoom
        .sim
        .deny(&zoom.authorize_url("SimClientId_01", &[("state", "s")]))
        .unwrap();
    assert_eq!(
        callback.as_str(),
        "https://app.example/callback?error=access_denied&state=s"
    );
}

#[tokio::test]
async fn a_wrong_redirect_is_shown_and_never_followed() {
    let zoom = start(|config| config.redirect_uris = vec!["https://app.example/other".to_owned()]).await;
    let response = zoom
        .http
        .get(zoom.authorize_url("SimClientId_01", &[]))
        .send()
        .await
        .unwrap();
    assert!(response.headers().get("location").is_none());
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["errorCode"], 4700);
    assert_eq!(body["errorMessage"], format!("Invalid redirect: {CALLBACK}"));
    let (_, body) = answer(zoom.http.get(zoom.authorize_url("nobody", &[]))).await;
    assert_eq!(body["errorCode"], 4702);
}

#[tokio::test]
async fn a_code_works_once_and_for_five_minutes_and_where_it_was_sent() {
    let zoom = start(|_| ()).await;
    let exchange = async |code: &str, redirect: &str| {
        zoom.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
        ])
        .await
    };
    let code = zoom.code(MAYA);
    assert_eq!(exchange(&code, CALLBACK).await.0, 200);
    let (status, body) = exchange(&code, CALLBACK).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
    assert_eq!(body["reason"], format!("Invalid authorization code {code}"));

    let code = zoom.code(MAYA);
    let (_, body) = exchange(&code, "https://elsewhere.example/").await;
    assert_eq!(body["reason"], "Redirection URI mismatch");

    let code = zoom.code(MAYA);
    zoom.sim.advance(Duration::from_secs(300));
    let (status, body) = exchange(&code, CALLBACK).await;
    assert_eq!((status, &body["reason"]), (400, &json!("Code is expired")));
}

#[tokio::test]
async fn the_verifier_must_fit_the_challenge() {
    let zoom = start(|_| ()).await;
    let exchange = async |method: &str, challenge: &str, verifier: &str| {
        let more = [("code_challenge", challenge), ("code_challenge_method", method)];
        let callback = zoom
            .sim
            .allow(&zoom.authorize_url("SimClientId_01", &more), MAYA)
            .unwrap();
        let code = query(&callback, "code").unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        zoom.token(&form).await.0
    };
    let other = "a".repeat(43);
    assert_eq!(exchange("S256", CHALLENGE, VERIFIER).await, 200);
    assert_eq!(exchange("S256", CHALLENGE, &other).await, 400);
    assert_eq!(exchange("S256", CHALLENGE, "").await, 400);
    assert_eq!(exchange("plain", &other, &other).await, 200);
    assert_eq!(exchange("plain", CHALLENGE, VERIFIER).await, 400);
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let zoom = start(|_| ()).await;
    let first = zoom.connect(MAYA).await;
    let (status, body) = zoom.refresh(&first.refresh).await;
    assert_eq!(status, 200);
    let second = Tokens::of(&body);
    assert_ne!(second.refresh, first.refresh);
    let (status, body) = zoom.refresh(&first.refresh).await;
    assert_eq!(
        (status, body),
        (
            400,
            json!({ "reason": "Invalid Token!", "error": "invalid_grant" })
        )
    );
    assert_eq!(
        zoom.refresh(&second.refresh).await.0,
        200,
        "a late one does not kill the family"
    );
    assert_eq!(
        zoom.get(&first.access, "/v2/users/me").await.0,
        200,
        "access tokens live on until they expire"
    );
    assert_eq!(zoom.sim.count("token.refresh_token"), 3);
    assert_eq!(zoom.sim.count("token.refresh_token.granted"), 2);
    assert_eq!(zoom.sim.count("token.refresh_token.refused"), 1);
}

#[tokio::test]
async fn tolerance_lets_an_old_refresh_token_live_a_little() {
    let zoom = start(|config| config.rotation = Rotation::Tolerance(1)).await;
    let first = zoom.connect(MAYA).await;
    assert_eq!(zoom.refresh(&first.refresh).await.0, 200);
    assert_eq!(zoom.refresh(&first.refresh).await.0, 200);
    assert_eq!(zoom.refresh(&first.refresh).await.0, 400);
}

#[tokio::test]
async fn tokens_expire_by_the_clock() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    zoom.sim.advance(Duration::from_secs(3599));
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 200);
    zoom.sim.advance(Duration::from_secs(1));
    let (status, body) = zoom.get(&tokens.access, "/v2/users/me").await;
    assert_eq!(
        (status, body),
        (401, json!({ "code": 124, "message": "Access token is expired." }))
    );
    zoom.sim.advance(Duration::from_secs(90 * 24 * 3600));
    assert_eq!(zoom.refresh(&tokens.refresh).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn the_last_authorization_wins() {
    let zoom = start(|_| ()).await;
    let first = zoom.connect(MAYA).await;
    let other = zoom.connect(ELEANOR).await;
    let second = zoom.connect(MAYA).await;
    let (status, body) = zoom.get(&first.access, "/v2/users/me").await;
    assert_eq!((status, &body["message"]), (401, &json!("Invalid access token.")));
    assert_eq!(zoom.refresh(&first.refresh).await.0, 400);
    assert_eq!(zoom.refresh(&second.refresh).await.0, 200);
    assert_eq!(zoom.get(&other.access, "/v2/users/me").await.0, 200);
}

#[tokio::test]
async fn revoking_ends_everything_of_that_authorization() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    let config = zoom.sim.config();
    let revoke = async |token: &str| {
        let request = zoom
            .http
            .post(zoom.url("/oauth/revoke"))
            .basic_auth(&config.client_id, Some(&config.client_secret))
            .form(&[("token", token)]);
        answer(request).await
    };
    assert_eq!(
        revoke(&tokens.access).await,
        (200, json!({ "status": "success" }))
    );
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 401);
    assert_eq!(zoom.refresh(&tokens.refresh).await.0, 400);
    assert_eq!(revoke(&tokens.access).await.0, 400);
    assert_eq!(zoom.sim.count("revoke"), 2);
}

#[tokio::test]
async fn credentials_come_in_a_header_or_in_the_body_and_the_header_wins() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(MAYA).await;
    let base = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let with = |id, secret| [base[0], base[1], ("client_id", id), ("client_secret", secret)];
    let body_only = |id, secret| zoom.http.post(zoom.url("/oauth/token")).form(&with(id, secret));
    let (status, body) = answer(body_only("SimClientId_01", "wrong")).await;
    assert_eq!(
        (status, body),
        (
            400,
            json!({ "reason": "Invalid client_id or client_secret", "error": "invalid_client" })
        )
    );
    let header_wins =
        body_only("SimClientId_01", "sim-client-secret-0001").basic_auth("SimClientId_01", Some("wrong"));
    assert_eq!(answer(header_wins).await.0, 400);
    let (status, body) = answer(body_only("SimClientId_01", "sim-client-secret-0001")).await;
    assert_eq!(status, 200, "{body}");
    // Zoom takes the parameters from the address as well
    let refresh = body["refresh_token"].as_str().unwrap();
    let request = zoom
        .http
        .post(zoom.url("/oauth/token"))
        .query(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])
        .basic_auth("SimClientId_01", Some("sim-client-secret-0001"));
    assert_eq!(answer(request).await.0, 200);
    let missing = zoom.http.post(zoom.url("/oauth/token")).form(&base);
    assert_eq!(answer(missing).await.1["error"], "invalid_client");
}

#[tokio::test]
async fn server_to_server_tokens_are_for_their_own_account() {
    let zoom = start(|config| {
        config
            .users
            .push(UserSpec::licensed("far@elsewhere.example", "Far", "Away").in_account("OtherAccount"));
    })
    .await;
    let ask = async |account: &str| {
        let request = zoom
            .http
            .post(zoom.url("/oauth/token"))
            .basic_auth("SimS2SClient_01", Some("sim-s2s-secret-0001"))
            .form(&[
                ("grant_type", "account_credentials"),
                ("account_id", account),
                ("token_index", "1"),
            ]);
        answer(request).await
    };
    assert_eq!(ask("nothing").await.1["reason"], "Account does not exist");
    assert_eq!(
        ask("OtherAccount").await.1["reason"],
        "Account does not enabled the OAuth app type"
    );
    assert_eq!(ask("").await.1["reason"], "Bad Request");
    let (_, body) = ask(&zoom.sim.config().account_id).await;
    assert!(body.get("refresh_token").is_none());
    assert!(
        body["scope"]
            .as_str()
            .unwrap()
            .contains("user:read:list_users:admin")
    );
    let (status, body) = zoom
        .token(&[("grant_type", "account_credentials"), ("account_id", "x")])
        .await;
    assert_eq!((status, &body["error"]), (400, &json!("unsupported_grant_type")));
}

#[tokio::test]
async fn several_server_tokens_live_unless_the_switch_says_otherwise() {
    for (single, wanted) in [(false, 200), (true, 401)] {
        let zoom = start(|config| config.s2s_single_token = single).await;
        let (first, second) = (zoom.admin().await, zoom.admin().await);
        assert_eq!(zoom.get(&first, "/v2/users/me").await.0, wanted);
        assert_eq!(zoom.get(&second, "/v2/users/me").await.0, 200);
    }
}

#[tokio::test]
async fn an_account_wide_app_is_installed_by_who_manages_the_account() {
    let zoom = start(|config| {
        config
            .apps
            .push(AppSpec::new(AppKind::AccountManaged, "wide", "s"));
    })
    .await;
    let authorize = zoom.authorize_url("wide", &[]);
    assert!(zoom.sim.allow(&authorize, ELEANOR).unwrap_err().is_refused());
    let code = query(&zoom.sim.allow(&authorize, MAYA).unwrap(), "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
    ];
    // a code is for the app that asked for it
    assert_eq!(zoom.token(&form).await.0, 400);
    let code = query(&zoom.sim.allow(&authorize, MAYA).unwrap(), "code").unwrap();
    let form = [form[0], ("code", code.as_str()), form[2]];
    let request = zoom
        .http
        .post(zoom.url("/oauth/token"))
        .basic_auth("wide", Some("s"))
        .form(&form);
    let (_, body) = answer(request).await;
    let (status, user) = zoom
        .get(
            body["access_token"].as_str().unwrap(),
            &format!("/v2/users/{BASIL}"),
        )
        .await;
    assert_eq!((status, &user["type"]), (200, &json!(1)));
}

#[tokio::test]
async fn a_planted_prefix_is_in_front_of_everything_secret() {
    let zoom = start(|config| config.token_prefix = "CANARY".to_owned()).await;
    assert!(zoom.code(MAYA).starts_with("CANARY"));
    let tokens: Tokens = zoom.connect(MAYA).await;
    assert!(tokens.access.starts_with("CANARYeyJ") && tokens.refresh.starts_with("CANARYeyJ"));
    assert!(tokens.access.len() > 400, "as long as Zoom's");
    assert!(zoom.admin().await.starts_with("CANARY"));
    assert!(!zoom.sim.world().to_string().contains("CANARY"));
    let (receiver, hook) = Receiver::start().await;
    zoom.sim.subscribe(&hook).await.unwrap();
    zoom.sim.hold_meeting(call(MAYA)).unwrap();
    zoom.sim.webhooks().settled().await;
    assert!(receiver.events().iter().any(|one| {
        one.event()["download_token"]
            .as_str()
            .is_some_and(|token| token.starts_with("CANARY"))
    }));
    let shown = format!(
        "{:?} {:?} {:?}",
        zoom.sim,
        zoom.sim.config(),
        zoom.sim.webhooks().deliveries()
    );
    assert!(
        !shown.contains("CANARY") && !shown.contains("secret-0001"),
        "{shown}"
    );
}
