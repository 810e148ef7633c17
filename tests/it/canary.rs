//! Secrets with a mark on them go through everything that works and much that fails; the mark may come out nowhere.

mod steps;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use backend::OpenAi;

use crate::{
    capture::{Capture, Needles},
    fakes::{Slack, Speech},
    world::{World, simulator_config},
};

const MARK: &str = "canary-5e7a1b-bird";

/// Everything that was shown to somebody.
#[derive(Default)]
struct Shown(Vec<String>);

impl Shown {
    /// An error in every form it can be printed in, its causes included.
    fn error(&mut self, error: &(dyn Error + 'static)) {
        self.0.push(format!("{error:?} {error:#?}"));
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.0.push(format!("{error} {error:?}"));
            cause = error.source();
        }
    }

    fn debug(&mut self, value: &impl std::fmt::Debug) {
        self.0.push(format!("{value:?} {value:#?}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marked_secret_comes_out_nowhere() {
    let capture = Capture::install(MARK);
    tracing::trace!("if this is not caught, nothing is: {MARK}");
    assert_eq!(capture.take_leaks().len(), 1, "the capture works");

    let (slack, speech) = (Slack::start().await, Speech::that_answers().await);
    let mut shown = Shown::default();
    let mut world = marked_world(&slack, &speech, &mut shown).await;
    steps::connecting(&world, &mut shown).await;
    steps::calls(&world, &slack, &mut shown).await;
    steps::refreshing(&world, &mut shown).await;
    steps::nobody_answers(&world, &mut shown).await;
    steps::webhooks(&world, &mut shown).await;
    steps::dying(&world, &mut shown).await;
    world.stop().await;

    let needles = Needles::of(MARK);
    for text in &shown.0 {
        assert!(!needles.are_in(text.as_bytes()), "shown: {text}");
    }
    assert!(shown.0.len() > 40, "{} texts were looked at", shown.0.len());
    let leaks = capture.take_leaks();
    assert!(leaks.is_empty(), "logged: {leaks:#?}");
    let targets = capture.targets();
    // "log" is the other logging crate, which the HTTP client uses
    for wanted in [
        "zoom_oauth",
        "zoom_core",
        "sqlx",
        "hyper",
        "job_queue",
        "zoom_recordings",
        "log",
    ] {
        let logs = targets.iter().any(|target| target.starts_with(wanted));
        assert!(logs, "{wanted} is silent; it logs on these: {targets:#?}");
    }
    assert!(capture.lines() > 1000, "{} lines were looked at", capture.lines());
    let files = files(world.folder.path());
    assert!(
        files.iter().any(|file| file.ends_with("zoom.sqlite")),
        "{files:?}"
    );
    for file in files {
        let is_key = file.extension().is_some_and(|kind| kind == "keys");
        assert!(
            is_key || !needles.are_in(&fs::read(&file).unwrap()),
            "written to {}",
            file.display()
        );
    }
}

async fn marked_world(slack: &Slack, speech: &Speech, shown: &mut Shown) -> World {
    let mut zoom = simulator_config();
    zoom.token_prefix = format!("{MARK}-token-");
    zoom.client_secret = format!("{MARK}-client");
    zoom.s2s_client_secret = format!("{MARK}-s2s");
    zoom.webhook_secret = format!("{MARK}-webhook");
    let slack = slack.url(&format!("T0/B0/{MARK}-slack"));
    let openai = OpenAi::new(format!("{MARK}-openai"), speech.url());
    let world = World::start_with(zoom, |config| {
        config.slack_webhook = Some(slack.into());
        config.openai = Some(openai);
        shown.debug(config);
    })
    .await;
    shown.debug(&world.backend);
    world
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}
