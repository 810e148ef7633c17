//! The host over real HTTP on a free port, as browsers meet it.

use std::time::Duration;

use backend::Config;
use reqwest::{Method, Response, StatusCode, header};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;
use zoom_simulator::Fault;

use crate::server::{self, Server};

const PATIENCE: Duration = Duration::from_secs(120);

/// A host on a simulated Zoom and a file of its own.
struct Host {
    server: Server,
    _folder: TempDir,
}

impl Host {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::simulated(folder.path().join("web.sqlite")).unwrap();
        config.redirect_url = server::callback_of(&server::base_url(&listener).unwrap()).unwrap();
        Self {
            server: Server::start(listener, config).await.unwrap(),
            _folder: folder,
        }
    }

    /// A browser that has been here before.
    async fn visitor(&self) -> Browser {
        let mut browser = Browser::new(self.server.base());
        let first = browser.get("/integrations").await;
        let cookie = first.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap();
        browser.cookie = cookie.split(';').next().map(str::to_owned);
        browser
    }

    /// Goes to Zoom, presses Allow, and answers where Zoom sends the browser back to.
    async fn allowed(&self, browser: &Browser) -> String {
        let zoom = self.server.app().backend().simulated.as_ref().unwrap();
        let authorize: Url = location(&browser.get("/connect").await).parse().unwrap();
        let back = zoom.approve(&authorize).await.unwrap();
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    /// Somebody adds the app in the Marketplace; answers where Zoom sends their browser.
    fn installed(&self) -> String {
        let app = self.server.app();
        let zoom = app.backend().simulated.as_ref().unwrap().simulator();
        let config = zoom.config();
        let back = zoom.install(&config.client_id, &config.users[0].email, Some(app.redirect()));
        let back = back.unwrap();
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    async fn is_connected(&self) -> bool {
        let app = self.server.app();
        app.backend()
            .connections
            .connection(&app.owner())
            .await
            .unwrap()
            .is_some_and(|connection| connection.is_live())
    }
}

struct Browser {
    http: reqwest::Client,
    base: Url,
    cookie: Option<String>,
}

impl Browser {
    fn new(base: &Url) -> Self {
        let http = zoom_core::http::client_builder().build().unwrap();
        Self {
            http,
            base: base.clone(),
            cookie: None,
        }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, self.base.join(path).unwrap());
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn page(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    async fn post(&self, path: &str, origin: &str, form: &str) -> Response {
        let request = self.request(Method::POST, path).header(header::ORIGIN, origin);
        request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .unwrap()
    }

    /// The form of a page of the host's.
    async fn submit(&self, path: &str, form: &str) -> Response {
        self.post(path, self.base.as_str().trim_end_matches('/'), form)
            .await
    }
}

fn location(response: &Response) -> &str {
    response
        .headers()
        .get(header::LOCATION)
        .unwrap()
        .to_str()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_are_taken_only_from_our_own_pages() {
    let host = Host::start().await;
    let (visitor, stranger) = (host.visitor().await, Browser::new(host.server.base()));
    let back = host.allowed(&visitor).await;
    visitor.get(&back).await;

    let forged = [
        stranger.submit("/disconnect", "").await,
        visitor.post("/disconnect", "http://127.0.0.1:1", "").await,
        visitor.post("/disconnect", "null", "").await,
        visitor
            .post("/simulate/meeting", "https://evil.example", "sample=librivox")
            .await,
    ];
    for refused in forged {
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(
            refused
                .text()
                .await
                .unwrap()
                .contains("This was not sent from here")
        );
    }
    assert!(host.is_connected().await);

    assert_eq!(
        location(&visitor.submit("/disconnect", "").await),
        "/integrations?notice=disconnected"
    );
    assert!(!host.is_connected().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_is_finished_by_the_browser_that_began_it_and_once() {
    let host = Host::start().await;
    let (visitor, other) = (host.visitor().await, host.visitor().await);
    let back = host.allowed(&visitor).await;

    assert_eq!(
        location(&other.get(&back).await),
        "/integrations?notice=zoom.another_browser"
    );
    assert!(!host.is_connected().await);
    assert_eq!(
        location(&visitor.get(&back).await),
        "/integrations?notice=connected"
    );
    assert!(host.is_connected().await);
    assert_eq!(
        location(&visitor.get(&back).await),
        "/integrations?notice=zoom.used_link"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_at_zoom_is_told_in_our_words() {
    let host = Host::start().await;
    let visitor = host.visitor().await;
    let denied = visitor
        .get("/oauth/callback?error=access_denied&error_description=%3Cscript%3E")
        .await;
    assert_eq!(location(&denied), "/integrations?notice=zoom.denied");
    let page = visitor.page("/integrations?notice=zoom.denied").await;
    assert!(page.contains("nothing was connected"));
    // A link cannot make the page say something else.
    assert!(
        !visitor
            .page("/integrations?notice=You+won")
            .await
            .contains("You won")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_from_the_marketplace_waits_for_a_yes() {
    let host = Host::start().await;
    let (visitor, other) = (host.visitor().await, host.visitor().await);
    let back = host.installed();
    let confirm = visitor.page(&back).await;
    assert!(
        confirm.contains("Is this you?") && confirm.contains("Maya Chen"),
        "{confirm}"
    );
    assert!(!host.is_connected().await);
    let ticket = confirm.split("name=\"ticket\" value=\"").nth(1).unwrap();
    let ticket = format!("ticket={}", ticket.split('"').next().unwrap());
    let stolen = other.submit("/claim", &ticket).await;
    assert_eq!(location(&stolen), "/integrations?notice=zoom.another_browser");
    assert!(!host.is_connected().await);
    let claimed = visitor.submit("/claim", &ticket).await;
    assert_eq!(location(&claimed), "/integrations?notice=connected");
    assert!(host.is_connected().await);
    let again = visitor.submit("/claim", &ticket).await;
    assert_eq!(location(&again), "/integrations?notice=zoom.used_ticket");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_connection_says_why_and_offers_to_reconnect() {
    let host = Host::start().await;
    let visitor = host.visitor().await;
    visitor.get(&host.allowed(&visitor).await).await;
    let page = visitor.page("/integrations").await;
    assert!(
        page.contains("maya.chen@brightwave.example")
            && page.contains("none yet")
            && page.contains("not yet"),
        "{page}"
    );
    let app = host.server.app();
    app.backend().connections.refresh(&app.owner()).await.unwrap();
    assert!(!visitor.page("/integrations").await.contains("not yet"));

    let zoom = app.backend().simulated.as_ref().unwrap().simulator();
    zoom.fail_next(Fault::InvalidGrant);
    app.backend().connections.refresh(&app.owner()).await.unwrap_err();
    let page = visitor.page("/integrations").await;
    assert!(
        page.contains("Expired") && page.contains("Zoom no longer accepts this connection"),
        "{page}"
    );
    assert!(
        page.contains("id=\"reconnect\" href=\"/connect\">Reconnect</a>"),
        "{page}"
    );
    visitor.get(&host.allowed(&visitor).await).await;
    assert!(visitor.page("/integrations").await.contains("Connected as"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_has_a_page_with_all_headers() {
    let host = Host::start().await;
    let visitor = host.visitor().await;
    for path in ["/nowhere", "/calls/call_0", "/assets/../../Cargo.toml"] {
        let missing = visitor.get(path).await;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND, "{path}");
        let policy = missing.headers().get(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.to_str().unwrap().contains("default-src 'self'"));
        assert_eq!(
            missing.headers().get(header::X_CONTENT_TYPE_OPTIONS).unwrap(),
            "nosniff"
        );
        assert!(
            missing.text().await.unwrap().contains("There is nothing here"),
            "{path}"
        );
    }
    assert_eq!(
        visitor.submit("/calls", "").await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        visitor.submit("/simulate/meeting", "sample=other").await.status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_that_was_held_becomes_a_call_on_the_pages() {
    let host = Host::start().await;
    let visitor = host.visitor().await;
    let early = visitor.submit("/simulate/meeting", "sample=sales-call").await;
    assert_eq!(location(&early), "/integrations?notice=connect-first");
    let back = host.allowed(&visitor).await;
    visitor.get(&back).await;
    assert!(
        visitor
            .page("/integrations")
            .await
            .contains("Connected as <strong id=\"name\">Maya Chen</strong>")
    );

    assert_eq!(
        location(&visitor.submit("/simulate/meeting", "sample=sales-call").await),
        "/calls?notice=held"
    );
    let list = tokio::time::timeout(PATIENCE, async {
        loop {
            let list = visitor.page("/calls").await;
            if !list.contains("http-equiv=\"refresh\"") {
                break list;
            }
        }
    });
    let list = list.await.unwrap();
    assert!(
        list.contains(">Ready<")
            && list.contains("Daniel Ortiz, Tidewater Couriers")
            && list.contains("Google Ads"),
        "{list}"
    );

    let found = visitor.page("/calls?q=routehive").await;
    assert!(found.contains("<mark>RouteHive</mark>"), "{found}");
    let call = found.split("href=\"").find_map(|rest| {
        rest.starts_with("/calls/call_")
            .then(|| rest.split('#').next())
            .flatten()
    });
    let call = visitor.page(call.unwrap()).await;
    for shown in [
        "7 min",
        "from Zoom&#39;s own transcript",
        "They named a need",
        "id=\"u1\"",
        "href=\"#u",
        "daniel.ortiz@",
    ] {
        assert!(call.contains(shown), "{shown} is not in {call}");
    }
    let time = visitor.page("/time").await;
    assert!(
        time.contains("60 min") && time.contains("45 min") && time.contains("−15 min"),
        "{time}"
    );
    assert!(visitor.page("/time.csv").await.contains(",60.00,45.00,-15.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_drains_and_ends() {
    let host = Host::start().await;
    let stopped = tokio::time::timeout(PATIENCE, host.server.run_until(async {})).await;
    stopped.unwrap().unwrap();
}
