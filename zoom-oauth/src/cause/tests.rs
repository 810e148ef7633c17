use super::*;

#[test]
fn zoom_s_numbers_and_words_have_a_cause_each() {
    let mut table = String::new();
    for (status, error, number) in [
        (400, Some("invalid_grant"), None),
        (400, Some("invalid_grant"), Some(4741)),
        (401, None, Some(4702)),
        (400, None, Some(4704)),
        (400, None, Some(4705)),
        (400, None, Some(4706)),
        (400, None, Some(4709)),
        (400, None, Some(4711)),
        (400, Some("invalid_client"), Some(4717)),
        (400, None, Some(4724)),
        (400, None, Some(4732)),
        (400, None, Some(4733)),
        (400, None, Some(4734)),
        (400, None, Some(4735)),
        (400, None, Some(4737)),
        (400, None, Some(4738)),
        (400, None, Some(4740)),
        (400, None, Some(4741)),
        (401, Some("invalid_client"), None),
        (400, Some("invalid_request"), None),
        (400, Some("unsupported_grant_type"), None),
        (400, Some("access_denied"), None),
        (400, Some("a_later_word"), None),
        (400, Some("Not a word <script>"), None),
        (400, Some("Not a word <script>"), Some(4700)),
        (400, None, None),
        (429, Some("invalid_grant"), Some(4741)),
        (503, Some("invalid_grant"), None),
    ] {
        let cause = Cause::from_zoom(status, error, number);
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        table += &format!("{status} {} {number} → {cause}\n", error.unwrap_or_default());
    }
    insta::assert_snapshot!(table);
}

#[test]
fn refusals_of_the_api_have_a_cause_each() {
    let mut table = String::new();
    for (status, code, message) in [
        (401, Some(124), "Invalid access token."),
        (401, None, ""),
        (400, Some(200), "Only available for paid account: acc."),
        (400, Some(200), "No permission."),
        (400, Some(201), "No privilege."),
        (403, None, ""),
        (400, Some(300), "Validation Failed."),
        (
            400,
            Some(1000),
            "You can not access settings of users that are still in pending state.",
        ),
        (404, Some(1001), "User does not exist: me."),
        (400, Some(1010), "User not found on this account"),
        (400, Some(1108), "User type permission check failed."),
        (404, Some(2001), "Account does not exist"),
        (404, Some(3001), "Meeting does not exist: 1."),
        (
            400,
            Some(3161),
            "Meeting hosting and scheduling capabilities are not allowed for your user account.",
        ),
        (404, Some(3301), "There is no recording for this meeting."),
        (400, Some(3309), "Not enough cloud storage available."),
        (
            400,
            Some(4711),
            "Invalid access token, does not contain scopes:[user:read:user].",
        ),
        (401, Some(4717), "The app has been disabled"),
        (401, Some(4741), "The token has been revoked."),
        (400, Some(99_999), "Something new."),
        (404, None, ""),
        (429, Some(429), "Too many."),
        (503, Some(124), ""),
    ] {
        let cause = Cause::from_api(&ApiError::new(status, code, message));
        let code = code.map(|code| code.to_string()).unwrap_or_default();
        table += &format!("{status} {code} {message} → {cause}\n");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn messages_are_for_people() {
    for cause in Cause::ALL {
        let message = cause.message();
        assert!(
            message.ends_with('.') && message.starts_with(char::is_uppercase),
            "{message}"
        );
        assert!(
            !message.contains('_') && !message.contains(|c: char| c.is_ascii_digit()),
            "{message}"
        );
        assert_eq!(&Cause::from(cause.as_str()), cause);
    }
}

#[test]
fn an_unknown_code_survives_and_changes_nothing() {
    let cause = Cause::from("of_a_later_version");
    assert_eq!(
        (cause.as_str(), cause.becomes(), cause.action()),
        ("of_a_later_version", None, Action::None)
    );
}

#[test]
fn what_ends_a_grant_ends_a_connection_and_nothing_else_does() {
    use crate::refusal::{NUMBERS, Verdict, WORDS};
    let numbers = NUMBERS
        .iter()
        .map(|known| (known.said.to_string(), known.verdict, &known.cause));
    let words = WORDS
        .iter()
        .map(|known| (known.said.to_owned(), known.verdict, &known.cause));
    for (said, verdict, cause) in numbers.chain(words) {
        let ends = (verdict == Verdict::DeadGrant).then_some(Status::Expired);
        assert_eq!(cause.becomes(), ends, "{said} {cause}");
    }
}
