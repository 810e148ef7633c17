use std::{sync::Arc, time::Duration};

use job_queue::JobQueue;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use zoom_webhooks::{MAX_BODY, Receiver, WebhookSecret, sign, signed_headers};

use crate::setup::{Broken, memory, now, receiver, sample, secret};

const CHALLENGE: &str = r#"{"event":"endpoint.url_validation","event_ts":1654503849680,"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;

/// Status and body of the answer to a request with these headers.
async fn request(
    receiver: Receiver,
    method: &str,
    path: &str,
    headers: &http::HeaderMap,
    body: &[u8],
) -> (u16, String) {
    send(receiver, method, path, headers, body, body.len()).await
}

/// The same for a request that announces another length than it has.
async fn send(
    receiver: Receiver,
    method: &str,
    path: &str,
    headers: &http::HeaderMap,
    body: &[u8],
    length: usize,
) -> (u16, String) {
    let app = axum::Router::new().nest("/webhooks/zoom", zoom_webhooks::axum::router(receiver));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n"
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    // The server may answer, and close, before it has read everything.
    let _ignored = stream.write_all(body).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        answer.extend_from_slice(&buffer[..read]);
    }
    server.abort();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

async fn post(receiver: Receiver, headers: &http::HeaderMap, body: &[u8]) -> (u16, String) {
    request(receiver, "POST", "/webhooks/zoom", headers, body).await
}

fn signed(body: &str) -> http::HeaderMap {
    signed_headers(&secret(), now(), body.as_bytes())
}

#[tokio::test]
async fn a_signed_event_is_stored_before_the_200() {
    let (queue, receiver) = memory();
    let body = sample("meeting.started");
    assert_eq!(
        post(receiver.clone(), &signed(body), body.as_bytes()).await,
        (200, String::new())
    );
    assert_eq!(queue.counts().await.unwrap().waiting, 1);
    assert_eq!(
        post(receiver, &signed(body), body.as_bytes()).await.0,
        200,
        "a duplicate is acknowledged too"
    );
    assert_eq!(queue.counts().await.unwrap().waiting, 1);
}

#[tokio::test]
async fn the_challenge_is_answered_even_when_the_store_is_down() {
    let (status, answer) = post(
        receiver(Arc::new(Broken)),
        &signed(CHALLENGE),
        CHALLENGE.as_bytes(),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(
        answer,
        "{\"plainToken\":\"qgg8vlvZRS6UYooatFL8Aw\",\
         \"encryptedToken\":\"26f9f3e450ce61090a24dc49788464cb0ee1d53be96ffdb38cda30d0ea043fce\"}"
    );
}

#[tokio::test]
async fn an_unsigned_challenge_is_not_answered() {
    let (status, answer) = post(memory().1, &http::HeaderMap::new(), CHALLENGE.as_bytes()).await;
    assert_eq!((status, answer.as_str()), (401, ""));
}

#[tokio::test]
async fn forged_stale_and_unsigned_requests_change_nothing() {
    let (queue, receiver) = memory();
    let body = sample("meeting.started");
    let stale = now() - jiff::SignedDuration::from_hours(2);
    let mut wrong = signed(body);
    wrong.insert(
        "x-zm-signature",
        sign(
            &WebhookSecret::new("guess").unwrap(),
            "1767700800",
            body.as_bytes(),
        )
        .parse()
        .unwrap(),
    );
    for headers in [
        http::HeaderMap::new(),
        wrong,
        signed_headers(&secret(), stale, body.as_bytes()),
        signed("another body"),
    ] {
        assert_eq!(
            post(receiver.clone(), &headers, body.as_bytes()).await,
            (401, String::new())
        );
    }
    assert_eq!(queue.counts().await.unwrap(), job_queue::Counts::zero());
}

#[tokio::test]
async fn a_signed_body_that_is_no_webhook_is_a_bad_request() {
    let (queue, receiver) = memory();
    for body in [
        "",
        "[]",
        "{\"event\":7}",
        "{\"event\":\"endpoint.url_validation\"}",
    ] {
        assert_eq!(
            post(receiver.clone(), &signed(body), body.as_bytes()).await.0,
            400,
            "{body}"
        );
    }
    assert_eq!(queue.counts().await.unwrap(), job_queue::Counts::zero());
}

#[tokio::test]
async fn a_known_event_with_an_odd_payload_is_stored_for_people_to_look_at() {
    let (queue, receiver) = memory();
    let body =
        r#"{"event":"meeting.started","event_ts":1,"payload":{"account_id":"a","object":{"topic":"?"}}}"#;
    assert_eq!(post(receiver, &signed(body), body.as_bytes()).await.0, 200);
    assert_eq!(queue.counts().await.unwrap().waiting, 1);
}

#[tokio::test]
async fn a_store_that_fails_makes_zoom_send_again() {
    let body = sample("meeting.started");
    assert_eq!(
        post(receiver(Arc::new(Broken)), &signed(body), body.as_bytes())
            .await
            .0,
        503
    );
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let none = http::HeaderMap::new();
    assert_eq!(
        request(memory().1, "GET", "/webhooks/zoom", &none, b"").await.0,
        405
    );
    assert_eq!(
        request(memory().1, "PUT", "/webhooks/zoom", &none, b"").await.0,
        405
    );
    assert_eq!(
        request(memory().1, "POST", "/webhooks/other", &none, b"").await.0,
        404
    );
}

#[tokio::test]
async fn a_body_may_have_a_mebibyte_and_no_more() {
    let (queue, receiver) = memory();
    let body = |length: usize| {
        let start = r#"{"event":"user.updated","event_ts":1,"payload":{},"filler":""#;
        format!("{start}{}\"}}", "x".repeat(length - start.len() - 2))
    };
    let large = body(MAX_BODY + 1);
    assert_eq!(
        receiver.receive(&signed(&large), large.as_bytes()).await.status(),
        413
    );
    assert_eq!(
        post(receiver.clone(), &signed(&large), large.as_bytes()).await.0,
        413
    );
    assert_eq!(queue.counts().await.unwrap(), job_queue::Counts::zero());
    // Refused as soon as it is too large, not once it is all there: of this one the rest never comes.
    let headers = signed(&large);
    let all = 2 * MAX_BODY - 1;
    let endless = send(
        receiver.clone(),
        "POST",
        "/webhooks/zoom",
        &headers,
        large.as_bytes(),
        all,
    );
    let answer = tokio::time::timeout(Duration::from_secs(60), endless)
        .await
        .expect("refused without waiting");
    assert_eq!(answer.0, 413);
    let allowed = body(MAX_BODY);
    assert_eq!(post(receiver, &signed(&allowed), allowed.as_bytes()).await.0, 200);
}
