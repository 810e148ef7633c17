use proptest::prelude::*;

use super::*;

fn id(text: &str) -> Option<u64> {
    JoinLink::find(text)
        .and_then(|link| link.meeting_id())
        .map(MeetingId::get)
}

fn url(text: &str) -> String {
    JoinLink::find(text)
        .and_then(|link| link.url().map(Url::to_string))
        .unwrap_or_default()
}

#[test]
fn every_path_of_a_meeting_gives_its_id() {
    for (link, expected) in [
        ("https://zoom.us/j/123456789", 123_456_789),
        ("https://us02web.zoom.us/j/81234567890?pwd=abc", 81_234_567_890),
        ("https://acme.zoom.com/j/8123456789", 8_123_456_789),
        ("https://zoomgov.com/j/1601234567", 1_601_234_567),
        ("https://acme.zoomgov.com/j/1601234567", 1_601_234_567),
        ("https://zoom.com.cn/j/812345678", 812_345_678),
        ("https://uni.zoom-x.de/j/61234567890", 61_234_567_890),
        ("https://zoom.us/w/91234567890?tk=x", 91_234_567_890),
        ("https://zoom.us/wc/81234567890/join", 81_234_567_890),
        ("https://app.zoom.us/wc/join/81234567890", 81_234_567_890),
        ("https://zoom.us/s/81234567890?zak=x", 81_234_567_890),
        (
            "zoommtg://zoom.us/join?action=join&confno=81234567890&pwd=abc",
            81_234_567_890,
        ),
        ("HTTPS://ZOOM.US/j/812-3456-7890", 81_234_567_890),
        ("us02web.zoom.us/j/81234567890", 81_234_567_890),
    ] {
        assert_eq!(id(link), Some(expected), "{link}");
    }
}

#[test]
fn what_is_no_meeting_gives_none() {
    for text in [
        "",
        "https://zoom.us/rec/share/abcdef",
        "https://zoom.us/u/abc",
        "https://zoom.us/j/12345678",
        "https://zoom.us/j/123456789012",
        "https://notzoom.us/j/123456789",
        "https://zoom.us.evil.example/j/123456789",
        "https://evil.example/zoom.us/j/123456789",
        "mailto:someone@zoom.us",
        "https://teams.microsoft.com/l/meetup-join/19%3ameeting",
    ] {
        assert_eq!(JoinLink::find(text), None, "{text}");
    }
}

#[test]
fn nothing_secret_survives() {
    for text in [
        "https://zoom.us/j/81234567890?pwd=abc.1&tk=canary&zak=canary&uname=canary#canary",
        "https://canary:canary@zoom.us/j/81234567890?pwd=abc.1&from=canary",
        "https://zoom.us/s/81234567890?pwd=abc.1&zak=canary",
        "zoommtg://zoom.us/start?confno=81234567890&pwd=abc.1&zak=canary&tk=canary",
        "https://zoom.us/w/81234567890?tk=canary&pwd=abc.1",
        "https://zoom.us/my/jo?pwd=abc.1&zak=canary",
        "https://zoom.us/meeting/register/abc?tk=canary",
    ] {
        let link = JoinLink::find(text).unwrap();
        let json = serde_json::to_string(&link).unwrap();
        assert!(
            !json.contains("canary") && !json.contains("/s/"),
            "{text} gave {json}"
        );
        assert!(
            !format!("{link:?}").contains("abc.1"),
            "the passcode is not in Debug"
        );
    }
    assert_eq!(
        url("https://zoom.us/s/81234567890?pwd=abc.1&zak=x"),
        "https://zoom.us/j/81234567890?pwd=abc.1"
    );
}

#[test]
fn passcode_ends_where_its_letters_and_digits_do() {
    assert_eq!(
        url("https://zoom.us/j/81234567890?pwd=%26tk%3Dcanary"),
        "https://zoom.us/j/81234567890"
    );
    assert_eq!(
        url("https://zoom.us/j/81234567890?pwd=a%26tk%3Dcanary"),
        "https://zoom.us/j/81234567890?pwd=a"
    );
    assert_eq!(
        url("https://zoom.us/j/81234567890?pwd=AbC123.Then"),
        "https://zoom.us/j/81234567890?pwd=AbC123"
    );
    assert_eq!(
        url("https://zoom.us/j/81234567890?pwd=AbC123.1."),
        "https://zoom.us/j/81234567890?pwd=AbC123.1"
    );
}

#[test]
fn redirects_entities_and_percent_signs_are_unwrapped() {
    for text in [
        // A real invitation: a link in HTML, behind a redirect, with `&` written as an entity.
        r#"<a href="https://www.google.com/url?q=https%3A%2F%2Fcoreos.zoom.us%2Fj%2F854793406&amp;sa=D&amp;usg=x">join</a>"#,
        "https://www.google.de/url?sa=D&q=https://coreos.zoom.us/j/854793406&usg=x",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fcoreos.zoom.us%2Fj%2F854793406&data=05%7C01&sdata=x&reserved=0",
        "https://urldefense.com/v3/__https://coreos.zoom.us/j/854793406__;!!abc!def$",
        "https%3A%2F%2Fcoreos.zoom.us%2Fj%2F854793406",
        "https%253A%252F%252Fcoreos.zoom.us%252Fj%252F854793406",
        "&lt;https://coreos.zoom.us/j/854793406&gt;",
        "Join: https://coreos.zoom.us/j/854793406.",
        "[join](https://coreos.zoom.us/j/854793406)",
        "https://coreos.zoom.us/j/<wbr>854793406",
        // A redirect in a redirect.
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fcoreos.zoom.us%252Fj%252F854793406",
    ] {
        assert_eq!(url(text), "https://coreos.zoom.us/j/854793406", "{text}");
    }
}

#[test]
fn passcode_survives_every_wrapper() {
    let expected = "https://acme.zoom.us/j/81234567890?pwd=AbC123.1";
    for text in [
        "https://acme.zoom.us/j/81234567890?pwd=AbC123.1&amp;from=addon",
        "https://www.google.com/url?q=https%3A%2F%2Facme.zoom.us%2Fj%2F81234567890%3Fpwd%3DAbC123.1&sa=D",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Facme.zoom.us%2Fj%2F81234567890%3Fpwd%3DAbC123.1&data=x",
    ] {
        assert_eq!(url(text), expected, "{text}");
    }
}

#[test]
fn better_source_wins_and_within_one_the_longer_link() {
    let texts = EventTexts::new()
        .text(
            LinkSource::Description,
            "https://zoom.us/j/111111111?pwd=longlonglong",
        )
        .text(
            LinkSource::Location,
            "https://zoom.us/j/222222222 https://zoom.us/j/222222222?pwd=abc",
        );
    let link = texts.join_link().unwrap();
    assert_eq!(
        link.url().unwrap().as_str(),
        "https://zoom.us/j/222222222?pwd=abc"
    );
    assert_eq!(link.source(), LinkSource::Location);
    let link = texts
        .text(LinkSource::Conference, "https://zoom.us/j/333333333")
        .join_link()
        .unwrap();
    assert_eq!(
        (link.meeting_id().unwrap().get(), link.source()),
        (333_333_333, LinkSource::Conference)
    );
}

#[test]
fn link_with_an_id_goes_before_one_without() {
    let texts = EventTexts::new()
        .text(
            LinkSource::Location,
            "https://zoom.us/meeting/register/aVeryLongRegistrationPage",
        )
        .text(
            LinkSource::Description,
            "https://zoom.us/u/abc https://zoom.us/j/81234567890",
        );
    assert_eq!(
        texts.join_link().unwrap().meeting_id().unwrap().get(),
        81_234_567_890
    );
}

#[test]
fn personal_link_keeps_its_name_and_takes_an_id_from_the_words() {
    let link = JoinLink::find("https://acme.zoom.us/my/jo.doe?pwd=abc").unwrap();
    assert_eq!(
        (link.kind(), link.meeting_id()),
        (&LinkKind::Personal("jo.doe".into()), None)
    );
    assert_eq!(
        link.url().unwrap().as_str(),
        "https://acme.zoom.us/my/jo.doe?pwd=abc"
    );
    let link = JoinLink::find("https://acme.zoom.us/my/jo.doe\nMeeting ID: 345 678 9012").unwrap();
    assert_eq!(link.meeting_id(), Some(MeetingId::new(3_456_789_012)));
}

#[test]
fn id_in_words_is_read_in_several_languages() {
    for text in [
        "Zoom Meeting ID: 812 3456 7890\nPasscode: 123456",
        "Rejoindre Zoom\nID de réunion : 812 3456 7890",
        "<p>Zoom</p>Meeting ID: <b>812 3456 7890</b><br>",
        "zoom – Meeting-ID: 812-3456-7890",
        "Zoom Webinar ID: 81234567890",
        "Zoom ID de reunión: 812\u{a0}3456\u{a0}7890",
    ] {
        let link = JoinLink::find(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(
            (link.meeting_id().unwrap().get(), link.source()),
            (81_234_567_890, LinkSource::Text),
            "{text}"
        );
    }
}

#[test]
fn number_of_another_product_is_no_id() {
    assert_eq!(
        JoinLink::find("Microsoft Teams\nMeeting ID: 245 123 456 789 01\nzoom in on this"),
        None
    );
    assert_eq!(
        JoinLink::find("Meeting ID: 812 3456 7890"),
        None,
        "nothing says that it is Zoom's"
    );
}

#[test]
fn uid_of_zooms_own_file_names_the_meeting() {
    let of = |uid| {
        JoinLink::from_uid(uid)
            .and_then(|link| link.meeting_id())
            .map(MeetingId::get)
    };
    assert_eq!(
        of("20261122T150000Z-81234567890@fe80:0:0:0:31:49ff:fe7a:0%eth0"),
        Some(81_234_567_890)
    );
    assert_eq!(of("81234567890@google.com"), None);
    assert_eq!(of("20261122T150000Z-12@x"), None);
}

#[test]
fn text_that_repeats_a_scheme_is_read_in_bounded_time() {
    let hostile = "https://".repeat(50_000);
    assert_eq!(JoinLink::find(&hostile), None);
    assert_eq!(JoinLink::find(&"<a < &lt;".repeat(50_000)), None);
    assert_eq!(JoinLink::find(&"%2525".repeat(50_000)), None);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC*") {
        let _ = JoinLink::find(&text);
    }

    #[test]
    fn a_link_anywhere_in_a_text_is_found(before in "[a-z ,.]{0,20}", after in "[ ,.<)\"][a-z ]{0,20}", id in 100_000_000_u64..99_999_999_999, pwd in "[A-Za-z0-9]{1,12}(\\.[0-9])?") {
        let link = JoinLink::find(&format!("{before} https://us02web.zoom.us/j/{id}?pwd={pwd}{after}")).unwrap();
        prop_assert_eq!(link.meeting_id(), Some(MeetingId::new(id)));
        let expected = format!("https://us02web.zoom.us/j/{id}?pwd={pwd}");
        prop_assert_eq!(link.url().unwrap().as_str(), expected.as_str());
    }

    #[test]
    fn no_token_survives_whatever_its_value(secret in "[A-Za-z0-9._%-]{8,40}", path in "(j|s|w)") {
        let link = JoinLink::find(&format!("https://zoom.us/{path}/81234567890?tk={secret}&zak={secret}")).unwrap();
        prop_assert!(link.url().unwrap().query().is_none());
    }
}
