use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

/// The vector of Zoom's scheme, written down before this code.
const SECRET: &str = "zoom-sim-secret-token-1";
const STAMP: &str = "1767607201";
const BODY: &str = r#"{"payload":{"account_id":"acc_01","object":{"uuid":"4444AAAiAAAAAiAiAiiAii==","id":"81234567890","host_id":"host_01","topic":"Weekly – café ☕","type":2,"start_time":"2026-01-05T10:00:00Z","timezone":"UTC","duration":30}},"event_ts":1767607200123,"event":"meeting.started"}"#;
const EXPECTED: &str = "v0=053ffc45e81680d3136c7ad30f85db8795ecd98e2b132b40b949694ade04d64d";

fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::new(text).unwrap()
}

fn headers(timestamp: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(TIMESTAMP, timestamp.parse().unwrap());
    headers.insert(SIGNATURE, signature.parse().unwrap());
    headers
}

fn signed_at() -> Timestamp {
    Timestamp::from_second(STAMP.parse().unwrap()).unwrap()
}

fn minutes(minutes: i64) -> Timestamp {
    signed_at() + SignedDuration::from_mins(minutes)
}

fn verify(verifier: &Verifier, timestamp: &str, now: Timestamp) -> Result<Delivery, SignatureError> {
    let signature = sign(&secret(SECRET), timestamp, BODY.as_bytes());
    verifier.verify_at(&headers(timestamp, &signature), BODY.as_bytes(), now)
}

#[test]
fn the_known_vector_is_made_and_accepted() {
    assert_eq!(BODY.len(), 277);
    assert_eq!(sign(&secret(SECRET), STAMP, BODY.as_bytes()), EXPECTED);
    let verifier = Verifier::new(secret(SECRET));
    let delivery = verifier
        .verify_at(&headers(STAMP, EXPECTED), BODY.as_bytes(), signed_at())
        .unwrap();
    assert_eq!(
        (delivery.name(), delivery.body()),
        ("meeting.started", BODY.as_bytes())
    );
}

#[test]
fn each_of_several_secrets_is_accepted_and_named() {
    let verifier = Verifier::new(secret("first").with_id("one")).with_secret(secret(SECRET).with_id("two"));
    let verifier = verifier.with_secret(secret("third").with_id("three"));
    for (text, id) in [("first", "one"), (SECRET, "two"), ("third", "three")] {
        let headers = headers(STAMP, &sign(&secret(text), STAMP, BODY.as_bytes()));
        assert_eq!(
            verifier
                .verify_at(&headers, BODY.as_bytes(), signed_at())
                .unwrap()
                .secret_id(),
            id
        );
    }
    let stranger = headers(STAMP, &sign(&secret("fourth"), STAMP, BODY.as_bytes()));
    let refused = verifier.verify_at(&stranger, BODY.as_bytes(), signed_at());
    assert_eq!(refused.unwrap_err(), SignatureError::Mismatch);
}

#[test]
fn the_strict_window_is_five_minutes_either_way() {
    let verifier = Verifier::new(secret(SECRET)).with_window(Window::strict());
    let second = SignedDuration::from_secs(1);
    assert!(verify(&verifier, STAMP, minutes(5)).is_ok());
    assert!(verify(&verifier, STAMP, minutes(-5)).is_ok());
    assert_eq!(
        verify(&verifier, STAMP, minutes(5) + second).unwrap_err(),
        SignatureError::TooOld
    );
    assert_eq!(
        verify(&verifier, STAMP, minutes(-5) - second).unwrap_err(),
        SignatureError::TooNew
    );
}

#[test]
fn the_retry_aware_window_lets_the_last_retry_pass() {
    let verifier = Verifier::new(secret(SECRET));
    let second = SignedDuration::from_secs(1);
    assert!(verify(&verifier, STAMP, minutes(85)).is_ok());
    assert!(verify(&verifier, STAMP, minutes(90)).is_ok());
    assert_eq!(
        verify(&verifier, STAMP, minutes(90) + second).unwrap_err(),
        SignatureError::TooOld
    );
    assert_eq!(
        verify(&verifier, STAMP, minutes(-5) - second).unwrap_err(),
        SignatureError::TooNew
    );
}

#[test]
fn milliseconds_are_read_and_other_lengths_are_not() {
    let verifier = Verifier::new(secret(SECRET)).with_window(Window::strict());
    assert!(verify(&verifier, "1767607201999", signed_at()).is_ok());
    for odd in [
        "",
        "176760720",
        "17676072010",
        "+767607201",
        "1767607201.",
        "now",
        "-176760720",
    ] {
        let refused = verify(&verifier, odd, signed_at());
        assert_eq!(refused.unwrap_err(), SignatureError::MalformedHeader, "{odd}");
    }
}

#[test]
fn missing_and_doubled_headers_are_refused() {
    let verifier = Verifier::new(secret(SECRET));
    for name in [TIMESTAMP, SIGNATURE] {
        let mut missing = headers(STAMP, EXPECTED);
        missing.remove(&name);
        let refused = verifier.verify_at(&missing, BODY.as_bytes(), signed_at());
        assert_eq!(refused.unwrap_err(), SignatureError::MissingHeader);
        let mut doubled = headers(STAMP, EXPECTED);
        doubled.append(&name, doubled[&name].clone());
        let refused = verifier.verify_at(&doubled, BODY.as_bytes(), signed_at());
        assert_eq!(refused.unwrap_err(), SignatureError::MalformedHeader);
    }
}

#[test]
fn a_forged_old_signature_is_called_forged_not_old() {
    let verifier = Verifier::new(secret(SECRET));
    let refused = verifier.verify_at(&headers(STAMP, "v0=00"), BODY.as_bytes(), minutes(1000));
    assert_eq!(refused.unwrap_err(), SignatureError::Mismatch);
}

#[test]
fn errors_show_neither_signature_nor_secret() {
    let error = verify(&Verifier::new(secret("canary")), STAMP, signed_at()).unwrap_err();
    let shown = format!("{error} {error:?} {:?}", Verifier::new(secret("canary")));
    assert!(!shown.contains("canary") && !shown.contains("v0="), "{shown}");
}

proptest! {
    #[test]
    fn own_signatures_are_accepted_and_any_flipped_bit_is_refused(
        key in "[ -~]{1,40}[!-~]",
        body in proptest::collection::vec(any::<u8>(), 1..300),
        milliseconds in any::<bool>(),
        place in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let secret = secret(&key);
        let verifier = Verifier::new(secret.clone());
        let stamp = if milliseconds { "1767607201123" } else { STAMP };
        let signature = sign(&secret, stamp, &body);
        prop_assert!(verifier.verify_at(&headers(stamp, &signature), &body, signed_at()).is_ok());

        let parts = [body.as_slice(), stamp.as_bytes(), signature.as_bytes()];
        let mut place = place.index(parts.iter().map(|part| part.len()).sum());
        let mut flipped = parts.map(<[u8]>::to_vec);
        for part in &mut flipped {
            match part.get_mut(place) {
                Some(byte) => {
                    *byte ^= 1_u8 << bit;
                    break;
                }
                None => place -= part.len(),
            }
        }
        let [body, stamp, signature] = flipped;
        // A flip may make a byte that no header can hold; such a request does not even arrive.
        if let (Ok(stamp), Ok(signature)) = (HeaderValue::from_bytes(&stamp), HeaderValue::from_bytes(&signature)) {
            let mut headers = HeaderMap::new();
            headers.insert(TIMESTAMP, stamp);
            headers.insert(SIGNATURE, signature);
            prop_assert!(verifier.verify_at(&headers, &body, signed_at()).is_err());
        }
    }
}
