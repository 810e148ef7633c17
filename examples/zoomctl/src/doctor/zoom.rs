//! What Zoom thinks of the app, and of our clock.

use backend::Backend;
use jiff::SignedDuration;
use zoom_oauth::Opinion;

use super::finding::Finding;

const APP: &str = "app";
const REDIRECT: &str = "redirect";
const CLOCK: &str = "clock";
const SYSTEM: &str = "system account";

/// Zoom's and our own window for webhooks is five minutes; by then signatures are refused.
const TOO_FAR: SignedDuration = SignedDuration::from_mins(2);
/// Half of what a `Date` header and a slow answer can hide.
const UNEASY: SignedDuration = SignedDuration::from_secs(20);

pub(super) async fn check(backend: &Backend) -> Vec<Finding> {
    let probe = match backend.connections.probe().await {
        Ok(probe) => probe,
        Err(error) => {
            let error = anyhow::Error::from(error);
            return vec![Finding::bad(APP, format!("{error:#}"), "see the cause")];
        }
    };
    let app = match probe.credentials {
        Opinion::Right => Finding::good(APP, "Zoom knows the client id and its secret"),
        Opinion::Wrong => Finding::bad(
            APP,
            "Zoom does not know this client id with this secret, or the app is switched off",
            "copy ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET again from App Credentials in the Marketplace; \
             development and production have different ones",
        ),
        _ => Finding::warning(
            APP,
            "Zoom did not say",
            "is Zoom reachable from here? Run it again",
        ),
    };
    let redirect = match probe.redirect {
        Opinion::Right => Finding::good(REDIRECT, "Zoom has it on the app's list"),
        Opinion::Wrong => Finding::bad(
            REDIRECT,
            "Zoom does not have it on the app's list",
            "add ZOOM_REDIRECT_URL, letter by letter, under OAuth Allow Lists in the Marketplace",
        ),
        _ => Finding::warning(
            REDIRECT,
            "Zoom did not say",
            "is Zoom reachable from here? Run it again",
        ),
    };
    vec![app, redirect, clock(probe.clock_ahead), system(backend).await]
}

fn clock(ahead: Option<SignedDuration>) -> Finding {
    let Some(ahead) = ahead else {
        return Finding::skipped(CLOCK, "Zoom did not say what time it is");
    };
    let found = format!("{} s off Zoom's", ahead.as_secs());
    let fix = "let this machine take its time from the network (NTP)";
    match ahead.abs() {
        off if off >= TOO_FAR => Finding::bad(CLOCK, format!("{found}: webhooks will be refused"), fix),
        off if off >= UNEASY => Finding::warning(CLOCK, found, fix),
        _ => Finding::good(CLOCK, found),
    }
}

async fn system(backend: &Backend) -> Finding {
    let Some((client, user)) = backend.resolver.system() else {
        return Finding::skipped(
            SYSTEM,
            "none is set (ZOOM_ACCOUNT_ID); nothing stands in for dead connections",
        );
    };
    match client.users().get(user).await {
        Ok(found) => {
            let name = found.name().unwrap_or_else(|| user.to_string());
            Finding::good(SYSTEM, format!("acts as {name}"))
        }
        Err(error) => Finding::bad(
            SYSTEM,
            format!("{:#}", anyhow::Error::from(error)),
            "see ZOOM_ACCOUNT_ID, ZOOM_S2S_CLIENT_ID and ZOOM_S2S_CLIENT_SECRET, that the app is activated, and its scopes",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    #[test]
    fn a_clock_that_is_minutes_off_is_bad_either_way() {
        let verdict = |seconds| clock(Some(SignedDuration::from_secs(seconds))).verdict;
        assert_eq!(verdict(2), Verdict::Good);
        assert_eq!(verdict(-30), Verdict::Warning);
        assert_eq!(verdict(300), Verdict::Bad);
        assert_eq!(verdict(-300), Verdict::Bad);
        assert_eq!(clock(None).verdict, Verdict::Skipped);
    }
}
