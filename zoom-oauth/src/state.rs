//! The state of a started connect: one-time, bound to an owner and a browser session, good for some minutes.

mod sealed;
mod stored;

use jiff::Timestamp;
use token_store::OwnerId;
use zeroize::Zeroizing;

pub(crate) use self::{
    sealed::Used,
    stored::{forget_started, sweep_started},
};
use crate::{Error, ErrorKind, SessionBinding, tokens::same};

/// Where the state of a started connect is kept between the way to Zoom and the way back.
///
/// Both are bound to owner, browser session and app, run out after the same time, and always go with PKCE. What differs
/// is what *one-time* means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateKind {
    /// In the store, under the hash of a random text, and used up by a conditional save: of any number of callbacks to
    /// any number of processes, one gets through. A disconnect ends what the owner has started.
    #[default]
    Stored,
    /// In the state itself, sealed by the vault: no row is written, so nobody can fill the store by pressing Connect.
    ///
    /// * A process takes a state once and remembers that until the state runs out. A second process, or the same one
    ///   after a restart, does not know; it goes on to Zoom, where the code of the callback is used up, and gets
    ///   [`ErrorKind::InvalidCode`](crate::ErrorKind::InvalidCode) where the store would have said `UnknownState`.
    /// * A code of another connect does not do instead: Zoom takes a code only with the PKCE verifier that is sealed in
    ///   the state.
    /// * A state that was started stays good until it runs out, even when the owner disconnects meanwhile.
    /// * A vault in envelope mode asks its key service about keys that it has not seen, and anybody can write a state
    ///   with such a key: limit how many callbacks an address may send.
    /// * The address of the consent page is some 300 characters longer.
    Sealed,
}

/// What a kind needs while the host runs.
#[derive(Debug)]
pub(crate) enum States {
    Stored,
    Sealed(Used),
}

impl States {
    pub(crate) fn new(kind: StateKind) -> Self {
        match kind {
            StateKind::Stored => Self::Stored,
            StateKind::Sealed => Self::Sealed(Used::default()),
        }
    }
}

/// Whose a connect is, and what the host said about it when it began.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) owner: OwnerId,
    pub(crate) opened_by: Option<String>,
    /// Whether the owner may come back as another Zoom user.
    pub(crate) switch_user: bool,
}

/// A connect that was started.
pub(crate) struct Started {
    pub(crate) terms: Terms,
    /// The hash of the browser's session.
    pub(crate) session: String,
    pub(crate) verifier: Zeroizing<String>,
    pub(crate) expires_at: Timestamp,
}

impl Started {
    /// Whether it is this session that may go on, and this owner, if the session says who is signed in.
    fn check(&self, session: &SessionBinding) -> Result<(), Error> {
        let another = session
            .owner
            .as_ref()
            .is_some_and(|owner| *owner != self.terms.owner);
        if another || !same(&self.session, &session.hash) {
            return Err(Error::new(ErrorKind::ForeignSession));
        }
        Ok(())
    }
}

fn unknown() -> Error {
    Error::new(ErrorKind::UnknownState)
}

fn broken() -> Error {
    Error::with_source(ErrorKind::Vault, "the sealed part is not a started connect")
}
