//! Real databases, reached with a password in the address, and everything that is in them afterwards.

use std::fs;

use sqlx::{Connection as _, PgConnection, Row as _};
use tempfile::TempDir;
use test_services::{Postgres, Redis};
use token_store::{Home, RedisLock, RefreshLock, connect};

use super::shown::Shown;

pub(crate) struct Databases {
    folder: TempDir,
    postgres: Option<String>,
    redis: Redis,
    redis_url: String,
    password: String,
}

impl Databases {
    /// A home of this kind, and a Redis that wants a password.
    pub(crate) async fn start(kind: &str, mark: &str) -> Self {
        let redis = Redis::start();
        let url = redis.database();
        let password = format!("{mark}-redis");
        let client = redis::Client::open(url.as_str()).unwrap();
        let mut open = client.get_multiplexed_async_connection().await.unwrap();
        let () = redis::cmd("CONFIG")
            .arg(&["set", "requirepass", &password])
            .query_async(&mut open)
            .await
            .unwrap();
        let login = format!("postgres:{mark}-postgres@");
        let postgres = (kind == "postgres").then(|| {
            let url = Postgres::shared().database();
            url.replace("postgres@", &login)
        });
        Self {
            folder: tempfile::tempdir().unwrap(),
            postgres,
            redis,
            redis_url: url.replace("redis://", &format!("redis://:{password}@")),
            password,
        }
    }

    pub(crate) fn url(&self) -> String {
        let file = self.folder.path().join("connections.sqlite");
        let sqlite = || format!("sqlite://{}", file.display());
        self.postgres.clone().unwrap_or_else(sqlite)
    }

    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn open(&self, shown: &Shown) -> (Home, RedisLock) {
        let home = connect(&self.url()).await.unwrap();
        let lock = RedisLock::connect(&self.redis_url).await.unwrap();
        shown.debug(&home);
        shown.debug(&lock);
        shown.debug(&lock.clone().with_prefix("other:"));
        (home, lock)
    }

    /// Addresses that lead nowhere, and passwords that are wrong.
    pub(crate) async fn fail(&self, mark: &str, shown: &Shown) {
        let gone = self.folder.path().join("gone");
        let urls = [
            format!("postgres://me:{mark}@localhost/x?host={}", gone.display()),
            format!("postgres://me:{mark}@/{mark}:x:y"),
            format!("postgres://me:{mark}@localhost:{mark}/x"),
            format!("postgres://me:{mark}@localhost/x?sslmode={mark}"),
            format!(
                "postgres://me:{mark}@localhost/x?sslpassword={mark}&host={}",
                gone.display()
            ),
            format!("postgresql://[{mark}/x"),
            format!("mysql://me:{mark}@localhost/x"),
            format!("sqlite://{}/x?mode={mark}", gone.display()),
            mark.to_owned(),
        ];
        for url in &urls {
            match connect(url).await {
                Ok(_) => panic!("{url} leads somewhere"),
                Err(error) => shown.any_error(&error),
            }
        }
        let wrong = self.redis_url.replace(&self.password, &format!("{mark}-wrong"));
        for url in [
            wrong.as_str(),
            &format!("redis://:{mark}@127.0.0.1:1/0"),
            &format!("redis://:{mark}@127.0.0.1:{mark}/0"),
            &format!("redis://:{mark}@127.0.0.1/{mark}"),
            &format!("redis//{mark}"),
        ] {
            match RedisLock::connect(url).await {
                Ok(_) => panic!("{url} leads somewhere"),
                Err(error) => shown.any_error(&error),
            }
        }
    }

    /// The Redis forgets everything and goes away; who asks it hears of it.
    pub(crate) async fn lose_redis(&self, lock: &RedisLock, shown: &Shown) {
        self.redis.kill();
        let (key, holder) = (
            token_store::LockKey::new("a"),
            token_store::Holder::random().unwrap(),
        );
        let refused = lock
            .try_acquire(&key, &holder, std::time::Duration::from_secs(1))
            .await;
        shown.any_error(&refused.unwrap_err());
    }

    /// What lies in Redis now.
    pub(crate) async fn redis_dump(&self) -> Vec<u8> {
        let client = redis::Client::open(self.redis_url.as_str()).unwrap();
        let mut open = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut open).await.unwrap();
        let mut dump = Vec::new();
        for key in keys {
            let bytes: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut open).await.unwrap();
            dump.extend(key.as_bytes());
            dump.extend(bytes);
            let values: Result<Vec<String>, _> = redis::cmd("HGETALL").arg(&key).query_async(&mut open).await;
            dump.extend(values.unwrap_or_default().join(" ").into_bytes());
        }
        dump
    }

    /// Every file of the database, those beside it included, and every row of every table.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let Some(url) = &self.postgres else {
            let mut dump = Vec::new();
            for file in fs::read_dir(self.folder.path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if name.starts_with("connections.sqlite") {
                    dump.extend(fs::read(path).unwrap());
                }
            }
            return dump;
        };
        let mut dump = Vec::new();
        let mut open = PgConnection::connect(url).await.unwrap();
        let tables = "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables \
                      WHERE table_schema NOT IN ('pg_catalog', 'information_schema')";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut open).await.unwrap();
        assert!(tables.len() >= 3, "{tables:?}");
        for table in tables {
            let rows = sqlx::AssertSqlSafe(format!("SELECT t::text AS row FROM {table} t"));
            for row in sqlx::query(rows).fetch_all(&mut open).await.unwrap() {
                dump.extend(row.get::<String, _>("row").into_bytes());
                dump.push(b'\n');
            }
        }
        dump
    }
}
