//! A simulated Zoom, a SQLite file, and owners who have connected, for processes to work on.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use tempfile::TempDir;
use zoom_oauth::{Callback, Connections, OwnerId, SessionBinding};
use zoom_simulator::{Config, Simulator, UserSpec};

use crate::children::Place;

pub(crate) struct Stage {
    pub(crate) zoom: Simulator,
    folder: TempDir,
}

impl Stage {
    /// A Zoom with so many reps, whose clock stands still.
    pub(crate) async fn open(reps: usize, edit: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.frozen = true;
        config.start_at = Some("2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap());
        config
            .users
            .extend((0..reps).map(|rep| UserSpec::licensed(&email(rep), "Riley", "Rep")));
        edit(&mut config);
        Self {
            zoom: Simulator::start(config).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// What a process has to know now.
    pub(crate) fn place(&self) -> Place {
        let config = self.zoom.config();
        Place {
            file: format!("sqlite://{}", self.folder.path().join("oauth.sqlite").display()),
            zoom: self.zoom.base_url(),
            app: (config.client_id.clone(), config.client_secret.clone()),
            system: (
                config.account_id.clone(),
                config.s2s_client_id.clone(),
                config.s2s_client_secret.clone(),
            ),
            now: self.zoom.clock().now(),
        }
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.zoom.advance(time);
    }

    /// Until tokens have to be refreshed.
    pub(crate) fn pass_an_hour(&self) {
        self.pass(Duration::from_secs(3600));
    }

    pub(crate) async fn connect(&self, connections: &Connections, rep: usize) {
        let (owner, session) = (owner(rep), SessionBinding::new("cookie-secret"));
        let started = connections.authorize(&owner, &session).await.unwrap();
        let back = self.zoom.allow(&started.url, &email(rep)).unwrap();
        let callback = Callback::from_query(back.query().unwrap());
        connections.connect(&callback, &session).await.unwrap();
    }

    /// How often Zoom has made tokens for each user's newest grant.
    pub(crate) fn tokens_made(&self) -> HashMap<String, u64> {
        let world = self.zoom.world();
        let grants = world["connections"].as_array().unwrap().iter();
        let alive = grants.filter(|grant| grant["alive"] == true);
        alive
            .map(|grant| {
                let user = grant["user_id"].as_str().unwrap().to_owned();
                (user, grant["tokens_made"].as_u64().unwrap())
            })
            .collect()
    }
}

pub(crate) fn owner(rep: usize) -> OwnerId {
    OwnerId::new(format!("rep-{rep}"))
}

fn email(rep: usize) -> String {
    format!("rep{rep}@sim.example")
}
