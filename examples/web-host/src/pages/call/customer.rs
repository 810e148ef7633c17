//! Whose call it was, what brought them, and who was told.

use zoom_calls::{Attribution, CallReport, CallStatus, Channel, MatchMethod, ScoredContact, Unattributed};

use super::Fact;
use crate::format::list;

pub(super) fn facts(report: &CallReport) -> Vec<Fact> {
    let mut facts = Vec::new();
    let linked = report.contact.as_ref().and_then(|found| found.linked.as_ref());
    match linked {
        Some(found) => facts.extend(contact(found)),
        None if report.contact.is_some() => {
            facts.push(Fact::new("Contact", "nobody in the contacts matches for certain"));
        }
        None if report.status == CallStatus::Ready => {
            facts.push(Fact::new("Contact", "nobody from outside was recognised"));
        }
        None => facts.push(Fact::new("Contact", "not looked for yet")),
    }
    let suggestions = report.contact.iter().flat_map(|found| &found.suggestions);
    let names: Vec<String> = suggestions.filter_map(name).collect();
    if linked.is_none() && !names.is_empty() {
        facts.push(Fact::new("Perhaps", list(&names)));
    }
    if let Some(attribution) = &report.attribution {
        facts.extend(source(attribution));
    }
    if let Some(receipt) = &report.recap {
        let told = if receipt.posted {
            format!("posted to {}", receipt.channel)
        } else {
            "written to the log".to_owned()
        };
        facts.push(Fact::new("Recap", told));
    }
    facts
}

fn contact(found: &ScoredContact) -> Vec<Fact> {
    let person = &found.contact;
    let parts = [
        ("Contact", name(found)),
        ("Company", person.company.clone()),
        ("E-mail", person.email.clone()),
    ];
    let known = parts
        .into_iter()
        .filter_map(|(title, value)| Some(Fact::new(title, value?)));
    known
        .chain([Fact::new(
            "Known by",
            format!("{} ({} of 100)", method(found.method), found.score),
        )])
        .collect()
}

fn name(found: &ScoredContact) -> Option<String> {
    found.contact.name.clone().or_else(|| found.contact.email.clone())
}

fn method(method: MatchMethod) -> &'static str {
    match method {
        MatchMethod::ExplicitLink => "a person's decision",
        MatchMethod::EmailExact => "e-mail address",
        MatchMethod::EmailAlias => "another e-mail address of theirs",
        MatchMethod::Phone => "phone number",
        MatchMethod::Domain => "the company's domain",
        MatchMethod::NameAndDomain => "name and company",
        MatchMethod::Name => "name",
        _ => "other",
    }
}

fn source(attribution: &Attribution) -> Vec<Fact> {
    let Some(label) = attribution.label() else {
        let why = match attribution.unattributed {
            Some(Unattributed::NoContact) => "not known: no contact",
            Some(Unattributed::OutsideWindow) => "not known: nothing in the days that count",
            _ => "not known: the contact names none",
        };
        return vec![Fact::new("Lead source", why)];
    };
    let channel = attribution
        .credits
        .first()
        .map(|credit| channel(credit.channel))
        .unwrap_or_default();
    let campaign = attribution
        .credits
        .first()
        .and_then(|credit| credit.touch.campaign.clone());
    let mut facts = vec![Fact::new("Lead source", format!("{label} · {channel}"))];
    facts.extend(campaign.map(|campaign| Fact::new("Campaign", campaign)));
    facts.push(Fact::new(
        "Credit",
        format!("first touch, within {} days", attribution.lookback_days),
    ));
    facts
}

fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Paid => "paid",
        Channel::Email => "e-mail",
        Channel::OrganicSearch => "search",
        Channel::Social => "social",
        Channel::Referral => "referral",
        Channel::Direct => "direct",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unattributed_call_says_why() {
        let none = source(&Attribution::no_contact(90));
        assert_eq!(none, [Fact::new("Lead source", "not known: no contact")]);
        let late = source(&Attribution::first_touch(&[], None, 90));
        assert_eq!(
            late,
            [Fact::new("Lead source", "not known: the contact names none")]
        );
    }
}
