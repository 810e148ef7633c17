use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::server::{Server, folder, in_path, run};

/// What gives up safety for speed, and room for tests with many pools.
const SETTINGS: [&str; 7] = [
    "listen_addresses=",
    "max_connections=400",
    "shared_buffers=32MB",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
];

/// Makes the files and becomes the server, all of it under the keeper: a test that is killed while the files are made
/// leaves nothing behind either. `$1` is where the programs are, `$2` the folder, and the rest are settings.
///
/// A language's order of letters, so that a query that forgets to ask for the order of bytes is found out.
const SERVER: &str = r#"
programs=$1 folder=$2
shift 2
cd /
"$programs/initdb" --pgdata "$folder/data" --username=postgres --auth=trust --no-sync \
    --encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US || exit
exec "$programs/postgres" -D "$folder/data" "$@"
"#;

/// A PostgreSQL that listens on a socket in its folder and lets everybody in.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    programs: PathBuf,
    databases: AtomicU32,
}

impl Postgres {
    /// The server that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server for the caller alone.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let Some(programs) = programs() else {
            panic!(
                "this test needs PostgreSQL 15 or newer: run `cargo xtask test` as root, or \
                 `apt-get install postgresql`"
            );
        };
        let folder = folder();
        let status = folder.join("data").join("postmaster.pid");
        let mut command = without_root(&folder);
        command.extend(["sh", "-c", SERVER, "sh"].map(str::to_owned));
        command.extend([&programs, &folder].map(|path| path.display().to_string()));
        let socket = format!("unix_socket_directories={}", folder.display());
        for setting in SETTINGS.iter().copied().chain([socket.as_str()]) {
            command.extend(["-c".to_owned(), setting.to_owned()]);
        }
        let mut server = Server::start("PostgreSQL", folder, "QUIT", command);
        let is_ready =
            server.becomes(|_| fs::read_to_string(&status).is_ok_and(|text| text.contains("\nready")));
        assert!(
            is_ready,
            "PostgreSQL ended before it was ready:\n{}",
            server.last_words()
        );
        Self {
            server,
            programs,
            databases: AtomicU32::new(0),
        }
    }

    /// The URL of a new, empty place. It is a schema, the only one in its `search_path`: a database of its own would take
    /// twenty times as long to make, and no test here can tell them apart.
    ///
    /// # Panics
    /// When the server does not make it.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let folder = self.server.folder();
        run(Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--username=postgres", "--host"])
            .arg(folder)
            .args(["--command", &format!("CREATE SCHEMA {name}")]));
        format!(
            "postgres://postgres@localhost/postgres?host={}&options=-csearch_path%3D{name}",
            folder.display()
        )
    }
}

/// Where the server's programs are. Debian keeps them out of `PATH`, one folder per version: the newest it is.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter_map(|version| {
            let number: u32 = version.file_name().to_str()?.parse().ok()?;
            let folder = version.path().join("bin");
            folder.join("postgres").is_file().then_some((number, folder))
        })
        .max();
    let in_path = || in_path("postgres")?.parent().map(Path::to_owned);
    newest.map(|(_, folder)| folder).or_else(in_path)
}

/// PostgreSQL refuses to run as root. What has to stand before its commands then, and the folder belongs to whoever
/// runs them: the package's own user if it is there.
fn without_root(folder: &Path) -> Vec<String> {
    if run(Command::new("id").arg("-u")) != "0" {
        return Vec::new();
    }
    let id = Command::new("id").arg("postgres").output();
    let has_own = id.is_ok_and(|id| id.status.success());
    let user = if has_own { "postgres" } else { "nobody" };
    run(Command::new("chown").arg(user).arg(folder));
    let group = run(Command::new("id").args(["-g", user]));
    ["setpriv", "--reuid", user, "--regid", &group, "--clear-groups"]
        .map(str::to_owned)
        .into()
}
