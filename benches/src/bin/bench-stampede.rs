//! `bench-stampede BASE N`: so many calls at once on an access token that has run out.
//!
//! `STORE` is a SQLite file that several processes may share, or a `postgres://…` (in memory without), `START` the moment to begin, in
//! milliseconds since 1970; `REFRESH_TOKEN` what is stored at first (`refresh-0`), `CLIENT_ID` and `CLIENT_SECRET` the app.

use std::{env, sync::Arc};

use anyhow::Context as _;
use benches::{Seed, connections, final_refresh, print, run, vault, wait_until};
use url::Url;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let usage = "usage: bench-stampede BASE N";
    let mut args = env::args().skip(1);
    let base: Url = args.next().context(usage)?.parse()?;
    let calls: usize = args.next().context(usage)?.parse()?;
    let setting = |name: &str, or: &str| env::var(name).unwrap_or_else(|_| or.to_owned());
    let home = token_store::connect(&match env::var("STORE") {
        Ok(url) if url.contains("://") => url,
        Ok(path) => format!("sqlite://{path}"),
        Err(_) => "memory:".to_owned(),
    })
    .await?;
    let store = home.store;
    let seed = Seed::expired("access-0", &setting("REFRESH_TOKEN", "refresh-0"));
    seed.plant(&*store, &vault()?).await?;
    let app = (
        setting("CLIENT_ID", "bench-client"),
        setting("CLIENT_SECRET", "bench-secret"),
    );
    let connections = connections(&base, (&app.0, &app.1), Arc::clone(&store), Some(home.lock), true)?;
    let client = connections.client_for(&seed.owner).await?;
    wait_until().await;
    let mut outcome = run(calls, || {
        let client = client.clone();
        async move {
            client.users().me().await?;
            Ok(())
        }
    })
    .await;
    outcome.final_refresh = final_refresh(&*store).await?;
    print(&outcome)?;
    Ok(())
}
