//! What Zoom says about a connection's user, and what the host's features lack by it.

use jiff::Timestamp;
use token_store::StoredConnection;
use zoom_core::{
    Client, Scopes, UserId,
    model::{User, UserSettings, UserStatus, UserType},
};

use crate::{
    AppKind, Cause, Feature, Licence, Missing, MissingKind, attributes, feature::MissingScope,
    missing::missing_scopes,
};

/// What Zoom said when it was asked.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) user: User,
    settings: Settings,
}

#[derive(Debug)]
enum Settings {
    Seen(Box<UserSettings>),
    /// The token may not read them.
    Hidden(Cause),
    /// Zoom has not answered that: nothing is known, nothing has changed.
    Unanswered,
    /// They are about one user, and the app is for all users of an account.
    NotAsked,
}

impl Look {
    /// Asks who it is, and what that user has switched on. That settings cannot be read is no failure: it is something
    /// that is missing.
    pub(crate) async fn take(
        client: &Client,
        granted: &Scopes,
        kind: AppKind,
    ) -> Result<Self, zoom_core::Error> {
        let user = client.users().me().await?;
        let settings = if kind == AppKind::Admin {
            Settings::NotAsked
        } else if settings_scope(granted, kind).is_some() {
            Settings::Hidden(Cause::MissingScope)
        } else {
            match client.users().settings(&UserId::me()).await {
                Ok(settings) => Settings::Seen(Box::new(settings)),
                Err(error) => match error.api() {
                    Some(refusal) if !error.is_retryable() => Settings::Hidden(Cause::from_api(refusal)),
                    _ => Settings::Unanswered,
                },
            }
        };
        Ok(Self { user, settings })
    }

    /// Whether Zoom has answered everything that it was asked.
    pub(crate) fn is_complete(&self) -> bool {
        !matches!(self.settings, Settings::Unanswered)
    }

    /// Notes what was seen, and what is missing by it.
    pub(crate) fn note(
        &self,
        record: &mut StoredConnection,
        features: &[Feature],
        kind: AppKind,
        now: Timestamp,
    ) {
        record.display_name = self.user.name();
        record.email.clone_from(&self.user.email);
        let licence = licence(&self.user).map(|licence| licence.as_str().to_owned());
        attributes::set(record, attributes::LICENCE, licence);
        if let Some(seen) = self.seen() {
            let recording = &seen.recording;
            let flag = |flag: Option<bool>| flag.map(|on| on.to_string());
            attributes::set(
                record,
                attributes::CLOUD_RECORDING,
                flag(recording.cloud_recording),
            );
            attributes::set(
                record,
                attributes::AUDIO_TRANSCRIPT,
                flag(recording.recording_audio_transcript),
            );
        }
        let granted = record.scopes.iter().map(String::as_str).collect();
        let missing = self.missing(features, &granted, kind);
        attributes::set_missing(record, &missing);
        attributes::set_time(record, attributes::CHECKED_AT, now);
    }

    /// Everything that is missing, what stops most first.
    fn missing(&self, features: &[Feature], granted: &Scopes, kind: AppKind) -> Vec<Missing> {
        let mut missing = Vec::new();
        if self.user.status == Some(UserStatus::Inactive) {
            missing.push(Missing::new(MissingKind::ActiveUser, None));
        }
        missing.extend(missing_scopes(features, granted, kind));
        // An administrator's own licence and settings say nothing about the users of the account.
        if kind == AppKind::User {
            self.missing_of_plan(features, granted, kind, &mut missing);
        }
        missing
    }

    fn missing_of_plan(
        &self,
        features: &[Feature],
        granted: &Scopes,
        kind: AppKind,
        missing: &mut Vec<Missing>,
    ) {
        let licence = licence(&self.user);
        let lacking = features
            .iter()
            .filter(|feature| !feature.is_licensed(licence.as_ref()));
        missing.extend(lacking.map(|feature| Missing::new(MissingKind::Licence, Some(*feature))));

        let first = |needs: fn(Feature) -> bool| features.iter().copied().find(|feature| needs(*feature));
        let Some(recording) = first(Feature::needs_cloud_recording) else {
            return;
        };
        match &self.settings {
            Settings::Seen(seen) => {
                if seen.recording.cloud_recording == Some(false) {
                    missing.push(Missing::new(MissingKind::CloudRecording, Some(recording)));
                }
                if let Some(transcript) = first(Feature::needs_audio_transcript)
                    && seen.recording.recording_audio_transcript == Some(false)
                {
                    missing.push(Missing::new(MissingKind::AudioTranscript, Some(transcript)));
                }
            }
            // A host that reads settings itself has been told of the scope already.
            Settings::Hidden(Cause::MissingScope)
                if features.contains(&Feature::Settings) && !granted.is_empty() => {}
            Settings::Hidden(_) => missing.push(Missing::blind(settings_scope(granted, kind).as_ref())),
            Settings::Unanswered | Settings::NotAsked => {}
        }
    }

    fn seen(&self) -> Option<&UserSettings> {
        match &self.settings {
            Settings::Seen(seen) => Some(seen),
            _ => None,
        }
    }

    /// Whether the user is an administrator. Roles of an account's own making are administrators if Zoom has granted
    /// them something for the whole account.
    pub(crate) fn is_admin(&self, granted: &Scopes) -> bool {
        match (self.user.role_id.as_deref(), self.user.role_name.as_deref()) {
            (Some("0" | "1"), _) | (None, Some("Owner" | "Admin")) => true,
            (Some("2"), _) | (None, Some("Member")) => false,
            _ => {
                granted.is_empty()
                    || granted
                        .iter()
                        .any(|scope| scope.ends_with(":admin") || scope.ends_with(":master"))
            }
        }
    }
}

/// What is missing for reading the settings, as far as Zoom has said what it granted.
fn settings_scope(granted: &Scopes, kind: AppKind) -> Option<MissingScope> {
    if granted.is_empty() {
        return None;
    }
    Feature::Settings.missing(granted, kind).into_iter().next()
}

fn licence(user: &User) -> Option<Licence> {
    Some(match user.user_type? {
        UserType::Basic => Licence::Basic,
        UserType::Licensed => Licence::Licensed,
        UserType::OnPremises => Licence::OnPremises,
        UserType::NoMeetings | UserType::None => Licence::None,
        other => Licence::from(format!("zoom_{}", other.code())),
    })
}
