use std::fmt;

use url::{Host, Url};

use crate::{Error, attributes::DEFAULT_APP};

zoom_core::secret_type! {
    /// The secret of an app, as Zoom's Marketplace shows it.
    pub struct ClientSecret;
}

/// Who connects an app, and how far it then reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AppKind {
    /// Each user for themselves.
    #[default]
    User,
    /// An administrator, for all users of the account.
    Admin,
}

/// An app as it is registered in Zoom's Marketplace.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) name: String,
    pub(crate) kind: AppKind,
    pub(crate) client_id: String,
    pub(crate) client_secret: ClientSecret,
    pub(crate) redirect_uri: Url,
}

impl App {
    /// Takes the app's credentials and the address that Zoom sends the browser back to, letter by letter as it stands
    /// in the Marketplace.
    #[must_use]
    pub fn new(client_id: impl Into<String>, client_secret: ClientSecret, redirect_uri: Url) -> Self {
        Self {
            name: DEFAULT_APP.into(),
            kind: AppKind::User,
            client_id: client_id.into(),
            client_secret,
            redirect_uri,
        }
    }

    /// Names the app, for hosts that have several side by side: development and production credentials, or brands.
    /// Each has [`Connections`](crate::Connections) of its own, which see nothing of the others', on whatever store
    /// they share. The name stands in the records: it stays as it is when the credentials change.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Says that an administrator connects it for a whole account.
    #[must_use]
    pub fn managed_by_admin(mut self) -> Self {
        self.kind = AppKind::Admin;
        self
    }

    /// Who connects it.
    #[must_use]
    pub fn kind(&self) -> AppKind {
        self.kind
    }

    /// What it is called among the host's apps.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where Zoom sends the browser back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Zoom answers a wrong address with a page that does not come back, so it is checked before anybody is sent there.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.name.is_empty() {
            return Err(Error::invalid_config("the app's name is empty"));
        }
        if self.client_id.is_empty() || self.client_secret.expose_secret().is_empty() {
            return Err(Error::invalid_config("the app's credentials are empty"));
        }
        let scheme = self.redirect_uri.scheme();
        if (scheme == "https" || scheme == "http") && self.redirect_uri.fragment().is_none() {
            Ok(())
        } else {
            Err(Error::invalid_config(
                "the redirect address is not a plain web address",
            ))
        }
    }
}

/// Where Zoom is.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoints {
    oauth: String,
    api: String,
    /// Everything is under one address that the host gave.
    own: bool,
    plain_http: bool,
}

/// An address with a password in it is refused, but only when it is used; until then it is not shown.
impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |address: &str| {
            let found = Url::parse(address).ok();
            found.map_or_else(
                || "[not an address]".to_owned(),
                |url| url.origin().ascii_serialization(),
            )
        };
        f.debug_struct("Endpoints")
            .field("oauth", &shown(&self.oauth))
            .field("api", &shown(&self.api))
            .field("plain_http", &self.plain_http)
            .finish_non_exhaustive()
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::zoom()
    }
}

impl Endpoints {
    /// Zoom itself.
    #[must_use]
    pub fn zoom() -> Self {
        Self {
            oauth: "https://zoom.us".into(),
            api: "https://api.zoom.us".into(),
            own: false,
            plain_http: false,
        }
    }

    /// Zoom for Government, which has apps and credentials of its own.
    #[must_use]
    pub fn zoom_gov() -> Self {
        Self {
            oauth: "https://zoomgov.com".into(),
            api: "https://api.zoomgov.com".into(),
            own: false,
            plain_http: false,
        }
    }

    /// Everything under one address: a simulator, or a proxy. Regional addresses that Zoom names are then ignored.
    #[must_use]
    pub fn at(base: &Url) -> Self {
        let base = base.as_str().trim_end_matches('/');
        Self {
            oauth: base.into(),
            api: base.into(),
            own: true,
            plain_http: false,
        }
    }

    /// Allows an address without TLS that is not this machine, such as a simulator in another container. Secrets and
    /// tokens then cross the network in the clear.
    #[must_use]
    pub fn with_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// The address that everything is under, if it is not Zoom's.
    pub(crate) fn own_base(&self) -> Option<&str> {
        self.own.then_some(self.api.as_str())
    }

    pub(crate) fn plain_http(&self) -> bool {
        self.plain_http
    }

    pub(crate) fn authorize(&self) -> Result<Url, Error> {
        self.url(&self.oauth, "oauth/authorize")
    }

    pub(crate) fn token(&self) -> Result<Url, Error> {
        self.url(&self.oauth, "oauth/token")
    }

    pub(crate) fn revoke(&self) -> Result<Url, Error> {
        self.url(&self.oauth, "oauth/revoke")
    }

    pub(crate) fn api(&self) -> Result<Url, Error> {
        self.url(&self.api, "v2")
    }

    fn url(&self, base: &str, path: &str) -> Result<Url, Error> {
        let url = Url::parse(&format!("{base}/{path}"))
            .map_err(|_| Error::invalid_config("an endpoint is not a web address"))?;
        let this_machine = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let safe = url.scheme() == "https" || (url.scheme() == "http" && (this_machine || self.plain_http));
        if safe && url.query().is_none() && url.username().is_empty() && url.password().is_none() {
            Ok(url)
        } else {
            Err(Error::invalid_config(
                "an endpoint is neither https nor this machine",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(ClientSecret: fmt::Display, PartialEq, serde::Serialize);

    fn at(base: &str) -> Endpoints {
        Endpoints::at(&base.parse().unwrap())
    }

    #[test]
    fn zoom_is_where_its_documents_say() {
        let zoom = Endpoints::zoom();
        assert_eq!(
            zoom.authorize().unwrap().as_str(),
            "https://zoom.us/oauth/authorize"
        );
        assert_eq!(zoom.token().unwrap().as_str(), "https://zoom.us/oauth/token");
        assert_eq!(zoom.revoke().unwrap().as_str(), "https://zoom.us/oauth/revoke");
        assert_eq!(zoom.api().unwrap().as_str(), "https://api.zoom.us/v2");
    }

    #[test]
    fn a_base_may_have_a_path_and_a_slash() {
        assert_eq!(
            at("http://127.0.0.1:9/zoom/").token().unwrap().as_str(),
            "http://127.0.0.1:9/zoom/oauth/token"
        );
    }

    #[test]
    fn secrets_go_to_nobody_in_the_clear() {
        for unsafe_base in [
            "http://zoom.example",
            "ftp://127.0.0.1",
            "https://user:pass@zoom.example",
        ] {
            assert!(at(unsafe_base).token().is_err(), "{unsafe_base}");
        }
        assert!(at("http://zoom.example").with_plain_http().token().is_ok());
        for safe_base in ["http://localhost:1", "http://[::1]:1", "https://zoom.example"] {
            assert!(at(safe_base).token().is_ok(), "{safe_base}");
        }
    }

    #[test]
    fn debug_hides_the_app_s_secret() {
        let app = App::new(
            "id",
            ClientSecret::new("canary"),
            "https://app.example/cb".parse().unwrap(),
        );
        assert!(!format!("{app:?}").contains("canary"));
    }
}
