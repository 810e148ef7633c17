//! Who may say yes to what, and what becomes of it.

use serde_json::json;
use url::Url;
use zoom_simulator::{AppChange, AppKind, AppSpec, Disruption, Role, UserChange, UserStatus};

use crate::{
    receiver::Receiver,
    support::{BASIL, CALLBACK, ELEANOR, MAYA, Zoom, answer, query, start},
};

const WIDE: &str = "wide";

async fn with_wide_app() -> Zoom {
    start(|config| {
        config
            .apps
            .push(AppSpec::new(AppKind::AccountManaged, WIDE, "s").name("Wide"));
    })
    .await
}

async fn say_yes(zoom: &Zoom, client_id: &str, user: &str) -> reqwest::Response {
    let authorize = zoom.authorize_url(client_id, &[("state", "s")]);
    let form = [
        ("request", authorize.query().unwrap()),
        ("user", user),
        ("decision", "allow"),
    ];
    let request = zoom.http.post(zoom.url("/oauth/authorize")).form(&form);
    request.send().await.unwrap()
}

fn location(response: &reqwest::Response) -> Option<Url> {
    let to = response.headers().get("location")?;
    Some(to.to_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_member_who_consents_to_an_account_wide_app_stays_on_a_page() {
    let zoom = with_wide_app().await;
    let response = say_yes(&zoom, WIDE, ELEANOR).await;
    assert_eq!((response.status().as_u16(), location(&response)), (403, None));
    let page = response.text().await.unwrap();
    assert!(page.contains("Ask an admin") && page.contains(ELEANOR), "{page}");

    // an admin's consent goes through, and a demoted admin is a member
    let admin = |role| UserChange {
        role: Some(role),
        ..UserChange::default()
    };
    zoom.sim.change_user(ELEANOR, admin(Role::Admin)).unwrap();
    assert!(location(&say_yes(&zoom, WIDE, ELEANOR).await).is_some());
    zoom.sim.change_user(ELEANOR, admin(Role::Member)).unwrap();
    assert_eq!(say_yes(&zoom, WIDE, ELEANOR).await.status(), 403);

    zoom.sim
        .change_config(|config| config.quirks.admin_apps_for_all = true);
    assert!(location(&say_yes(&zoom, WIDE, BASIL).await).is_some());
}

#[tokio::test]
async fn nobody_says_yes_who_cannot_sign_in() {
    let zoom = start(|_| ()).await;
    for status in [UserStatus::Inactive, UserStatus::Pending] {
        let change = UserChange {
            status: Some(status),
            ..UserChange::default()
        };
        zoom.sim.change_user(ELEANOR, change).unwrap();
        let response = say_yes(&zoom, "SimClientId_01", ELEANOR).await;
        assert_eq!((response.status().as_u16(), location(&response)), (403, None));
        let page = zoom.http.get(zoom.authorize_url("SimClientId_01", &[]));
        assert!(!page.send().await.unwrap().text().await.unwrap().contains(ELEANOR));
    }
}

#[tokio::test]
async fn the_consent_page_shows_numbers_and_never_redirects() {
    let zoom = start(|config| config.redirect_uris = vec![CALLBACK.to_owned()]).await;
    let page = async |params: &[(&str, &str)]| {
        let url = Url::parse_with_params(&zoom.url("/oauth/authorize"), params).unwrap();
        let response = zoom.http.get(url).send().await.unwrap();
        assert!(response.headers().get("location").is_none());
        response.json::<serde_json::Value>().await.unwrap()
    };
    let client = ("client_id", "SimClientId_01");
    let code = ("response_type", "code");
    let back = ("redirect_uri", CALLBACK);
    let number = |code: u16, text: &str| json!({ "status": false, "errorCode": code, "errorMessage": text, "result": null });
    assert_eq!(
        page(&[code, ("client_id", "x"), back]).await,
        number(4702, "Invalid client.")
    );
    assert_eq!(
        page(&[code, back]).await,
        number(4706, "Client ID or client secret is missing.")
    );
    assert_eq!(
        page(&[code, client]).await,
        number(4709, "Redirect URI mismatch.")
    );
    let below = "https://app.example/callback/more";
    assert_eq!(
        page(&[code, client, ("redirect_uri", below)]).await,
        number(4700, &format!("Invalid redirect: {below}"))
    );
    let disabled = |disabled| AppChange {
        disabled: Some(disabled),
        ..AppChange::default()
    };
    zoom.sim.change_app(client.1, disabled(true)).unwrap();
    assert_eq!(
        page(&[code, client, back]).await,
        number(4717, "The app has been disabled")
    );
    zoom.sim.change_app(client.1, disabled(false)).unwrap();

    zoom.sim.fail_next(zoom_simulator::Fault::CodeNotMade);
    let response = say_yes(&zoom, client.1, MAYA).await;
    assert_eq!(location(&response), None);
    assert_eq!(
        response.json::<serde_json::Value>().await.unwrap(),
        number(4732, "Creating authorization code error.")
    );
    assert!(location(&say_yes(&zoom, client.1, MAYA).await).is_some(), "once");

    zoom.sim
        .change_config(|config| config.quirks.redirects_below = true);
    let authorize = Url::parse_with_params(
        &zoom.url("/oauth/authorize"),
        [code, client, ("redirect_uri", below)],
    )
    .unwrap();
    assert!(
        zoom.sim
            .allow(&authorize, MAYA)
            .unwrap()
            .as_str()
            .starts_with(below)
    );
}

#[tokio::test]
async fn scopes_that_were_declined_are_not_granted() {
    let zoom = start(|config| {
        let app = AppSpec::new(AppKind::UserManaged, "some", "s");
        config
            .apps
            .push(app.optional_scopes(&["meeting:read:meeting", "webinar:read:webinar"]));
    })
    .await;
    let authorize = zoom.authorize_url("some", &[]);
    let granted = async |callback: Url| {
        let (_, body) = zoom
            .exchange_for("some", "s", &query(&callback, "code").unwrap())
            .await;
        let scope = body["scope"].as_str().unwrap().to_owned();
        (
            scope.contains("meeting:read:meeting"),
            scope.contains("webinar:read:webinar"),
            scope.contains("user:read:user"),
        )
    };
    let all = zoom.sim.allow(&authorize, MAYA).unwrap();
    assert_eq!(granted(all).await, (true, true, true));
    let some = zoom
        .sim
        .allow_only(&authorize, MAYA, &["webinar:read:webinar"])
        .unwrap();
    assert_eq!(granted(some).await, (false, true, true));
    let body = json!({ "url": authorize, "user": MAYA, "optional_scopes": [] });
    let (_, none) = answer(zoom.http.post(zoom.url("/control/authorize")).json(&body)).await;
    assert_eq!(
        granted(none["location"].as_str().unwrap().parse().unwrap()).await,
        (false, false, true)
    );
    // an address may ask for less, where Zoom takes it at all
    let less = zoom.authorize_url("some", &[("scope", "user:read:user")]);
    assert_eq!(
        granted(zoom.sim.allow(&less, MAYA).unwrap()).await,
        (false, false, true)
    );
    zoom.sim
        .change_config(|config| config.quirks.refuse_scope_parameter = true);
    assert!(
        zoom.sim
            .allow(&less, MAYA)
            .unwrap_err()
            .to_string()
            .contains("Invalid scope")
    );
}

#[tokio::test]
async fn an_install_from_the_marketplace_brings_a_code_and_no_state() {
    let zoom = start(|config| config.redirect_uris = vec![CALLBACK.to_owned()]).await;
    // in a browser
    let page = zoom
        .http
        .get(zoom.url("/marketplace/install"))
        .send()
        .await
        .unwrap();
    let to = location(&page).unwrap();
    assert_eq!(
        (query(&to, "redirect_uri").as_deref(), query(&to, "state")),
        (Some(CALLBACK), None)
    );
    let form = [
        ("request", to.query().unwrap()),
        ("user", MAYA),
        ("decision", "allow"),
    ];
    let response = zoom.http.post(zoom.url("/oauth/authorize")).form(&form);
    let back = location(&response.send().await.unwrap()).unwrap();
    assert_eq!(query(&back, "state"), None);
    // no challenge was made, so none is to be met
    let code = query(&back, "code").unwrap();
    let (status, body) = zoom
        .exchange_for("SimClientId_01", "sim-client-secret-0001", &code)
        .await;
    assert_eq!(status, 200, "{body}");

    // without one, and as another program would
    let back = zoom.sim.install("SimClientId_01", ELEANOR, None).unwrap();
    assert!(back.as_str().starts_with(CALLBACK) && query(&back, "state").is_none());
    let body = json!({ "user": BASIL });
    let (_, body) = answer(zoom.http.post(zoom.url("/control/install")).json(&body)).await;
    let back: Url = body["location"].as_str().unwrap().parse().unwrap();
    assert!(query(&back, "code").is_some() && query(&back, "state").is_none());

    // with a challenge, it has to be met
    let challenged = "/marketplace/install?code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let to = location(&zoom.http.get(zoom.url(challenged)).send().await.unwrap()).unwrap();
    let code = query(&zoom.sim.allow(&to, MAYA).unwrap(), "code").unwrap();
    let (status, _) = zoom
        .exchange_for("SimClientId_01", "sim-client-secret-0001", &code)
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_late_deauthorization_is_of_the_past_and_the_new_install_lives() {
    let zoom = start(|_| ()).await;
    let (receiver, hook) = Receiver::start().await;
    zoom.sim.subscribe(&hook).await.unwrap();
    let first = zoom.connect(MAYA).await;
    let half_an_hour = std::time::Duration::from_secs(1800);
    zoom.sim
        .webhooks()
        .disrupt(Disruption::Delay(half_an_hour), Some("app_deauthorized"));
    assert_eq!(zoom.sim.deauthorize_app(MAYA, "SimClientId_01"), 1);
    assert_eq!(zoom.sim.deauthorize_app(MAYA, "SimClientId_01"), 0);
    assert_eq!(zoom.get(&first.access, "/v2/users/me").await.0, 401);

    let again = zoom.connect(MAYA).await;
    assert!(receiver.names().is_empty());
    zoom.sim.advance(half_an_hour);
    zoom.until(|log| {
        log.iter()
            .any(|one| one.event == "app_deauthorized" && !one.attempts.is_empty())
    })
    .await;
    let event = receiver.events().last().unwrap().event();
    assert_eq!(
        event["payload"]["deauthorization_time"],
        "2026-11-22T12:00:00.000Z"
    );
    assert_eq!(zoom.get(&again.access, "/v2/users/me").await.0, 200);
}
