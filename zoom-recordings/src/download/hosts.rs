//! Which hosts a download may reach, and which of them may see the token.

use url::{Origin, Url};

/// The hosts that a download may reach. Links come from webhooks and redirects, so they are not trusted: without this
/// list a forged link could reach a host's internal network or carry the token away.
///
/// * A domain stands for itself and everything below it, over https on the usual port only.
/// * Hosts of a *redirect* domain are reached by redirect only, and never see a token.
/// * An *origin* is one scheme, host and port, exactly: a simulator on this machine.
///
/// ```
/// use zoom_recordings::HostAllowList;
///
/// let hosts = HostAllowList::zoom().with_origin(&"http://127.0.0.1:4010".parse()?);
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HostAllowList {
    domains: Vec<String>,
    redirect_domains: Vec<String>,
    origins: Vec<Origin>,
}

impl HostAllowList {
    /// Zoom's hosts, and the content network that they redirect to.
    #[must_use]
    pub fn zoom() -> Self {
        Self::nothing()
            .with_domain("zoom.us")
            .with_domain("zoomgov.com")
            .with_redirect_domain("cloudfront.net")
    }

    /// No host at all; add what you need.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            domains: Vec::new(),
            redirect_domains: Vec::new(),
            origins: Vec::new(),
        }
    }

    /// Allows a domain and everything below it, with the token.
    #[must_use]
    pub fn with_domain(mut self, domain: &str) -> Self {
        self.domains.push(domain.to_ascii_lowercase());
        self
    }

    /// Allows a domain and everything below it as the target of a redirect, without the token.
    #[must_use]
    pub fn with_redirect_domain(mut self, domain: &str) -> Self {
        self.redirect_domains.push(domain.to_ascii_lowercase());
        self
    }

    /// Allows exactly this scheme, host and port, with the token, and plain http if that is its scheme.
    #[must_use]
    pub fn with_origin(mut self, origin: &Url) -> Self {
        self.origins.push(origin.origin());
        self
    }

    /// Whether a download may start here and bring its token.
    pub(super) fn may_start(&self, url: &Url) -> bool {
        harmless(url) && (self.is_origin(url) || below(url, &self.domains))
    }

    /// Whether a redirect may lead here.
    pub(super) fn may_follow(&self, url: &Url) -> bool {
        self.may_start(url) || harmless(url) && below(url, &self.redirect_domains)
    }

    fn is_origin(&self, url: &Url) -> bool {
        // Opaque origins (`data:`, `file:`) never equal each other.
        self.origins.contains(&url.origin())
    }
}

/// No user or password in the link: they would be sent along.
fn harmless(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

fn below(url: &Url, domains: &[String]) -> bool {
    let Some(host) = url.domain() else { return false };
    let matches = |domain: &String| {
        host.strip_suffix(domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    url.scheme() == "https" && url.port().is_none() && domains.iter().any(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_domain_stands_for_itself_and_what_is_below_it() {
        let hosts = HostAllowList::zoom();
        for good in [
            "https://zoom.us/rec/download/x",
            "https://us02web.zoom.us/",
            "https://A.B.ZOOM.US:443/",
        ] {
            assert!(hosts.may_start(&url(good)), "{good}");
        }
        for bad in [
            "http://zoom.us/",
            "https://zoom.us:8443/",
            "https://evilzoom.us/",
            "https://zoom.us.evil.example/",
            "https://user@zoom.us/",
            "https://evil.example/#zoom.us",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "https://zoom.us./",
        ] {
            assert!(!hosts.may_start(&url(bad)), "{bad}");
            assert!(!hosts.may_follow(&url(bad)), "{bad}");
        }
    }

    #[test]
    fn a_redirect_domain_is_reached_by_redirect_only() {
        let hosts = HostAllowList::zoom();
        assert!(!hosts.may_start(&url("https://d111.cloudfront.net/x")));
        assert!(hosts.may_follow(&url("https://d111.cloudfront.net/x")));
    }

    #[test]
    fn an_origin_is_exact() {
        let hosts = HostAllowList::nothing().with_origin(&url("http://127.0.0.1:4010/v2"));
        assert!(hosts.may_start(&url("http://127.0.0.1:4010/rec/download/1")));
        for bad in [
            "http://127.0.0.1:4011/",
            "https://127.0.0.1:4010/",
            "http://localhost:4010/",
            "http://u@127.0.0.1:4010/",
        ] {
            assert!(!hosts.may_follow(&url(bad)), "{bad}");
        }
    }
}
