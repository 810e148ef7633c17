//! Token values: shaped and sized like Zoom's, signed with a key nobody has.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Sha256, Sha512};

use crate::{random::Random, world::Caller};

/// A JWT that says what Zoom's say; clients must not look inside.
pub(super) fn jwt(
    random: &mut Random,
    prefix: &str,
    kind: &str,
    caller: &Caller,
    now: Timestamp,
    expires: Timestamp,
) -> String {
    let head = json!({ "sv": "000001", "alg": "HS512", "v": "2.0", "kid": random.guid() });
    let claims = json!({
        "ver": 10, "auid": random.hex(2), "code": random.text(40), "iss": format!("zm:cid:{}", caller.client_id),
        "gno": 0, "type": 0, "tid": 0, "aud": "https://oauth.zoom.us", "uid": caller.user_id,
        "nbf": now.as_second(), "exp": expires.as_second(), "iat": now.as_second(), "aid": caller.account_id,
        "tokenType": kind, "jti": random.guid(),
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let key = random.hex(4);
    let signature = Hmac::<Sha512>::new_from_slice(key.as_bytes())
        .map(|mut mac| {
            mac.update(signed.as_bytes());
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default();
    format!("{prefix}{signed}.{signature}")
}

/// An authorization code.
pub(super) fn code(random: &mut Random, prefix: &str) -> String {
    format!("{prefix}{}", random.text(43))
}

/// HMAC-SHA256 in lower-case hex.
pub(crate) fn hmac_sha256_hex(key: &str, message: &[u8]) -> String {
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map(|mut mac| {
            mac.update(message);
            hex::encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default()
}
