use zoom_recordings::TranscriptSource;

use super::*;

fn sides(
    speakers: &[&str],
    organization: &Organization,
    host: Option<&str>,
    people: &[CallParticipant],
) -> Vec<Side> {
    let mut transcript = Transcript::new(TranscriptSource::Zoom);
    for speaker in speakers {
        transcript.push(0, 1_000, Some(speaker), "hello");
    }
    let sides = Sides::resolve(&transcript, organization, host, people);
    speakers.iter().map(|speaker| sides.of(Some(speaker))).collect()
}

use Side::{External, Internal, Unknown};

#[test]
fn addresses_decide_first() {
    let people = [
        CallParticipant::new("Maya Chen").email("maya@brightwave.example"),
        CallParticipant::new("Tom").email("tom@sub.example"),
        CallParticipant::new("Daniel Ortiz (Tidewater)")
            .email("daniel@tidewater.example")
            .internal_user(false),
        CallParticipant::new("Priya"),
    ];
    let speakers = ["Maya Chen", "Tom", "Daniel Ortiz", "Priya", "Nobody"];
    let organization = Organization::new().domain("@Sub.example");
    let found = sides(&speakers, &organization, Some("maya@brightwave.example"), &people);
    // Priya has no address while Maya's is shown: a guest. Nobody is in no list.
    assert_eq!(found, [Internal, Internal, External, External, Unknown]);
}

#[test]
fn a_free_mail_domain_makes_nobody_a_colleague() {
    let people = [
        CallParticipant::new("Rep").email("rep@gmail.com"),
        CallParticipant::new("Buyer").email("buyer@gmail.com"),
    ];
    let found = sides(
        &["Rep", "Buyer"],
        &Organization::new(),
        Some("rep@gmail.com"),
        &people,
    );
    assert_eq!(found, [Internal, Unknown]);
}

#[test]
fn without_addresses_what_zoom_and_the_host_say_decides() {
    let people = [
        CallParticipant::new("Rep").internal_user(true),
        CallParticipant::new("Buyer").internal_user(false),
    ];
    assert_eq!(
        sides(&["Rep", "Buyer"], &Organization::new(), None, &people),
        [Internal, External]
    );
    let named = Organization::new().person("Ana Reyes");
    assert_eq!(
        sides(&["ana  reyes | Acme", "Zed"], &named, None, &[]),
        [Internal, Unknown]
    );
    assert_eq!(
        sides(
            &["Ana Réyes", "ana"],
            &Organization::new(),
            Some("ana.reyes@acme.example"),
            &[]
        ),
        [Internal, Unknown]
    );
}

#[test]
fn two_people_of_one_name_on_two_sides_are_on_none() {
    let people = [
        CallParticipant::new("Alex").internal_user(true),
        CallParticipant::new("Alex").internal_user(false),
    ];
    assert_eq!(sides(&["Alex"], &Organization::new(), None, &people), [Unknown]);
}

#[test]
fn names_are_compared_without_what_people_append() {
    for (name, normalized) in [
        ("Paul McCartney (Wings)", "paul mccartney"),
        ("Zoé  Müller | Acme", "zoe muller"),
        ("Eric's iPad (Clapton)", "eric's ipad"),
        ("[CEO] Ben", "ben"),
        ("Ｆull Width", "full width"),
    ] {
        assert_eq!(normalized_name(name), normalized);
    }
}
