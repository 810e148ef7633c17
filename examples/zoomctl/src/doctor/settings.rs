//! The environment: names that nobody reads, values that cannot be right.

use std::env;

use backend::{Config, VARIABLES, Zoom};
use url::{Host, Url};

use super::finding::Finding;

const CHECK: &str = "configuration";
const REDIRECT: &str = "redirect";

/// Variables that look like ours and are not: most often a slip of the pen.
pub(super) fn misspelt() -> Vec<Finding> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    misspelt_among(names)
}

fn misspelt_among(names: impl Iterator<Item = String>) -> Vec<Finding> {
    let strange = names.filter(|name| name.starts_with("ZOOM_") && !VARIABLES.contains(&name.as_str()));
    strange
        .map(|name| {
            let nearest = VARIABLES
                .iter()
                .min_by_key(|known| strsim::damerau_levenshtein(known, &name));
            let fix = nearest.map_or_else(
                || "unset it".to_owned(),
                |nearest| format!("did you mean {nearest}? Otherwise unset it"),
            );
            Finding::warning(CHECK, format!("{name} is set, and nobody reads it"), fix)
        })
        .collect()
}

/// What the configuration is, in a line.
pub(super) fn summary(config: &Config) -> Finding {
    let place = match &config.zoom {
        Zoom::Simulated { .. } => "a simulated Zoom in this process (ZOOM_CLIENT_ID is not set)".to_owned(),
        Zoom::Real(credentials) => match &credentials.base {
            Some(base) => format!("a Zoom at {}", base.origin().ascii_serialization()),
            None => "Zoom".to_owned(),
        },
        _ => "another Zoom".to_owned(),
    };
    Finding::good(CHECK, format!("{place}; database {}", config.database.display()))
}

/// Zoom sends browsers back over TLS, or to this machine.
pub(super) fn redirect(redirect: &Url) -> Finding {
    let shown = redirect.as_str();
    let this_machine = match redirect.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match redirect.scheme() {
        _ if redirect.fragment().is_some() => Finding::bad(
            REDIRECT,
            format!("{shown} has a fragment"),
            "take the part after # out of ZOOM_REDIRECT_URL, here and in the Marketplace",
        ),
        "https" => Finding::good(REDIRECT, shown),
        "http" if this_machine => Finding::warning(
            REDIRECT,
            format!("{shown} works for browsers on this machine alone"),
            "for anybody else set ZOOM_REDIRECT_URL to an https address of yours, letter by letter as in the Marketplace",
        ),
        _ => Finding::bad(
            REDIRECT,
            format!("{shown} is not https: codes would cross the network in the clear"),
            "set ZOOM_REDIRECT_URL to an https address, here and in the Marketplace",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    #[test]
    fn a_misspelt_variable_is_named_with_the_right_one() {
        let found = misspelt_among(
            ["ZOOM_CLIENTID", "ZOOM_CLIENT_ID", "PATH"]
                .map(str::to_owned)
                .into_iter(),
        );
        assert_eq!(found.len(), 1);
        let finding = found.first().unwrap();
        assert_eq!(finding.verdict, Verdict::Warning);
        assert!(
            finding.fix.as_deref().unwrap().contains("ZOOM_CLIENT_ID?"),
            "{finding:?}"
        );
    }

    #[test]
    fn a_redirect_in_the_clear_is_bad() {
        let verdict = |url: &str| redirect(&url.parse().unwrap()).verdict;
        assert_eq!(verdict("https://app.example/oauth/callback"), Verdict::Good);
        assert_eq!(verdict("http://127.0.0.1:8080/oauth/callback"), Verdict::Warning);
        assert_eq!(verdict("http://app.example/oauth/callback"), Verdict::Bad);
        assert_eq!(verdict("https://app.example/cb#x"), Verdict::Bad);
    }
}
