//! The life of a connection from a terminal: connect, look, refresh, change the keys, ask the doctor, leave.

use std::process::Stdio;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, BufReader},
    process::{ChildStdout, Command},
};
use url::Url;

use crate::{
    programs::{json, program_in},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_looked_after_from_a_terminal() {
    let world = world().await;
    let connected = connect(&world).await;
    assert_eq!(connected["status"], "active", "{connected:#}");

    let status = json(zoomctl(&world).args(["status", "--json"])).await;
    assert_eq!(status[0]["owner"], "maya");
    assert_eq!(status[0]["live"], "ok", "{status:#}");
    assert_eq!(status[0]["refreshed_at"], Value::Null);

    let refreshed = json(zoomctl(&world).args(["refresh", "--owner", "maya", "--json"])).await;
    assert!(refreshed["refreshed_at"].is_string(), "{refreshed:#}");
    assert_eq!(world.zoom.simulator().count("token.refresh_token.granted"), 1);

    let health = json(zoomctl(&world).args(["test", "--owner", "maya", "--json"])).await;
    assert_eq!(health["answered"], true);
    assert_eq!(health["findings"], serde_json::json!([]), "{health:#}");

    keys_change(&world).await;
    let health = json(zoomctl(&world).args(["test", "--owner", "maya", "--json"])).await;
    assert_eq!(health["connection"]["status"], "active", "{health:#}");

    let left = json(zoomctl(&world).args(["disconnect", "--owner", "maya", "--json"])).await;
    assert_eq!(left["revoked"], true, "{left:#}");
    let status = json(zoomctl(&world).args(["status", "--json"])).await;
    assert_eq!(status[0]["status"], "disconnected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_is_wrong_and_says_what_to_do() {
    let world = world().await;
    connect(&world).await;
    let well = doctor(&world, |_| {}).await;
    assert!(
        well.iter().all(|finding| finding["verdict"] != "bad"),
        "{well:#?}"
    );
    for check in [
        "app",
        "clock",
        "keys",
        "lock",
        "token store",
        "webhook secret",
        "connection",
    ] {
        assert_eq!(verdict(&well, check), "good", "{check}: {well:#?}");
    }

    let strange = doctor(&world, |zoomctl| {
        zoomctl
            .env("ZOOM_WEBHOOK_SECRET", "another secret")
            .env("ZOOM_CLIENT_SECRET", "another secret")
            .env("ZOOM_REDIRECT_URL", "http://elsewhere.example/callback")
            .env("ZOOM_LOCK", "redis://127.0.0.1:1")
            .env("ZOOM_CLIENTID", "misspelt");
    })
    .await;
    for check in ["app", "redirect", "webhook secret"] {
        assert_eq!(verdict(&strange, check), "bad", "{check}: {strange:#?}");
    }
    assert_eq!(verdict(&strange, "lock"), "warning", "{strange:#?}");
    let misspelt = strange
        .iter()
        .find(|finding| finding["check"] == "configuration")
        .unwrap();
    assert_eq!(misspelt["verdict"], "warning");
    assert!(misspelt["fix"].as_str().unwrap().contains("ZOOM_CLIENT_ID"));

    let keys = world.database().with_extension("keys");
    std::fs::remove_file(keys).unwrap();
    let locked_out = doctor(&world, |_| {}).await;
    assert_eq!(verdict(&locked_out, "keys"), "bad", "{locked_out:#?}");
}

/// A new key seals everything, and the old one is no longer needed.
async fn keys_change(world: &World) {
    let before = json(zoomctl(world).args(["keys", "list", "--json"])).await;
    assert_eq!(before["keys"][0]["role"], "seals");
    assert!(before["keys"][0]["records"].as_u64() >= Some(1), "{before:#}");
    let dry = json(zoomctl(world).args(["keys", "rotate", "--dry-run", "--json"])).await;
    assert_eq!(dry["added"], Value::Null);
    let rotated = json(zoomctl(world).args(["keys", "rotate", "--json"])).await;
    assert!(rotated["rotated"].as_u64() >= Some(1), "{rotated:#}");
    assert_eq!(rotated["retired"][0], before["keys"][0]["key"], "{rotated:#}");
    let after = json(zoomctl(world).args(["keys", "list", "--json"])).await;
    assert_eq!(after["keys"].as_array().unwrap().len(), 1, "{after:#}");
    assert_eq!(after["keys"][0]["key"], rotated["added"]);
    assert_eq!(after["keys"][0]["records"], before["keys"][0]["records"]);
}

/// A Zoom where it is now, as the programs think it is.
async fn world() -> World {
    World::open(zoom_simulator::Config::default(), |_| {}).await
}

fn zoomctl(world: &World) -> Command {
    program_in(world, "zoomctl")
}

/// `zoomctl connect`, and what a person does in the browser meanwhile.
async fn connect(world: &World) -> Value {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let redirect = format!("http://{}/oauth/callback", free.local_addr().unwrap());
    drop(free);
    let mut zoomctl = zoomctl(world);
    let connecting = zoomctl
        .args(["connect", "--owner", "maya", "--json"])
        .env("ZOOM_REDIRECT_URL", redirect)
        .stdout(Stdio::piped());
    let mut connecting = connecting.spawn().unwrap();
    let mut printed = BufReader::new(connecting.stdout.take().unwrap());
    let started = document(&mut printed).await;
    let consent = Url::parse(started["authorize_url"].as_str().unwrap()).unwrap();
    let back = world.zoom.approve(&consent).await.unwrap();
    let browser = zoom_core::http::client_builder().build().unwrap();
    assert!(browser.get(back).send().await.unwrap().status().is_success());
    let connection = document(&mut printed).await;
    assert!(connecting.wait().await.unwrap().success());
    connection
}

/// The next JSON document that a program prints.
async fn document(printed: &mut BufReader<ChildStdout>) -> Value {
    let mut text = Vec::new();
    loop {
        let byte = printed.read_u8().await.expect("a whole document");
        text.push(byte);
        if byte == b'\n'
            && let Ok(document) = serde_json::from_slice(&text)
        {
            return document;
        }
    }
}

/// What the doctor finds, whatever it thinks of it.
async fn doctor(world: &World, edit: impl FnOnce(&mut Command)) -> Vec<Value> {
    let mut zoomctl = zoomctl(world);
    zoomctl.args(["doctor", "--json", "--webhook-url", world.webhooks.as_str()]);
    edit(&mut zoomctl);
    let ran = zoomctl.output().await.unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    let bad = findings.iter().any(|finding| finding["verdict"] == "bad");
    assert_eq!(ran.status.success(), !bad);
    findings
}

/// The worst that is said of one thing.
fn verdict(findings: &[Value], check: &str) -> String {
    let of_check = findings.iter().filter(|finding| finding["check"] == check);
    let verdicts: Vec<&str> = of_check
        .map(|finding| finding["verdict"].as_str().unwrap())
        .collect();
    let worst = ["bad", "warning", "good", "skipped"]
        .into_iter()
        .find(|verdict| verdicts.contains(verdict));
    worst.unwrap_or("not looked at").to_owned()
}
