use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::server::{Server, folder, in_path};

/// How many databases a server has.
const DATABASES: u32 = 10_000;

/// A Redis on a free port of this machine that keeps everything in memory.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    server: Mutex<Option<Server>>,
    databases: AtomicU32,
}

impl Redis {
    /// The server that all tests of this process share. Nobody may kill or pause it.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server for the caller alone.
    ///
    /// # Panics
    /// When Redis is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let (port, server) = persist(free_port);
        Self {
            port,
            server: Mutex::new(Some(server)),
            databases: AtomicU32::new(0),
        }
    }

    /// The URL of a database that nobody was given before.
    #[must_use]
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        assert!(
            number < DATABASES,
            "all databases of this Redis have been given away"
        );
        format!("redis://127.0.0.1:{}/{number}", self.port)
    }

    /// Kills the server with all it knows. Its port answers nobody.
    pub fn kill(&self) {
        *self.server() = None;
    }

    /// A server on the same port that knows nothing of what the one before knew.
    ///
    /// # Panics
    /// When somebody else took the port meanwhile and keeps it.
    pub fn restart_empty(&self) {
        let mut server = self.server();
        *server = None;
        *server = Some(persist(|| self.port).1);
    }

    /// Stops the server without ending it: connections stay open, nobody answers.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets a paused server go on where it was.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        if let Some(server) = &*self.server() {
            server.signal(signal);
        }
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn free_port() -> u16 {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    port.unwrap_or_else(|error| panic!("no free port on this machine: {error}"))
        .port()
}

/// Starts a server on the port that `choose` gives; again if somebody else got the port before it.
fn persist(choose: impl Fn() -> u16) -> (u16, Server) {
    let mut last_words = String::new();
    for _ in 0..20 {
        let port = choose();
        match launch(port) {
            Ok(server) => return (port, server),
            Err(words) => last_words = words,
        }
    }
    panic!("Redis ended twenty times before it was ready:\n{last_words}");
}

/// What it said last when the server ended at once, as it does without its port.
fn launch(port: u16) -> Result<Server, String> {
    let Some(program) = in_path("redis-server") else {
        panic!("this test needs Redis: run `cargo xtask test` as root, or `apt-get install redis-server`");
    };
    let folder = folder();
    let configuration = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsave \"\"\nappendonly no\ndatabases {DATABASES}\n",
        folder.display()
    );
    let file = folder.join("redis.conf");
    if let Err(error) = fs::write(&file, configuration) {
        panic!("{} cannot be written: {error}", file.display());
    }
    let command = vec![program.display().to_string(), file.display().to_string()];
    let mut server = Server::start("Redis", folder, "KILL", command);
    let is_ready = server.becomes(|server| answers(port, server.pid()).unwrap_or(false));
    if is_ready {
        Ok(server)
    } else {
        Err(server.last_words())
    }
}

/// Whether the server at this port is the process we started, not one that came first.
fn answers(port: u16, pid: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"INFO server\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.contains(&format!("process_id:{pid}\r\n")))
}
