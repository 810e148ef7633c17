//! A client of the kind one writes in an afternoon.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use url::Url;
use zoom_simulator::{Attendance, Config, DeliveryRecord, HoldMeeting, Simulator};

pub(crate) const MAYA: &str = "maya.chen@brightwave.example";
pub(crate) const ELEANOR: &str = "eleanor.hart@brightwave.example";
pub(crate) const BASIL: &str = "basil.free@brightwave.example";
const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const CALLBACK: &str = "https://app.example/callback";
pub(crate) const VTT: &str = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:03.500\nMaya Chen: Hello ☕\n\n2\n00:00:04.000 --> 00:00:05.000\nDaniel Ortiz: Hi\n";

pub(crate) fn http() -> Client {
    zoom_core::http::client_builder().build().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> Zoom {
    let mut config = Config::default();
    config.frozen = true;
    config.start_at = Some(at("2026-11-22T12:00:00Z"));
    change(&mut config);
    Zoom {
        sim: Simulator::start(config).await.unwrap(),
        http: http(),
    }
}

pub(crate) struct Zoom {
    pub(crate) sim: Simulator,
    pub(crate) http: Client,
}

#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Zoom {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.base_url().as_str().trim_end_matches('/'))
    }

    pub(crate) fn authorize_url(&self, client_id: &str, more: &[(&str, &str)]) -> Url {
        let query = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", CALLBACK),
        ];
        Url::parse_with_params(&self.url("/oauth/authorize"), query.iter().chain(more)).unwrap()
    }

    pub(crate) fn code(&self, user: &str) -> String {
        let callback = self
            .sim
            .allow(&self.authorize_url(&self.sim.config().client_id, &[]), user)
            .unwrap();
        query(&callback, "code").unwrap()
    }

    pub(crate) fn token_request(&self, form: &[(&str, &str)]) -> RequestBuilder {
        let config = self.sim.config();
        self.http
            .post(self.url("/oauth/token"))
            .basic_auth(&config.client_id, Some(&config.client_secret))
            .form(form)
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        answer(self.token_request(form)).await
    }

    /// The whole dance.
    pub(crate) async fn connect(&self, user: &str) -> Tokens {
        let code = self.code(user);
        let (status, body) = self
            .token(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", CALLBACK),
            ])
            .await;
        assert_eq!(status, 200, "{body}");
        Tokens::of(&body)
    }

    /// A code for tokens, with the credentials of any app.
    pub(crate) async fn exchange_for(&self, client_id: &str, secret: &str, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
        ];
        let request = self.http.post(self.url("/oauth/token")).form(&form);
        answer(request.basic_auth(client_id, Some(secret))).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> (u16, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    /// A Server-to-Server token: the whole account.
    pub(crate) async fn admin(&self) -> String {
        let config = self.sim.config();
        let request = self
            .http
            .post(self.url("/oauth/token"))
            .query(&[
                ("grant_type", "account_credentials"),
                ("account_id", &config.account_id),
            ])
            .basic_auth(&config.s2s_client_id, Some(&config.s2s_client_secret));
        let (status, body) = answer(request).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> (u16, Value) {
        answer(self.http.get(self.url(path)).bearer_auth(token)).await
    }

    pub(crate) async fn send(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let method = method.parse().unwrap();
        answer(
            self.http
                .request(method, self.url(path))
                .bearer_auth(token)
                .json(body),
        )
        .await
    }

    /// Waits for the delivery log; whatever is broken, not for long.
    pub(crate) async fn until(&self, wanted: impl Fn(&[DeliveryRecord]) -> bool) {
        let log = self.sim.webhooks();
        let waited = tokio::time::timeout(PATIENCE, log.until(wanted)).await;
        assert!(waited.is_ok(), "the log stays {:#?}", log.deliveries());
    }

    pub(crate) async fn head(&self, token: &str, path: &str) -> Response {
        self.http
            .get(self.url(path))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    }
}

impl Tokens {
    pub(crate) fn of(body: &Value) -> Self {
        Self {
            access: body["access_token"].as_str().unwrap().to_owned(),
            refresh: body["refresh_token"].as_str().unwrap().to_owned(),
        }
    }
}

/// Status and JSON; null when there is no body.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        },
    )
}

pub(crate) fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// A recorded call between a rep and a guest that ended at noon.
pub(crate) fn call(host: &str) -> HoldMeeting {
    let (start, end) = (at("2026-11-22T11:15:00Z"), at("2026-11-22T12:00:00Z"));
    HoldMeeting::new(host, "Intro ☕ 👍", start, end)
        .participant(Attendance::new("Maya Chen", host, true, start, end))
        .participant(Attendance::new(
            "Daniel Ortiz",
            "",
            false,
            start + SignedDuration::from_mins(1),
            end,
        ))
        .m4a(vec![7_u8; 5000])
        .vtt(VTT)
        .chat("00:00:25\tMaya Chen:\tdeck\r\n")
}
