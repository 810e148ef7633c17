//! What a connection lacks, what follows from it, and what to do about it.

use serde::{Deserialize, Serialize};

use crate::{
    Action, AppKind, Cause, Feature,
    feature::{MissingScope, is_classic},
};

zoom_core::open_enum! {
    /// What kind of thing a connection lacks.
    pub enum MissingKind {
        /// A scope that the app was not granted.
        Scope => "scope",
        /// A paid licence of the Zoom user.
        Licence => "licence",
        /// Cloud recording, switched off in the user's settings.
        CloudRecording => "cloud_recording",
        /// Audio transcripts, switched off in the user's settings.
        AudioTranscript => "audio_transcript",
        /// The Zoom user's being active.
        ActiveUser => "active_user",
        /// The right to look, without which nobody knows what else is missing.
        Permission => "permission",
        /// Zoom's accepting the token, new as it is.
        Access => "access",
    }
}

zoom_core::open_enum! {
    /// Which licence a Zoom user has.
    pub enum Licence {
        /// Free: 40 minutes, no cloud recording.
        Basic => "basic",
        /// Paid.
        Licensed => "licensed",
        /// On premises.
        OnPremises => "on_premises",
        /// None.
        None => "none",
    }
}

/// One thing that a connection lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// What kind of thing.
    pub what: MissingKind,
    /// What the host cannot do without it, of the features it declared; `None` where it concerns all of them.
    pub feature: Option<Feature>,
    /// The call that is refused, for a scope.
    pub call: Option<String>,
    /// The scopes of which any one would do, for a scope.
    pub any_of: Vec<String>,
    /// What follows from it, for the host's user.
    pub consequence: String,
    /// What to do about it, for the host's user.
    pub remedy: String,
}

/// What is kept of it: the texts are those of whoever reads.
#[derive(Serialize, Deserialize)]
pub(crate) struct Lack {
    what: MissingKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    any_of: Vec<String>,
}

impl From<&Missing> for Lack {
    fn from(missing: &Missing) -> Self {
        Self {
            what: missing.what.clone(),
            feature: missing.feature.map(|feature| feature.as_str().to_owned()),
            call: missing.call.clone(),
            any_of: missing.any_of.clone(),
        }
    }
}

impl From<Lack> for Missing {
    fn from(lack: Lack) -> Self {
        let feature = lack.feature.as_deref().and_then(Feature::from_name);
        Self {
            consequence: consequence(&lack.what, feature),
            remedy: remedy(&lack.what, &lack.any_of),
            what: lack.what,
            feature,
            call: lack.call,
            any_of: lack.any_of,
        }
    }
}

impl Missing {
    pub(crate) fn new(what: MissingKind, feature: Option<Feature>) -> Self {
        Self::build(what, feature, None)
    }

    pub(crate) fn scope(feature: Option<Feature>, scope: &MissingScope) -> Self {
        Self::build(MissingKind::Scope, feature, Some(scope))
    }

    /// All scopes of a feature, whatever was granted.
    pub(crate) fn scopes(feature: Feature) -> Self {
        let scope = feature
            .missing(&zoom_core::Scopes::new(), AppKind::User)
            .into_iter()
            .next();
        Self::build(MissingKind::Scope, Some(feature), scope.as_ref())
    }

    /// The settings cannot be seen, for want of a scope if we know of one.
    pub(crate) fn blind(scope: Option<&MissingScope>) -> Self {
        Self::build(MissingKind::Permission, None, scope)
    }

    fn build(what: MissingKind, feature: Option<Feature>, scope: Option<&MissingScope>) -> Self {
        let names = scope
            .map(|scope| scope.alternatives.as_slice())
            .unwrap_or_default();
        Lack {
            what,
            feature: feature.map(|feature| feature.as_str().to_owned()),
            call: scope.map(|scope| scope.call.to_owned()),
            any_of: names.iter().map(|&name| name.to_owned()).collect(),
        }
        .into()
    }

    /// The reason that a connection has which lacks it.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match &self.what {
            MissingKind::Scope => Cause::MissingScope,
            MissingKind::Licence => Cause::NoLicence,
            MissingKind::CloudRecording => Cause::CloudRecordingOff,
            MissingKind::AudioTranscript => Cause::TranscriptOff,
            MissingKind::ActiveUser => Cause::UserInactive,
            MissingKind::Permission if !self.any_of.is_empty() => Cause::MissingScope,
            MissingKind::Permission => Cause::NoPermission,
            MissingKind::Access => Cause::TokenRefused,
            other => Cause::from(other.as_str()),
        }
    }

    /// What somebody can do about it.
    #[must_use]
    pub fn action(&self) -> Action {
        self.cause().action()
    }
}

fn consequence(what: &MissingKind, feature: Option<Feature>) -> String {
    let subject = feature.map_or("Some of what the app does with Zoom", Feature::title);
    match what {
        MissingKind::CloudRecording => {
            "New meetings are not recorded to the cloud, so no recordings of them arrive.".to_owned()
        }
        MissingKind::AudioTranscript => "New recordings come without Zoom's transcript.".to_owned(),
        MissingKind::ActiveUser => "Nothing can be done on behalf of this Zoom user.".to_owned(),
        MissingKind::Permission => {
            "Nobody can tell whether cloud recording and transcripts are switched on.".to_owned()
        }
        _ => format!("{subject} will not work."),
    }
}

fn remedy(what: &MissingKind, any_of: &[String]) -> String {
    match what {
        MissingKind::Scope | MissingKind::Permission if !any_of.is_empty() => {
            let granular = any_of.iter().find(|name| !is_classic(name));
            let classic = any_of.iter().find(|name| is_classic(name));
            let names: Vec<&str> = granular.into_iter().chain(classic).map(String::as_str).collect();
            let names = names.join(" or ");
            format!(
                "Add the scope {names} to the app in Zoom's Marketplace, then connect Zoom again and allow it."
            )
        }
        MissingKind::Licence => "Assign a paid licence to the Zoom user.".to_owned(),
        MissingKind::CloudRecording => {
            "Switch on cloud recording in the Zoom settings, or have an administrator allow it.".to_owned()
        }
        MissingKind::AudioTranscript => {
            "Switch on \"Create audio transcript\" under cloud recording in the Zoom settings.".to_owned()
        }
        MissingKind::ActiveUser => "Have an administrator activate the Zoom user.".to_owned(),
        MissingKind::Permission => {
            "Let an administrator of the Zoom account look at the user's role.".to_owned()
        }
        MissingKind::Access => "Connect Zoom again.".to_owned(),
        _ => String::new(),
    }
}

/// What the features lack by what was granted. Nothing where Zoom did not say what was.
pub(crate) fn missing_scopes(
    features: &[Feature],
    granted: &zoom_core::Scopes,
    kind: AppKind,
) -> Vec<Missing> {
    if granted.is_empty() {
        return Vec::new();
    }
    let of = |feature: &Feature| {
        let feature = *feature;
        feature
            .missing(granted, kind)
            .into_iter()
            .map(move |scope| Missing::scope(Some(feature), &scope))
    };
    features.iter().flat_map(of).collect()
}
