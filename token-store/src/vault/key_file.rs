use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::keys::{Key, KeyProvider, StaticKeys};
use crate::{KeyId, VaultError};

/// Keys in a file that only its owner may read, made on first use. For demos and single machines; keep a copy of the
/// file, because without it every sealed secret is lost.
///
/// The file holds lines `id:base64`, as [`StaticKeys::parse`] reads them. Several processes may start at once: one
/// creates the file, whole or not at all, and all of them read that one.
#[derive(Clone, Debug)]
pub struct KeyFile {
    keys: StaticKeys,
}

impl KeyFile {
    /// Reads the file, or makes one with a fresh key and mode 0600.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when the file cannot be read or made, [`VaultError::KeyFormat`] when it is not a
    /// list of keys.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, VaultError> {
        let path = path.as_ref();
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(path)?;
                fs::read_to_string(path)
            }
            read => read,
        };
        let text = Zeroizing::new(text.map_err(VaultError::unavailable)?);
        warn_if_open_to_others(path);
        Ok(Self {
            keys: StaticKeys::parse(&text)?,
        })
    }
}

#[async_trait]
impl KeyProvider for KeyFile {
    async fn primary(&self) -> Result<Key, VaultError> {
        self.keys.primary().await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError> {
        self.keys.key(id).await
    }
}

/// Writes a draft beside the file and links it into place. A link never replaces a file, so of several processes one
/// wins and the others find the winner's file; and nobody ever sees half of one.
fn create(path: &Path) -> Result<(), VaultError> {
    let key = Key::generate()?;
    let mut draft_name = OsString::from(path.as_os_str());
    draft_name.push(format!(
        ".draft-{}",
        crate::Holder::random().map_err(VaultError::unavailable)?
    ));
    let draft = Path::new(&draft_name);
    let text = Zeroizing::new(format!("{}\n", key.expose_secret().as_str()));
    let linked = write_private(draft, text.as_bytes()).and_then(|()| fs::hard_link(draft, path));
    // The draft holds a key; it must not stay, whatever became of the link.
    let removed = fs::remove_file(draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(VaultError::unavailable)?,
    }
    removed.map_err(VaultError::unavailable)?;
    sync_folder(path).map_err(VaultError::unavailable)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A secret sealed under a key whose file name did not survive a power cut would be lost.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn warn_if_open_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let others = fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
    if others {
        tracing::warn!("the key file can be read by others than its owner; make it 0600");
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_others(_path: &Path) {}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Barrier};

    use super::*;

    #[test]
    fn the_file_is_made_once_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let made = KeyFile::open_or_create(&path).unwrap();
        let read = KeyFile::open_or_create(&path).unwrap();
        assert_eq!(format!("{made:?}"), format!("{read:?}"));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft is left behind"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn many_who_create_at_once_get_the_same_key() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keys");
            let start = Barrier::new(8);
            let names: HashSet<String> = std::thread::scope(|scope| {
                let open = || {
                    start.wait();
                    format!("{:?}", KeyFile::open_or_create(&path).unwrap())
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(names.len(), 1, "{names:?}");
        }
    }

    #[test]
    fn a_broken_file_is_an_error_and_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, "k1:c2hvcnQ=\n").unwrap();
        assert!(matches!(
            KeyFile::open_or_create(&path),
            Err(VaultError::KeyFormat)
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "k1:c2hvcnQ=\n");
    }
}
