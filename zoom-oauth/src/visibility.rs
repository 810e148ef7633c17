//! Who sees what of an organisation's connection, and who may press which button.

use serde::Serialize;
use token_store::Status;

use crate::Connection;

/// What somebody may do in an organisation, as the host knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// May connect for the organisation.
    Admin,
    /// May not.
    Member,
}

/// Who is looking at an organisation's connection.
///
/// | connection | viewer | who opened it | sees | connect | reconnect | disconnect | e-mail |
/// |---|---|---|---|---|---|---|---|
/// | none, or left | admin | | [`View::None`] | yes | | | |
/// | none, or left | member | | [`View::None`] | no | | | |
/// | there | admin | the viewer | [`View::Mine`] | | yes | yes | yes |
/// | there | admin | another, still here | [`View::Managed`] | | no | no | no |
/// | there | admin | another, who has left, or nobody knows | [`View::Managed`] | | yes | yes | no |
/// | there | member | anybody, the viewer included | [`View::Managed`] | | no | no | no |
///
/// So the account behind a connection is shown to the admin who opened it and to nobody else, and no other admin ends
/// it behind their back; when they have left the organisation, any admin may take over. A connection of a single user
/// is that user's own: there, everybody is the admin.
///
/// ```
/// # use zoom_oauth::{Connection, Opener, View, Viewer};
/// # fn page(connection: Option<&Connection>) {
/// let view = Viewer::admin("maya").view(connection, Opener::named("Jon Ives"));
/// if let View::Managed { by, .. } = &view {
///     println!("connected; {} can manage it", by.as_deref().unwrap_or("an admin"));
/// }
/// if view.may_connect() || view.may_reconnect() {
///     println!("[Connect]");
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer<'a> {
    user: &'a str,
    role: Role,
}

impl<'a> Viewer<'a> {
    /// A user of the host's, by the id that the host gave when the connect was started.
    #[must_use]
    pub fn new(user: &'a str, role: Role) -> Self {
        Self { user, role }
    }

    /// An admin.
    #[must_use]
    pub fn admin(user: &'a str) -> Self {
        Self::new(user, Role::Admin)
    }

    /// A member.
    #[must_use]
    pub fn member(user: &'a str) -> Self {
        Self::new(user, Role::Member)
    }

    /// What they see of the organisation's connection, and may do with it.
    #[must_use]
    pub fn view(&self, connection: Option<&Connection>, opener: Opener<'_>) -> View {
        let is_admin = self.role == Role::Admin;
        let Some(connection) = connection.filter(|connection| connection.status != Status::Disconnected)
        else {
            return View::None {
                may_connect: is_admin,
            };
        };
        let opened_by = connection.opened_by.as_deref();
        if is_admin && opened_by == Some(self.user) {
            return View::Mine(connection.clone());
        }
        let is_orphan = opener.has_left || opened_by.is_none();
        View::Managed {
            by: opener.name.filter(|_| !is_orphan).map(str::to_owned),
            status: connection.status.clone(),
            may_take_over: is_admin && is_orphan,
        }
    }
}

/// What the host knows of whoever opened a connection: [`Connection::opened_by`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opener<'a> {
    name: Option<&'a str>,
    has_left: bool,
}

impl<'a> Opener<'a> {
    /// Still an admin of the organisation, under this name.
    #[must_use]
    pub fn named(name: &'a str) -> Self {
        Self {
            name: Some(name),
            has_left: false,
        }
    }

    /// Has left the organisation, or is no admin of it any more.
    #[must_use]
    pub fn left() -> Self {
        Self {
            name: None,
            has_left: true,
        }
    }
}

/// What a viewer sees of a connection. What they may not know is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, for one page")]
pub enum View {
    /// Their own, with everything.
    Mine(Connection),
    /// Somebody else's: that it is there and how it is doing, and neither the account nor any detail.
    Managed {
        /// The name of whoever can manage it, if the host gave one and they are still here.
        by: Option<String>,
        /// How it is doing.
        status: Status,
        /// Whether the viewer may end or renew it, because nobody else is left who could.
        may_take_over: bool,
    },
    /// There is none.
    None {
        /// Whether the viewer may make one.
        may_connect: bool,
    },
}

impl View {
    /// Whether to show Connect.
    #[must_use]
    pub fn may_connect(&self) -> bool {
        matches!(self, Self::None { may_connect: true })
    }

    /// Whether to show Reconnect.
    #[must_use]
    pub fn may_reconnect(&self) -> bool {
        self.may_manage()
    }

    /// Whether to show Disconnect.
    #[must_use]
    pub fn may_disconnect(&self) -> bool {
        self.may_manage()
    }

    /// Whether the Zoom account behind it may be shown: name, address, scopes, and what is wrong with it.
    #[must_use]
    pub fn may_see_email(&self) -> bool {
        matches!(self, Self::Mine(_))
    }

    fn may_manage(&self) -> bool {
        match self {
            Self::Mine(_) => true,
            Self::Managed { may_take_over, .. } => *may_take_over,
            Self::None { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests;
