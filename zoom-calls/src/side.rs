//! Who belongs to the seller's organisation and who to the customer's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zoom_recordings::Transcript;

/// The side of the table somebody sits on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Side {
    /// The host's own organisation: reps and their colleagues.
    Internal,
    /// The customer.
    External,
    /// Nothing that is known tells.
    #[default]
    Unknown,
}

/// Somebody who took part, as Zoom reports them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CallParticipant {
    /// The display name at the time of the call.
    pub name: String,
    /// The e-mail address; Zoom withholds it for most guests.
    pub email: Option<String>,
    /// Whether Zoom says that this is a user of the host's account.
    pub internal_user: Option<bool>,
}

impl CallParticipant {
    /// A participant known by display name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            email: None,
            internal_user: None,
        }
    }

    /// Adds the e-mail address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Says whether Zoom counts the participant to the host's account.
    #[must_use]
    pub fn internal_user(mut self, internal: bool) -> Self {
        self.internal_user = Some(internal);
        self
    }
}

/// What a host knows of its own organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Organization {
    domains: BTreeSet<String>,
    people: BTreeSet<String>,
}

impl Organization {
    /// An organisation of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts everybody with an address in this e-mail domain to the organisation.
    #[must_use]
    pub fn domain(mut self, domain: impl AsRef<str>) -> Self {
        self.domains
            .insert(domain.as_ref().trim().trim_start_matches('@').to_lowercase());
        self
    }

    /// Counts a speaker of this display name to the organisation.
    #[must_use]
    pub fn person(mut self, name: impl AsRef<str>) -> Self {
        self.people.insert(normalized_name(name.as_ref()));
        self
    }

    fn owns(&self, email: &str) -> bool {
        email
            .rsplit_once('@')
            .is_some_and(|(_, domain)| self.domains.contains(&domain.trim().to_lowercase()))
    }
}

/// Speaker → side, kept apart from the words so that relabelling a person touches no transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sides(BTreeMap<String, Side>);

impl Sides {
    /// No speaker is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a speaker on a side.
    #[must_use]
    pub fn with(mut self, speaker: impl Into<String>, side: Side) -> Self {
        self.0.insert(speaker.into(), side);
        self
    }

    /// Finds each speaker's side.
    ///
    /// Internal: a name the organisation lists; the host (by e-mail, or by a display name that is the local part of the
    /// host's address); an address in the organisation's domains or in the host's own domain, unless that is a free-mail
    /// one; Zoom's `internal_user`. External: a participant with an address elsewhere, or of whom Zoom says that they are
    /// not of the account; and one without any address, as long as somebody internal has one, since Zoom shows the
    /// addresses of its own account. Everybody else stays [`Side::Unknown`].
    #[must_use]
    pub fn resolve(
        transcript: &Transcript,
        organization: &Organization,
        host_email: Option<&str>,
        participants: &[CallParticipant],
    ) -> Self {
        let mut organization = organization.clone();
        if let Some((_, domain)) = host_email.and_then(|email| email.rsplit_once('@'))
            && !is_free_mail(domain)
        {
            organization = organization.domain(domain);
        }
        let judged: Vec<(String, &CallParticipant, Side)> = participants
            .iter()
            .map(|person| {
                (
                    normalized_name(&person.name),
                    person,
                    side_of(person, &organization, host_email),
                )
            })
            .collect();
        let addresses_are_shown = judged.iter().any(|(_, person, side)| {
            *side == Side::Internal && person.email.as_deref().is_some_and(|e| !e.is_empty())
        });

        let speakers: BTreeSet<&str> = transcript
            .utterances
            .iter()
            .filter_map(|u| u.speaker.as_deref())
            .collect();
        let sides = speakers.into_iter().map(|speaker| {
            let name = normalized_name(speaker);
            let mut side = Side::Unknown;
            if organization.people.contains(&name)
                || host_email.is_some_and(|email| is_local_part(&name, email))
            {
                side = Side::Internal;
            } else {
                let mut of_that_name = judged
                    .iter()
                    .filter(|(other, ..)| *other == name && !name.is_empty());
                if let Some((_, person, found)) = of_that_name.next() {
                    side = match found {
                        Side::Unknown if addresses_are_shown && person.email.is_none() => Side::External,
                        found => *found,
                    };
                    // Two people of one name on two sides: the name alone decides nothing.
                    if of_that_name.any(|(_, _, other)| *other != *found) {
                        side = Side::Unknown;
                    }
                }
            }
            (speaker.to_owned(), side)
        });
        Self(sides.collect())
    }

    /// The side of a speaker; no speaker is on no side.
    #[must_use]
    pub fn of(&self, speaker: Option<&str>) -> Side {
        speaker
            .and_then(|name| self.0.get(name))
            .copied()
            .unwrap_or_default()
    }

    /// Speakers and sides, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Side)> {
        self.0.iter().map(|(speaker, side)| (speaker.as_str(), *side))
    }

    /// The speakers of one side, by name.
    pub fn on(&self, side: Side) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(move |(_, of)| *of == side)
            .map(|(speaker, _)| speaker)
    }

    /// Whether both sides of the table are known.
    #[must_use]
    pub fn are_known(&self) -> bool {
        self.on(Side::Internal).next().is_some() && self.on(Side::External).next().is_some()
    }
}

fn side_of(person: &CallParticipant, organization: &Organization, host_email: Option<&str>) -> Side {
    if organization.people.contains(&normalized_name(&person.name)) {
        return Side::Internal;
    }
    if let Some(email) = person
        .email
        .as_deref()
        .map(str::trim)
        .filter(|email| email.contains('@'))
    {
        let is_host = host_email.is_some_and(|host| host.trim().eq_ignore_ascii_case(email));
        if is_host || organization.owns(email) || person.internal_user == Some(true) {
            return Side::Internal;
        }
        return if organization.domains.is_empty() && person.internal_user.is_none() {
            Side::Unknown
        } else {
            Side::External
        };
    }
    match person.internal_user {
        Some(true) => Side::Internal,
        Some(false) => Side::External,
        None => Side::Unknown,
    }
}

/// Whether a name is what stands before the `@`: `Ana Reyes` and `ana.reyes@example.com`.
fn is_local_part(normalized: &str, email: &str) -> bool {
    let local = email.split('@').next().unwrap_or_default();
    let folded = normalized_name(&local.replace(['.', '_', '-'], " "));
    normalized.contains(' ') && folded == normalized
}

/// A display name for comparison (reference §4.3): NFKC, case, diacritics, and the parts that people append — `(…)`,
/// `[…]`, `| Company` — are gone.
pub(crate) fn normalized_name(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut depth = 0_u32;
    for c in name.nfkc() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => break,
            _ if depth > 0 => {}
            c => kept.push(c),
        }
    }
    let folded: String = kept
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Domains whose addresses say nothing about the company.
pub(crate) fn is_free_mail(domain: &str) -> bool {
    const FREE: &[&str] = &[
        "aol.com",
        "bell.net",
        "fastmail.com",
        "free.fr",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.ca",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.fr",
        "icloud.com",
        "laposte.net",
        "live.ca",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "outlook.fr",
        "pm.me",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "rogers.com",
        "sbcglobal.net",
        "sfr.fr",
        "shaw.ca",
        "sympatico.ca",
        "t-online.de",
        "telus.net",
        "verizon.net",
        "videotron.ca",
        "wanadoo.fr",
        "web.de",
        "yahoo.ca",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.fr",
        "yandex.ru",
        "ymail.com",
        "comcast.net",
    ];
    FREE.iter().any(|free| free.eq_ignore_ascii_case(domain.trim()))
}

#[cfg(test)]
mod tests;
