//! Who writes down what was said.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use secrecy::ExposeSecret as _;
use zoom_recordings::{ApiKey, OpenAiTranscriber, Transcriber};

#[cfg(feature = "local")]
pub use zoom_recordings::local::models::{Model, Source, install};

use crate::Config;

/// Whisper on this machine if a model is installed, else a speech server if there is a key, else Zoom's own words.
pub(crate) fn transcriber(config: &Config) -> Result<Option<Arc<dyn Transcriber>>> {
    if let Some(models) = &config.models {
        return local(models).map(Some);
    }
    let Some(openai) = &config.openai else {
        return Ok(None);
    };
    let key = ApiKey::new(openai.key.expose_secret());
    let server = OpenAiTranscriber::at(&openai.base, key).context("OPENAI_BASE_URL cannot be used")?;
    Ok(Some(Arc::new(server)))
}

#[cfg(feature = "local")]
fn local(models: &std::path::Path) -> Result<Arc<dyn Transcriber>> {
    let installed = Model::ALL
        .into_iter()
        .rev()
        .find(|model| model.is_installed(models));
    let folder = installed.map_or_else(|| models.to_owned(), |model| model.dir(models));
    let whisper = zoom_recordings::local::LocalWhisper::open(&folder);
    Ok(Arc::new(whisper.with_context(|| {
        format!(
            "no speech model in {}: run `zoomctl models get tiny.en`",
            models.display()
        )
    })?))
}

#[cfg(not(feature = "local"))]
fn local(_models: &std::path::Path) -> Result<Arc<dyn Transcriber>> {
    anyhow::bail!(
        "ZOOM_MODELS_DIR is set, but this build has no speech engine: build with `--features local`, or unset it"
    )
}
