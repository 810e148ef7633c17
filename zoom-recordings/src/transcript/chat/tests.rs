use proptest::prelude::*;

use super::*;

const CLOUD: &str = "00:01:09\tAna Sim:\tLink to the deck: https://example.org/deck\r\n\
    00:02:41\tBruno Costa:\tthanks\r\n\
    00:03:00\tAna: Sim:\tfirst line\r\n\r\n10:30 works for me\r\n\
    00:04:00\tBruno Costa:\tReacted to \"thanks\" with 👍\r\n\
    00:05:00\tBruno Costa:\tReplying to \"first line\"\r\n\r\nyes\r\n\
    00:06:00\tBruno Costa:\tRemoved a 👍 reaction from \"thanks\"\r\n";

#[test]
fn the_clouds_export_is_read() {
    let chat = parse(CLOUD).unwrap();
    assert_eq!(chat.clock, ChatClock::Recording);
    let got: Vec<_> = chat
        .messages
        .iter()
        .map(|m| (m.at_ms, m.sender.as_str(), m.kind, m.text.as_str()))
        .collect();
    assert_eq!(
        got,
        [
            (
                69_000,
                "Ana Sim",
                ChatKind::Message,
                "Link to the deck: https://example.org/deck"
            ),
            (161_000, "Bruno Costa", ChatKind::Message, "thanks"),
            (
                180_000,
                "Ana: Sim",
                ChatKind::Message,
                "first line\n\n10:30 works for me"
            ),
            (
                240_000,
                "Bruno Costa",
                ChatKind::Reaction,
                "Reacted to \"thanks\" with 👍"
            ),
            (
                300_000,
                "Bruno Costa",
                ChatKind::Reply,
                "Replying to \"first line\"\n\nyes"
            ),
            (
                360_000,
                "Bruno Costa",
                ChatKind::Reaction,
                "Removed a 👍 reaction from \"thanks\""
            ),
        ]
    );
    assert!(chat.warnings.is_empty());
}

#[test]
fn a_chat_saved_by_a_client_is_read() {
    let chat =
        parse("10:02:41 From Bruno Costa to Everyone:\n\thello\n\tthere\n10:03:00 From Ana to Bruno : hi\n")
            .unwrap();
    assert_eq!(chat.clock, ChatClock::TimeOfDay);
    let got: Vec<_> = chat
        .messages
        .iter()
        .map(|m| (m.sender.as_str(), m.to.as_deref(), m.text.as_str()))
        .collect();
    assert_eq!(
        got,
        [
            ("Bruno Costa", Some("Everyone"), "hello\nthere"),
            ("Ana", Some("Bruno"), "hi")
        ]
    );
}

#[test]
fn text_before_the_first_message_is_counted_not_invented_into_one() {
    let chat = parse("hello\n00:00:01\tAna:\thi\n").unwrap();
    assert_eq!(chat.messages.len(), 1);
    assert_eq!(
        chat.warnings.first().map(|w| (w.kind, w.line, w.count)),
        Some((WarningKind::StrayText, Some(1), 1))
    );
    assert_eq!(parse(b"").unwrap_err(), TranscriptError::Empty);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(bytes);
    }

    #[test]
    fn no_line_is_lost(lines in proptest::collection::vec("[0-9]{1,2}:[0-9]{2}[:\t ]{1,2}[a-zé:\t ]{0,12}", 0..8)) {
        let text = format!("00:00:00\tAna:\tstart\n{}", lines.join("\n"));
        let chat = parse(&text).unwrap();
        let kept: String = chat.messages.iter().map(|m| format!("{}{}", m.sender, m.text)).collect();
        for letter in text.chars().filter(|c| c.is_alphabetic()) {
            prop_assert!(kept.contains(letter));
        }
    }
}
