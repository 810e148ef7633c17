//! The hosts as programs of their own.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use url::Url;

use crate::world::World;

/// Whisper on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(300);

/// A program of this workspace, beside the tests.
fn binary(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(|deps| deps.parent()).unwrap();
    let program = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.is_file(),
        "{} is not there. These tests start the programs: run `cargo xtask test`, or `cargo build --workspace --all-features` first",
        program.display()
    );
    program
}

/// The program, with nothing of this environment but what a process needs.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    for kept in ["PATH", "HOME", "TMPDIR", "SYSTEMROOT"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// The program with the world's Zoom and database.
pub(crate) fn program_in(world: &World, name: &str) -> Command {
    let simulator = world.zoom.simulator();
    let zoom = simulator.config();
    let mut command = program(name);
    command
        .env("ZOOM_DATABASE", world.database())
        .env("ZOOM_BASE_URL", simulator.base_url().as_str())
        .env("ZOOM_MEDIA_ORIGIN", simulator.media_origin())
        .env("ZOOM_CLIENT_ID", &zoom.client_id)
        .env("ZOOM_CLIENT_SECRET", &zoom.client_secret)
        .env("ZOOM_WEBHOOK_SECRET", &zoom.webhook_secret);
    command
}

/// Runs to the end; it must exit 0 and print one JSON document.
pub(crate) async fn json(command: &mut Command) -> Value {
    let ran = timeout(PATIENCE, command.output())
        .await
        .expect("the program ends in time")
        .unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}\n{printed}\n{errors}", ran.status);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("not one JSON document: {error}\n{printed}"))
}

/// A web-host that serves, until dropped or killed.
pub(crate) struct WebHost {
    child: Child,
    pub(crate) url: Url,
}

impl WebHost {
    /// Starts it on a free port and waits until it listens.
    pub(crate) async fn start(mut command: Command) -> Self {
        let command = command.args(["--addr", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, address)) = line.split_once("listening on ") {
                    return Url::parse(address.trim()).unwrap();
                }
            }
            panic!("web-host ended before it listened");
        };
        let url = timeout(PATIENCE, listening)
            .await
            .expect("web-host listens in time");
        // whatever else it prints is read away, so that it never waits for us
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url }
    }

    /// SIGKILL: it gets no chance to put anything in order.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
