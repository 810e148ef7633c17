//! Which scopes open which call, in Zoom's two namings.

use http::StatusCode;

use crate::{
    answer::Refusal,
    world::{Caller, Reach},
};

/// The scopes of a call; any one of them is enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scopes {
    pub(crate) classic: &'static [&'static str],
    /// Without their suffixes.
    pub(crate) granular: &'static [&'static str],
    pub(crate) suffixes: Suffixes,
}

/// Which suffixes the granular names come with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suffixes {
    /// None, `:admin` and `:master`.
    All,
    /// None and `:admin`.
    OwnAdmin,
    /// `:admin` and `:master`.
    AdminMaster,
}

/// How far a token reaches with a call; none if it has no scope for it.
pub(crate) fn reach(caller: &Caller, scopes: &Scopes) -> Option<Reach> {
    let has = |scope: &str| caller.scopes.iter().any(|own| own == scope);
    let granular = |suffix: &str| scopes.granular.iter().any(|name| has(&format!("{name}{suffix}")));
    let classic = |wide: bool| {
        scopes
            .classic
            .iter()
            .any(|name| (name.ends_with(":admin") || name.ends_with(":master")) == wide && has(name))
    };
    let master = scopes.suffixes != Suffixes::OwnAdmin && granular(":master");
    if granular(":admin") || master || classic(true) {
        return Some(Reach::Account);
    }
    let own = scopes.suffixes != Suffixes::AdminMaster && granular("");
    (own || classic(false)).then_some(Reach::Own)
}

/// The refusal that lists what would have been enough, in the naming the app uses.
pub(super) fn missing(caller: &Caller, scopes: &Scopes, wanted: Reach, unauthorized: bool) -> Refusal {
    let wide = wanted == Reach::Account || scopes.suffixes == Suffixes::AdminMaster;
    let names: Vec<String> = if caller.is_granular() || caller.scopes.is_empty() {
        let suffixes: &[&str] = if wide { &[":admin"] } else { &["", ":admin"] };
        scopes
            .granular
            .iter()
            .flat_map(|name| suffixes.iter().map(move |suffix| format!("{name}{suffix}")))
            .collect()
    } else {
        let fits =
            |name: &&&str| wanted == Reach::Own || name.ends_with(":admin") || name.ends_with(":master");
        scopes
            .classic
            .iter()
            .filter(fits)
            .map(|&name| name.to_owned())
            .collect()
    };
    let status = if unauthorized {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    };
    Refusal::new(
        status,
        4711,
        format!(
            "Invalid access token, does not contain scopes:[{}].",
            names.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDINGS: Scopes = Scopes {
        classic: &["recording:read:admin", "recording:read", "recording:master"],
        granular: &["cloud_recording:read:list_user_recordings"],
        suffixes: Suffixes::All,
    };

    fn caller(scopes: &[&str]) -> Caller {
        Caller {
            client_id: "c".to_owned(),
            account_id: "a".to_owned(),
            user_id: "u".to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    #[test]
    fn both_namings_open_a_call_as_far_as_their_suffix_says() {
        for (scope, wanted) in [
            ("recording:read", Some(Reach::Own)),
            ("recording:read:admin", Some(Reach::Account)),
            ("recording:master", Some(Reach::Account)),
            ("cloud_recording:read:list_user_recordings", Some(Reach::Own)),
            (
                "cloud_recording:read:list_user_recordings:admin",
                Some(Reach::Account),
            ),
            ("cloud_recording:read:list_recording_files", None),
            ("recording:write", None),
        ] {
            assert_eq!(reach(&caller(&[scope]), &RECORDINGS), wanted, "{scope}");
        }
    }

    #[test]
    fn the_refusal_lists_the_alternatives_in_the_apps_naming() {
        let granular = missing(&caller(&["user:read:user"]), &RECORDINGS, Reach::Own, false);
        assert_eq!(
            granular.message,
            "Invalid access token, does not contain scopes:[cloud_recording:read:list_user_recordings, \
             cloud_recording:read:list_user_recordings:admin]."
        );
        let classic = missing(&caller(&["user:read"]), &RECORDINGS, Reach::Own, false);
        assert!(
            classic
                .message
                .contains("[recording:read:admin, recording:read, recording:master]")
        );
    }
}
