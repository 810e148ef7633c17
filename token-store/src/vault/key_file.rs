use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{
    key_text,
    keys::{Key, KeyProvider, StaticKeys},
};
use crate::{KeyId, VaultError};

/// Keys in a file that only its owner may read, made on first use. For demos and single machines; keep a copy of the
/// file, because without it every sealed secret is lost.
///
/// * It holds lines `id:key`, as [`StaticKeys::parse`] reads them; the first key seals.
/// * Several processes may start at once: one creates the file, whole or not at all, and all of them read that one.
/// * It is changed by being replaced, whole or not at all, and by one process after the other: they wait for each other
///   at a file beside it, `<name>.lock`, which is empty and stays.
/// * Whoever seals, or meets a key that it does not know, reads the file again if it was changed. So a running host takes
///   up a new key at once. While the file is away or broken, it goes on sealing with the key it has.
///
/// Clones share the keys.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
    known: Arc<RwLock<Known>>,
}

/// What was in the file, and how to see that it was changed since.
#[derive(Debug)]
struct Known {
    keys: StaticKeys,
    stamp: Option<Stamp>,
}

/// Differs for two contents of a file, if it was replaced; if it was written over, as far as the file system's clock
/// tells.
type Stamp = (u64, u64, SystemTime);

impl KeyFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when it cannot be read, [`VaultError::KeyFileExposed`] when others can read it or
    /// their group can write it, and the errors of [`StaticKeys::parse`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, VaultError> {
        let path = path.as_ref().to_owned();
        let known = Arc::new(RwLock::new(known(&path)?));
        Ok(Self { path, known })
    }

    /// Reads the file, or makes one with a fresh key and mode 0600.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`VaultError::Unavailable`] when it cannot be made.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, VaultError> {
        let path = path.as_ref();
        if !path.try_exists().map_err(VaultError::unavailable)? {
            create(path)?;
        }
        Self::open(path)
    }

    /// The ids of the keys as they are in the file now, the primary key's first.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn ids(&self) -> Result<Vec<KeyId>, VaultError> {
        self.reload()?;
        Ok(self.with(StaticKeys::ids))
    }

    /// Puts a fresh key in front of the others: from now on it seals, and they still open. Returns its id.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`VaultError::Unavailable`] when the file cannot be replaced.
    pub fn add_primary(&self) -> Result<KeyId, VaultError> {
        let key = Key::generate()?;
        let entry = key.expose_secret();
        self.change(|text| Ok(Zeroizing::new(format!("{}\n{text}", entry.as_str()))))?;
        Ok(key.id().clone())
    }

    /// Takes a key out of the file, for good: what is still sealed with it never opens again. Rotate first, until a
    /// pass has nothing left.
    ///
    /// # Errors
    /// [`VaultError::PrimaryKey`] for the key that seals, [`VaultError::UnknownKey`] for one that is not there, and those
    /// of [`add_primary`](Self::add_primary).
    pub fn retire(&self, id: &KeyId) -> Result<(), VaultError> {
        self.change(|text| {
            let keys = StaticKeys::parse(text)?;
            if keys.primary_key().id() == id {
                return Err(VaultError::PrimaryKey(id.clone()));
            }
            if keys.find(id).is_none() {
                return Err(VaultError::UnknownKey(id.clone()));
            }
            Ok(key_text::without(text, id))
        })
    }

    /// Replaces the file by what `edit` makes of it, unless that is not a list of keys.
    fn change(
        &self,
        edit: impl FnOnce(&str) -> Result<Zeroizing<String>, VaultError>,
    ) -> Result<(), VaultError> {
        let turn = open_private(&beside(&self.path, ".lock")).map_err(VaultError::unavailable)?;
        // Given back when the file is closed, also by a process that is killed.
        turn.lock().map_err(VaultError::unavailable)?;
        let (text, _) = read(&self.path)?;
        let changed = edit(&text)?;
        StaticKeys::parse(&changed)?;
        let draft = draft_of(&self.path)?;
        let replaced =
            write_private(&draft, changed.as_bytes()).and_then(|()| fs::rename(&draft, &self.path));
        if let Err(error) = replaced {
            // It holds keys; if it cannot be removed either, the first error says why.
            drop(fs::remove_file(&draft));
            return Err(VaultError::unavailable(error));
        }
        sync_folder(&self.path).map_err(VaultError::unavailable)?;
        self.reload()
    }

    fn reload(&self) -> Result<(), VaultError> {
        let known = known(&self.path)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    fn was_changed(&self) -> bool {
        let now = fs::metadata(&self.path).ok().and_then(|file| stamp(&file));
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        now.is_some() && now != known.stamp
    }

    fn with<T>(&self, read: impl FnOnce(&StaticKeys) -> T) -> T {
        read(&self.known.read().unwrap_or_else(PoisonError::into_inner).keys)
    }
}

#[async_trait]
impl KeyProvider for KeyFile {
    async fn primary(&self) -> Result<Key, VaultError> {
        // Whoever seals on with a key that was replaced does so behind the rotation, and the key may be retired next.
        if self.was_changed()
            && let Err(error) = self.reload()
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the key file was changed and cannot be read; the keys from before stay in use"
            );
        }
        Ok(self.with(|keys| keys.primary_key().clone()))
    }

    async fn key(&self, id: &KeyId) -> Result<Option<Key>, VaultError> {
        let known = self.with(|keys| keys.find(id).cloned());
        if known.is_some() {
            return Ok(known);
        }
        // A small file, read when a key is missing only: not worth a thread.
        self.reload()?;
        Ok(self.with(|keys| keys.find(id).cloned()))
    }
}

fn known(path: &Path) -> Result<Known, VaultError> {
    let (text, stamp) = read(path)?;
    let keys = StaticKeys::parse(&text)?;
    Ok(Known { keys, stamp })
}

/// What is in the file, if it is private.
fn read(path: &Path) -> Result<(Zeroizing<String>, Option<Stamp>), VaultError> {
    let mut file = File::open(path).map_err(VaultError::unavailable)?;
    let metadata = file.metadata().map_err(VaultError::unavailable)?;
    check_private(&metadata)?;
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(VaultError::unavailable)?;
    Ok((text, stamp(&metadata)))
}

fn stamp(file: &Metadata) -> Option<Stamp> {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(file);
    #[cfg(not(unix))]
    let number = 0;
    Some((number, file.len(), file.modified().ok()?))
}

/// Writes a draft beside the file and links it into place. A link never replaces a file, so of several processes one
/// wins and the others find the winner's file; and nobody ever sees half of one.
fn create(path: &Path) -> Result<(), VaultError> {
    let key = Key::generate()?;
    let draft = draft_of(path)?;
    let text = Zeroizing::new(format!("{}\n", key.expose_secret().as_str()));
    let linked = write_private(&draft, text.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    // The draft holds a key; it must not stay, whatever became of the link.
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(VaultError::unavailable)?,
    }
    removed.map_err(VaultError::unavailable)?;
    sync_folder(path).map_err(VaultError::unavailable)
}

fn draft_of(path: &Path) -> Result<PathBuf, VaultError> {
    let name = crate::Holder::random().map_err(VaultError::unavailable)?;
    Ok(beside(path, &format!(".draft-{name}")))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(ending);
    name.into()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn open_private(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).open(path)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A secret sealed under a key whose file name did not survive a power cut would be lost.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// A group may read, because that is how secrets are mounted into containers; it is said, and no more.
#[cfg(unix)]
fn check_private(file: &Metadata) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.permissions().mode();
    if mode & 0o037 != 0 {
        return Err(VaultError::KeyFileExposed);
    }
    if mode & 0o040 != 0 {
        tracing::warn!("the key file can be read by its group; 0600 keeps it to its owner");
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_file: &Metadata) -> Result<(), VaultError> {
    Ok(())
}

#[cfg(test)]
mod tests;
