use zoom_core::MeetingUuid;

use super::*;
use crate::{
    CallId, CallParticipant, Contact, ContactId, MemoryDirectory, Metrics, Origin, OwnerId, Sides,
    SpeakerMetrics,
};

fn contact(id: &str, email: &str, name: &str) -> Contact {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Contact {
        email: some(email),
        name: some(name),
        ..Contact::new(ContactId::new(id))
    }
}

/// Name, address, talk time of each guest.
fn call(guests: &[(&str, &str, u64)]) -> Call {
    let (owner, uuid) = (OwnerId::new("ana"), MeetingUuid::new("x=="));
    let id = CallId::for_meeting(&owner, &uuid);
    let now = "2026-11-22T15:00:00Z".parse().unwrap();
    let mut call = Call::new(id, owner, Origin::Meeting { uuid }, "t", now);
    call.sides = Sides::new().with("Rep", Side::Internal);
    call.participants = vec![CallParticipant::new("Rep").email("rep@us.example")];
    let mut metrics = Metrics::default();
    for (name, email, talk_ms) in guests {
        call.sides = call.sides.clone().with(*name, Side::External);
        let guest = CallParticipant::new(*name);
        call.participants.push(if email.is_empty() {
            guest
        } else {
            guest.email(*email)
        });
        let speaker = (*name).to_owned();
        metrics.speakers.push(SpeakerMetrics {
            speaker,
            talk_ms: *talk_ms,
            ..SpeakerMetrics::default()
        });
    }
    call.metrics = Some(metrics);
    call
}

fn matched(contacts: &[Contact], call: &Call) -> Option<ContactMatch> {
    let directory = MemoryDirectory::new(contacts.to_vec());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(match_call(&directory, call)).unwrap()
}

fn linked(found: &Option<ContactMatch>) -> Option<(&str, MatchMethod, u8)> {
    let linked = found.as_ref()?.linked.as_ref()?;
    Some((linked.contact.id.as_str(), linked.method, linked.score))
}

#[test]
fn an_exact_address_links_and_an_alias_does_too() {
    let mut daniel = contact("1", "Daniel@Tidewater.example ", "Daniel Ortiz");
    daniel.aliases = vec!["dan@old.example".to_owned()];
    let found = matched(
        std::slice::from_ref(&daniel),
        &call(&[("Dan (mobile)", "daniel@tidewater.EXAMPLE", 10)]),
    );
    assert_eq!(linked(&found), Some(("1", MatchMethod::EmailExact, 95)));
    let found = matched(&[daniel], &call(&[("Dan", "dan@old.example", 10)]));
    assert_eq!(linked(&found), Some(("1", MatchMethod::EmailAlias, 90)));
}

#[test]
fn a_name_alone_is_only_a_suggestion() {
    let found = matched(
        &[contact("1", "paul@wings.example", "Paul McCartney")],
        &call(&[("Paul McCartney (Wings)", "", 10)]),
    );
    assert_eq!(linked(&found), None);
    let suggestion = &found.unwrap().suggestions[0];
    assert_eq!((suggestion.method, suggestion.score), (MatchMethod::Name, 30));
    // A first name is not a full name.
    assert_eq!(
        matched(&[contact("1", "", "Paul")], &call(&[("Paul", "", 10)])),
        None
    );
}

#[test]
fn a_domain_suggests_an_account_unless_everybody_has_an_address_there() {
    let contacts = [
        contact("1", "ceo@wings.example", "Linda"),
        contact("2", "x@gmail.com", "Other"),
    ];
    let found = matched(&contacts, &call(&[("Paul", "paul@wings.example", 10)])).unwrap();
    assert_eq!(found.linked, None);
    assert_eq!(
        (found.suggestions[0].method, found.suggestions[0].score),
        (MatchMethod::Domain, 60)
    );
    assert_eq!(matched(&contacts, &call(&[("Paul", "paul@gmail.com", 10)])), None);
}

#[test]
fn two_contacts_of_one_address_are_for_a_person_to_tell_apart() {
    let twins = [
        contact("1", "info@wings.example", "Paul"),
        contact("2", "info@wings.example", "Linda"),
    ];
    let found = matched(&twins, &call(&[("Paul", "info@wings.example", 10)])).unwrap();
    assert_eq!((found.linked, found.suggestions.len()), (None, 2));
}

#[test]
fn a_dial_in_matches_by_its_number() {
    let mut contact = contact("1", "", "Paul");
    contact.phone = Some("(514) 555-0123".to_owned());
    let found = matched(&[contact], &call(&[("+1 514-555-0123", "", 10)]));
    assert_eq!(linked(&found), Some(("1", MatchMethod::Phone, 90)));
    assert_eq!(normalized_phone("Paul 514 555 0123"), None);
}

#[test]
fn of_two_guests_the_better_match_is_first_and_then_who_spoke_more() {
    let contacts = [
        contact("1", "a@one.example", "A"),
        contact("2", "b@two.example", "B"),
    ];
    let guests = [("Abe", "a@one.example", 10), ("Bea", "b@two.example", 20)];
    let found = matched(&contacts, &call(&guests));
    assert_eq!(linked(&found), Some(("2", MatchMethod::EmailExact, 95)));
    assert_eq!(found.unwrap().suggestions[0].contact.id.as_str(), "1");
}

#[test]
fn a_persons_decision_is_never_undone() {
    let mut call = call(&[("Dan", "daniel@tidewater.example", 10)]);
    let decided = ContactMatch::by_person(contact("9", "", "Somebody else"));
    call.contact = Some(decided.clone());
    assert_eq!(
        matched(&[contact("1", "daniel@tidewater.example", "Dan")], &call),
        Some(decided)
    );
}
