//! A meeting step by step, each at its time.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{Attendance, HeldMeeting, HoldMeeting};
use crate::{
    error::Error,
    recordings::{Files, timeline},
    simulator::{Inner, Shared},
    webhooks::{meeting_ended, meeting_started, participant, recording_done, recording_edge},
    world::{Instance, Media, MediaState, Recording, Stay, User, World},
};

/// What happens, in the order in which it happens at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Start,
    StartRecording,
    /// To the waiting room: the nth of the participants.
    Wait(usize),
    Join(usize),
    Leave(usize),
    StopRecording,
    End,
    Complete,
    Transcribe,
}

#[derive(Debug)]
struct Plan {
    uuid: String,
    held: HoldMeeting,
    instance: Instance,
    /// When the recording runs, if one is made.
    recording: Option<(Timestamp, Timestamp)>,
    host: User,
    steps: VecDeque<(Timestamp, Step)>,
}

/// Does what is due, and leaves the rest to the clock.
pub(crate) fn hold(sim: &Shared, held: HoldMeeting) -> Result<HeldMeeting, Error> {
    check(&held)?;
    let mut world = sim.world();
    let mut plan = Plan::new(sim, &mut world, held)?;
    let result = HeldMeeting {
        uuid: plan.uuid.clone(),
        meeting_id: plan.instance.meeting_id,
        recorded: plan.recording.is_some(),
    };
    let next = plan.run_until(sim, &mut world, sim.clock.now());
    drop(world);
    if next.is_some() {
        tokio::spawn(follow(Arc::clone(sim), plan));
    }
    Ok(result)
}

async fn follow(sim: Shared, mut plan: Plan) {
    while let Some((due, _)) = plan.steps.front().copied() {
        tokio::select! {
            () = sim.stop.cancelled() => return,
            () = sim.clock.reach(due) => {}
        }
        let mut world = sim.world();
        let now = sim.clock.now();
        plan.run_until(&sim, &mut world, now);
    }
}

fn check(held: &HoldMeeting) -> Result<(), Error> {
    let backwards = |from: Timestamp, to: Timestamp| from > to;
    if backwards(held.start, held.end) {
        return Err(Error::refused("the meeting ends before it starts"));
    }
    match held
        .participants
        .iter()
        .find(|one| backwards(one.join, one.leave))
    {
        Some(one) => Err(Error::refused(format!("{} leaves before they come", one.name))),
        None => Ok(()),
    }
}

impl Plan {
    fn new(sim: &Inner, world: &mut World, held: HoldMeeting) -> Result<Self, Error> {
        let scheduled = match held.meeting_id {
            None => None,
            Some(id) => {
                let meeting = world
                    .meetings
                    .get(&id)
                    .filter(|meeting| !meeting.deleted)
                    .cloned();
                Some(meeting.ok_or_else(|| Error::unknown(format!("meeting {id}")))?)
            }
        };
        let host_id = scheduled
            .as_ref()
            .map_or(held.host.as_str(), |meeting| meeting.host_id.as_str());
        let host = world
            .user(host_id)
            .cloned()
            .ok_or_else(|| Error::unknown(format!("user {host_id}")))?;
        let next_uuid = world.new_uuid();
        let mut instance = Instance {
            uuid: next_uuid.clone(),
            meeting_id: 0,
            host_id: host.id.clone(),
            account_id: host.account_id.clone(),
            topic: held.topic.clone(),
            kind: 1,
            timezone: host.timezone.clone(),
            planned: 0,
            password: world.random.password(),
            start: held.start,
            end: None,
            stays: Vec::new(),
            recording: None,
        };
        match scheduled {
            Some(meeting) => {
                instance.uuid = meeting.uuid;
                instance.meeting_id = meeting.id;
                instance.topic = meeting.topic;
                instance.kind = meeting.kind;
                instance.timezone = meeting.timezone;
                instance.planned = meeting.duration;
                instance.password = meeting.password;
                // the number stays, and the instance after this one is another
                if let Some(meeting) = world.meetings.get_mut(&meeting.id) {
                    meeting.uuid = next_uuid;
                }
            }
            None => instance.meeting_id = world.new_meeting_id(),
        }
        let wanted = held.m4a.is_some() || held.mp4.is_some() || held.vtt.is_some() || held.chat.is_some();
        let may = host.licensed() && host.cloud_recording && sim.config().paid_account;
        let recording = (wanted && may).then(|| {
            let length = SignedDuration::try_from(held.recorded).unwrap_or_default();
            let stop = held.start.saturating_add(length).unwrap_or(held.end);
            (
                held.start,
                if length.is_zero() {
                    held.end
                } else {
                    stop.min(held.end)
                },
            )
        });
        let mut plan = Self {
            uuid: instance.uuid.clone(),
            held,
            instance,
            recording,
            host,
            steps: VecDeque::new(),
        };
        plan.steps = plan.all_steps(sim);
        Ok(plan)
    }

    fn all_steps(&self, sim: &Inner) -> VecDeque<(Timestamp, Step)> {
        let mut steps = vec![(self.held.start, Step::Start), (self.held.end, Step::End)];
        for (nth, one) in self.held.participants.iter().enumerate() {
            let (from, to) = (self.held.start, self.held.end);
            if let Some(since) = one.waiting_since {
                steps.push((since.clamp(from, to), Step::Wait(nth)));
            }
            steps.push((one.join.clamp(from, to), Step::Join(nth)));
            steps.push((one.leave.clamp(from, to), Step::Leave(nth)));
        }
        if let Some((start, stop)) = self.recording {
            steps.push((start, Step::StartRecording));
            steps.push((stop, Step::StopRecording));
            steps.extend(afterwards(sim, self.held.end));
        }
        steps.sort();
        steps.into()
    }

    /// Does everything that is due by then. Returns the time of what is next.
    fn run_until(&mut self, sim: &Shared, world: &mut World, now: Timestamp) -> Option<Timestamp> {
        while let Some((due, step)) = self.steps.front().copied() {
            if due > now {
                return Some(due);
            }
            self.steps.pop_front();
            // the host may have ended it early: what was recorded until then is kept
            match world.instance(&self.uuid).and_then(|instance| instance.end) {
                Some(end) if step == Step::StopRecording => self.run(sim, world, due.min(end), step),
                Some(_) if step < Step::Complete => {}
                _ => self.run(sim, world, due, step),
            }
        }
        None
    }

    fn run(&self, sim: &Shared, world: &mut World, at: Timestamp, step: Step) {
        match step {
            Step::Start => {
                world.instances.push(self.instance.clone());
                meeting_started(sim, world, &self.instance);
            }
            Step::Wait(nth) => self.with(nth, |one| self.wait(sim, world, one, at)),
            Step::Join(nth) => self.with(nth, |one| self.join(sim, world, one, at)),
            Step::Leave(nth) => self.with(nth, |one| self.leave(sim, world, one, at)),
            Step::StartRecording => recording_edge(sim, world, &self.instance, at, None),
            Step::StopRecording => self.stop_recording(sim, world, at),
            Step::End => {
                if let Some(instance) = world.instance_mut(&self.uuid) {
                    instance.end = Some(at);
                }
                meeting_ended(sim, world, &self.instance, at);
            }
            Step::Complete => complete(sim, world, &self.uuid, at, Files::AllButTranscript),
            Step::Transcribe => complete(sim, world, &self.uuid, at, Files::Transcript),
        }
    }

    fn with(&self, nth: usize, run: impl FnOnce(&Attendance)) {
        if let Some(one) = self.held.participants.get(nth) {
            run(one);
        }
    }

    /// A stay; each has a number of its own.
    fn stay(&self, world: &mut World, one: &Attendance, at: Timestamp, in_waiting_room: bool) -> Stay {
        let user = world
            .user(&one.email)
            .filter(|user| one.internal && user.account_id == self.host.account_id);
        let id = user.map(|user| user.id.clone()).unwrap_or_default();
        let nth = world
            .instance(&self.uuid)
            .map_or(0, |instance| instance.stays.len());
        Stay {
            id,
            user_id: (16_778_240 + nth * 1024).to_string(),
            participant_uuid: world.random.guid().to_uppercase(),
            name: one.name.clone(),
            email: one.email.clone(),
            internal: one.internal,
            in_waiting_room,
            join: at,
            leave: None,
            registrant_id: String::new(),
        }
    }

    fn wait(&self, sim: &Shared, world: &mut World, one: &Attendance, at: Timestamp) {
        let stay = self.stay(world, one, at, true);
        participant(sim, world, &self.instance, &stay, "joined_waiting_room", at);
        if let Some(instance) = world.instance_mut(&self.uuid) {
            instance.stays.push(stay);
        }
    }

    fn join(&self, sim: &Shared, world: &mut World, one: &Attendance, at: Timestamp) {
        if let Some(waited) = self.close(world, one, at, true) {
            participant(sim, world, &self.instance, &waited, "admitted", at);
        }
        let stay = self.stay(world, one, at, false);
        participant(sim, world, &self.instance, &stay, "joined", at);
        if let Some(instance) = world.instance_mut(&self.uuid) {
            instance.stays.push(stay);
        }
    }

    fn leave(&self, sim: &Shared, world: &mut World, one: &Attendance, at: Timestamp) {
        if let Some(stay) = self.close(world, one, at, false) {
            let seen = Instance {
                end: Some(self.held.end),
                ..self.instance.clone()
            };
            participant(sim, world, &seen, &stay, "left", at);
        }
    }

    /// Ends the open stay of a participant.
    fn close(
        &self,
        world: &mut World,
        one: &Attendance,
        at: Timestamp,
        in_waiting_room: bool,
    ) -> Option<Stay> {
        let instance = world.instance_mut(&self.uuid)?;
        let open = |stay: &&mut Stay| {
            stay.leave.is_none()
                && stay.in_waiting_room == in_waiting_room
                && stay.name == one.name
                && stay.email == one.email
        };
        let stay = instance.stays.iter_mut().find(open)?;
        stay.leave = Some(at);
        Some(stay.clone())
    }

    fn stop_recording(&self, sim: &Shared, world: &mut World, at: Timestamp) {
        let Some((from, _)) = self.recording else { return };
        let recording = self.recording(world, from, at);
        if let Some(instance) = world.instance_mut(&self.uuid) {
            instance.recording = Some(recording);
        }
        recording_edge(sim, world, &self.instance, from, Some(at));
    }

    fn recording(&self, world: &mut World, start: Timestamp, end: Timestamp) -> Recording {
        let stays = world
            .instance(&self.uuid)
            .map(|instance| instance.stays.clone())
            .unwrap_or_default();
        let held = &self.held;
        let mut files = Vec::new();
        let mut add = |world: &mut World, kind: [&'static str; 4], content: Bytes, state: MediaState| {
            let [file_type, extension, recording_type, content_type] = kind;
            files.push(Media {
                id: world.random.guid(),
                link: world.random.text(43),
                file_type,
                extension,
                recording_type,
                content_type,
                content,
                state,
            });
        };
        let working = MediaState::Processing;
        if let Some(mp4) = &held.mp4 {
            add(
                world,
                ["MP4", "MP4", "shared_screen_with_speaker_view", "video/mp4"],
                mp4.clone(),
                working,
            );
        }
        if let Some(m4a) = &held.m4a {
            add(
                world,
                ["M4A", "M4A", "audio_only", "audio/mp4"],
                m4a.clone(),
                working,
            );
        }
        if let Some(chat) = &held.chat {
            add(
                world,
                ["CHAT", "TXT", "chat_file", "text/plain;charset=utf-8"],
                chat.clone().into(),
                working,
            );
        }
        if let Some(vtt) = &held.vtt {
            let timeline = timeline(vtt, &stays);
            add(
                world,
                ["TIMELINE", "JSON", "timeline", "application/json"],
                timeline.into(),
                working,
            );
            if self.host.audio_transcript {
                let kind = ["TRANSCRIPT", "VTT", "audio_transcript", "text/vtt;charset=utf-8"];
                add(world, kind, vtt.clone().into(), MediaState::Coming);
            }
        }
        Recording {
            start,
            end,
            files,
            share: world.random.text(43),
            passcode: world.random.text(12),
        }
    }
}

fn afterwards(sim: &Inner, end: Timestamp) -> [(Timestamp, Step); 2] {
    let after = |at: Timestamp, by: std::time::Duration| {
        at.saturating_add(SignedDuration::try_from(by).unwrap_or_default())
            .unwrap_or(at)
    };
    let done = after(end, sim.config().processing_time);
    [
        (done, Step::Complete),
        (after(done, sim.config().transcript_delay), Step::Transcribe),
    ]
}

/// Files become ready, and Zoom says so; once.
fn complete(sim: &Shared, world: &mut World, uuid: &str, at: Timestamp, files: Files) {
    let Some(recording) = world
        .instance_mut(uuid)
        .and_then(|instance| instance.recording.as_mut())
    else {
        return;
    };
    let awaited = if files == Files::Transcript {
        MediaState::Coming
    } else {
        MediaState::Processing
    };
    let mut ready = 0;
    for file in recording.files.iter_mut().filter(|file| file.state == awaited) {
        file.state = MediaState::Completed;
        ready += 1;
    }
    if ready > 0 {
        recording_done(sim, world, uuid, files, at);
    }
}

/// The host ends a meeting that goes on: everybody leaves, and what was recorded so far is kept.
pub(crate) fn end_now(sim: &Shared, world: &mut World, uuid: &str) {
    let now = sim.clock.now();
    let Some(instance) = world.instance_mut(uuid) else {
        return;
    };
    instance.end = Some(now);
    let mut left = Vec::new();
    for stay in instance.stays.iter_mut().filter(|stay| stay.leave.is_none()) {
        stay.leave = Some(now);
        left.push(stay.clone());
    }
    let instance = instance.clone();
    for stay in left {
        let what = if stay.in_waiting_room {
            "left_waiting_room"
        } else {
            "left"
        };
        participant(sim, world, &instance, &stay, what, now);
    }
    meeting_ended(sim, world, &instance, now);
}
