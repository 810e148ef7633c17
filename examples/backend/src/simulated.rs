//! A Zoom of our own, for those who have no account at hand.

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use url::Url;
use zoom_core::{Clock, MeetingId};
use zoom_simulator::{Config, HeldMeeting, HoldMeeting, Simulator, samples};

/// The simulated Zoom and what a host does with it.
#[derive(Debug)]
pub struct SimulatedZoom {
    simulator: Simulator,
}

impl From<Simulator> for SimulatedZoom {
    fn from(simulator: Simulator) -> Self {
        Self { simulator }
    }
}

impl SimulatedZoom {
    /// Starts one on a free port.
    pub(crate) async fn start(start_at: Option<Timestamp>) -> Result<Self> {
        let mut config = Config::default();
        config.start_at = start_at;
        if start_at.is_none() {
            // A file that outlives this Zoom must not meet the same meetings in the next one.
            config.seed = u64::try_from(Clock::system().now().as_microsecond())?;
        }
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
        Ok(self.simulator.subscribe(url).await?)
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
        let mut held = HoldMeeting::sample(&self.host(), &sample, end);
        held.meeting_id = meeting.map(MeetingId::get);
        held.start = start;
        for person in &mut held.participants {
            (person.join, person.leave) = (start, end);
        }
        Ok(self.simulator.hold_meeting(held)?)
    }

    /// Does what a person does in the browser: opens the link, presses Allow as the first user, and answers the address that
    /// Zoom sends the browser back to.
    pub async fn approve(&self, authorize: &Url) -> Result<Url> {
        let browser = zoom_core::http::client_builder().build()?;
        let page = browser.get(authorize.clone()).send().await?;
        if !page.status().is_success() {
            bail!("the consent page answered {}", page.status());
        }
        let mut form = authorize.clone();
        form.set_query(None);
        let user = self.host();
        let fields = [
            ("request", authorize.query().unwrap_or_default()),
            ("user", &user),
            ("decision", "allow"),
        ];
        let pressed = browser.post(form).form(&fields).send().await?;
        let back = pressed
            .headers()
            .get("location")
            .and_then(|location| location.to_str().ok());
        Ok(Url::parse(back.context("Zoom did not send the browser back")?)?)
    }

    /// The user who connects and hosts.
    fn host(&self) -> String {
        let users = &self.simulator.config().users;
        users.first().map(|user| user.email.clone()).unwrap_or_default()
    }
}
