//! Zoom's API near the account: the `api_url` of a token answer.

use std::sync::Arc;

use url::{Host, Url};
use zoom_core::{Client, Clock, Sleeper, TokenSource};

use crate::{Endpoints, Error};

/// The domains that are Zoom's own. A host is one of them, or ends with one after a dot.
const DOMAINS: [&str; 2] = ["zoom.us", "zoomgov.com"];

impl Endpoints {
    /// The address, if it may be sent tokens: the origin of one of Zoom's hosts, spelt as it is meant, or the very
    /// address that the host of this crate gave. Everything else is ignored.
    pub(crate) fn region(&self, named: &str) -> Option<Url> {
        let url = Url::parse(named).ok();
        let found = match (self.own_base(), url) {
            // A simulator or a proxy is all of Zoom there is.
            (Some(own), Some(url)) => return (trimmed(&url) == own).then_some(url),
            (Some(_), None) => return None,
            (None, url) => url.filter(|url| is_zoom(url) && is_plain(url, named)),
        };
        if found.is_none() {
            tracing::warn!("zoom has named an api address that is none of its hosts; it is ignored");
        }
        found
    }
}

fn trimmed(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

fn is_zoom(url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return false;
    };
    DOMAINS.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// Scheme and host, and written so that no two readers can read it differently.
fn is_plain(url: &Url, named: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    let odd = |label: &str| label.is_empty() || label.starts_with("xn--");
    let spelt = named.strip_suffix('/').unwrap_or(named);
    !host.split('.').any(odd) && spelt == format!("https://{host}")
}

/// Makes clients for the regions; all share one pool of network connections.
#[derive(Debug)]
pub(crate) struct Regions {
    pub(crate) endpoints: Endpoints,
    pub(crate) http: reqwest::Client,
    pub(crate) clock: Clock,
    pub(crate) sleeper: Sleeper,
    /// The client of no region.
    pub(crate) home: Client,
}

impl Regions {
    /// A client for the API at an address that came from Zoom or the store; at home if it will not do.
    pub(crate) fn client(&self, api_url: Option<&str>, tokens: Arc<dyn TokenSource>) -> Client {
        let region = api_url.and_then(|named| self.endpoints.region(named));
        match region.map(|region| self.at(&region, Arc::clone(&tokens))) {
            Some(Ok(client)) => client,
            Some(Err(_)) | None => self.home.with_token_source(tokens),
        }
    }

    fn at(&self, region: &Url, tokens: Arc<dyn TokenSource>) -> Result<Client, Error> {
        let base = Url::parse(&format!("{}/v2", trimmed(region)))
            .map_err(|_| Error::invalid_config("the region is not a web address"))?;
        if base == *self.home.base_url() {
            return Ok(self.home.with_token_source(tokens));
        }
        let client = Client::builder(tokens)
            .base_url(base)
            .with_clock(self.clock.clone())
            .with_sleeper(self.sleeper.clone())
            .with_http(self.http.clone());
        Ok(client.build()?)
    }
}

#[cfg(test)]
mod tests {
    use zoom_core::{AccessToken, StaticToken};

    use super::*;

    #[test]
    fn zoom_s_own_hosts_may_have_tokens() {
        for named in [
            "https://api.zoom.us",
            "https://api.zoom.us/",
            "https://api-eu.zoom.us",
            "https://eu01api.zoom.us",
            "https://us02.api.zoom.us",
            "https://zoom.us",
            "https://api.zoomgov.com",
        ] {
            assert!(Endpoints::zoom().region(named).is_some(), "{named}");
        }
    }

    #[test]
    fn nobody_else_gets_a_token() {
        for named in [
            "",
            "api.zoom.us",
            "//api.zoom.us",
            "http://api.zoom.us",
            "ftp://api.zoom.us",
            "javascript:alert(1)//zoom.us",
            "https://evilzoom.us",
            "https://evil-zoom.us",
            "https://zoom.us.evil.example",
            "https://api.zoom.us.evil.example",
            "https://evil.example/zoom.us",
            "https://evil.example/.zoom.us",
            "https://evil.example?.zoom.us",
            "https://evil.example#.zoom.us",
            "https://evil.example\\.zoom.us",
            "https://api.zoom.us@evil.example",
            "https://evil.example@api.zoom.us",
            "https://user:pass@api.zoom.us",
            "https://:@api.zoom.us",
            "https://@api.zoom.us",
            "https://api.zoom.us:8443",
            "https://api.zoom.us:443",
            "https://api.zoom.us:",
            "https://api.zoom.us/v2",
            "https://api.zoom.us/../x",
            "https://api.zoom.us//",
            "https://api.zoom.us?x",
            "https://api.zoom.us#x",
            "https://api.zoom.us.",
            "https://.zoom.us",
            "https://api..zoom.us",
            "https://zoom.us%2eevil.example",
            "https://api.zoom.us%00.evil.example",
            "https://api.zoom.us\n.evil.example",
            "https://api.z\toom.us",
            " https://api.zoom.us",
            "https:api.zoom.us",
            "https:/api.zoom.us",
            "https:\\\\api.zoom.us",
            "https://xn--api-zoom.zoom.us",
            "https://xn--zom-nna.us",
            "https://zоom.us",
            "https://api。zoom。us",
            "https://ａpi.zoom.us",
            "https://127.0.0.1",
            "https://169.254.169.254",
            "https://[::1]",
            "https://localhost",
            "https://zoom.com",
            "https://zoom.com.cn",
            "https://zoomgov.com.evil.example",
        ] {
            assert_eq!(Endpoints::zoom().region(named), None, "{named}");
        }
    }

    #[test]
    fn a_simulator_is_the_only_zoom_there_is() {
        let simulator = Endpoints::at(&"http://127.0.0.1:9/zoom/".parse().unwrap());
        assert!(simulator.region("http://127.0.0.1:9/zoom").is_some());
        assert!(simulator.region("http://127.0.0.1:9/zoom/").is_some());
        for named in [
            "https://api.zoom.us",
            "http://127.0.0.1:10/zoom",
            "http://127.0.0.1:9/other",
            "http://127.0.0.1:9/zoom?x",
            "http://a@127.0.0.1:9/zoom",
            "http://127.0.0.1:9",
        ] {
            assert_eq!(simulator.region(named), None, "{named}");
        }
    }

    #[test]
    fn a_client_goes_to_the_region_only_if_it_is_zoom_s() {
        let tokens: Arc<dyn TokenSource> = Arc::new(StaticToken::new(AccessToken::new("t")));
        let regions = Regions {
            endpoints: Endpoints::zoom(),
            http: zoom_core::http::client_builder().build().unwrap(),
            clock: Clock::system(),
            sleeper: Sleeper::tokio(),
            home: Client::builder(Arc::clone(&tokens)).build().unwrap(),
        };
        let base = |named| {
            regions
                .client(named, Arc::clone(&tokens))
                .base_url()
                .as_str()
                .to_owned()
        };
        assert_eq!(base(Some("https://api-eu.zoom.us")), "https://api-eu.zoom.us/v2");
        assert_eq!(base(Some("https://api.zoom.us")), "https://api.zoom.us/v2");
        assert_eq!(base(Some("https://evil.example")), "https://api.zoom.us/v2");
        assert_eq!(base(None), "https://api.zoom.us/v2");
    }
}
