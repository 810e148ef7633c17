//! Users, their licences and their settings.

use serde_json::{Value, json};
use zoom_simulator::{Role, UserChange, UserKind, UserSpec, UserStatus};

use crate::support::{BASIL, ELEANOR, MAYA, Zoom, answer, call, start};

async fn settings(zoom: &Zoom, user: &str) -> (u16, Value) {
    zoom.get(&zoom.admin().await, &format!("/v2/users/{user}/settings"))
        .await
}

#[tokio::test]
async fn a_licence_can_be_lost_and_takes_recording_with_it() {
    let zoom = start(|_| ()).await;
    let tokens = zoom.connect(ELEANOR).await;
    let list = async || zoom.get(&tokens.access, "/v2/users/me/recordings").await;
    assert_eq!(list().await.0, 200);
    for (kind, number) in [
        (UserKind::Basic, 1),
        (UserKind::OnPrem, 3),
        (UserKind::NoMeetings, 4),
        (UserKind::Unassigned, 99),
    ] {
        let change = UserChange {
            kind: Some(kind),
            ..UserChange::default()
        };
        zoom.sim.change_user(ELEANOR, change).unwrap();
        let (_, me) = zoom.get(&tokens.access, "/v2/users/me").await;
        assert_eq!(me["type"], number);
        assert_eq!(list().await.1["code"], 200, "only for paid users");
        let (_, all) = settings(&zoom, ELEANOR).await;
        assert_eq!(all["recording"]["cloud_recording"], false);
    }
    assert!(!zoom.sim.hold_meeting(call(ELEANOR)).unwrap().recorded);
}

#[tokio::test]
async fn settings_are_the_users_own() {
    let zoom = start(|config| {
        let mut rep = UserSpec::licensed("rep@brightwave.example", "Rep", "One");
        rep.settings = json!({
            "recording": { "auto_recording": "cloud", "recording_audio_transcript": false, "auto_delete_cmr_days": 30 },
            "feature": { "meeting_capacity": 500 },
        });
        config.users.push(rep);
    })
    .await;
    let (_, all) = settings(&zoom, "rep@brightwave.example").await;
    let recording = &all["recording"];
    assert_eq!(
        (
            &recording["cloud_recording"],
            &recording["auto_recording"],
            &recording["recording_audio_transcript"],
            &recording["auto_delete_cmr_days"],
            &recording["local_recording"],
            &all["feature"]["meeting_capacity"],
            &all["feature"]["concurrent_meeting"],
        ),
        (
            &json!(true),
            &json!("cloud"),
            &json!(false),
            &json!(30),
            &json!(true),
            &json!(500),
            &json!("None")
        )
    );
    let off = UserChange {
        settings: Some(json!({ "recording": { "cloud_recording": false, "auto_recording": "local" } })),
        ..UserChange::default()
    };
    zoom.sim.change_user(MAYA, off).unwrap();
    let (_, all) = settings(&zoom, MAYA).await;
    assert_eq!(
        (
            &all["recording"]["cloud_recording"],
            &all["recording"]["auto_recording"]
        ),
        (&json!(false), &json!("local"))
    );
    assert!(
        !zoom.sim.hold_meeting(call(MAYA)).unwrap().recorded,
        "it is more than text"
    );
}

#[tokio::test]
async fn pending_and_inactive_users_are_told_apart() {
    let zoom = start(|_| ()).await;
    let token = zoom.admin().await;
    let status = |status| UserChange {
        status: Some(status),
        ..UserChange::default()
    };
    zoom.sim
        .change_user(ELEANOR, status(UserStatus::Pending))
        .unwrap();
    zoom.sim.change_user(BASIL, status(UserStatus::Inactive)).unwrap();
    let list = async |status: &str| {
        let (_, body) = zoom.get(&token, &format!("/v2/users?status={status}")).await;
        body["users"].as_array().unwrap().clone()
    };
    assert_eq!(list("active").await.len(), 1);
    let pending = list("pending").await;
    assert_eq!(
        (pending.len(), &pending[0]["email"], pending[0].get("id")),
        (1, &json!(ELEANOR), None)
    );
    assert_eq!(list("inactive").await[0]["status"], "inactive");
    let (status, body) = settings(&zoom, ELEANOR).await;
    assert_eq!(
        (status, body),
        (
            400,
            json!({ "code": 1000, "message": "Can not access pending user settings." })
        )
    );
}

#[tokio::test]
async fn roles_have_numbers_and_names() {
    let zoom = start(|_| ()).await;
    let token = zoom.admin().await;
    let role = async |user: &str| {
        let (_, body) = zoom.get(&token, &format!("/v2/users/{user}")).await;
        (body["role_id"].clone(), body["role_name"].clone())
    };
    assert_eq!(role(MAYA).await, (json!("0"), json!("Owner")));
    assert_eq!(role(ELEANOR).await, (json!("2"), json!("Member")));
    let admin = UserChange {
        role: Some(Role::Admin),
        ..UserChange::default()
    };
    zoom.sim.change_user(ELEANOR, admin).unwrap();
    assert_eq!(role(ELEANOR).await, (json!("1"), json!("Admin")));
}

#[tokio::test]
async fn users_apps_and_rules_change_over_http() {
    let zoom = start(|_| ()).await;
    let post = async |path: &str, body: Value| answer(zoom.http.post(zoom.url(path)).json(&body)).await;
    let (status, user) = post("/control/users", json!({ "user": MAYA, "kind": "basic" })).await;
    assert_eq!((status, &user["licensed"]), (200, &json!(false)));
    let new = json!({ "user": "new@brightwave.example", "role": "admin", "first_name": "Nora" });
    assert_eq!(post("/control/users", new).await.1["role"], "admin");
    assert_eq!(post("/control/users", json!({ "user": "nobody" })).await.0, 404);
    assert_eq!(
        post("/control/users", json!({ "user": MAYA, "kin": "basic" }))
            .await
            .0,
        400
    );
    let gone = zoom
        .http
        .delete(zoom.url("/control/users"))
        .json(&json!({ "user": BASIL }));
    assert_eq!(answer(gone).await.0, 200);
    let (_, body) = zoom.get(&zoom.admin().await, &format!("/v2/users/{BASIL}")).await;
    assert_eq!(body["code"], 1001);

    let wide =
        json!({ "client_id": "wide", "client_secret": "s", "kind": "account_managed", "classic": true });
    let (status, app) = post("/control/apps", wide.clone()).await;
    assert_eq!(status, 200, "{app}");
    assert!(
        app["scopes"]
            .as_array()
            .unwrap()
            .contains(&json!("recording:read:admin"))
    );
    assert_eq!(post("/control/apps", wide).await.0, 400, "it is there already");
    let off = json!({ "client_id": "wide", "disabled": true });
    assert_eq!(post("/control/apps", off).await.1["disabled"], true);
    let callback = zoom.authorize_url("wide", &[]);
    assert!(zoom.sim.allow(&callback, MAYA).is_err());

    let rules = json!({
        "rotation": { "tolerance": 1 }, "api_url": "absent", "access_token_life": 60,
        "quirks": { "token_reasons": "absent" },
    });
    let (status, rules) = post("/control/rules", rules).await;
    assert_eq!(status, 200, "{rules}");
    assert_eq!(rules["quirks"]["retry_4xx"], true, "the others stay");
    let tokens = zoom.connect(MAYA).await;
    assert_eq!(zoom.refresh(&tokens.refresh).await.0, 200);
    let (status, body) = zoom.refresh(&tokens.refresh).await;
    assert_eq!(
        (status, &body["expires_in"], body.get("api_url")),
        (200, &json!(60), None)
    );
    assert_eq!(
        zoom.refresh(&tokens.refresh).await.1,
        json!({ "error": "invalid_grant" })
    );
    assert_eq!(
        post("/control/rules", json!({ "quirks": { "tpyo": 1 } })).await.0,
        400
    );
}
