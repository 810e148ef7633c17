//! `bench-single-flight BASE N`: the same stampede, with what one writes by hand: a mutex around the tokens, a second look
//! after it was had, one refresh. For several processes a locked file around that. Same settings as `bench-stampede`.

use std::{
    env,
    fs::{self, File},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use benches::{print, run, wait_until};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, task::spawn_blocking};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tokens {
    access: String,
    refresh: String,
    expired: bool,
}

struct SingleFlight {
    base: String,
    app: (String, String),
    http: Client,
    file: Option<String>,
    tokens: Mutex<Tokens>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    refresh_token: String,
}

impl SingleFlight {
    /// A token that is not `refused`, refreshed by whoever comes first.
    async fn token(&self, refused: Option<&str>) -> anyhow::Result<String> {
        let mut tokens = self.tokens.lock().await;
        let good = |tokens: &Tokens| !tokens.expired && refused != Some(tokens.access.as_str());
        if good(&tokens) {
            return Ok(tokens.access.clone());
        }
        let lock = match &self.file {
            None => None,
            Some(path) => {
                let (lock, found) = locked(path.clone()).await?;
                *tokens = found;
                if good(&tokens) {
                    return Ok(tokens.access.clone());
                }
                Some(lock)
            }
        };
        let granted: Granted = self
            .http
            .post(format!("{}/oauth/token", self.base))
            .basic_auth(&self.app.0, Some(&self.app.1))
            .form(&[
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.refresh.as_str()),
            ])
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        *tokens = Tokens {
            access: granted.access_token,
            refresh: granted.refresh_token,
            expired: false,
        };
        if let Some(path) = &self.file {
            fs::write(path, serde_json::to_vec(&*tokens)?)?;
        }
        drop(lock);
        Ok(tokens.access.clone())
    }

    async fn me(&self) -> anyhow::Result<()> {
        let mut token = self.token(None).await?;
        for _ in 0..2 {
            let answer = self
                .http
                .get(format!("{}/v2/users/me", self.base))
                .bearer_auth(&token)
                .send()
                .await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                answer.error_for_status()?.bytes().await?;
                return Ok(());
            }
            token = self.token(Some(&token)).await?;
        }
        bail!("refused twice")
    }
}

/// The file's lock, which is held until it is dropped, and what is in the file then.
async fn locked(path: String) -> anyhow::Result<(File, Tokens)> {
    spawn_blocking(move || {
        let lock = File::create(format!("{path}.lock"))?;
        lock.lock()?;
        Ok((lock, serde_json::from_slice(&fs::read(&path)?)?))
    })
    .await?
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let usage = "usage: bench-single-flight BASE N";
    let mut args = env::args().skip(1);
    let base = args.next().context(usage)?;
    let calls: usize = args.next().context(usage)?.parse()?;
    let setting = |name: &str, or: &str| env::var(name).unwrap_or_else(|_| or.to_owned());
    let first = Tokens {
        access: "access-0".to_owned(),
        refresh: setting("REFRESH_TOKEN", "refresh-0"),
        expired: true,
    };
    let file = env::var("STORE").ok();
    if let Some(path) = &file
        && let Ok(mut new) = File::create_new(path)
    {
        serde_json::to_writer(&mut new, &first)?;
    }
    let flight = Arc::new(SingleFlight {
        base: base.trim_end_matches('/').to_owned(),
        app: (
            setting("CLIENT_ID", "bench-client"),
            setting("CLIENT_SECRET", "bench-secret"),
        ),
        http: zoom_core::http::client_builder().build()?,
        file,
        tokens: Mutex::new(first),
    });
    wait_until().await;
    let mut outcome = run(calls, || {
        let flight = Arc::clone(&flight);
        async move { flight.me().await }
    })
    .await;
    outcome
        .final_refresh
        .clone_from(&flight.tokens.lock().await.refresh);
    print(&outcome)?;
    Ok(())
}
