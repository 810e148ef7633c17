//! From a listener to a running host: pages, webhooks and the worker, started and stopped together.

use std::{future::Future, net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use backend::{Backend, Config};
use job_queue::QueueError;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::app::{App, OWNER};

/// Readers who do not let go of their connection do not keep the host from stopping.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// A host that runs.
#[derive(Debug)]
pub(crate) struct Server {
    app: App,
    base: Url,
    shutdown: CancellationToken,
    pages: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<Result<(), QueueError>>,
    keeper: JoinHandle<()>,
}

impl Server {
    /// Opens the backend, serves it on `listener`, and runs the worker.
    pub(crate) async fn start(listener: TcpListener, config: Config) -> Result<Self> {
        let base = base_url(&listener)?;
        let (redirect, calendar) = (config.redirect_url.clone(), config.calendar.clone());
        let app = App::new(Backend::open(config).await?, redirect, calendar);
        let shutdown = CancellationToken::new();
        let serve =
            axum::serve(listener, app.router()).with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let pages = tokio::spawn(async move { serve.await });
        let worker = tokio::spawn(app.backend().worker().run(shutdown.clone()));
        let keeper = tokio::spawn(app.backend().keeper().run(shutdown.clone().cancelled_owned()));
        if let Some(zoom) = &app.backend().simulated {
            zoom.subscribe(&base.join("/webhooks/zoom")?)
                .await
                .context("the simulated Zoom does not reach the webhooks")?;
            forgotten_meanwhile(app.backend()).await;
        }
        Ok(Self {
            app,
            base,
            shutdown,
            pages,
            worker,
            keeper,
        })
    }

    /// Where it is.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// What it serves.
    #[cfg(test)]
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `stop`, or until a part of it fails; then finishes the answers and jobs that were begun.
    pub(crate) async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<()> {
        let failed = tokio::select! {
            () = stop => None,
            ended = &mut self.worker => Some(anyhow!("the worker stopped: {ended:?}")),
            ended = &mut self.pages => Some(anyhow!("the server stopped: {ended:?}")),
        };
        if let Some(error) = failed {
            return Err(error);
        }
        tracing::info!("stopping; again to stop at once");
        tokio::select! {
            drained = self.drain() => drained,
            () = asked_to_stop() => {
                tracing::warn!("stopped at once; jobs that were begun are taken up again at the next start");
                Ok(())
            }
        }
    }

    async fn drain(mut self) -> Result<()> {
        self.shutdown.cancel();
        let worked = (&mut self.worker).await?;
        (&mut self.keeper).await?;
        if tokio::time::timeout(LAST_ANSWERS, &mut self.pages).await.is_err() {
            self.pages.abort();
        }
        self.app.backend().close().await;
        worked.context("the worker failed")
    }
}

/// A simulated Zoom forgets everybody when it stops. Asking once lets the page tell so, instead of the first call that fails.
async fn forgotten_meanwhile(backend: &Backend) {
    let health = backend.connections.test(&zoom_oauth::OwnerId::new(OWNER)).await;
    if health.is_ok_and(|health| !health.connection.is_live()) {
        tracing::info!("the connection is of an earlier simulated Zoom: connect again");
    }
}

/// The address as a browser on this machine would type it.
pub(crate) fn base_url(listener: &TcpListener) -> Result<Url> {
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    Ok(Url::parse(&format!("http://{address}"))?)
}

/// Where Zoom sends the browser back to.
pub(crate) fn callback_of(base: &Url) -> Result<Url> {
    Ok(base.join("/oauth/callback")?)
}

/// Ctrl-C, or the signal that service managers send.
pub(crate) async fn asked_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    if let Err(error) = interrupted.await {
        tracing::error!(%error, "Ctrl-C cannot be heard");
        std::future::pending::<()>().await;
    }
}
