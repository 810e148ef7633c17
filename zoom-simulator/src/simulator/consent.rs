//! What people say to apps, without a browser.

use url::Url;

use super::Simulator;
use crate::{
    error::Error,
    oauth::{self, Consent, Decision, Stop, Turned},
    params::Params,
    webhooks,
};

fn yes(user: &str) -> Decision {
    Decision::Allow {
        user: user.to_owned(),
        optional_scopes: None,
    }
}

fn refused(turned: Turned) -> Error {
    Error::refused(turned.reason)
}

impl Simulator {
    /// Says yes to an authorization request as this user (id or address), without a browser, and declines nothing.
    /// Returns where the browser would go next: the redirect address with `code` and `state`.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when Zoom would show an error instead, or the user may not install the app.
    pub fn allow(&self, authorize: &Url, user: &str) -> Result<Url, Error> {
        self.decide(authorize, &yes(user))
    }

    /// The same, but of the app's optional scopes only these.
    ///
    /// # Errors
    ///
    /// As [`allow`](Self::allow).
    pub fn allow_only(&self, authorize: &Url, user: &str, optional_scopes: &[&str]) -> Result<Url, Error> {
        let optional_scopes = optional_scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.decide(
            authorize,
            &Decision::Allow {
                user: user.to_owned(),
                optional_scopes: Some(optional_scopes),
            },
        )
    }

    /// Says no to an authorization request.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when Zoom would show an error instead.
    pub fn deny(&self, authorize: &Url) -> Result<Url, Error> {
        self.decide(authorize, &Decision::Deny)
    }

    /// The user (id or address) presses *Add* in the Marketplace and says yes: returns where the browser would go, the
    /// redirect address with a `code` and no `state`, which the app never asked for. Without an address it is the first of
    /// the app's list.
    ///
    /// # Errors
    ///
    /// As [`allow`](Self::allow); and when no redirect address is known.
    pub fn install(&self, client_id: &str, user: &str, redirect_uri: Option<&Url>) -> Result<Url, Error> {
        let query = oauth::install_request(&self.inner.world(), client_id, redirect_uri.map(Url::as_str))
            .map_err(refused)?;
        let mut authorize = self.base_url.clone();
        authorize.set_query(Some(&query));
        self.decide(&authorize, &yes(user))
    }

    fn decide(&self, authorize: &Url, decision: &Decision) -> Result<Url, Error> {
        let mut world = self.inner.world();
        match Consent::read(&self.inner, &world, &Params::parse(authorize.query())) {
            Ok(consent) => consent.decide(&self.inner, &mut world, decision).map_err(refused),
            Err(Stop::Back(to)) => Ok(to),
            Err(Stop::Turned(turned)) => Err(refused(turned)),
        }
    }

    /// Says yes to a device that shows this code, as this user (id or address).
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when no device shows the code, or the user may not install the app.
    pub fn allow_device(&self, user_code: &str, user: &str) -> Result<(), Error> {
        oauth::decide_device(&self.inner, &mut self.inner.world(), user_code, &yes(user)).map_err(refused)
    }

    /// Says no to a device that shows this code.
    ///
    /// # Errors
    ///
    /// [`Error::is_refused`] when no device shows the code.
    pub fn deny_device(&self, user_code: &str) -> Result<(), Error> {
        oauth::decide_device(&self.inner, &mut self.inner.world(), user_code, &Decision::Deny)
            .map_err(refused)
    }

    /// The user (id or address) removes every app in the Marketplace: tokens die, `app_deauthorized` goes out. Returns how
    /// many apps they had connected. To have the webhook come late, delay it first: see
    /// [`Webhooks::disrupt`](crate::Webhooks::disrupt).
    pub fn deauthorize(&self, user: &str) -> usize {
        webhooks::deauthorize(&self.inner, user, None)
    }

    /// The same for one app.
    pub fn deauthorize_app(&self, user: &str, client_id: &str) -> usize {
        webhooks::deauthorize(&self.inner, user, Some(client_id))
    }
}
