//! Every way in which an authorization ends, in Zoom's words.

use std::time::Duration;

use serde_json::{Value, json};
use zoom_simulator::{ApiUrl, AppChange, AppKind, AppSpec, Rotation, TokenReasons, UserChange, UserStatus};

use crate::support::{ELEANOR, MAYA, Tokens, Zoom, answer, query, start};

const APP: &str = "SimClientId_01";

fn app(change: impl FnOnce(&mut AppChange)) -> AppChange {
    let mut changed = AppChange::default();
    change(&mut changed);
    changed
}

/// What a refresh says, and its number.
async fn refusal(zoom: &Zoom, token: &str) -> (Value, u64) {
    let before = zoom.sim.counters();
    let (status, body) = zoom.refresh(token).await;
    assert_eq!(status, 400, "{body}");
    let number = |name: &String| name.strip_prefix("token.denied.")?.parse::<u64>().ok();
    let after = zoom.sim.counters();
    let number = after
        .iter()
        .find(|(name, count)| number(name).is_some() && before.get(*name) != Some(count))
        .and_then(|(name, _)| number(name));
    (body, number.unwrap())
}

fn words(reason: &str, error: &str) -> Value {
    json!({ "reason": reason, "error": error })
}

#[tokio::test]
async fn each_end_of_an_authorization_has_its_words_and_its_number() {
    let zoom = start(|_| ()).await;
    let sim = &zoom.sim;

    let token = zoom.connect(MAYA).await.refresh;
    sim.change_app(APP, app(|app| app.disabled = Some(true))).unwrap();
    let gone = words("The app has been disabled by the developer", "invalid_client");
    assert_eq!(refusal(&zoom, &token).await, (gone, 4717));
    sim.change_app(APP, app(|app| app.disabled = Some(false)))
        .unwrap();

    sim.change_app(APP, app(|app| app.approved = Some(false)))
        .unwrap();
    let disabled = words("The token is disabled by admin.", "invalid_grant");
    assert_eq!(refusal(&zoom, &token).await, (disabled, 4738));
    sim.change_app(APP, app(|app| app.approved = Some(true))).unwrap();

    let (status, body) = zoom.refresh(&token).await;
    assert_eq!(status, 200, "what was taken back can be given again: {body}");
    let spent = refusal(&zoom, &token).await;
    assert_eq!(spent, (words("Invalid Token!", "invalid_grant"), 4737));
    assert_eq!(refusal(&zoom, "never made").await, spent);

    let token = Tokens::of(&body).refresh;
    zoom.connect(MAYA).await;
    let revoked = words("The token has been revoked.", "invalid_grant");
    assert_eq!(refusal(&zoom, &token).await, (revoked, 4741));

    let token = zoom.connect(ELEANOR).await.refresh;
    sim.remove_user(ELEANOR).unwrap();
    let nobody = words("The owner of the token does not exist.", "invalid_grant");
    assert_eq!(refusal(&zoom, &token).await, (nobody, 4735));

    let token = zoom.connect(MAYA).await.refresh;
    let fewer = vec!["user:read:user".to_owned()];
    sim.change_app(APP, app(|app| app.scopes = Some(fewer))).unwrap();
    let other = words("Refresh token invalid.", "invalid_grant");
    assert_eq!(refusal(&zoom, &token).await, (other, 4711));

    let secret = app(|app| app.client_secret = Some("another".to_owned()));
    sim.change_app(APP, secret).unwrap();
    let client = words("Invalid client_id or client_secret", "invalid_client");
    assert_eq!(refusal(&zoom, &token).await, (client, 4704));
}

#[tokio::test]
async fn a_tolerated_token_says_when_it_was_used_too_often() {
    let zoom = start(|config| config.rotation = Rotation::Tolerance(2)).await;
    let first = zoom.connect(MAYA).await.refresh;
    for _ in 0..3 {
        assert_eq!(zoom.refresh(&first).await.0, 200);
    }
    let beyond = words(
        "The token ID is out of the token tolerance range.",
        "invalid_grant",
    );
    assert_eq!(refusal(&zoom, &first).await, (beyond, 4740));
}

#[tokio::test]
async fn wording_and_status_are_switches() {
    let zoom = start(|_| ()).await;
    zoom.sim.change_config(|config| {
        config.quirks.token_reasons = TokenReasons::Table;
        config.quirks.token_errors_401 = true;
        config.quirks.code_errors_as_invalid_grant = true;
    });
    let table = "Can not find the authentication for the access token.";
    assert_eq!(
        zoom.refresh("never made").await,
        (401, words(table, "invalid_grant"))
    );
    let form = [("grant_type", "authorization_code"), ("code", "never made")];
    assert_eq!(
        zoom.token(&form).await.1,
        words("Invalid authorization code.", "invalid_grant")
    );
    zoom.sim
        .change_config(|config| config.quirks.token_reasons = TokenReasons::Absent);
    assert_eq!(
        zoom.refresh("never made").await.1,
        json!({ "error": "invalid_grant" })
    );
}

#[tokio::test]
async fn apps_side_by_side_do_not_take_each_others_codes_and_tokens() {
    let zoom = start(|config| {
        config
            .apps
            .push(AppSpec::new(AppKind::UserManaged, "dev", "dev-secret"));
    })
    .await;
    let production = zoom.connect(MAYA).await;
    let callback = zoom.sim.allow(&zoom.authorize_url("dev", &[]), MAYA).unwrap();
    let code = query(&callback, "code").unwrap();
    let (status, body) = zoom.exchange_for(APP, "sim-client-secret-0001", &code).await;
    assert_eq!(
        (status, body),
        (
            400,
            words(&format!("Invalid authorization code {code}"), "invalid_request")
        )
    );
    let callback = zoom.sim.allow(&zoom.authorize_url("dev", &[]), MAYA).unwrap();
    let (status, body) = zoom
        .exchange_for("dev", "dev-secret", &query(&callback, "code").unwrap())
        .await;
    assert_eq!(status, 200);
    let development = Tokens::of(&body);
    // the other's refresh token is unknown, and none the worse for it
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", production.refresh.as_str()),
    ];
    let crossed = zoom
        .http
        .post(zoom.url("/oauth/token"))
        .basic_auth("dev", Some("dev-secret"))
        .form(&form);
    assert_eq!(
        answer(crossed).await,
        (400, words("Invalid Token!", "invalid_grant"))
    );
    assert_eq!(zoom.refresh(&production.refresh).await.0, 200);
    assert_eq!(zoom.get(&development.access, "/v2/users/me").await.0, 200);
}

#[tokio::test]
async fn what_becomes_of_older_access_tokens_is_a_switch() {
    for (lives, wanted) in [(false, 401), (true, 200)] {
        let zoom = start(|config| config.quirks.superseded_access_lives = lives).await;
        let first = zoom.connect(MAYA).await;
        zoom.connect(MAYA).await;
        assert_eq!(zoom.get(&first.access, "/v2/users/me").await.0, wanted);
        assert_eq!(
            zoom.refresh(&first.refresh).await.0,
            400,
            "its refresh token never does"
        );
    }
    let zoom = start(|config| config.quirks.refresh_kills_access = true).await;
    let first = zoom.connect(MAYA).await;
    let second = Tokens::of(&zoom.refresh(&first.refresh).await.1);
    assert_eq!(zoom.get(&first.access, "/v2/users/me").await.0, 401);
    assert_eq!(zoom.get(&second.access, "/v2/users/me").await.0, 200);
}

#[tokio::test]
async fn refresh_tokens_live_as_long_as_they_are_told_and_not_when_revoked() {
    let day = Duration::from_secs(24 * 3600);
    let zoom = start(|config| config.refresh_token_life = day * 30).await;
    let tokens = zoom.connect(MAYA).await;
    zoom.sim.advance(day * 30 - Duration::from_secs(1));
    let tokens = Tokens::of(&zoom.refresh(&tokens.refresh).await.1);
    zoom.sim.advance(day * 30);
    assert_eq!(
        refusal(&zoom, &tokens.refresh).await,
        (words("Invalid Token!", "invalid_grant"), 4737)
    );
}

#[tokio::test]
async fn the_region_is_what_the_test_wants_it_to_be() {
    for (url, wanted) in [
        (ApiUrl::Absent, None),
        (
            ApiUrl::Other("https://api-eu.zoom.us".to_owned()),
            Some(json!("https://api-eu.zoom.us")),
        ),
    ] {
        let zoom = start(|config| config.api_url = url).await;
        let code = zoom.code(MAYA);
        let (_, body) = zoom.exchange_for(APP, "sim-client-secret-0001", &code).await;
        assert_eq!(body.get("api_url"), wanted.as_ref());
        zoom.sim.change_config(|config| config.api_url = ApiUrl::Own);
        let refreshed = zoom.refresh(body["refresh_token"].as_str().unwrap()).await.1;
        assert_eq!(refreshed["api_url"], zoom.url(""));
    }
}

#[tokio::test]
async fn rest_tells_a_missing_scope_to_the_letter() {
    let zoom = start(|config| config.scopes = vec!["user:read:user".to_owned()]).await;
    let tokens = zoom.connect(MAYA).await;
    let message = "Invalid access token, does not contain scopes:[cloud_recording:read:list_user_recordings, \
                   cloud_recording:read:list_user_recordings:admin].";
    let body = json!({ "code": 4711, "message": message });
    let path = "/v2/users/me/recordings";
    assert_eq!(zoom.get(&tokens.access, path).await, (400, body.clone()));
    zoom.sim
        .change_config(|config| config.quirks.missing_scope_401 = true);
    assert_eq!(zoom.get(&tokens.access, path).await, (401, body));
}

#[tokio::test]
async fn edited_scopes_come_with_the_next_server_token() {
    let zoom = start(|_| ()).await;
    let old = zoom.admin().await;
    let none = app(|app| app.scopes = Some(vec!["user:read:user:admin".to_owned()]));
    zoom.sim.change_app("SimS2SClient_01", none).unwrap();
    assert_eq!(
        zoom.get(&old, "/v2/users").await.0,
        200,
        "a token keeps what it has"
    );
    assert_eq!(zoom.get(&zoom.admin().await, "/v2/users").await.1["code"], 4711);
}

#[tokio::test]
async fn added_scopes_need_a_new_consent_and_are_no_harm_unless_told() {
    let zoom = start(|config| config.scopes = vec!["user:read:user".to_owned()]).await;
    let tokens = zoom.connect(MAYA).await;
    let more = vec!["user:read:user".to_owned(), "user:read:settings".to_owned()];
    zoom.sim
        .change_app(APP, app(|app| app.scopes = Some(more)))
        .unwrap();
    let (status, body) = zoom.refresh(&tokens.refresh).await;
    assert_eq!((status, &body["scope"]), (200, &json!("user:read:user")));
    zoom.sim
        .change_config(|config| config.quirks.added_scopes_kill_refresh = true);
    assert_eq!(
        refusal(&zoom, body["refresh_token"].as_str().unwrap()).await.1,
        4711
    );
}

#[tokio::test]
async fn tokens_open_nothing_while_the_app_or_its_user_is_switched_off() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(ELEANOR).await;
    let me = async || zoom.get(&tokens.access, "/v2/users/me").await;
    let invalid = (401, json!({ "code": 124, "message": "Invalid access token." }));
    let status = |status| UserChange {
        status: Some(status),
        ..UserChange::default()
    };
    zoom.sim
        .change_user(ELEANOR, status(UserStatus::Inactive))
        .unwrap();
    assert_eq!(me().await, invalid);
    assert_eq!(refusal(&zoom, &tokens.refresh).await.1, 4737);
    zoom.sim.change_user(ELEANOR, status(UserStatus::Active)).unwrap();
    assert_eq!(me().await.0, 200);
    for (off, on) in [
        (
            app(|app| app.disabled = Some(true)),
            app(|app| app.disabled = Some(false)),
        ),
        (
            app(|app| app.approved = Some(false)),
            app(|app| app.approved = Some(true)),
        ),
    ] {
        zoom.sim.change_app(APP, off).unwrap();
        assert_eq!(me().await, invalid);
        zoom.sim.change_app(APP, on).unwrap();
        assert_eq!(me().await.0, 200);
    }
    zoom.sim.remove_user(ELEANOR).unwrap();
    assert_eq!(me().await, invalid);
}

#[tokio::test]
async fn a_device_waits_is_told_to_slow_down_and_gets_its_answer() {
    let zoom = start(|_| ()).await;
    let begin = async || {
        let request = zoom
            .http
            .post(zoom.url("/oauth/devicecode"))
            .query(&[("client_id", APP)])
            .basic_auth(APP, Some("sim-client-secret-0001"));
        answer(request).await.1
    };
    let poll = async |begun: &Value| {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", begun["device_code"].as_str().unwrap()),
        ];
        zoom.token(&form).await
    };
    let begun = begin().await;
    assert_eq!(
        (&begun["expires_in"], &begun["interval"]),
        (&json!(900), &json!(5))
    );
    let user_code = begun["user_code"].as_str().unwrap();
    let complete = begun["verification_uri_complete"].as_str().unwrap();
    assert_eq!(complete, zoom.url(&format!("/oauth/device/complete/{user_code}")));
    assert_eq!(poll(&begun).await.1["error"], "authorization_pending");
    zoom.sim.advance(Duration::from_secs(4));
    assert_eq!(poll(&begun).await.1["error"], "slow_down");
    zoom.sim.advance(Duration::from_secs(9));
    assert_eq!(poll(&begun).await.1["error"], "slow_down", "ten seconds now");
    zoom.sim.advance(Duration::from_secs(15));
    assert_eq!(poll(&begun).await.1["error"], "authorization_pending");

    let page = zoom
        .http
        .get(complete)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("Eleanor Hart") && page.contains("value=\"allow\""));
    let form = [("user", ELEANOR), ("decision", "allow")];
    let done = zoom.http.post(complete).form(&form).send().await.unwrap();
    assert_eq!(done.status(), 200);
    let (status, body) = poll(&begun).await;
    assert_eq!(status, 200, "{body}");
    let tokens = Tokens::of(&body);
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.1["email"], ELEANOR);
    assert_eq!(poll(&begun).await.0, 400, "once");

    let refused = begin().await;
    zoom.sim
        .deny_device(refused["user_code"].as_str().unwrap())
        .unwrap();
    assert_eq!(poll(&refused).await.1["error"], "access_denied");
    let late = begin().await;
    zoom.sim.advance(Duration::from_secs(900));
    assert_eq!(poll(&late).await.1["error"], "expired_token");
    assert!(
        zoom.sim
            .allow_device(late["user_code"].as_str().unwrap(), MAYA)
            .is_err()
    );
}

#[tokio::test]
async fn a_user_who_left_for_another_account_left_their_apps_behind() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(ELEANOR).await;
    let moved = UserChange {
        account_id: Some("Elsewhere".to_owned()),
        ..UserChange::default()
    };
    zoom.sim.change_user(ELEANOR, moved).unwrap();
    assert_eq!(zoom.get(&tokens.access, "/v2/users/me").await.0, 401);
    assert_eq!(zoom.refresh(&tokens.refresh).await.0, 400);
    let (_, body) = zoom
        .get(&zoom.admin().await, &format!("/v2/users/{ELEANOR}"))
        .await;
    assert_eq!(body["code"], 1010);
    // and may come back with a new consent
    let again = zoom.connect(ELEANOR).await;
    let (_, me) = zoom.get(&again.access, "/v2/users/me").await;
    assert_eq!(me["account_id"], "Elsewhere");
}
