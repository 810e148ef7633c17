//! Where the vault's keys come from.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use secrecy::{ExposeSecret as _, SecretString};
use token_store::{KeyFile, KeyProvider, StaticKeys, Vault};

/// The keys of the environment, else a private file beside the database.
pub(crate) fn vault(keys: Option<&SecretString>, database: &Path) -> Result<Vault> {
    let provider: Arc<dyn KeyProvider> = match keys {
        Some(keys) => {
            Arc::new(StaticKeys::parse(keys.expose_secret()).context("ZOOM_TOKEN_KEYS cannot be used")?)
        }
        None => {
            let path = database.with_extension("keys");
            let file = KeyFile::open_or_create(&path);
            Arc::new(file.with_context(|| format!("the key file {} cannot be used", path.display()))?)
        }
    };
    Ok(Vault::new(provider))
}
