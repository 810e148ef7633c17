//! `zoomctl connect`, `status`, `test`, `refresh` and `disconnect`.

use anyhow::{Context as _, Result, bail, ensure};
use axum::{Router, extract::RawQuery, response::Html, routing::get};
use backend::{Backend, Config, Zoom};
use clap::Args;
use serde::Serialize;
use tokio::{net::TcpListener, sync::mpsc};
use url::Url;
use zoom_oauth::{Callback, Connection, Health, OwnerId, SessionBinding, Status as ConnectionStatus};

use crate::{on_backend, output};

/// What stands under `live` when it is.
const OK: &str = "ok";

/// Arguments of `zoomctl connect`.
#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// Whose account: your own id for a rep or an organisation
    #[arg(long, default_value = "me")]
    owner: String,
    #[arg(long)]
    json: bool,
}

/// Arguments of `zoomctl status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[arg(long)]
    json: bool,
    /// Only what is stored; Zoom is not asked
    #[arg(long)]
    offline: bool,
}

/// Arguments of `zoomctl test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    #[arg(long, default_value = "me")]
    owner: String,
    #[arg(long)]
    json: bool,
}

/// Arguments of `zoomctl refresh`.
#[derive(Debug, Args)]
pub(crate) struct Refresh {
    #[arg(long, default_value = "me")]
    owner: String,
    #[arg(long)]
    json: bool,
}

/// Arguments of `zoomctl disconnect`.
#[derive(Debug, Args)]
pub(crate) struct Disconnect {
    #[arg(long, default_value = "me")]
    owner: String,
    #[arg(long)]
    json: bool,
}

impl Connect {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        let redirect = config.redirect_url.clone();
        with_zoom(config, async |backend| self.on(backend, &redirect).await).await
    }

    async fn on(self, backend: &Backend, redirect: &Url) -> Result<()> {
        let address = redirect
            .socket_addrs(|| None)
            .context("ZOOM_REDIRECT_URL does not name this machine")?;
        let address = *address
            .first()
            .context("ZOOM_REDIRECT_URL does not name this machine")?;
        ensure!(
            address.ip().is_loopback(),
            "zoomctl waits on this machine: set ZOOM_REDIRECT_URL to http://127.0.0.1:…"
        );
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("nothing can listen on {address}"))?;
        let (came_back, mut callbacks) = mpsc::channel::<String>(1);
        let page = move |RawQuery(query): RawQuery| async move {
            let _ = came_back.send(query.unwrap_or_default()).await;
            Html(
                "<!doctype html><title>zoomctl</title><p>Done. You can close this page and go back to the terminal.",
            )
        };
        let server = tokio::spawn(
            axum::serve(listener, Router::new().route(redirect.path(), get(page))).into_future(),
        );

        let owner = OwnerId::new(self.owner);
        let session = SessionBinding::new(format!("zoomctl {}", std::process::id()));
        let link = backend.connections.authorize(&owner, &session).await?;
        if self.json {
            output::json(&serde_json::json!({ "authorize_url": link.url }))?;
        } else {
            println!(
                "Open this link and allow the app; zoomctl waits for the browser to come back.\n\n  {}\n",
                link.url
            );
        }
        let query = callbacks.recv().await.context("the browser did not come back")?;
        let connection = backend
            .connections
            .connect(&Callback::from_query(&query), &session)
            .await;
        server.abort();
        let connection = connection.context("the account was not connected")?;
        if self.json {
            return output::json(&connection);
        }
        line(&connection);
        for missing in &connection.missing {
            println!("  {} {}", missing.consequence, missing.remedy);
        }
        Ok(())
    }
}

/// A connection and what Zoom says of it now.
#[derive(Debug, Serialize)]
struct Checked {
    #[serde(flatten)]
    connection: Connection,
    /// `ok`, or why it does not work; absent when Zoom was not asked.
    live: Option<String>,
}

impl Status {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        with_zoom(config, async |backend| self.on(backend).await).await
    }

    async fn on(self, backend: &Backend) -> Result<()> {
        let mut rows = Vec::new();
        for connection in backend.connections.list().await? {
            rows.push(if connection.is_live() && !self.offline {
                check(backend, connection).await
            } else {
                Checked {
                    connection,
                    live: None,
                }
            });
        }
        let failed = rows
            .iter()
            .any(|row| row.live.as_deref().is_some_and(|live| live != OK));
        if self.json {
            output::json(&rows)?;
        } else if rows.is_empty() {
            println!("Nobody is connected. Start with `zoomctl connect`.");
        } else {
            output::table(
                [
                    "owner",
                    "status",
                    "name",
                    "e-mail",
                    "refreshed",
                    "last webhook",
                    "live",
                    "what to do",
                ],
                rows.iter().map(Checked::row),
            );
        }
        ensure!(!failed, "a connection does not work; see the column `live`");
        Ok(())
    }
}

impl Checked {
    fn row(&self) -> [String; 8] {
        let connection = &self.connection;
        let cause = connection.cause();
        let todo = connection
            .missing
            .first()
            .map(|missing| missing.remedy.clone())
            .or_else(|| cause.map(|cause| format!("{} {}", cause.message(), cause.action().instruction())));
        [
            connection.owner.to_string(),
            connection.status.as_str().to_owned(),
            output::or_dash(connection.display_name.as_ref()),
            output::or_dash(connection.email.as_ref()),
            output::or_dash(connection.refreshed_at.map(output::minute)),
            output::or_dash(connection.last_webhook_at.map(output::minute)),
            output::or_dash(self.live.as_ref()),
            output::or_dash(todo.as_deref().map(str::trim)),
        ]
    }
}

/// Tries the connection against Zoom, past what is remembered; that may change it.
async fn check(backend: &Backend, connection: Connection) -> Checked {
    match backend.connections.test(&connection.owner).await {
        Ok(health) => Checked {
            live: Some(verdict(&health).to_owned()),
            connection: health.connection,
        },
        Err(error) => Checked {
            connection,
            live: Some(format!("{:#}", anyhow::Error::from(error))),
        },
    }
}

/// `ok` where calls can be made, whatever else is missing.
fn verdict(health: &Health) -> &'static str {
    match health.findings.first() {
        _ if !health.answered => "zoom does not answer",
        Some(finding) if !health.connection.is_live() => finding.cause.message(),
        _ => OK,
    }
}

impl Test {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        with_zoom(config, async |backend| self.on(backend).await).await
    }

    async fn on(self, backend: &Backend) -> Result<()> {
        let owner = OwnerId::new(self.owner);
        let health = backend.connections.test(&owner).await;
        let health = health.with_context(|| format!("{owner}'s connection cannot be tried"))?;
        if self.json {
            output::json(&health)?;
        } else {
            line(&health.connection);
            for finding in &health.findings {
                println!("  {} {}", finding.message, finding.remedy);
            }
        }
        let verdict = verdict(&health);
        ensure!(verdict == OK, "{owner}'s connection does not work: {verdict}");
        Ok(())
    }
}

impl Refresh {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        with_zoom(config, async |backend| self.on(backend).await).await
    }

    async fn on(self, backend: &Backend) -> Result<()> {
        let owner = OwnerId::new(self.owner);
        let refreshed = backend.connections.refresh(&owner).await;
        let connection = refreshed.with_context(|| format!("{owner}'s tokens were not refreshed"))?;
        if self.json {
            return output::json(&connection);
        }
        line(&connection);
        println!(
            "The new access token is good until {}.",
            output::or_dash(connection.access_expires_at.map(output::minute))
        );
        Ok(())
    }
}

impl Disconnect {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        with_zoom(config, async |backend| self.on(backend).await).await
    }

    async fn on(self, backend: &Backend) -> Result<()> {
        let owner = OwnerId::new(self.owner);
        let before = backend.connections.connection(&owner).await?;
        ensure!(before.is_some(), "{owner} was never connected");
        let gone = backend.connections.disconnect(&owner).await?;
        if self.json {
            return output::json(
                &serde_json::json!({ "status": ConnectionStatus::Disconnected.as_str(), "revoked": gone.is_revoked() }),
            );
        }
        println!("Tokens are forgotten here; your calls stay.");
        if gone.is_revoked() {
            println!("Zoom has revoked them.");
        } else {
            println!("Zoom did not confirm: remove the app in Zoom's Marketplace to be sure.");
        }
        Ok(())
    }
}

/// Commands about connections need a Zoom that is still there after them.
async fn with_zoom(config: Config, command: impl AsyncFnOnce(&Backend) -> Result<()>) -> Result<()> {
    if matches!(config.zoom, Zoom::Simulated { .. }) {
        bail!(
            "no Zoom to talk to: set ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET and ZOOM_WEBHOOK_SECRET, \
             or run `zoomctl simulate` and set what it prints"
        );
    }
    on_backend(config, command).await
}

fn line(connection: &Connection) {
    println!(
        "{}: {} · {}",
        connection.status,
        output::or_dash(connection.display_name.as_ref()),
        output::or_dash(connection.email.as_ref())
    );
}
