//! What every page has around its content.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use zoom_calls::CallStatus;

use crate::{failure::Failure, notice::Notice};

/// The frame of a page.
#[derive(Debug)]
pub(crate) struct Page {
    /// Which entry of the navigation is the current one.
    pub(crate) section: &'static str,
    /// Whether Zoom is a simulated one.
    pub(crate) simulated: bool,
    /// What just happened.
    pub(crate) notice: Option<Notice>,
    /// Where to look again soon, because something is under way.
    pub(crate) refresh: Option<Refresh>,
}

/// Look there again after so many seconds.
#[derive(Debug)]
pub(crate) struct Refresh {
    pub(crate) seconds: u8,
    pub(crate) url: String,
}

impl Refresh {
    /// Soon while something is worked on; now and then while Zoom lets us wait.
    pub(crate) fn while_worked_on(calls: impl IntoIterator<Item = CallStatus>, url: &str) -> Option<Self> {
        let waits = calls.into_iter().filter_map(|status| match status {
            CallStatus::Processing => Some(3),
            CallStatus::AwaitingTranscript => Some(15),
            _ => None,
        });
        Some(Self {
            seconds: waits.min()?,
            url: url.to_owned(),
        })
    }
}

/// A rendered page.
pub(crate) fn html(template: &impl Template) -> Result<Response, Failure> {
    Ok(Html(template.render()?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_looks_again_only_while_there_is_something_to_come() {
        let seconds = |calls: &[CallStatus]| {
            Refresh::while_worked_on(calls.iter().copied(), "/calls").map(|one| one.seconds)
        };
        assert_eq!(
            seconds(&[
                CallStatus::Ready,
                CallStatus::AwaitingTranscript,
                CallStatus::Processing
            ]),
            Some(3)
        );
        assert_eq!(
            seconds(&[CallStatus::Ready, CallStatus::AwaitingTranscript]),
            Some(15)
        );
        assert_eq!(seconds(&[CallStatus::Ready, CallStatus::Failed]), None);
    }
}
