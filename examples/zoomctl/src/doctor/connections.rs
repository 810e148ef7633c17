//! Each connection, tried against Zoom: scopes, licence, settings.

use backend::Backend;
use zoom_oauth::{Connection, Status};

use super::finding::Finding;

const CHECK: &str = "connection";

pub(super) async fn check(backend: &Backend) -> Vec<Finding> {
    let connections = match backend.connections.list().await {
        Ok(connections) => connections,
        Err(error) => {
            let error = anyhow::Error::from(error);
            return vec![Finding::bad(CHECK, format!("{error:#}"), "see the token store")];
        }
    };
    let kept = connections
        .into_iter()
        .filter(|connection| connection.status != Status::Disconnected);
    let mut findings = Vec::new();
    for connection in kept {
        findings.extend(one(backend, connection).await);
    }
    if findings.is_empty() {
        findings.push(Finding::skipped(CHECK, "nobody is connected"));
    }
    findings
}

async fn one(backend: &Backend, connection: Connection) -> Vec<Finding> {
    let owner = connection.owner;
    let health = match backend.connections.test(&owner).await {
        Ok(health) => health,
        Err(error) => {
            let error = anyhow::Error::from(error);
            return vec![Finding::bad(
                CHECK,
                format!("{owner}: {error:#}"),
                "see the token store and its keys",
            )];
        }
    };
    if health.is_good() {
        let name = health
            .connection
            .email
            .as_deref()
            .unwrap_or("a user without an address");
        return vec![Finding::good(CHECK, format!("{owner}: {name}, nothing missing"))];
    }
    let works = health.answered && health.connection.is_live();
    let finding = if works { Finding::warning } else { Finding::bad };
    health
        .findings
        .into_iter()
        .map(|found| finding(CHECK, format!("{owner}: {}", found.message), found.remedy))
        .collect()
}
