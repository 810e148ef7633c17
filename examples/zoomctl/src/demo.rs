//! `zoomctl demo`: the whole journey on a simulated Zoom, with nothing to configure.

mod document;
mod journey;
mod narrator;

use anyhow::Result;
use backend::{Config, Zoom};
use clap::Args;

use crate::output;

/// Arguments of `zoomctl demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// One JSON document instead of the story
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(crate) async fn run(self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        // what the environment says of Slack and speech counts; which Zoom and which file is ours to say
        let mut config = Config::simulated(folder.path().join("demo.sqlite"))?;
        config.speech_and_slack_from_env()?;
        config.zoom = Zoom::Simulated {
            start_at: Some(journey::BEGINS.parse()?),
        };
        let document = journey::run(config, &narrator::Narrator::new(!self.json)).await?;
        if self.json {
            output::json(&document)?;
        }
        Ok(())
    }
}
