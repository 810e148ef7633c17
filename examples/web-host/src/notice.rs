//! What just happened, told once on the page that follows. The address carries a key of this list, never a text: nobody can
//! make this site say something by sending a link.

use axum::response::Redirect;
use zoom_oauth::{Error, ErrorKind};

/// One sentence for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Connected,
    Disconnected,
    DisconnectedHere,
    Held,
    ConnectFirst,
    Denied,
    Expired,
    Foreign,
    AnotherUser,
    AppRefused,
    TryAgain,
    Failed,
}

impl Notice {
    const ALL: [Self; 12] = [
        Self::Connected,
        Self::Disconnected,
        Self::DisconnectedHere,
        Self::Held,
        Self::ConnectFirst,
        Self::Denied,
        Self::Expired,
        Self::Foreign,
        Self::AnotherUser,
        Self::AppRefused,
        Self::TryAgain,
        Self::Failed,
    ];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::DisconnectedHere => "disconnected-here",
            Self::Held => "held",
            Self::ConnectFirst => "connect-first",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Foreign => "other-session",
            Self::AnotherUser => "other-user",
            Self::AppRefused => "app-refused",
            Self::TryAgain => "try-again",
            Self::Failed => "failed",
        }
    }

    /// Keys that are not in the list say nothing.
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.key() == key)
    }

    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::Connected => "Zoom is connected. Calls you record to the cloud will appear under Calls.",
            Self::Disconnected => {
                "Zoom is disconnected: the tokens were revoked at Zoom and forgotten here. Your calls stay."
            }
            Self::DisconnectedHere => {
                "Zoom is disconnected: the tokens are forgotten here. Zoom did not confirm; you can also remove the app in Zoom's Marketplace."
            }
            Self::Held => {
                "The meeting was held. Zoom's webhooks are on their way; the call appears by itself."
            }
            Self::ConnectFirst => "Connect Zoom first: nobody here would receive the recording.",
            Self::Denied => "Nothing was connected: access was not allowed at Zoom.",
            Self::Expired => "That sign-in was used already or took too long. Start again with Connect.",
            Self::Foreign => {
                "That sign-in was begun in another browser or under another address. Start again with Connect, here."
            }
            Self::AnotherUser => {
                "You are connected as another Zoom user. Disconnect first, or sign in to Zoom as the same user."
            }
            Self::AppRefused => "Zoom refused this app. Look at its credentials and its redirect address.",
            Self::TryAgain => "Zoom did not answer in time. Please try again.",
            Self::Failed => "That did not work. Please start again with Connect.",
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
        match error.kind() {
            ErrorKind::Denied => Self::Denied,
            ErrorKind::UnknownState | ErrorKind::ExpiredState => Self::Expired,
            ErrorKind::ForeignSession => Self::Foreign,
            ErrorKind::AnotherUser => Self::AnotherUser,
            ErrorKind::Refused => Self::AppRefused,
            _ if error.is_retryable() => Self::TryAgain,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_leads_back_to_its_notice_and_no_other_text_says_anything() {
        for notice in Notice::ALL {
            assert_eq!(Notice::from_key(notice.key()), Some(notice));
        }
        assert_eq!(Notice::from_key("<b>You won</b>"), None);
    }

    #[test]
    fn what_went_wrong_at_connect_is_told_by_kind() {
        let told = |kind| Notice::from(&Error::new(kind));
        assert_eq!(told(ErrorKind::UnknownState), Notice::Expired);
        assert_eq!(told(ErrorKind::Unavailable), Notice::TryAgain);
        assert_eq!(told(ErrorKind::InvalidCallback), Notice::Failed);
    }
}
