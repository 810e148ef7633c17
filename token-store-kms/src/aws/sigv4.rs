//! AWS Signature Version 4, of the one kind of request that KMS has: a POST to `/` without a query.

use jiff::{Timestamp, tz::TimeZone};
use ring::{digest, hmac};

use super::AwsCredentials;

/// The value of `x-amz-date`.
pub(super) fn date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The value of `authorization`. All of the headers are signed; their names are in lower case, and `host` and
/// `x-amz-date` are among them.
pub(super) fn authorization(
    credentials: &AwsCredentials,
    (region, service): (&str, &str),
    date: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let mut headers = headers.to_vec();
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let request = format!("POST\n/\n\n{lines}\n{names}\n{}", hash(body));

    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(request.as_bytes()));

    let secret = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_access_key.as_str()));
    let mut key = sign(secret.as_bytes(), day);
    for part in [region, service, "aws4_request"] {
        key = sign(key.as_ref(), part);
    }
    let signature = hex(sign(key.as_ref(), &to_sign).as_ref());
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        credentials.access_key_id
    )
}

fn sign(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    /// Signs as AWS's published test suite for Signature Version 4 does; the expected signatures are the suite's.
    fn assert_signs(more: &[(&str, &str)], body: &str, names: &str, signature: &str) {
        let credentials = AwsCredentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let date = date("2015-08-30T12:36:00Z".parse().unwrap());
        let mut headers = vec![("host", "example.amazonaws.com"), ("x-amz-date", &date)];
        headers.extend_from_slice(more);
        assert_eq!(
            authorization(
                &credentials,
                ("us-east-1", "service"),
                &date,
                &headers,
                body.as_bytes()
            ),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders={names}, Signature={signature}"
            )
        );
    }

    #[test]
    fn post_vanilla_of_the_test_suite() {
        let signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
        assert_signs(&[], "", "host;x-amz-date", signature);
    }

    #[test]
    fn post_x_www_form_urlencoded_of_the_test_suite() {
        let signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_signs(&form, "Param1=value1", "content-type;host;x-amz-date", signature);
    }

    #[test]
    fn post_sts_header_before_of_the_test_suite() {
        let signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
        let token = [("x-amz-security-token", TOKEN)];
        assert_signs(&token, "", "host;x-amz-date;x-amz-security-token", signature);
    }
}
