//! `cargo xtask <check>…`: every check of this repository, the same for people and CI.
#![expect(clippy::print_stdout, reason = "a command line tool prints")]

mod arrows;
mod checks;
mod setup;

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

/// A check: its name on the command line, what it is for, and how it runs.
type Check = (&'static str, &'static str, fn() -> Result<()>);

/// In the order CI runs them: quick refusals first, the long run last.
const CHECKS: &[Check] = &[
    ("fmt", "formatting is rustfmt's", checks::fmt),
    (
        "arrows",
        "crates depend downwards only; zoom-core without `client` stays bare",
        arrows::check,
    ),
    (
        "tidy",
        "no ignored doc examples, no mod.rs, no file past 800 lines",
        checks::tidy,
    ),
    (
        "deny",
        "bans, licences and sources of every dependency",
        checks::deny,
    ),
    (
        "lint",
        "clippy with warnings denied: all features, none, and each alone",
        checks::lint,
    ),
    ("doc", "rustdoc with warnings denied", checks::doc),
    (
        "test",
        "sets up what the tests need, then runs all of them",
        checks::test,
    ),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match run(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(wanted: &[String]) -> Result<()> {
    match wanted {
        [] => {
            usage();
            Ok(())
        }
        [all] if all == "ci" => CHECKS.iter().try_for_each(run_one),
        names => names.iter().try_for_each(|name| {
            let check = CHECKS.iter().find(|(known, ..)| known == name);
            run_one(
                check
                    .with_context(|| format!("there is no check `{name}`; run `cargo xtask` for the list"))?,
            )
        }),
    }
}

fn run_one((name, purpose, check): &Check) -> Result<()> {
    println!("== {name}: {purpose}");
    check().with_context(|| format!("`{name}` failed"))
}

fn usage() {
    println!("cargo xtask ci | <check>…\n");
    for (name, purpose, _) in CHECKS {
        println!("  {name:<8} {purpose}");
    }
}

/// Runs `program`, showing what it prints; an error unless it exits 0.
fn sh(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}

/// Runs `program` quietly and gives what it printed; an error unless it exits 0.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("could not start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            command.get_program().display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The cargo that runs us.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
