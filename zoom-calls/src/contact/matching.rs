//! From the people on a call to a contact (reference §4.3).

use std::collections::BTreeMap;

use zoom_recordings::StageError;

use super::{ContactDirectory, ContactMatch, ContactQuery, DecidedBy, MatchMethod, ScoredContact};
use crate::side::{is_free_mail, normalized_name};
use crate::{Call, Side};

/// From this score on a unique match links by itself.
const LINKS_FROM: u8 = 90;
const MAX_SUGGESTIONS: usize = 5;

/// An e-mail address for comparison: trimmed and lower-cased; `None` if it is none.
#[must_use]
pub fn normalized_email(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let plausible = !local.is_empty() && domain.contains('.') && !email.contains(char::is_whitespace);
    plausible.then_some(email)
}

/// A phone number as E.164, `None` if it is none. Ten digits without a country code are taken as North American.
#[must_use]
pub fn normalized_phone(phone: &str) -> Option<String> {
    let phone = phone.trim();
    if !phone
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '.' | '(' | ')' | '/'))
    {
        return None;
    }
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        8..=15 if phone.starts_with('+') => Some(format!("+{digits}")),
        10 => Some(format!("+1{digits}")),
        11 if digits.starts_with('1') => Some(format!("+{digits}")),
        _ => None,
    }
}

/// Somebody of the other side, and how long they spoke.
struct Person {
    name: String,
    email: Option<String>,
    talk_ms: u64,
}

/// Finds the contact of a call. A person's earlier decision comes back unchanged.
pub(crate) async fn match_call(
    directory: &dyn ContactDirectory,
    call: &Call,
) -> Result<Option<ContactMatch>, StageError> {
    if let Some(decided) = call
        .contact
        .as_ref()
        .filter(|earlier| earlier.decided_by == DecidedBy::Person)
    {
        return Ok(Some(decided.clone()));
    }
    // (scored, talk time of the person, whether it may link by itself)
    let mut found: Vec<(ScoredContact, u64, bool)> = Vec::new();
    for person in people(call) {
        let of_person = candidates(directory, call, &person).await?;
        let best = of_person
            .iter()
            .map(|scored| scored.score)
            .max()
            .unwrap_or_default();
        let is_unique = of_person
            .iter()
            .filter(|scored| scored.score >= LINKS_FROM)
            .count()
            == 1;
        for scored in of_person {
            let links = is_unique && scored.score == best && best >= LINKS_FROM;
            match found
                .iter_mut()
                .find(|(known, ..)| known.contact.id == scored.contact.id)
            {
                Some(known) if known.0.score >= scored.score => {}
                Some(known) => *known = (scored, person.talk_ms, links),
                None => found.push((scored, person.talk_ms, links)),
            }
        }
    }
    found.sort_by(|(a, a_talk, _), (b, b_talk, _)| {
        b.score
            .cmp(&a.score)
            .then(b_talk.cmp(a_talk))
            .then_with(|| a.contact.id.cmp(&b.contact.id))
    });
    let primary = found.iter().position(|(.., links)| *links);
    let linked = primary.map(|at| found.remove(at).0);
    let suggestions: Vec<ScoredContact> = found
        .into_iter()
        .map(|(scored, ..)| scored)
        .take(MAX_SUGGESTIONS)
        .collect();
    let any = linked.is_some() || !suggestions.is_empty();
    Ok(any.then_some(ContactMatch {
        linked,
        suggestions,
        decided_by: DecidedBy::Rules,
    }))
}

/// The people who may be the customer: everybody external; where no side is known, everybody who is not internal.
fn people(call: &Call) -> Vec<Person> {
    let talk: BTreeMap<&str, u64> = call
        .metrics
        .iter()
        .flat_map(|m| &m.speakers)
        .map(|s| (s.speaker.as_str(), s.talk_ms))
        .collect();
    let any_external = call.sides.on(Side::External).next().is_some();
    let wanted = |side| side == Side::External || (!any_external && side == Side::Unknown);
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for (name, _) in call.sides.iter().filter(|(_, side)| wanted(*side)) {
        let key = normalized_name(name);
        let person = people.entry(key).or_insert_with(|| Person {
            name: name.to_owned(),
            email: None,
            talk_ms: 0,
        });
        person.talk_ms += talk.get(name).copied().unwrap_or_default();
    }
    for participant in &call.participants {
        if let Some(person) = people.get_mut(&normalized_name(&participant.name)) {
            person.email = person
                .email
                .take()
                .or_else(|| participant.email.as_deref().and_then(normalized_email));
        }
    }
    people.into_values().collect()
}

async fn candidates(
    directory: &dyn ContactDirectory,
    call: &Call,
    person: &Person,
) -> Result<Vec<ScoredContact>, StageError> {
    let mut queries = Vec::new();
    let mut domain = None;
    if let Some(email) = &person.email {
        queries.push(ContactQuery::Email(email.clone()));
        domain = email
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_owned())
            .filter(|domain| !is_free_mail(domain));
    }
    if let Some(phone) = normalized_phone(&person.name) {
        queries.push(ContactQuery::Phone(phone));
    }
    queries.extend(domain.clone().map(ContactQuery::Domain));
    let name = normalized_name(&person.name);
    if name.contains(' ') {
        queries.push(ContactQuery::Name(name.clone()));
    }
    let mut best: BTreeMap<String, ScoredContact> = BTreeMap::new();
    for query in queries {
        for contact in directory.find(&call.owner, &query).await? {
            // A directory may answer too much; what does not match does not count.
            if !query.matches(&contact) {
                continue;
            }
            let in_domain = domain
                .clone()
                .is_some_and(|domain| ContactQuery::Domain(domain).matches(&contact));
            let method = match &query {
                ContactQuery::Email(email) => {
                    let is_main = contact.email.as_deref().and_then(normalized_email).as_ref() == Some(email);
                    if is_main {
                        MatchMethod::EmailExact
                    } else {
                        MatchMethod::EmailAlias
                    }
                }
                ContactQuery::Phone(_) => MatchMethod::Phone,
                ContactQuery::Domain(_) => MatchMethod::Domain,
                ContactQuery::Name(_) if in_domain => MatchMethod::NameAndDomain,
                ContactQuery::Name(_) => MatchMethod::Name,
            };
            let key = contact.id.as_str().to_owned();
            let scored = ScoredContact {
                contact,
                method,
                score: method.score(),
                person: Some(person.name.clone()),
            };
            // Name and domain together say more than the domain alone, at the same score.
            let rank = |scored: &ScoredContact| (scored.score, scored.method);
            if best.get(&key).is_none_or(|known| rank(known) < rank(&scored)) {
                best.insert(key, scored);
            }
        }
    }
    Ok(best.into_values().collect())
}

#[cfg(test)]
mod tests;
