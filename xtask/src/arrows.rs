//! The arrows of docs/ARCHITECTURE.md point down only, and light builds stay light.

use anyhow::{Result, ensure};

use crate::{cargo, output};

/// Each crate and those of ours that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("token-store", &[]),
    ("token-store-kms", &["token-store"]),
    ("job-queue", &[]),
    ("zoom-core", &[]),
    ("zoom-oauth", &["token-store", "zoom-core"]),
    ("zoom-webhooks", &["job-queue", "zoom-core"]),
    ("zoom-recordings", &["zoom-core"]),
    ("zoom-calls", &["job-queue", "zoom-core", "zoom-recordings"]),
    ("zoom-meetings", &["token-store", "zoom-core", "zoom-oauth"]),
    ("zoom-simulator", &["zoom-core"]),
];

/// What a key service needs, and nobody who asks for none.
const CLIENT: &[&str] = &["tokio", "hyper", "hyper-util", "reqwest", "rustls"];

/// Packages that mean an async runtime, an HTTP client or TLS.
const HEAVY: &[&str] = &[
    "tokio",
    "hyper",
    "hyper-util",
    "reqwest",
    "rustls",
    "ring",
    "native-tls",
    "openssl-sys",
];

pub(crate) fn check() -> Result<()> {
    for (package, allowed) in ARROWS {
        let ours = tree(&["-p", package, "--all-features", "--depth", "1"])?;
        for dependency in ours
            .iter()
            .filter(|name| *name != package && ARROWS.iter().any(|(known, _)| known == name))
        {
            ensure!(
                allowed.contains(&dependency.as_str()),
                "{package} must not depend on {dependency}"
            );
        }
    }
    lean("zoom-core", &["-p", "zoom-core", "--no-default-features"], HEAVY)?;
    for (home, other) in [("sqlite", "sqlx-postgres"), ("postgres", "sqlx-sqlite")] {
        lean(
            "token-store",
            &["-p", "token-store", "--features", home],
            &[other],
        )?;
    }
    lean("token-store", &["-p", "token-store"], CLIENT)?;
    lean("token-store-kms", &["-p", "token-store-kms"], CLIENT)?;
    // the queue needs tokio; a client or TLS would still be a mistake
    lean(
        "zoom-webhooks",
        &["-p", "zoom-webhooks"],
        HEAVY.strip_prefix(&["tokio"]).unwrap_or(HEAVY),
    )
}

fn lean(package: &str, args: &[&str], banned: &[&str]) -> Result<()> {
    let names = tree(args)?;
    for heavy in banned {
        ensure!(
            !names.iter().any(|name| name == heavy),
            "{package} pulls {heavy} with `cargo tree {}`",
            args.join(" ")
        );
    }
    Ok(())
}

/// The package names `cargo tree` lists, ordinary dependencies only.
fn tree(args: &[&str]) -> Result<Vec<String>> {
    let text = output(
        cargo()
            .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
            .args(args),
    )?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect())
}
