//! `zoomctl doctor`: is everything as it has to be, and what to do where it is not.

mod connections;
mod finding;
mod settings;
mod tokens;
mod webhook;
mod zoom;

use anyhow::{Result, ensure};
use backend::{Backend, Config, Zoom};
use clap::Args;
use url::Url;

use self::finding::{Finding, Verdict};
use crate::output;

/// Arguments of `zoomctl doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Where Zoom sends webhooks to; `/webhooks/zoom` beside ZOOM_REDIRECT_URL if not given
    #[arg(long)]
    webhook_url: Option<Url>,
    /// Ask neither Zoom nor the host; look only at what is here
    #[arg(long)]
    offline: bool,
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) async fn run(self) -> Result<()> {
        let findings = self.look().await;
        if self.json {
            output::json(&findings)?;
        } else {
            print(&findings);
        }
        let bad = findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Bad)
            .count();
        ensure!(
            bad == 0,
            "{bad} of {} checks are bad; see what to do above",
            findings.len()
        );
        Ok(())
    }

    async fn look(&self) -> Vec<Finding> {
        let mut findings = settings::misspelt();
        let config = match Config::from_env() {
            Ok(config) => config,
            Err(error) => {
                let fix = "the README of the workspace has the table of variables";
                findings.push(Finding::bad("configuration", format!("{error:#}"), fix));
                return findings;
            }
        };
        findings.push(settings::summary(&config));
        findings.push(settings::redirect(&config.redirect_url));
        let real = match &config.zoom {
            Zoom::Real(credentials) => Some(credentials.webhook_secret.clone()),
            _ => None,
        };
        let webhook_url = match &self.webhook_url {
            Some(url) => Some(url.clone()),
            None => config.redirect_url.join("/webhooks/zoom").ok(),
        };
        let backend = match Backend::open(config).await {
            Ok(backend) => backend,
            Err(error) => {
                let fix = "mend what the last cause says; nothing else can be looked at until then";
                findings.push(Finding::bad("database", format!("{error:#}"), fix));
                return findings;
            }
        };
        findings.extend(tokens::check(&backend).await);
        match (real, webhook_url) {
            _ if self.offline => findings.push(Finding::skipped("zoom", "--offline: nobody was asked")),
            (Some(secret), Some(url)) => {
                findings.extend(zoom::check(&backend).await);
                findings.push(webhook::check(&secret, &url, &backend.clock).await);
                findings.extend(connections::check(&backend).await);
            }
            _ => findings.push(Finding::skipped("zoom", "a simulated Zoom has nothing to check")),
        }
        backend.close().await;
        findings
    }
}

fn print(findings: &[Finding]) {
    output::table(
        ["check", "", "found", "what to do"],
        findings.iter().map(|finding| {
            [
                finding.check.to_owned(),
                finding.verdict.to_string(),
                finding.found.clone(),
                output::or_dash(finding.fix.as_ref()),
            ]
        }),
    );
}
