//! What a person reads when a connect came to nothing.

use serde::Serialize;

use crate::{Error, ErrorKind};

/// A text for the page that the user sees instead of a connection: plain, without codes, and without anything that is
/// not everybody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageText {
    /// Names the text, for hosts that have it in other languages.
    pub key: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What happened, and what to do.
    pub message: &'static str,
    /// The button, if one helps.
    pub action: Option<PageAction>,
}

/// A button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageAction {
    /// What stands on it.
    pub label: &'static str,
    /// Where it leads.
    pub kind: PageActionKind,
}

/// Where a button leads: the host knows the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PageActionKind {
    /// To the beginning of the connect.
    Connect,
    /// What the user was about to do, from its beginning.
    TryAgain,
    /// To where connections are ended.
    Disconnect,
    /// To the app's page in Zoom's Marketplace.
    InstallFromMarketplace,
    /// To whoever administers the user's Zoom account.
    ContactAdmin,
    /// To whoever runs the host.
    ContactSupport,
}

const CONNECT: Option<PageAction> = button("Connect again", PageActionKind::Connect);
const INSTALL: Option<PageAction> = button("Back to the Marketplace", PageActionKind::InstallFromMarketplace);
const TRY_AGAIN: Option<PageAction> = button("Try again", PageActionKind::TryAgain);
const ADMIN: Option<PageAction> = button("Ask your Zoom administrator", PageActionKind::ContactAdmin);
const SUPPORT: Option<PageAction> = button("Contact support", PageActionKind::ContactSupport);

const fn button(label: &'static str, kind: PageActionKind) -> Option<PageAction> {
    Some(PageAction { label, kind })
}

impl PageText {
    /// The text with this key: for hosts that lead the browser on before they show it, so that an address holds a key
    /// and no text.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let mut pages = ErrorKind::ALL.iter().copied().map(Self::of);
        pages.find(|page| page.key == key)
    }

    fn of(kind: ErrorKind) -> Self {
        let (key, title, message, action) = text(kind);
        Self {
            key,
            title,
            message,
            action,
        }
    }
}

impl Error {
    /// What to show the user who was about to connect, or to use what is connected.
    #[must_use]
    pub fn page(&self) -> PageText {
        PageText::of(self.kind())
    }
}

/// One text for each kind of failure.
fn text(kind: ErrorKind) -> (&'static str, &'static str, &'static str, Option<PageAction>) {
    match kind {
        ErrorKind::Denied => (
            "zoom.denied",
            "Zoom was not connected",
            "Zoom was asked not to share your account, so nothing was connected. If you did not choose that yourself, \
             your company may have to approve the app first.",
            CONNECT,
        ),
        ErrorKind::InvalidCallback => (
            "zoom.incomplete",
            "Something is missing",
            "This page opens when Zoom sends you back here, and Zoom has not sent what it takes. Please start again.",
            CONNECT,
        ),
        ErrorKind::UnknownState => (
            "zoom.used_link",
            "This link no longer works",
            "Each time you connect, the way back from Zoom works once. This one was used before, or is not ours. If you \
             see that you are connected, all is well; otherwise please start again.",
            CONNECT,
        ),
        ErrorKind::ExpiredState => (
            "zoom.too_late",
            "That took too long",
            "For your safety, you have only a few minutes to say yes at Zoom. Please start again.",
            CONNECT,
        ),
        ErrorKind::ForeignSession => (
            "zoom.another_browser",
            "This was begun elsewhere",
            "It was begun in another browser, or by somebody who is not signed in here now. For your safety it was not \
             finished. Please start again yourself.",
            CONNECT,
        ),
        ErrorKind::InvalidCode => (
            "zoom.used_answer",
            "Zoom's answer is no longer good",
            "What Zoom sends along works once, and only for a few minutes. Please start again.",
            CONNECT,
        ),
        ErrorKind::RedirectMismatch => (
            "zoom.wrong_address",
            "Zoom does not know this page",
            "The app is set up at Zoom with another address than this one. You cannot mend that yourself: please tell \
             us about it.",
            SUPPORT,
        ),
        ErrorKind::Refused => (
            "zoom.app_refused",
            "Zoom refused the app",
            "Zoom does not accept the app at the moment. It has nothing to do with your account: please tell us about \
             it.",
            SUPPORT,
        ),
        ErrorKind::InvalidConfig => (
            "zoom.not_set_up",
            "Zoom is not set up here",
            "The connection to Zoom is not set up right. You cannot mend that yourself: please tell us about it.",
            SUPPORT,
        ),
        ErrorKind::AdminRequired => (
            "zoom.admin_required",
            "An administrator has to do this",
            "The app is connected once for your whole company, by an administrator of your Zoom account. Please ask \
             yours to open this page and press Connect.",
            ADMIN,
        ),
        ErrorKind::AnotherUser => (
            "zoom.another_user",
            "You are connected as somebody else",
            "Another Zoom user is connected here already, and that was not changed. Sign in to Zoom as that user, or \
             disconnect first.",
            button("Disconnect", PageActionKind::Disconnect),
        ),
        ErrorKind::UnknownTicket => (
            "zoom.used_ticket",
            "This installation is finished",
            "It was confirmed before, or is not known here. If you see that you are connected, all is well; otherwise \
             please add the app again in Zoom's Marketplace.",
            INSTALL,
        ),
        ErrorKind::ExpiredTicket => (
            "zoom.installation_too_late",
            "That took too long",
            "For your safety, an installation waits only for a while to be confirmed. Nothing was connected. Please add \
             the app again in Zoom's Marketplace.",
            INSTALL,
        ),
        ErrorKind::NotConnected => (
            "zoom.not_connected",
            "Zoom is not connected",
            "Connect your Zoom account to go on.",
            button("Connect", PageActionKind::Connect),
        ),
        ErrorKind::Expired => (
            "zoom.expired",
            "Zoom has to be connected again",
            "Zoom no longer accepts the connection, so please connect again. What you have here stays as it is.",
            CONNECT,
        ),
        ErrorKind::NoAccount => (
            "zoom.no_account",
            "No Zoom account can be used",
            "Neither your own Zoom account nor one of your company's can be used for this. Connect yours to go on.",
            button("Connect", PageActionKind::Connect),
        ),
        ErrorKind::Unfinished => (
            "zoom.unfinished",
            "Almost done",
            "Zoom has said yes, and is a while in telling us who you are. There is nothing more for you to do: look here \
             again in a few minutes.",
            None,
        ),
        ErrorKind::Unavailable | ErrorKind::UnexpectedAnswer | ErrorKind::Api => (
            "zoom.no_answer",
            "Zoom did not answer",
            "Zoom could not be reached, or its answer made no sense. Please try again in a moment.",
            TRY_AGAIN,
        ),
        ErrorKind::NotSaved | ErrorKind::Storage | ErrorKind::Vault => (
            "zoom.our_fault",
            "That is our fault",
            "Something went wrong on our side, not on yours. Please try again in a moment.",
            TRY_AGAIN,
        ),
    }
}

#[cfg(test)]
mod tests;
