//! Holding a meeting.

use std::time::Duration;

use axum::{body::Bytes, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::{body, done, refused};
use crate::{
    answer::Answer,
    hold::{self, Attendance, HoldMeeting},
    samples::{self, Sample},
    simulator::{Inner, Shared},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    host: Option<String>,
    meeting_id: Option<u64>,
    sample: Option<String>,
    topic: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    minutes: Option<i64>,
    participants: Option<Vec<Participant>>,
    vtt: Option<String>,
    chat: Option<String>,
    m4a_base64: Option<String>,
    mp4_base64: Option<String>,
    recorded_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Participant {
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    internal: bool,
    join: Option<Timestamp>,
    leave: Option<Timestamp>,
    waiting_since: Option<Timestamp>,
}

pub(super) async fn hold(State(sim): State<Shared>, bytes: Bytes) -> Answer {
    match body::<Hold>(&bytes).and_then(|wanted| wanted.meeting(&sim)) {
        Ok(meeting) => done(hold::hold(&sim, meeting).map(|held| json!(held))),
        Err(answer) => answer,
    }
}

fn sample(key: &str) -> Option<Sample> {
    [samples::sales_call(), samples::librivox()]
        .into_iter()
        .find(|sample| sample.key == key)
}

impl Hold {
    fn meeting(self, sim: &Inner) -> Result<HoldMeeting, Answer> {
        let host = self
            .host
            .or_else(|| sim.config().users.first().map(|user| user.id.clone()))
            .unwrap_or_default();
        let length = SignedDuration::from_mins(self.minutes.unwrap_or(30).max(0));
        let end = match (self.end, self.start) {
            (Some(end), _) => end,
            (None, Some(start)) => start.saturating_add(length).unwrap_or(start),
            (None, None) => sim.clock.now(),
        };
        let start = self
            .start
            .unwrap_or_else(|| end.saturating_sub(length).unwrap_or(end));
        let mut meeting = match self.sample.as_deref().map(sample) {
            Some(Some(sample)) => HoldMeeting::sample(&host, &sample, end),
            Some(None) => return Err(refused("samples are sales-call and librivox")),
            None => HoldMeeting::new(&host, "Zoom Meeting", start, end),
        };
        if self.start.is_some() || self.minutes.is_some() {
            meeting.start = start;
            for stay in &mut meeting.participants {
                stay.join = start;
            }
        }
        meeting.meeting_id = self.meeting_id;
        meeting.topic = self.topic.unwrap_or(meeting.topic);
        meeting.vtt = self.vtt.or(meeting.vtt);
        meeting.chat = self.chat.or(meeting.chat);
        meeting.m4a = media(self.m4a_base64)?.or(meeting.m4a);
        meeting.mp4 = media(self.mp4_base64)?;
        meeting.recorded = self
            .recorded_seconds
            .map_or(meeting.recorded, Duration::from_secs);
        if let Some(participants) = self.participants {
            let stay = |one: Participant| Attendance {
                waiting_since: one.waiting_since,
                ..Attendance::new(
                    &one.name,
                    &one.email,
                    one.internal,
                    one.join.unwrap_or(meeting.start),
                    one.leave.unwrap_or(meeting.end),
                )
            };
            meeting.participants = participants.into_iter().map(stay).collect();
        }
        Ok(meeting)
    }
}

fn media(encoded: Option<String>) -> Result<Option<Bytes>, Answer> {
    encoded
        .map(|text| {
            STANDARD
                .decode(text.trim())
                .map(Bytes::from)
                .map_err(|_| refused("media must be base64"))
        })
        .transpose()
}
