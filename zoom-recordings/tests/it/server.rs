//! A server that can cut connections in the middle of a body, which well-behaved ones cannot.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    head: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Where the asked range starts.
    pub(crate) fn range_start(&self) -> Option<usize> {
        self.header("range")?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut_after: Option<usize>,
    reset: bool,
    with_length: bool,
    hangs: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![],
            body: body.into(),
            cut_after: None,
            reset: false,
            with_length: true,
            hangs: false,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A redirect.
    pub(crate) fn to(location: impl Into<String>) -> Self {
        Self::new(302, "").header("location", location)
    }

    /// A file with a version, from wherever the request wants it, as a content network serves it.
    pub(crate) fn file(body: &[u8], etag: &str, request: &Seen) -> Self {
        match request.range_start() {
            Some(start) if request.header("if-range") == Some(etag) => Self::new(206, &body[start..]).header(
                "content-range",
                format!("bytes {start}-{}/{}", body.len() - 1, body.len()),
            ),
            _ => Self::new(200, body),
        }
        .header("etag", etag)
        .header("content-type", "application/octet-stream")
    }

    /// Closes the connection after so many bytes of the body.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Resets the connection where it is cut, instead of closing it.
    pub(crate) fn by_reset(mut self) -> Self {
        self.reset = true;
        self
    }

    /// Ends the body with the connection, without saying its length.
    pub(crate) fn without_length(mut self) -> Self {
        self.with_length = false;
        self
    }

    /// Stays silent after the cut, with the connection open.
    pub(crate) fn then_hangs(mut self) -> Self {
        self.hangs = true;
        self
    }
}

/// Answers each request with what a closure says; the closure also gets the request's number, from 0.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    let Some((stream, request)) = read(stream).await else {
                        return;
                    };
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    // A client that goes away in the middle is none of the server's business.
                    let _ = write(stream, answer(number, &request)).await;
                });
            }
        });
        Self { url, seen, task }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(mut stream: TcpStream) -> Option<(TcpStream, Seen)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    Some((stream, Seen { path, head }))
}

async fn write(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Status\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.with_length {
        head.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    let end = reply.cut_after.unwrap_or(reply.body.len()).min(reply.body.len());
    stream.write_all(&reply.body[..end]).await?;
    stream.flush().await?;
    if reply.hangs {
        std::future::pending::<()>().await;
    }
    if reply.reset {
        stream.set_zero_linger()?;
    } else {
        stream.shutdown().await?;
        // Closing with unread bytes would turn the end into a reset.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    Ok(())
}
