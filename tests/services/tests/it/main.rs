//! Servers that are there when they are wanted and gone when nobody wants them any more.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use test_services::{Postgres, Redis};

/// Says one command to a Redis and gives its answer; `None` when nobody answers.
fn ask(url: &str, command: &str) -> Option<String> {
    let address = url.trim_start_matches("redis://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
    let mut answer = [0; 64];
    match stream.read(&mut answer) {
        Ok(length) if length > 0 => Some(String::from_utf8_lossy(&answer[..length]).trim().to_owned()),
        _ => None,
    }
}

/// The answers of `psql` to a statement.
fn query(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["-At", "-c", sql, url])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_killed_redis_is_silent_and_comes_back_empty() {
    let redis = Redis::start();
    let url = redis.database();
    assert_eq!(ask(&url, "SET a 1").as_deref(), Some("+OK"));
    redis.kill();
    assert_eq!(ask(&url, "GET a"), None);
    redis.restart_empty();
    assert_eq!(ask(&url, "GET a").as_deref(), Some("$-1"));
}

#[test]
fn a_paused_redis_holds_its_breath_and_forgets_nothing() {
    let redis = Redis::start();
    let url = redis.database();
    assert_eq!(ask(&url, "SET a 1").as_deref(), Some("+OK"));
    redis.pause();
    assert_eq!(ask(&url, "GET a"), None);
    redis.resume();
    assert_eq!(ask(&url, "GET a").as_deref(), Some("$1\r\n1"));
}

#[test]
fn databases_know_nothing_of_each_other() {
    let [one, other] = [(); 2].map(|()| Postgres::shared().database());
    query(&one, "CREATE TABLE a (b text)");
    let is_there = "SELECT to_regclass('a') IS NOT NULL";
    assert_eq!(
        (query(&one, is_there), query(&other, is_there)),
        ("t".into(), "f".into())
    );
    assert_ne!(Redis::shared().database(), Redis::shared().database());
}

#[test]
fn letters_are_in_a_language_s_order_until_asked_otherwise() {
    let url = Postgres::shared().database();
    assert_eq!(query(&url, "SELECT 'a' < 'Z', 'a' < 'Z' COLLATE \"C\""), "t|f");
}

/// Not a test of its own: what the one below starts and kills.
#[test]
fn starts_servers_and_waits_for_its_end() {
    if env::var_os("TEST_SERVICES_VICTIM").is_none() {
        return;
    }
    println!(
        "\nurl {}\nurl {}",
        Redis::shared().database(),
        Postgres::shared().database()
    );
    loop {
        thread::park();
    }
}

#[test]
fn servers_and_folders_go_with_a_process_that_is_killed() {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "starts_servers_and_waits_for_its_end", "--nocapture"])
        .env("TEST_SERVICES_VICTIM", "yes")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let urls: Vec<String> = lines
        .filter_map(|line| line.strip_prefix("url ").map(str::to_owned))
        .take(2)
        .collect();
    let host = urls[1].split("host=").nth(1).unwrap().split('&').next().unwrap();
    let folder = Path::new(host).to_owned();
    assert_eq!(ask(&urls[0], "PING").as_deref(), Some("+PONG"));
    assert!(folder.is_dir());
    victim.kill().unwrap();
    victim.wait().unwrap();
    for _ in 0..2000 {
        if ask(&urls[0], "PING").is_none() && !folder.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the servers outlive who started them: {urls:?}");
}
