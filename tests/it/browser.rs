//! A person at the screen.

use std::process::Stdio;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::{
    programs::{WebHost, program},
    wait::until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_connects_looks_at_a_call_and_disconnects() {
    let folder = tempfile::tempdir().unwrap();
    let mut web_host = program("web-host");
    web_host.env("ZOOM_DATABASE", folder.path().join("zoom.sqlite"));
    let web_host = WebHost::start(web_host).await;
    let browser = Browser::start().await;
    let page = &browser.page;
    page.goto(web_host.url.join("integrations").unwrap().as_str())
        .await
        .unwrap();

    browser.shows("Not connected").await;
    browser.press("Connect").await;
    browser.press("Allow").await;
    browser.shows("Connected as").await;
    let text = browser.text().await;
    assert!(
        text.contains("Maya Chen") && text.contains("maya.chen@brightwave.example"),
        "{text}"
    );

    browser.press("Hold a sales call").await;
    let topic = "Brightwave intro with Tidewater Couriers";
    until("the call is in the list", async || {
        browser.press("Calls").await;
        let text = browser.text().await;
        (text.contains(topic) && text.to_lowercase().contains("ready")).then_some(())
    })
    .await;
    assert!(
        browser.text().await.contains("Daniel Ortiz"),
        "the list names the customer"
    );
    browser.press(topic).await;
    browser.shows("Transcript").await;
    let text = browser.text().await;
    for wanted in [
        "Call signal",
        "/ 100",
        "Objections",
        "RouteHive",
        "Next steps",
        "Maya Chen",
        "Google Ads",
    ] {
        assert!(
            text.contains(wanted),
            "the call page does not say {wanted}: {text}"
        );
    }
    let lines = page.find_all(Locator::Css("ol.transcript li")).await.unwrap();
    assert!(lines.len() > 30, "{} lines of transcript", lines.len());
    assert!(lines[0].text().await.unwrap().contains("Maya Chen"));
    let objections = page
        .find_all(Locator::XPath("//section[h2[.='Objections']]//blockquote"))
        .await
        .unwrap();
    assert!(objections.len() >= 2, "price and competitor, with quotes");

    browser.search("routehive").await;
    browser.shows(topic).await;
    assert!(
        !page.find_all(Locator::Css("mark")).await.unwrap().is_empty(),
        "the words found are marked"
    );
    browser.search("xylophone").await;
    browser.shows("Nobody said that").await;
    browser.press("Time report").await;
    browser.shows("What the calendar said").await;

    browser.press("Integrations").await;
    browser.press("Disconnect").await;
    browser.shows("Disconnected").await;
    assert!(!browser.text().await.contains("Connected as"));
    browser.press("Calls").await;
    browser.press(topic).await;
    browser.shows("Transcript").await;
    browser.close().await;
}

/// Chromium without a window, with a profile of its own.
struct Browser {
    page: Client,
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    async fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut driver = command
            .spawn()
            .expect("chromedriver is not there: `cargo xtask test` installs it");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("chromedriver ended before it listened");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = tempfile::tempdir().unwrap();
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &profile_argument,
        ];
        let options = json!({ "goog:chromeOptions": { "args": arguments } });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(options.as_object().unwrap().clone());
        let page = builder
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        Self {
            page,
            _driver: driver,
            _profile: profile,
        }
    }

    /// Presses the button or follows the link of this name, once it is there.
    async fn press(&self, name: &str) {
        let path = format!("//*[(self::a or self::button) and contains(normalize-space(.), '{name}')]");
        let exact = format!("//*[(self::a or self::button) and normalize-space(.)='{name}']");
        until(&format!("there is something to press: {name}"), async || {
            let exact = self.page.find(Locator::XPath(&exact)).await;
            let found = match exact {
                Ok(found) => found,
                Err(_) => self.page.find(Locator::XPath(&path)).await.ok()?,
            };
            found.click().await.ok()
        })
        .await;
    }

    /// Waits until the page says this.
    async fn shows(&self, text: &str) {
        until(&format!("the page says: {text}"), async || {
            self.text().await.contains(text).then_some(())
        })
        .await;
    }

    async fn text(&self) -> String {
        let Ok(body) = self.page.find(Locator::Css("body")).await else {
            return String::new();
        };
        body.text().await.unwrap_or_default()
    }

    async fn search(&self, words: &str) {
        self.press("Calls").await;
        let field = self
            .page
            .wait()
            .for_element(Locator::Css("input[name=q]"))
            .await
            .unwrap();
        field.clear().await.unwrap();
        field.send_keys(words).await.unwrap();
        self.press("Search").await;
    }

    async fn close(self) {
        self.page.clone().close().await.unwrap();
    }
}
