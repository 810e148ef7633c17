//! Files of recordings.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    receiver::Receiver,
    support::{BASIL, ELEANOR, MAYA, VTT, Zoom, call, start},
};

async fn recorded(zoom: &Zoom, token: &str) -> Value {
    let held = zoom.sim.hold_meeting(call(MAYA)).unwrap();
    let path = format!(
        "/v2/meetings/{}/recordings?include_fields=download_access_token&ttl=600",
        held.meeting_id
    );
    let (status, body) = zoom.get(token, &path).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn url(recording: &Value, file_type: &str) -> String {
    let files = recording["recording_files"].as_array().unwrap();
    let file = files.iter().find(|file| file["file_type"] == file_type).unwrap();
    file["download_url"].as_str().unwrap().to_owned()
}

/// The address behind the first hop, or what is there in its place.
async fn hop(zoom: &Zoom, url: &str, token: Option<&str>) -> Result<String, (u16, String)> {
    let mut request = zoom.http.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    match response.headers().get("location") {
        Some(location) => Ok(location.to_str().unwrap().to_owned()),
        None => {
            let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
            Err((response.status().as_u16(), kind))
        }
    }
}

#[tokio::test]
async fn a_download_is_redirected_to_another_origin_that_wants_no_token() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let recording = recorded(&zoom, &token).await;
    let location = hop(&zoom, &url(&recording, "TRANSCRIPT"), Some(&token))
        .await
        .unwrap();
    assert!(location.starts_with(&zoom.sim.media_origin()));
    assert!(!location.contains(&token));
    let leaked = zoom.http.get(&location).bearer_auth(&token).send().await.unwrap();
    assert_eq!(leaked.status(), 400);
    assert_eq!(zoom.sim.count("cdn.authorization_leaked"), 1);
    let file = zoom.http.get(&location).send().await.unwrap();
    assert_eq!(file.status(), 200);
    assert_eq!(file.headers()["content-type"], "text/vtt;charset=utf-8");
    assert!(
        file.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .ends_with(".vtt\"")
    );
    assert_eq!(file.text().await.unwrap(), VTT);
    let timeline = hop(&zoom, &url(&recording, "TIMELINE"), Some(&token))
        .await
        .unwrap();
    let timeline: Value = zoom
        .http
        .get(&timeline)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(timeline["timeline"][0]["users"][0]["username"], "Maya Chen");
}

#[tokio::test]
async fn three_kinds_of_token_open_a_file_and_others_get_a_page() {
    let zoom = start(|_| ()).await;
    let (receiver, hook) = Receiver::start().await;
    zoom.sim.subscribe(&hook).await.unwrap();
    let token = zoom.connect(MAYA).await.access;
    let recording = recorded(&zoom, &token).await;
    zoom.sim.webhooks().settled().await;
    let webhook = receiver
        .events()
        .into_iter()
        .find(|one| one.name() == "recording.completed")
        .unwrap()
        .event();
    let webhook_token = webhook["download_token"].as_str().unwrap();
    let ticket = recording["download_access_token"].as_str().unwrap();
    let m4a = url(&recording, "M4A");
    let admin = zoom.admin().await;
    for good in [token.as_str(), webhook_token, ticket, admin.as_str()] {
        assert!(hop(&zoom, &m4a, Some(good)).await.is_ok());
        assert!(
            hop(&zoom, &url(&webhook["payload"]["object"], "M4A"), Some(good))
                .await
                .is_ok()
        );
    }
    let page = Err((200, "text/html;charset=utf-8".to_owned()));
    let strangers = [
        zoom.connect(ELEANOR).await.access,
        zoom.connect(BASIL).await.access,
        "garbage".to_owned(),
    ];
    for bad in &strangers {
        assert_eq!(hop(&zoom, &m4a, Some(bad)).await, page);
    }
    assert_eq!(hop(&zoom, &m4a, None).await, page);
    // in the address only what a webhook brought
    assert!(
        hop(&zoom, &format!("{m4a}?access_token={webhook_token}"), None)
            .await
            .is_ok()
    );
    assert_eq!(
        hop(&zoom, &format!("{m4a}?access_token={token}"), None).await,
        page
    );
    // ten minutes were asked for, a day is what a webhook gives
    zoom.sim.advance(Duration::from_secs(600));
    assert_eq!(hop(&zoom, &m4a, Some(ticket)).await, page);
    zoom.sim.advance(Duration::from_secs(23 * 3600));
    assert!(hop(&zoom, &m4a, Some(webhook_token)).await.is_ok());
    zoom.sim.advance(Duration::from_secs(3600));
    assert_eq!(hop(&zoom, &m4a, Some(webhook_token)).await, page);
}

#[tokio::test]
async fn a_token_of_one_meeting_does_not_open_another() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let (one, other) = (recorded(&zoom, &token).await, recorded(&zoom, &token).await);
    let ticket = one["download_access_token"].as_str().unwrap();
    assert!(hop(&zoom, &url(&one, "M4A"), Some(ticket)).await.is_ok());
    assert!(hop(&zoom, &url(&other, "M4A"), Some(ticket)).await.is_err());
}

#[tokio::test]
async fn a_token_without_recording_scopes_opens_nothing() {
    let zoom = start(|config| config.scopes = vec!["user:read:user".to_owned()]).await;
    let own = zoom.connect(MAYA).await.access;
    let admin = zoom.admin().await;
    let recording = recorded(&zoom, &admin).await;
    assert!(hop(&zoom, &url(&recording, "M4A"), Some(&own)).await.is_err());
}

#[tokio::test]
async fn ranges_are_honoured_and_links_expire() {
    let zoom = start(|config| config.access_token_life = Duration::from_secs(86400)).await;
    let token = zoom.connect(MAYA).await.access;
    let recording = recorded(&zoom, &token).await;
    let m4a = url(&recording, "M4A");
    let link = hop(&zoom, &m4a, Some(&token)).await.unwrap();
    let ranged = async |range: &str| zoom.http.get(&link).header("range", range).send().await.unwrap();
    let part = ranged("bytes=4990-").await;
    assert_eq!(
        (
            part.status().as_u16(),
            part.headers()["content-range"].to_str().unwrap()
        ),
        (206, "bytes 4990-4999/5000")
    );
    let etag = part.headers()["etag"].clone();
    assert_eq!(part.bytes().await.unwrap().len(), 10);
    let beyond = ranged("bytes=5000-").await;
    assert_eq!(
        (
            beyond.status().as_u16(),
            beyond.headers()["content-range"].to_str().unwrap()
        ),
        (416, "bytes */5000")
    );
    let resumed = zoom
        .http
        .get(&link)
        .header("range", "bytes=10-")
        .header("if-range", etag)
        .send()
        .await
        .unwrap();
    assert_eq!(resumed.status(), 206);
    let changed = zoom
        .http
        .get(&link)
        .header("range", "bytes=10-")
        .header("if-range", "\"other\"")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (changed.status().as_u16(), changed.content_length()),
        (200, Some(5000))
    );
    let head = zoom.http.head(&link).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "5000");

    let forged = link.replace("Signature=", "Signature=0");
    assert_eq!(zoom.http.get(&forged).send().await.unwrap().status(), 403);
    zoom.sim.advance(Duration::from_secs(3600));
    assert_eq!(ranged("bytes=0-").await.status(), 403);
    assert!(
        hop(&zoom, &m4a, Some(&token)).await.is_ok(),
        "the first hop makes a new one"
    );
}

#[tokio::test]
async fn what_is_gone_or_not_there_yet_cannot_be_downloaded() {
    let zoom = start(|config| config.transcript_delay = Duration::from_secs(600)).await;
    let token = zoom.connect(MAYA).await.access;
    let recording = recorded(&zoom, &token).await;
    assert_eq!(recording["recording_count"], 3, "no transcript yet");
    let path = format!("/v2/meetings/{}/transcript", recording["id"]);
    let (_, transcript) = zoom.get(&token, &path).await;
    assert_eq!(transcript["download_restriction_reason"], "NOT_READY");
    let (_receiver, hook) = Receiver::start().await;
    zoom.sim.subscribe(&hook).await.unwrap();
    zoom.sim.advance(Duration::from_secs(600));
    zoom.until(|log| !log.is_empty()).await;
    let (_, transcript) = zoom.get(&token, &path).await;
    assert_eq!(transcript["can_download"], json!(true));
    assert!(
        hop(&zoom, transcript["download_url"].as_str().unwrap(), Some(&token))
            .await
            .is_ok()
    );
    let all = format!("/v2/meetings/{}/recordings", recording["id"]);
    zoom.send(&token, "DELETE", &all, &json!({})).await;
    assert_eq!(
        hop(&zoom, &url(&recording, "M4A"), Some(&token))
            .await
            .unwrap_err()
            .0,
        200
    );
}

#[tokio::test]
async fn a_browser_sees_the_passcode_page() {
    let zoom = start(|_| ()).await;
    let token = zoom.connect(MAYA).await.access;
    let recording = recorded(&zoom, &token).await;
    let page = zoom
        .http
        .get(recording["share_url"].as_str().unwrap())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("Password Required - Zoom"));
}
