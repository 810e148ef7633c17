//! Sealed and conditional beside the plain statement on the same driver: SQLite, and Postgres if `PG_URL` names one. Goal:
//! nine tenths of its speed.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made stops")]

use std::env;

use benches::{Plain, SealedStore, secret};
use divan::Bencher;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const ID: &str = "connection";

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

/// The databases to measure.
fn databases() -> Vec<&'static str> {
    let postgres = env::var("PG_URL").is_ok().then_some("postgres");
    ["sqlite"].into_iter().chain(postgres).collect()
}

fn url(database: &str, folder: &TempDir) -> String {
    match database {
        "sqlite" => format!("sqlite://{}", folder.path().join("bench").display()),
        _ => env::var("PG_URL").unwrap(),
    }
}

async fn sealed(url: &str) -> SealedStore {
    let mut sealed = SealedStore::connect(url).await.unwrap();
    sealed.put(ID, &secret(2048)).await.unwrap();
    sealed
}

async fn plain(url: &str) -> Plain {
    let plain = Plain::connect(url).await.unwrap();
    plain.put(ID, 0, &secret(2048)).await.unwrap();
    plain
}

#[divan::bench(args = databases())]
fn put_sealed(bencher: Bencher<'_, '_>, database: &str) {
    let (runtime, folder, secret) = (runtime(), tempfile::tempdir().unwrap(), secret(2048));
    let mut sealed = runtime.block_on(sealed(&url(database, &folder)));
    bencher.bench_local(|| runtime.block_on(sealed.put(ID, &secret)).unwrap());
}

#[divan::bench(args = databases())]
fn put_plain(bencher: Bencher<'_, '_>, database: &str) {
    let (runtime, folder, secret) = (runtime(), tempfile::tempdir().unwrap(), secret(2048));
    let plain = runtime.block_on(plain(&url(database, &folder)));
    // SQLite does not write what is there already.
    let mut now = 0;
    bencher.bench_local(|| {
        now += 1;
        runtime.block_on(plain.put(ID, now, &secret)).unwrap();
    });
}

#[divan::bench(args = databases())]
fn get_sealed(bencher: Bencher<'_, '_>, database: &str) {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let sealed = runtime.block_on(sealed(&url(database, &folder)));
    bencher.bench_local(|| runtime.block_on(sealed.get(ID)).unwrap());
}

#[divan::bench(args = databases())]
fn get_plain(bencher: Bencher<'_, '_>, database: &str) {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let plain = runtime.block_on(plain(&url(database, &folder)));
    bencher.bench_local(|| runtime.block_on(plain.get(ID)).unwrap());
}
