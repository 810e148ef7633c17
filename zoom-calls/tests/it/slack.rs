use std::error::Error;
use std::time::Duration;

use wiremock::matchers::{body_partial_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};
use zoom_calls::{
    Call, CallId, Notifier, Origin, OwnerId, Recap, Receipt, SlackWebhook, SlackWebhookUrl, StageError,
};
use zoom_core::MeetingUuid;

const SECRET: &str = "/services/T000/B000/canary-secret";

fn recap() -> Recap {
    let (owner, uuid) = (OwnerId::new("ana"), MeetingUuid::new("x=="));
    let id = CallId::for_meeting(&owner, &uuid);
    let now = "2026-11-22T15:00:00Z".parse().unwrap();
    Recap::of(
        &Call::new(id, owner, Origin::Meeting { uuid }, "Intro", now),
        None,
    )
}

async fn posted(answer: ResponseTemplate) -> Result<Receipt, StageError> {
    let server = MockServer::start().await;
    let expected = serde_json::json!({"text": "Intro", "unfurl_links": false});
    Mock::given(method("POST"))
        .and(path(SECRET))
        .and(body_partial_json(expected))
        .respond_with(answer)
        .mount(&server)
        .await;
    let url = SlackWebhookUrl::new(format!("{}{SECRET}", server.uri()));
    let webhook = SlackWebhook::new(&url, "#sales").unwrap();
    assert!(!format!("{webhook:?} {url:?}").contains("canary"));
    webhook.notify(&recap()).await
}

fn chain(error: &StageError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text} {error} {error:?}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn an_ok_is_a_receipt_for_the_channel() {
    let receipt = posted(ResponseTemplate::new(200).set_body_string("ok"))
        .await
        .unwrap();
    assert_eq!(
        (receipt.channel.as_str(), receipt.posted, receipt.ts),
        ("#sales", true, None)
    );
}

#[tokio::test]
async fn a_busy_slack_says_how_long_to_wait() {
    let error = posted(ResponseTemplate::new(429).insert_header("retry-after", "17"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.is_transient(), error.retry_delay()),
        (true, Some(Duration::from_secs(17)))
    );
    let error = posted(ResponseTemplate::new(503)).await.unwrap_err();
    assert_eq!((error.is_transient(), error.retry_delay()), (true, None));
}

#[tokio::test]
async fn a_refusal_is_final_and_repeats_only_words_that_are_known() {
    let error = posted(ResponseTemplate::new(404).set_body_string("no_service\n"))
        .await
        .unwrap_err();
    assert!(!error.is_transient());
    assert!(chain(&error).contains("no_service"));
    let error = posted(ResponseTemplate::new(400).set_body_string("<html>canary é</html>"))
        .await
        .unwrap_err();
    assert!(!chain(&error).contains("canary") && chain(&error).contains("unknown reason"));
}

#[tokio::test]
async fn no_error_shows_the_url() {
    let url = SlackWebhookUrl::new(format!("http://127.0.0.1:1{SECRET}"));
    let error = SlackWebhook::new(&url, "#sales")
        .unwrap()
        .notify(&recap())
        .await
        .unwrap_err();
    assert!(error.is_transient());
    assert!(!chain(&error).contains("canary"), "{}", chain(&error));
    for bad in ["http://hooks.slack.example/canary", "canary"] {
        let error = SlackWebhook::new(&SlackWebhookUrl::new(bad), "#sales").unwrap_err();
        assert!(!error.is_transient() && !chain(&error).contains("canary"));
    }
}
