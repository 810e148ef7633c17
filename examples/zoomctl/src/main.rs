//! `zoomctl`: the crates from a terminal. `zoomctl demo` shows the whole journey and needs nothing.
#![expect(clippy::print_stdout, reason = "a command line tool prints")]

mod calls;
mod connection;
mod demo;
mod doctor;
mod ingest;
mod keys;
mod models;
mod output;
mod progress;
mod simulate;
mod story;
mod time_report;

use std::process::ExitCode;

use anyhow::Result;
use backend::{Backend, Config};
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Zoom calls from a terminal: connect, ingest, analyse, search, report.
///
/// Without credentials in the environment everything runs against a simulated Zoom on this machine; the README has the table
/// of variables.
#[derive(Debug, Parser)]
#[command(name = "zoomctl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole journey, from Connect to Disconnect, on a simulated Zoom
    Demo(demo::Demo),
    /// Connect an owner's Zoom account: prints the link, waits for the browser to come back
    Connect(connection::Connect),
    /// Every connection: state, what is missing, why, and whether Zoom accepts it now
    Status(connection::Status),
    /// Try an owner's connection against Zoom: tokens, scopes, licence, settings
    Test(connection::Test),
    /// Have new tokens for an owner now
    Refresh(connection::Refresh),
    /// Revoke an owner's tokens at Zoom, forget them, keep the history
    Disconnect(connection::Disconnect),
    /// The keys that seal tokens
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Is everything as it has to be, and what to do where it is not
    Doctor(doctor::Doctor),
    /// List, show and search analysed calls
    #[command(subcommand)]
    Calls(calls::Calls),
    /// Analyse a recording or transcript on disk: M4A, MP4 or VTT
    Ingest(ingest::Ingest),
    /// What the calendar said against what Zoom saw
    TimeReport(time_report::TimeReport),
    /// A simulated Zoom on a port, until Ctrl-C
    Simulate(simulate::Simulate),
    /// Speech models
    #[command(subcommand)]
    Models(models::Models),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println_error(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Demo(command) => command.run().await,
        Command::Connect(command) => command.run(Config::from_env()?).await,
        Command::Status(command) => command.run(Config::from_env()?).await,
        Command::Test(command) => command.run(Config::from_env()?).await,
        Command::Refresh(command) => command.run(Config::from_env()?).await,
        Command::Keys(command) => command.run(Config::from_env()?).await,
        Command::Doctor(command) => command.run().await,
        Command::Disconnect(command) => command.run(Config::from_env()?).await,
        Command::Calls(command) => command.run(Config::from_env()?).await,
        Command::Ingest(command) => command.run(Config::from_env()?).await,
        Command::TimeReport(command) => command.run(Config::from_env()?).await,
        Command::Simulate(command) => command.run().await,
        Command::Models(command) => command.run().await,
    }
}

/// Opens the backend for one command and closes it after, so that everything is in the one file.
async fn on_backend(config: Config, command: impl AsyncFnOnce(&Backend) -> Result<()>) -> Result<()> {
    let backend = Backend::open(config).await?;
    let outcome = command(&backend).await;
    backend.close().await;
    outcome
}

/// The error and its causes, one line each.
#[expect(clippy::print_stderr, reason = "errors go to standard error")]
fn println_error(error: &anyhow::Error) {
    eprintln!("zoomctl: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}
