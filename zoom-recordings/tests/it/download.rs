use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use url::Url;
use zoom_core::model::{FileType, RecordingFile};
use zoom_core::{RetryPolicy, Sleeper, StubTokenSource};
use zoom_recordings::{
    DownloadError, DownloadErrorKind, Downloaded, Downloader, HostAllowList, MediaType, NotAFile, StageError,
};

use crate::server::{Reply, Seen, Server};

const TOKEN: &str = "canary-token";

/// A file that starts as an M4A does.
fn m4a(len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
    bytes[..12].copy_from_slice(b"\0\0\0\x1cftypM4A ");
    bytes
}

fn file(kind: FileType, link: Url, size: Option<u64>) -> RecordingFile {
    let mut file = RecordingFile::new(kind);
    (file.download_url, file.file_size) = (Some(link), size);
    file
}

/// What a test downloads with, and what it can look at afterwards.
struct Bench {
    downloader: Downloader,
    tokens: StubTokenSource,
    dir: TempDir,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Bench {
    fn new(servers: &[&Server]) -> Self {
        let hosts = servers.iter().fold(HostAllowList::zoom(), |hosts, server| {
            hosts.with_origin(&server.url)
        });
        let waits = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&waits);
        let sleeper = Sleeper::new(move |duration| {
            log.lock().unwrap().push(duration);
            std::future::ready(())
        });
        let retry = RetryPolicy::default().attempts(4).with_jitter(|| 1.0);
        Self {
            downloader: Downloader::new(hosts)
                .unwrap()
                .with_sleeper(sleeper)
                .with_retry(retry),
            tokens: StubTokenSource::new([TOKEN, "second-token"]),
            dir: tempfile::tempdir().unwrap(),
            waits,
        }
    }

    async fn get(&self, file: &RecordingFile) -> Result<Downloaded, DownloadError> {
        let result = self
            .downloader
            .download(&self.tokens, file, self.dir.path())
            .await;
        if let Err(error) = &result {
            assert_eq!(
                entries(self.dir.path()),
                0,
                "a failed download leaves nothing behind"
            );
            assert_no_secret(error);
        }
        result
    }

    /// The kind of failure when a server gives this for an M4A of 100 bytes.
    async fn m4a_failure(reply: Reply) -> DownloadErrorKind {
        let server = Server::start(move |_, _| reply.clone()).await;
        let bench = Self::new(&[&server]);
        bench
            .get(&file(FileType::M4a, server.at("/f"), Some(100)))
            .await
            .unwrap_err()
            .kind()
            .clone()
    }
}

fn entries(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

fn assert_no_secret(error: &DownloadError) {
    let mut shown = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    assert!(!shown.contains("canary"), "{shown}");
}

fn assert_is(downloaded: &Downloaded, bytes: &[u8]) {
    assert_eq!(downloaded.len(), bytes.len() as u64);
    assert_eq!(downloaded.sha256(), hex::encode(Sha256::digest(bytes)));
    assert!(
        std::fs::read(downloaded.path()).unwrap() == bytes,
        "the bytes on disk differ"
    );
}

#[tokio::test]
async fn a_file_arrives_whole_and_only_the_header_carries_the_token() {
    let body = m4a(700_000);
    let served = body.clone();
    let server = Server::start(move |_, seen| Reply::file(&served, "\"v1\"", seen)).await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(
            FileType::M4a,
            server.at("/rec/download/SIM1"),
            Some(700_000),
        ))
        .await
        .unwrap();
    assert_is(&got, &body);
    assert_eq!(got.media_type(), MediaType::M4a);
    assert_eq!((got.media().path, got.media().len), (got.path(), 700_000));
    let seen = &server.seen()[0];
    assert_eq!(seen.header("authorization"), Some("Bearer canary-token"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.path, "/rec/download/SIM1");
}

#[tokio::test]
async fn a_dropped_file_is_gone_and_a_persisted_one_has_its_name() {
    let body = m4a(5_000);
    let served = body.clone();
    let server = Server::start(move |_, seen| Reply::file(&served, "\"v1\"", seen)).await;
    let bench = Bench::new(&[&server]);
    let wanted = file(FileType::M4a, server.at("/f"), Some(5_000));
    drop(bench.get(&wanted).await.unwrap());
    assert_eq!(entries(bench.dir.path()), 0);

    let name = bench.dir.path().join("call.m4a");
    let path = bench.get(&wanted).await.unwrap().persist(&name).await.unwrap();
    assert_eq!(path, name);
    assert_eq!(std::fs::read(&name).unwrap(), body);
    assert_eq!(entries(bench.dir.path()), 1);

    let elsewhere = bench.dir.path().join("no such folder").join("call.m4a");
    let error = bench
        .get(&wanted)
        .await
        .unwrap()
        .persist(elsewhere)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::Disk);
    assert_eq!(entries(bench.dir.path()), 1);
}

#[tokio::test]
async fn the_token_stays_with_the_first_host_and_does_not_come_back() {
    let body = m4a(5_000);
    let (first_served, served) = (body.clone(), body.clone());
    let first = Server::start(move |_, seen| match seen.path.as_str() {
        "/back?Signature=canary" => Reply::file(&first_served, "\"v1\"", seen),
        path => Reply::to(
            path.strip_prefix("/go?to=")
                .map(str::to_owned)
                .unwrap_or("/here".to_owned()),
        ),
    })
    .await;
    let back = first.at("/back?Signature=canary").to_string();
    let cdn = Server::start(move |_, seen| match seen.path.as_str() {
        "/bounce" => Reply::to(back.clone()),
        "/around" => Reply::to("/f"),
        _ => Reply::file(&served, "\"v1\"", seen),
    })
    .await;
    let bench = Bench::new(&[&first, &cdn]);

    let away = first.at(&format!("/go?to={}", cdn.at("/f?Policy=canary")));
    assert_is(&bench.get(&file(FileType::M4a, away, None)).await.unwrap(), &body);
    assert!(first.seen()[0].header("authorization").is_some());
    assert_eq!(cdn.seen()[0].header("authorization"), None);

    let around = first.at(&format!("/go?to={}", cdn.at("/around")));
    assert_is(
        &bench.get(&file(FileType::M4a, around, None)).await.unwrap(),
        &body,
    );
    assert!(
        cdn.seen()
            .iter()
            .all(|seen| seen.header("authorization").is_none())
    );

    let there_and_back = first.at(&format!("/go?to={}", cdn.at("/bounce")));
    assert_is(
        &bench
            .get(&file(FileType::M4a, there_and_back, None))
            .await
            .unwrap(),
        &body,
    );
    let last = first.seen().pop().unwrap();
    assert_eq!(
        (last.path.as_str(), last.header("authorization")),
        ("/back?Signature=canary", None)
    );
}

#[tokio::test]
async fn hosts_that_are_not_allowed_are_never_asked() {
    let stranger = Server::start(|_, _| Reply::new(200, m4a(100))).await;
    let target = stranger.at("/internal?x=canary").to_string();
    let server = Server::start(move |_, _| Reply::to(target.clone())).await;
    let bench = Bench::new(&[&server]);
    let not_allowed = DownloadErrorKind::HostNotAllowed {
        host: "127.0.0.1".to_owned(),
    };

    let redirected = bench
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap_err();
    assert_eq!(*redirected.kind(), not_allowed);
    let forged = bench
        .get(&file(FileType::M4a, stranger.at("/f?x=canary"), None))
        .await
        .unwrap_err();
    assert_eq!(*forged.kind(), not_allowed);
    assert!(!forged.is_retryable());
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(|_, _| Reply::to("/again")).await;
    let error = Bench::new(&[&server])
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::BadRedirect);
    assert_eq!(server.seen().len(), 6, "the link and five redirects");
    assert_eq!(
        Bench::m4a_failure(Reply::new(302, "")).await,
        DownloadErrorKind::BadRedirect
    );
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_was() {
    const CUT: usize = 150_000;
    let body = m4a(1_000_000);
    let served = body.clone();
    let server = Server::start(move |_, seen| Reply::file(&served, "\"v1\"", seen).cut_after(CUT)).await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(FileType::M4a, server.at("/f"), Some(1_000_000)))
        .await
        .unwrap();
    assert_is(&got, &body);
    // Seven attempts where four in a row may fail: progress counts. Nothing was asked for twice.
    let starts: Vec<_> = server.seen().iter().map(Seen::range_start).collect();
    let expected: Vec<_> = (0..7).map(|i| (i > 0).then_some(i * CUT)).collect();
    assert_eq!(starts, expected);
}

#[tokio::test]
async fn a_reset_connection_is_survived_as_well() {
    let body = m4a(600_000);
    let served = body.clone();
    let server = Server::start(move |number, seen| {
        let reply = Reply::file(&served, "\"v1\"", seen);
        if number < 3 {
            reply.cut_after(200_000).by_reset()
        } else {
            reply
        }
    })
    .await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(FileType::M4a, server.at("/f"), Some(600_000)))
        .await
        .unwrap();
    assert_is(&got, &body);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_begun_anew() {
    let (old, new) = (m4a(400_000), m4a(500_000).into_iter().rev().collect::<Vec<_>>());
    let mut new = new;
    new[..12].copy_from_slice(&old[..12]);
    let served = new.clone();
    let server = Server::start(move |number, seen| match number {
        0 => Reply::file(&old, "\"v1\"", seen).cut_after(300_000),
        _ => Reply::file(&served, "\"v2\"", seen),
    })
    .await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap();
    assert_is(&got, &new);
    assert_eq!(server.seen()[1].header("if-range"), Some("\"v1\""));
}

#[tokio::test]
async fn two_versions_are_never_mixed_even_if_the_server_does_not_care() {
    let (old, new) = (m4a(400_000), m4a(400_001));
    let served = new.clone();
    let server = Server::start(move |number, seen| match (number, seen.range_start()) {
        (0, _) => Reply::file(&old, "\"v1\"", seen).cut_after(300_000),
        (_, Some(start)) => Reply::new(206, &served[start..]).header("etag", "\"v2\"").header(
            "content-range",
            format!("bytes {start}-{}/{}", served.len() - 1, served.len()),
        ),
        _ => Reply::file(&served, "\"v2\"", seen),
    })
    .await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap();
    assert_is(&got, &new);
}

#[tokio::test]
async fn without_a_version_a_cut_file_is_begun_anew() {
    let body = m4a(400_000);
    let served = body.clone();
    let server = Server::start(move |number, _| {
        let reply = Reply::new(200, served.clone());
        if number == 0 {
            reply.cut_after(300_000)
        } else {
            reply
        }
    })
    .await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(FileType::M4a, server.at("/f"), Some(400_000)))
        .await
        .unwrap();
    assert_is(&got, &body);
    assert_eq!(server.seen()[1].range_start(), None);
}

#[tokio::test]
async fn a_body_without_length_is_whole_only_when_the_announced_size_is_there() {
    let body = m4a(400_000);
    let served = body.clone();
    let server = Server::start(move |number, seen| {
        let reply = Reply::file(&served, "\"v1\"", seen).without_length();
        if number == 0 {
            reply.cut_after(300_000)
        } else {
            reply
        }
    })
    .await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(FileType::M4a, server.at("/f"), Some(400_000)))
        .await
        .unwrap();
    assert_is(&got, &body);
}

#[tokio::test]
async fn a_signature_that_expired_in_the_middle_is_made_anew() {
    let body = m4a(400_000);
    let served = body.clone();
    let cdn = Server::start(move |number, seen| match number {
        0 => Reply::file(&served, "\"v1\"", seen).cut_after(300_000),
        1 => Reply::new(403, "<Error>Request has expired</Error>"),
        _ => Reply::file(&served, "\"v1\"", seen),
    })
    .await;
    let target = cdn.url.clone();
    let zoom = Server::start(move |number, _| Reply::to(format!("{target}f?Signature={number}"))).await;
    let bench = Bench::new(&[&zoom, &cdn]);
    let got = bench
        .get(&file(FileType::M4a, zoom.at("/f"), Some(400_000)))
        .await
        .unwrap();
    assert_is(&got, &body);
    let paths: Vec<_> = cdn
        .seen()
        .iter()
        .map(|seen| (seen.path.clone(), seen.range_start()))
        .collect();
    assert_eq!(paths[2], ("/f?Signature=2".to_owned(), Some(300_000)));
}

#[tokio::test]
async fn what_only_claims_to_be_the_file_is_caught() {
    let html = |page: &'static str| Reply::new(200, page).header("content-type", "text/html; charset=utf-8");
    let not_a_file = DownloadErrorKind::NotAFile;
    assert_eq!(
        Bench::m4a_failure(html("<html><title>Password Required - Zoom</title>")).await,
        not_a_file(NotAFile::PasscodePage)
    );
    assert_eq!(
        Bench::m4a_failure(html("Only the host can download")).await,
        not_a_file(NotAFile::LoginPage)
    );
    // Without the right type the bytes still tell.
    let page = format!(
        "<!DOCTYPE html><html>{}<title>Sign In - Zoom</title>",
        " ".repeat(5_000)
    );
    assert_eq!(
        Bench::m4a_failure(Reply::new(200, page)).await,
        not_a_file(NotAFile::LoginPage)
    );
    assert_eq!(
        Bench::m4a_failure(Reply::new(200, "{\"status\":false}")).await,
        not_a_file(NotAFile::Json)
    );
    assert_eq!(
        Bench::m4a_failure(Reply::new(200, vec![0; 100])).await,
        not_a_file(NotAFile::OtherBytes)
    );

    let server = Server::start(|_, _| Reply::new(200, "<html>")).await;
    for kind in [
        FileType::Transcript,
        FileType::Chat,
        FileType::Timeline,
        FileType::Csv,
        FileType::from("NEW"),
    ] {
        let error = Bench::new(&[&server])
            .get(&file(kind, server.at("/f"), None))
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), not_a_file(NotAFile::Page));
    }
}

#[tokio::test]
async fn media_has_the_announced_size_or_is_refused() {
    assert_eq!(
        Bench::m4a_failure(Reply::new(200, m4a(99))).await,
        DownloadErrorKind::TooShort {
            expected: 100,
            got: 99
        }
    );
    assert_eq!(
        Bench::m4a_failure(Reply::new(200, m4a(101))).await,
        DownloadErrorKind::TooLong { limit: 100 }
    );
    let endless = Reply::new(200, m4a(200_000)).without_length();
    assert_eq!(
        Bench::m4a_failure(endless).await,
        DownloadErrorKind::TooLong { limit: 100 }
    );
    assert_eq!(
        Bench::m4a_failure(Reply::new(200, "")).await,
        DownloadErrorKind::Empty
    );

    // What says that it is too long is refused before it arrives.
    let server = Server::start(|_, _| Reply::new(200, m4a(5_000)).cut_after(600)).await;
    let bench = Bench::new(&[&server]);
    let error = bench
        .get(&file(FileType::M4a, server.at("/f"), Some(1_000)))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::TooLong { limit: 1_000 });

    let server = Server::start(|_, _| Reply::new(200, m4a(2_000)).without_length()).await;
    let mut bench = Bench::new(&[&server]);
    bench.downloader = bench.downloader.with_max_len(1_000);
    let error = bench
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::TooLong { limit: 1_000 });
}

#[tokio::test]
async fn text_may_differ_from_the_announced_size_and_is_never_empty() {
    let server = Server::start(|number, _| match number {
        0 => Reply::new(200, "WEBVTT\n"),
        _ => Reply::new(200, "").header("content-type", "text/vtt"),
    })
    .await;
    let wanted = file(FileType::Transcript, server.at("/f"), Some(12));
    let bench = Bench::new(&[&server]);
    assert_eq!(bench.get(&wanted).await.unwrap().media_type(), MediaType::Vtt);
    let error = bench.get(&wanted).await.unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::Empty);
    assert!(StageError::from(error).is_transient());
}

#[tokio::test]
async fn a_refused_token_is_reported_and_the_next_one_tried_once() {
    let token_error = r#"{"code":124,"message":"Access token is expired."}"#;
    for refusal in [
        Reply::new(401, ""),
        Reply::new(200, token_error).header("content-type", "application/json"),
    ] {
        let body = m4a(100);
        let server = Server::start(move |_, seen| match seen.header("authorization") {
            Some("Bearer second-token") => Reply::new(200, body.clone()),
            _ => refusal.clone(),
        })
        .await;
        let bench = Bench::new(&[&server]);
        bench
            .get(&file(FileType::M4a, server.at("/f"), Some(100)))
            .await
            .unwrap();
        let refused: Vec<_> = bench
            .tokens
            .refused()
            .iter()
            .map(|t| t.expose_secret().to_owned())
            .collect();
        assert_eq!(refused, [TOKEN]);
    }

    let server = Server::start(|_, _| Reply::new(401, "")).await;
    let error = Bench::new(&[&server])
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::Unauthorized);
    assert!(error.needs_reauthorization() && !error.is_retryable());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    let server = Server::start(|_, _| Reply::new(200, m4a(100))).await;
    let bench = Bench {
        tokens: StubTokenSource::new([""; 0]),
        ..Bench::new(&[&server])
    };
    let error = bench
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::NoToken);
    assert!(error.needs_reauthorization() && !error.is_retryable());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_busy_server_is_given_the_time_it_asks_for() {
    let server = Server::start(|number, _| match number {
        0 => Reply::new(429, "").header("retry-after", "7"),
        1 => Reply::new(503, ""),
        _ => Reply::new(200, m4a(100)),
    })
    .await;
    let bench = Bench::new(&[&server]);
    bench
        .get(&file(FileType::M4a, server.at("/f"), Some(100)))
        .await
        .unwrap();
    let waits = bench.waits.lock().unwrap().clone();
    assert_eq!(waits.len(), 2);
    assert!(waits[0] >= Duration::from_secs(7), "{waits:?}");
}

#[tokio::test]
async fn a_wait_longer_than_the_budget_is_the_pipelines_to_decide() {
    let server = Server::start(|_, _| Reply::new(429, "").header("retry-after", "3600")).await;
    let error = Bench::new(&[&server])
        .get(&file(FileType::M4a, server.at("/f"), None))
        .await
        .unwrap_err();
    let stage = StageError::from(error);
    assert_eq!(
        (stage.is_transient(), stage.retry_delay()),
        (true, Some(Duration::from_secs(3600)))
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn tries_without_progress_are_counted() {
    let server = Server::start(|_, _| {
        Reply::new(200, m4a(400_000))
            .header("etag", "\"v1\"")
            .cut_after(10)
    })
    .await;
    let error = Bench::new(&[&server])
        .get(&file(FileType::M4a, server.at("/f?x=canary"), None))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), DownloadErrorKind::Network);
    assert!(error.is_retryable());
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_host_that_is_not_there_may_be_there_later() {
    // Nobody listens on the first of all ports.
    let link: Url = "http://127.0.0.1:1/f?x=canary".parse().unwrap();
    let mut bench = Bench::new(&[]);
    bench.downloader = bench
        .downloader
        .with_hosts(HostAllowList::nothing().with_origin(&link));
    let error = bench.get(&file(FileType::M4a, link, None)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (&DownloadErrorKind::Network, true)
    );
    assert_eq!(bench.waits.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_trying_again_at_once_cannot_cure_is_asked_for_once() {
    for (status, kind, later) in [
        (404, DownloadErrorKind::NotFound, true),
        (403, DownloadErrorKind::Forbidden, false),
        (400, DownloadErrorKind::Status(400), false),
    ] {
        let server = Server::start(move |_, _| Reply::new(status, "canary")).await;
        let error = Bench::new(&[&server])
            .get(&file(FileType::M4a, server.at("/f"), None))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (&kind, later));
        assert_eq!(server.seen().len(), 1);
    }
    let bench = Bench::new(&[]);
    let error = bench.get(&RecordingFile::new(FileType::M4a)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (&DownloadErrorKind::NoLink, true)
    );
}

#[tokio::test]
async fn a_range_that_the_server_cannot_satisfy_begins_the_file_anew() {
    let body = m4a(300_000);
    let served = body.clone();
    let server = Server::start(move |number, seen| match number {
        0 => Reply::file(&served, "\"v1\"", seen).cut_after(200_000),
        1 => Reply::new(416, "").header("content-range", "bytes */100"),
        _ => Reply::file(&served, "\"v1\"", seen),
    })
    .await;
    let bench = Bench::new(&[&server]);
    let got = bench
        .get(&file(FileType::M4a, server.at("/f"), Some(300_000)))
        .await
        .unwrap();
    assert_is(&got, &body);
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_nothing_behind() {
    let server = Server::start(|_, _| Reply::new(200, m4a(900_000)).cut_after(800_000).then_hangs()).await;
    let bench = Bench::new(&[&server]);
    let wanted = file(FileType::M4a, server.at("/f"), None);
    {
        let download = bench
            .downloader
            .download(&bench.tokens, &wanted, bench.dir.path());
        tokio::pin!(download);
        // Until the file is there and grows.
        while std::fs::read_dir(bench.dir.path())
            .unwrap()
            .all(|entry| entry.unwrap().metadata().unwrap().len() == 0)
        {
            tokio::select! {
                _ = &mut download => panic!("the server hangs"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    assert_eq!(entries(bench.dir.path()), 0);
}
