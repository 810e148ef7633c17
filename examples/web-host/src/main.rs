//! An axum host over the backend: four pages, rendered here, that work without JavaScript.

mod app;
mod failure;
mod format;
mod held;
mod notice;
mod page;
mod pages;
mod query;
mod security;
mod server;
mod session;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use backend::{Config, Zoom};
use clap::Parser;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::server::Server;

/// Serves the pages; without Zoom credentials in the environment, on a simulated Zoom. The README has the table of variables.
#[derive(Debug, Parser)]
#[command(name = "web-host", version)]
struct Cli {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "WEB_HOST_ADDR", default_value = "127.0.0.1:8080")]
    addr: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .init();
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let listener = TcpListener::bind(&cli.addr)
        .await
        .with_context(|| format!("could not listen on {}", cli.addr))?;
    let mut config = Config::from_env()?;
    let is_redirect_given = std::env::var("ZOOM_REDIRECT_URL").is_ok_and(|url| !url.trim().is_empty());
    if matches!(config.zoom, Zoom::Simulated { .. }) && !is_redirect_given {
        config.redirect_url = server::callback_of(&server::base_url(&listener)?)?;
    }
    let server = Server::start(listener, config).await?;
    announce(&server);
    server.run_until(server::asked_to_stop()).await
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started the host needs to know where it is"
)]
fn announce(server: &Server) {
    println!("listening on {}", server.base().as_str().trim_end_matches('/'));
}
