//! A Zoom of our own, for those who have no account at hand.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use axum::body::Bytes;
use jiff::Timestamp;
use url::Url;
use zoom_core::MeetingId;
use zoom_simulator::{Attendance, Config, HeldMeeting, HoldMeeting, Simulator, samples};

/// The simulated Zoom and what a host does with it.
#[derive(Debug)]
pub struct SimulatedZoom {
    simulator: Simulator,
}

impl SimulatedZoom {
    /// Starts one on a free port.
    pub(crate) async fn start(start_at: Option<Timestamp>) -> Result<Self> {
        let mut config = Config::default();
        config.start_at = start_at;
        Ok(Self {
            simulator: Simulator::start(config).await?,
        })
    }

    /// The simulator itself: faults, tokens, deliveries.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Has Zoom send its webhooks to `url` from now on.
    pub async fn subscribe(&self, url: &Url) -> Result<()> {
        self.simulator
            .subscribe(url)
            .await
            .map_err(|refusal| anyhow!(refusal))
    }

    /// A meeting as people would hold it: everybody of the sample is there from `start` to `end`, and the cloud records.
    /// With a number it is the scheduled meeting, without one an instant meeting.
    pub fn hold(
        &self,
        sample: &str,
        meeting: Option<MeetingId>,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<HeldMeeting> {
        let sample = match sample {
            "sales-call" => samples::sales_call(),
            "librivox" => samples::librivox(),
            other => bail!("there is no sample `{other}`; there are sales-call and librivox"),
        };
        let host = self
            .simulator
            .config()
            .users
            .first()
            .map(|user| user.email.clone())
            .unwrap_or_default();
        let mut held = HoldMeeting::new(&host, sample.topic, start, end);
        held.meeting_id = meeting.map(MeetingId::get);
        held.m4a = Some(Bytes::from_static(sample.m4a));
        held.vtt = Some(sample.vtt.to_owned());
        held.chat = sample.chat.map(str::to_owned);
        held.recorded = Duration::from_millis(sample.duration_ms);
        held.participants = sample
            .participants
            .iter()
            .map(|person| Attendance::new(person.name, person.email, person.internal, start, end))
            .collect();
        self.simulator
            .hold_meeting(held)
            .map_err(|refusal| anyhow!(refusal))
    }

    /// Does what a person does in the browser: opens the link, presses Allow, and answers the address that Zoom sends the browser
    /// back to.
    pub async fn approve(&self, authorize: &Url) -> Result<Url> {
        let browser = zoom_core::http::client_builder().build()?;
        let page = browser.get(authorize.clone()).send().await?;
        if !page.status().is_success() {
            bail!("the consent page answered {}", page.status());
        }
        let pressed = browser
            .post(authorize.clone())
            .form(&[("decision", "allow"), ("user", "me")])
            .send()
            .await?;
        let back = pressed
            .headers()
            .get("location")
            .and_then(|location| location.to_str().ok());
        Ok(Url::parse(
            back.ok_or_else(|| anyhow!("Zoom did not send the browser back"))?,
        )?)
    }
}
