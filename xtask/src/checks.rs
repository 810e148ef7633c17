//! The checks themselves, each one short.

use std::{fs, iter, path::Path};

use anyhow::{Context as _, Result, ensure};

use crate::{cargo, output, setup, sh};

/// Everything that can be switched on, speech included.
const ALL: &[&str] = &["--workspace", "--all-features", "--locked"];

pub(crate) fn fmt() -> Result<()> {
    sh(cargo().args(["fmt", "--all", "--check"]))
}

pub(crate) fn lint() -> Result<()> {
    let deny = ["--", "-D", "warnings"];
    sh(cargo().args(["clippy", "--all-targets"]).args(ALL).args(deny))?;
    for package in [
        "token-store",
        "token-store-kms",
        "job-queue",
        "zoom-core",
        "zoom-webhooks",
        "zoom-recordings",
        "zoom-calls",
        "zoom-meetings",
    ] {
        // what a host gets that asks for nothing, and one that asks for one thing
        for feature in iter::once(String::new()).chain(features(package)?) {
            sh(cargo()
                .args(["clippy", "--locked", "--no-default-features", "-p", package])
                .args(["--features", &feature])
                .args(deny))
            .with_context(|| format!("{package} with no feature but `{feature}`"))?;
        }
    }
    Ok(())
}

/// The features that a package of this workspace names, but for the default.
fn features(package: &str) -> Result<Vec<String>> {
    let manifest = format!("{package}/Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| format!("could not read {manifest}"))?;
    let section = text
        .split("\n[")
        .find_map(|section| section.strip_prefix("features]"));
    Ok(section
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(" = ["))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "default")
        .collect())
}

pub(crate) fn doc() -> Result<()> {
    sh(cargo()
        .args(["doc", "--no-deps"])
        .args(ALL)
        .env("RUSTDOCFLAGS", "-D warnings"))
}

pub(crate) fn deny() -> Result<()> {
    setup::cargo_deny()?;
    sh(cargo().args([
        "deny",
        "--log-level",
        "error",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}

pub(crate) fn test() -> Result<()> {
    setup::browser()?;
    setup::databases()?;
    let models = setup::speech_model()?;
    // the journeys start the hosts as programs
    sh(cargo().arg("build").args(ALL))?;
    sh(cargo().arg("test").args(ALL).env("ZOOM_MODELS_DIR", models))
}

pub(crate) fn tidy() -> Result<()> {
    for path in output(std::process::Command::new("git").args(["ls-files", "*.rs", "*.md"]))?.lines() {
        let text = fs::read_to_string(path).with_context(|| format!("could not read {path}"))?;
        ensure!(!path.ends_with("/mod.rs"), "{path}: use foo.rs beside foo/");
        ensure!(
            !text.lines().any(|line| line
                .trim_start()
                .trim_start_matches("/// ")
                .starts_with("```ignore")),
            "{path}: an ignored example rots"
        );
        if Path::new(path).extension().is_some_and(|kind| kind == "rs") {
            let code = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default()
                .lines()
                .count();
            ensure!(
                code <= 800 || path.ends_with("tests.rs"),
                "{path}: {code} lines; split it"
            );
        }
    }
    Ok(())
}
