use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use token_store::StoreError;
use zeroize::Zeroizing;

use crate::Error;

/// 256 random bits that can stand in an address, and are long enough for a PKCE verifier.
pub(crate) fn random_text() -> Result<String, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|_| StoreError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_ref()))
}
