//! Progress bars, one per call.

use std::{cell::RefCell, collections::HashMap};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use zoom_calls::{Call, CallId, CallStatus, Step, StepState};

/// A bar for each call that is being worked on.
#[derive(Debug)]
pub(crate) struct CallBars {
    all: MultiProgress,
    bars: RefCell<HashMap<CallId, ProgressBar>>,
}

impl CallBars {
    /// Bars on standard error; none when nobody should see them.
    pub(crate) fn new(visible: bool) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            all: MultiProgress::with_draw_target(target),
            bars: RefCell::default(),
        }
    }

    /// Moves the call's bar to where the call is.
    pub(crate) fn show(&self, call: &Call) {
        let mut bars = self.bars.borrow_mut();
        let bar = bars
            .entry(call.id.clone())
            .or_insert_with(|| self.add(&call.topic));
        let over = |step: &Step| {
            call.step(*step)
                .is_some_and(|record| matches!(record.state, StepState::Done | StepState::Skipped))
        };
        let done = Step::ALL.iter().filter(|step| over(step)).count();
        bar.set_position(done as u64);
        match (call.status, Step::ALL.iter().find(|step| !over(step))) {
            (CallStatus::Ready, _) => bar.finish_with_message("ready"),
            (CallStatus::Failed, _) => bar.abandon_with_message("failed"),
            (_, next) => bar.set_message(next.map_or("ready", |step| step.as_str())),
        }
    }

    fn add(&self, topic: &str) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new(Step::ALL.len() as u64));
        if let Ok(style) = ProgressStyle::with_template("  {prefix:44!} {bar:24} {msg}") {
            bar.set_style(style);
        }
        bar.with_prefix(topic.to_owned())
    }
}
