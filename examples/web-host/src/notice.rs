//! What just happened, told once on the page that follows. The address carries a key of this list, never a text: nobody can
//! make this site say something by sending a link.

use axum::response::Redirect;
use zoom_oauth::{Error, PageText};

/// One sentence for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Connected,
    Disconnected,
    DisconnectedHere,
    Held,
    ConnectFirst,
    /// Why a connect came to nothing, in the words of the crate that knows.
    Problem(PageText),
}

impl Notice {
    const ALL: [Self; 5] = [
        Self::Connected,
        Self::Disconnected,
        Self::DisconnectedHere,
        Self::Held,
        Self::ConnectFirst,
    ];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::DisconnectedHere => "disconnected-here",
            Self::Held => "held",
            Self::ConnectFirst => "connect-first",
            Self::Problem(text) => text.key,
        }
    }

    /// Keys that are not in the list say nothing.
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        let ours = Self::ALL.into_iter().find(|notice| notice.key() == key);
        ours.or_else(|| PageText::from_key(key).map(Self::Problem))
    }

    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::Connected => "Zoom is connected. Calls you record to the cloud will appear under Calls.",
            Self::Disconnected => {
                "Zoom is disconnected: the tokens were revoked at Zoom and forgotten here. Your calls stay."
            }
            Self::DisconnectedHere => {
                "Zoom is disconnected: the tokens are forgotten here. Zoom has not confirmed yet and is asked again; you can also remove the app in Zoom's Marketplace."
            }
            Self::Held => {
                "The meeting was held. Zoom's webhooks are on their way; the call appears by itself."
            }
            Self::ConnectFirst => "Connect Zoom first: nobody here would receive the recording.",
            Self::Problem(text) => text.message,
        }
    }

    pub(crate) fn is_bad(&self) -> bool {
        !matches!(self, Self::Connected | Self::Disconnected | Self::Held)
    }

    /// To a page, and tell it there.
    pub(crate) fn at(self, path: &str) -> Redirect {
        Redirect::to(&format!("{path}?notice={}", self.key()))
    }
}

/// Why a connect came to nothing, without details that are nobody's business.
impl From<&Error> for Notice {
    fn from(error: &Error) -> Self {
        Self::Problem(error.page())
    }
}

#[cfg(test)]
mod tests {
    use zoom_oauth::ErrorKind;

    use super::*;

    #[test]
    fn every_key_leads_back_to_its_notice_and_no_other_text_says_anything() {
        let problem = Notice::from(&Error::new(ErrorKind::ForeignSession));
        for notice in Notice::ALL.into_iter().chain([problem]) {
            assert_eq!(Notice::from_key(notice.key()), Some(notice));
        }
        assert_eq!(Notice::from_key("<b>You won</b>"), None);
    }
}
