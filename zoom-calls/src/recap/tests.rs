use proptest::prelude::*;

use super::*;
use crate::CallId;

fn recap() -> Recap {
    Recap {
        call_id: CallId::new("call_1"),
        title: "Brightwave intro with Tidewater Couriers".to_owned(),
        duration_ms: Some(2_040_000),
        started_at: "2026-11-22T15:00:00Z".parse().ok(),
        reps: vec!["Maya Chen".to_owned()],
        customer: Some("Daniel Ortiz, Tidewater Couriers".to_owned()),
        lead_source: Some("Google Ads".to_owned()),
        closing_score: Some(72),
        sentiment_0_100: Some(61),
        sentiment_trend: Some(0.2),
        rep_talk_share_of_known_speech: Some(0.462),
        summary: Some(
            "Need: “We plan by hand.” Objection (price): “That is too expensive for us.”".to_owned(),
        ),
        next_steps: vec![RecapStep {
            owner: "Maya Chen".to_owned(),
            action: "send the proposal by Friday".to_owned(),
            due_text: Some("Friday".to_owned()),
            due_date: "2026-11-27".parse().ok(),
            status: NextStepStatus::Committed,
            candidate: true,
        }],
        objections: vec![RecapObjection {
            category: ObjectionCategory::TrustRisk,
            quote: "She will want to look at security as well.".to_owned(),
            start_ms: 187_300,
            handled: Handled::Unclear,
        }],
        url: "https://calls.example/call_1".parse().ok(),
        transcript_source: Some("zoom".to_owned()),
    }
}

#[test]
fn the_message_has_the_layout_of_the_reference() {
    insta::assert_json_snapshot!(SlackMessage::from(&recap()));
}

#[test]
fn what_was_not_measured_is_said_to_be_so() {
    let bare = Recap {
        duration_ms: None,
        started_at: None,
        reps: Vec::new(),
        customer: None,
        lead_source: None,
        closing_score: None,
        sentiment_0_100: None,
        sentiment_trend: None,
        rep_talk_share_of_known_speech: None,
        summary: None,
        next_steps: Vec::new(),
        objections: Vec::new(),
        url: None,
        title: " \u{202e} ".to_owned(),
        ..recap()
    };
    let message = SlackMessage::from(&bare);
    assert_eq!(message.text, "Untitled call");
    assert_eq!(message.blocks.len(), 2);
    assert!(message.blocks[1].to_string().contains("not measurable"));
}

/// Every text in the message, with the block type that it stands in.
fn texts(message: &SlackMessage) -> Vec<(String, String)> {
    fn walk(value: &serde_json::Value, block: &str, found: &mut Vec<(String, String)>) {
        match value {
            serde_json::Value::String(text) => found.push((block.to_owned(), text.clone())),
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, block, found)),
            serde_json::Value::Object(fields) => {
                fields
                    .iter()
                    .filter(|(key, _)| *key != "type")
                    .for_each(|(_, value)| walk(value, block, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for block in &message.blocks {
        walk(block, block["type"].as_str().unwrap(), &mut found);
    }
    found
}

/// The limits of reference §7.
fn within_limits(message: &SlackMessage) {
    assert!(message.blocks.len() <= 12);
    let mut total = message.text.chars().count();
    for (block, text) in texts(message) {
        let limit = match block.as_str() {
            "header" => 150,
            "section" => 3_000,
            "context" => 2_000,
            "actions" => 3_000,
            other => panic!("{other}"),
        };
        let length = text.chars().count();
        assert!((1..=limit).contains(&length), "{block}: {length}");
        total += length;
    }
    assert!(total <= 13_000, "{total}");
    for block in &message.blocks {
        assert!(
            block["elements"]
                .as_array()
                .is_none_or(|elements| (1..=10).contains(&elements.len()))
        );
        assert!(
            block["fields"]
                .as_array()
                .is_none_or(|fields| (1..=10).contains(&fields.len()))
        );
    }
}

/// Nothing in angle brackets but what this code wrote itself: the date.
fn is_inert(message: &SlackMessage) {
    for (block, text) in texts(message) {
        if block == "header" || block == "actions" {
            continue;
        }
        for (at, _) in text.match_indices('<') {
            assert!(text[at..].starts_with("<!date^"), "{text}");
        }
        assert!(!text.contains("://"), "{text}");
    }
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<!channel> <@U123> <https://evil.example|click> *bold* `code` https://evil.example".to_owned()),
        Just("&".repeat(10_000)),
        Just("<".repeat(10_000)),
        Just("👩\u{200d}👩\u{200d}👧\u{200d}👦".repeat(2_000)),
        Just("\u{202e}evil\u{202c} شركة ".repeat(500)),
        Just("e\u{301}".repeat(5_000)),
        Just(String::new()),
        Just("\n\n\t \u{0}".to_owned()),
        "\\PC{0,400}",
    ]
}

proptest! {
    #[test]
    fn any_text_stays_within_slacks_limits_and_does_nothing(
        title in hostile(), person in hostile(), words in hostile(), many in 0_usize..60, url in 0_usize..4_000,
    ) {
        let mut recap = recap();
        recap.title = title;
        recap.reps = vec![person.clone(); many.min(3)];
        recap.customer = Some(person.clone());
        recap.lead_source = Some(words.clone());
        recap.summary = Some(words.clone());
        recap.url = format!("https://calls.example/{}", "x".repeat(url)).parse().ok();
        let step = RecapStep { owner: person, action: words.clone(), due_date: None, due_text: Some(words.clone()), ..recap.next_steps[0].clone() };
        recap.next_steps = vec![step; many];
        recap.objections = vec![RecapObjection { quote: words, ..recap.objections[0].clone() }; many];
        let message = SlackMessage::from(&recap);
        within_limits(&message);
        is_inert(&message);
    }
}
