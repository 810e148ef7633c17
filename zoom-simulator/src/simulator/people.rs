//! Users and apps that change while the simulator runs.

use super::{Inner, Simulator};
use crate::{
    config::{AppSpec, UserSpec},
    error::Error,
    oauth::End,
    world::{App, AppChange, User, UserChange},
};

impl Inner {
    pub(crate) fn add_user(&self, spec: &UserSpec) -> Result<(), Error> {
        let world = &mut *self.world();
        if world.user(&spec.id).is_some() || world.user(&spec.email).is_some() {
            return Err(Error::refused(format!("{} is there already", spec.email)));
        }
        let user = User::new(spec, &self.config(), &world.users, &mut world.random);
        world.users.push(user);
        Ok(())
    }

    pub(crate) fn change_user(&self, user: &str, change: UserChange) -> Result<(), Error> {
        let mut world = self.world();
        let id = self.user_id(&world, user)?;
        let Some(user) = world.users.iter_mut().find(|user| user.id == id) else {
            return Err(Error::unknown(format!("user {user}")));
        };
        let before = user.account_id.clone();
        change.apply(user);
        if user.account_id != before {
            world.tokens.end_all_of(&id, End::Revoked);
        }
        Ok(())
    }

    pub(crate) fn remove_user(&self, user: &str) -> Result<(), Error> {
        let mut world = self.world();
        let id = self.user_id(&world, user)?;
        world.remove_user(&id);
        Ok(())
    }

    fn user_id(&self, world: &crate::world::World, user: &str) -> Result<String, Error> {
        world
            .user(user)
            .map(|user| user.id.clone())
            .ok_or_else(|| Error::unknown(format!("user {user}")))
    }

    pub(crate) fn add_app(&self, spec: AppSpec) -> Result<(), Error> {
        let mut world = self.world();
        if world.app(&spec.client_id).is_some() {
            return Err(Error::refused(format!("{} is there already", spec.client_id)));
        }
        world.apps.push(App::new(spec, &self.config()));
        Ok(())
    }

    pub(crate) fn change_app(&self, client_id: &str, change: AppChange) -> Result<(), Error> {
        let account_id = &self.config().account_id;
        let mut world = self.world();
        let app = world
            .apps
            .iter_mut()
            .find(|app| app.client_id == client_id)
            .ok_or_else(|| Error::unknown(format!("app {client_id}")))?;
        change.apply(app, account_id);
        Ok(())
    }
}

impl Simulator {
    /// One more user.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when the id or the address is taken.
    pub fn add_user(&self, user: &UserSpec) -> Result<(), Error> {
        self.inner.add_user(user)
    }

    /// Changes a user (id or address): a licence is lost, an admin demoted, a setting switched off.
    ///
    /// # Errors
    ///
    /// [`Error::is_unknown`] when there is no such user.
    pub fn change_user(&self, user: &str, change: UserChange) -> Result<(), Error> {
        self.inner.change_user(user, change)
    }

    /// Removes a user (id or address) and their meetings: their access tokens are invalid, their refresh tokens have no
    /// owner (4735), others do not find them. Apps are not told by `app_deauthorized`.
    ///
    /// # Errors
    ///
    /// [`Error::is_unknown`] when there is no such user.
    pub fn remove_user(&self, user: &str) -> Result<(), Error> {
        self.inner.remove_user(user)
    }

    /// One more app.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when the client id is taken.
    pub fn add_app(&self, app: AppSpec) -> Result<(), Error> {
        self.inner.add_app(app)
    }

    /// Changes an app, as its developer or an admin would in the Marketplace.
    ///
    /// # Errors
    ///
    /// [`Error::is_unknown`] when there is no such app.
    pub fn change_app(&self, client_id: &str, change: AppChange) -> Result<(), Error> {
        self.inner.change_app(client_id, change)
    }
}
