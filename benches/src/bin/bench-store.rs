//! `bench-store`: what sealing and conditional saves cost beside the plain statement on the same driver.
//!
//! `SQLITE_PATH` is where the files are made, `….sealed` and `….plain` (in a temporary folder without); `PG_URL` a Postgres
//! database, left out without; `N` how many of each (2,000). The two ways take turns, so that both see the same machine.

use std::{env, sync::Arc};

use anyhow::Context as _;
use benches::{
    Plain, SealedStore, Seed, Timed, connections, print, record, secret, timed, timed_async, vault,
};
use serde_json::json;
use token_store::{Generation, MemoryStore, OwnerId, SealContext};

/// As long as two of Zoom's tokens and what is written beside them.
const SIZE: usize = 2048;
/// So many of one kind, then of the next.
const TURN: u32 = 20;
const IDS: u32 = 100;
/// Before anything is measured, so that both files have been through a checkpoint: SQLite is much faster before the first.
const WARM_UP: u32 = 1200;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rounds: u32 = env::var("N").map_or(Ok(2000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = env::var("SQLITE_PATH").unwrap_or_else(|_| folder.path().join("bench").display().to_string());
    let sqlite = format!("sqlite://{path}");
    compare(
        "sqlite",
        rounds,
        SealedStore::connect(&format!("{sqlite}.sealed")).await?,
        &Plain::connect(&format!("{sqlite}.plain")).await?,
    )
    .await?;
    if let Ok(url) = env::var("PG_URL") {
        let (sealed, plain) = (SealedStore::connect(&url).await?, Plain::connect(&url).await?);
        compare("postgres", rounds, sealed, &plain).await?;
    }
    in_memory().await
}

/// Puts and gets, in turns.
async fn compare(name: &str, rounds: u32, mut sealed: SealedStore, plain: &Plain) -> anyhow::Result<()> {
    let secret = secret(SIZE);
    let ids: Vec<String> = (0..IDS).map(|id| format!("connection-{id}")).collect();
    let id = |round: u32| ids.get(usize::try_from(round % IDS)?).context("no id");
    for round in 0..WARM_UP {
        sealed.put(id(round)?, &secret).await?;
        plain.put(id(round)?, -i64::from(round), &secret).await?;
    }
    let mut took = [Timed::default(); 4];
    let [plain_put, sealed_put, plain_get, sealed_get] = &mut took;
    // What is put has to differ from what is there: SQLite does not write a page that stays the same.
    let mut now = 0;
    for _ in 0..rounds.div_ceil(TURN) {
        let puts = timed_async(TURN, async |round| {
            now += 1;
            plain.put(id(round)?, now, &secret).await
        });
        *plain_put = plain_put.and(puts.await?);
        let puts = timed_async(TURN, async |round| sealed.put(id(round)?, &secret).await);
        *sealed_put = sealed_put.and(puts.await?);
        let gets = timed_async(TURN, async |round| plain.get(id(round)?).await);
        *plain_get = plain_get.and(gets.await?);
        let gets = timed_async(TURN, async |round| sealed.get(id(round)?).await);
        *sealed_get = sealed_get.and(gets.await?);
    }
    for (what, timed) in ["plain put", "sealed put", "plain get", "sealed get"]
        .iter()
        .zip(took)
    {
        print(&json!({
            "name": format!("{name} {what}"), "ops": timed.per_second(), "client_cpu_us": timed.cpu_micros(),
        }))?;
    }
    Ok(())
}

/// What needs no store: sealing, opening, and a token that was read a moment ago.
async fn in_memory() -> anyhow::Result<()> {
    let vault = vault()?;
    let owner = OwnerId::new("bench");
    let record = record(&owner, "connection");
    let secret = secret(SIZE).into_bytes();
    let place = SealContext {
        owner: &record.owner,
        connection: &record.id,
        field: "tokens",
        generation: Generation::FIRST,
    };
    let sealed = vault.seal(&place, &secret).await?;
    let rounds = 50_000;
    let line = |name: &str, size: usize, timed: Timed| {
        print(&json!({ "name": name, "size": size, "ns": timed.nanos() }))
    };
    let took = timed_async(rounds, async |_| Ok(vault.seal(&place, &secret).await?)).await?;
    line("seal", SIZE, took)?;
    let took = timed_async(rounds, async |_| Ok(vault.open(&place, &sealed).await?)).await?;
    line("open", SIZE, took)?;
    let text = sealed.to_string();
    let took = timed(rounds, |_| Ok(sealed.to_string()))?;
    line("sealed to text", text.len(), took)?;
    let took = timed(rounds, |_| Ok(text.parse::<token_store::Sealed>()?))?;
    line("sealed from text", text.len(), took)?;

    let store = Arc::new(MemoryStore::new());
    let access = "a".repeat(SIZE / 2);
    let seed = Seed::good(&access, "r");
    seed.plant(&*store, &vault).await?;
    let nowhere = "http://127.0.0.1:9/".parse()?;
    let connections = connections(&nowhere, ("id", "secret"), store, None, true)?;
    let tokens = connections.token_source(&seed.owner).await?;
    tokens.access_token().await?;
    let took = timed_async(1_000_000, async |_| Ok(tokens.access_token().await?)).await?;
    line("cached read", access.len(), took)?;
    Ok(())
}
