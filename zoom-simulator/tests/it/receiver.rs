//! A webhook receiver that checks signatures with code of its own.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, response::IntoResponse, routing::post};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

pub(crate) const SECRET: &str = "zoom-sim-secret-token-1";

/// HMAC-SHA256 by the book (RFC 2104), not by the crate that the simulator uses.
pub(crate) fn hmac_hex(key: &str, message: &[u8]) -> String {
    assert!(key.len() <= 64);
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key.as_bytes());
    let inner = Sha256::new()
        .chain_update(block.map(|b| b ^ 0x36))
        .chain_update(message)
        .finalize();
    hex::encode(
        Sha256::new()
            .chain_update(block.map(|b| b ^ 0x5c))
            .chain_update(inner)
            .finalize(),
    )
}

#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn name(&self) -> String {
        self.event()["event"].as_str().unwrap().to_owned()
    }

    pub(crate) fn signature_is_right(&self) -> bool {
        let (Some(timestamp), Some(signature)) = (
            self.headers.get("x-zm-request-timestamp"),
            self.headers.get("x-zm-signature"),
        ) else {
            return false;
        };
        let message = [b"v0:", timestamp.as_bytes(), b":", &self.body].concat();
        signature.as_bytes() == format!("v0={}", hmac_hex(SECRET, &message)).as_bytes()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub(crate) received: Arc<Mutex<Vec<Received>>>,
    /// Statuses for the next events; 200 when there is none.
    pub(crate) answers: Arc<Mutex<VecDeque<u16>>>,
    /// Whether events are never answered.
    pub(crate) silent: Arc<Mutex<bool>>,
    /// Whether the challenge is answered with the right secret.
    pub(crate) honest: Arc<Mutex<bool>>,
}

impl Receiver {
    pub(crate) async fn start() -> (Self, Url) {
        let receiver = Self::default();
        *receiver.honest.lock().unwrap() = true;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
        let routes = Router::new()
            .route("/hook", post(receive))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (receiver, url)
    }

    pub(crate) fn events(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.events().iter().map(Received::name).collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let received = Received { headers, body };
    let event = received.event();
    if event["event"] == "endpoint.url_validation" {
        let plain = event["payload"]["plainToken"].as_str().unwrap();
        let secret = if *receiver.honest.lock().unwrap() {
            SECRET
        } else {
            "another"
        };
        assert!(received.signature_is_right());
        let answer = json!({ "plainToken": plain, "encryptedToken": hmac_hex(secret, plain.as_bytes()) });
        return (StatusCode::OK, answer.to_string());
    }
    receiver.received.lock().unwrap().push(received);
    if *receiver.silent.lock().unwrap() {
        std::future::pending::<()>().await;
    }
    let status = receiver.answers.lock().unwrap().pop_front().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), String::new())
}

#[test]
fn this_receiver_agrees_with_the_documented_vector() {
    let body = "{\"payload\":{\"account_id\":\"acc_01\",\"object\":{\"uuid\":\"4444AAAiAAAAAiAiAiiAii==\",\"id\":\"81234567890\",\"host_id\":\"host_01\",\"topic\":\"Weekly – café ☕\",\"type\":2,\"start_time\":\"2026-01-05T10:00:00Z\",\"timezone\":\"UTC\",\"duration\":30}},\"event_ts\":1767607200123,\"event\":\"meeting.started\"}";
    assert_eq!(body.len(), 277);
    assert_eq!(
        hmac_hex(SECRET, format!("v0:1767607201:{body}").as_bytes()),
        "053ffc45e81680d3136c7ad30f85db8795ecd98e2b132b40b949694ade04d64d"
    );
}
