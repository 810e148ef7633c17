//! Everything the simulated Zoom remembers. It sits behind one lock, and nothing here waits.

mod account;
mod change;
mod instance;
mod meeting;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

pub use self::change::{AppChange, UserChange};
pub(crate) use self::{
    account::{App, Caller, Reach, User},
    instance::{Instance, Media, MediaState, Recording, Stay, minutes},
    meeting::{Meeting, Occurrence},
};
use crate::{
    config::{AppKind, Config},
    faults::Faults,
    oauth::{BadToken, End, Tokens},
    random::Random,
    rate::RateMeter,
    requests::RequestLines,
    rest::Pages,
    webhooks::Outbox,
};

/// The state.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) apps: Vec<App>,
    pub(crate) users: Vec<User>,
    pub(crate) tokens: Tokens,
    pub(crate) meetings: BTreeMap<u64, Meeting>,
    /// In the order they began.
    pub(crate) instances: Vec<Instance>,
    uuids_made: usize,
    pub(crate) pages: Pages,
    pub(crate) meter: RateMeter,
    pub(crate) faults: Faults,
    pub(crate) outbox: Outbox,
    pub(crate) requests: RequestLines,
    pub(crate) counters: BTreeMap<String, u64>,
    /// Tells that something was counted.
    pub(crate) counted: watch::Sender<()>,
}

impl World {
    pub(crate) fn new(config: &Config) -> Self {
        let mut random = Random::new(config.seed);
        let mut users: Vec<User> = Vec::new();
        for spec in &config.users {
            let user = User::new(spec, config, &users, &mut random);
            users.push(user);
        }
        Self {
            apps: config
                .all_apps()
                .into_iter()
                .map(|spec| App::new(spec, config))
                .collect(),
            users,
            random,
            tokens: Tokens::default(),
            meetings: BTreeMap::new(),
            instances: Vec::new(),
            uuids_made: 0,
            pages: Pages::default(),
            meter: RateMeter::default(),
            faults: Faults::default(),
            outbox: Outbox::default(),
            requests: RequestLines::default(),
            counters: BTreeMap::new(),
            counted: watch::Sender::default(),
        }
    }

    pub(crate) fn count(&mut self, what: impl Into<String>) {
        *self.counters.entry(what.into()).or_default() += 1;
        self.counted.send_replace(());
    }

    /// A user by id or address.
    pub(crate) fn user(&self, who: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.id == who || user.email.eq_ignore_ascii_case(who))
    }

    /// A user by id; the host of something always exists.
    pub(crate) fn host(&self, id: &str) -> User {
        self.user(id).cloned().unwrap_or_default()
    }

    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    /// Whose access token this is, if the app and the user behind it may still do what they might.
    pub(crate) fn caller(&self, token: &str, now: Timestamp) -> Result<&Caller, BadToken> {
        let caller = self.tokens.caller(token, now)?;
        let app = self
            .app(&caller.client_id)
            .filter(|app| !app.disabled && app.approved_in(&caller.account_id))
            .ok_or(BadToken::Invalid)?;
        let away = |user: &User| !user.active() || user.account_id != caller.account_id;
        if app.kind != AppKind::ServerToServer && self.user(&caller.user_id).is_some_and(away) {
            return Err(BadToken::Invalid);
        }
        Ok(caller)
    }

    /// Takes a user out of the account, with their meetings; what they authorized has no owner any more.
    pub(crate) fn remove_user(&mut self, id: &str) {
        self.users.retain(|user| user.id != id);
        self.tokens.end_all_of(id, End::OwnerGone);
        self.meetings.retain(|_, meeting| meeting.host_id != id);
        self.instances.retain(|instance| instance.host_id != id);
    }

    pub(crate) fn new_uuid(&mut self) -> String {
        self.uuids_made += 1;
        self.random.meeting_uuid(self.uuids_made)
    }

    pub(crate) fn new_meeting_id(&mut self) -> u64 {
        loop {
            let id = self.random.meeting_id();
            if !self.meetings.contains_key(&id) {
                return id;
            }
        }
    }

    /// The instance of a UUID, or the latest of a number.
    pub(crate) fn instance(&self, reference: &str) -> Option<&Instance> {
        self.instances
            .iter()
            .rev()
            .find(|instance| instance.is(reference))
    }

    /// The recorded instance of a UUID, or the latest recorded one of a number.
    pub(crate) fn recorded(&self, reference: &str) -> Option<&Instance> {
        self.instances
            .iter()
            .rev()
            .find(|instance| instance.is(reference) && instance.recording.is_some())
    }

    pub(crate) fn instance_mut(&mut self, uuid: &str) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|instance| instance.uuid == uuid)
    }

    /// The instance a file belongs to, and the file, by the id in its addresses.
    pub(crate) fn media(&self, link: &str) -> Option<(&Instance, &Recording, &Media)> {
        self.instances.iter().find_map(|instance| {
            let recording = instance.recording.as_ref()?;
            let media = recording.files.iter().find(|media| media.link == link)?;
            Some((instance, recording, media))
        })
    }

    /// What is there, without secrets.
    pub(crate) fn summary(&self) -> Value {
        serde_json::json!({
            "apps": self.apps.iter().map(App::summary).collect::<Vec<_>>(),
            "users": self.users.iter().map(User::summary).collect::<Vec<_>>(),
            "meetings": self.meetings.values().map(Meeting::summary).collect::<Vec<_>>(),
            "instances": self.instances.iter().map(Instance::summary).collect::<Vec<_>>(),
            "connections": self.tokens.summary(),
            "subscriptions": self.outbox.subscriptions().map(|s| s.summary()).collect::<Vec<_>>(),
            "pending_faults": self.faults.pending(),
        })
    }
}
