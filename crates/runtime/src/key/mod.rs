//! The master keys: where they come from, and how they are known to be the store's.

mod master_keys;
mod sealer;
pub(crate) mod store_mark;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};

pub use master_keys::MasterKeys;
pub use sealer::XChaChaSealer;

use crate::config::MasterKeySource;

/// 32 random bytes that seal the stored Klaviyo keys.
#[derive(Debug)]
pub(crate) struct MasterKey(SecretBox<[u8; 32]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Something else than 32 bytes in base64.
    #[error("{0} must be 32 bytes in base64; `openssl rand -base64 32` makes such a key")]
    Malformed(String),
    /// Something is wrong with the master keys of before.
    #[error("{setting}: {faults}")]
    Previous {
        /// The setting or the file.
        setting: String,
        /// All that is wrong, by the keys' places, and without the keys.
        faults: String,
    },
    /// None was given where one must be.
    #[error(
        "no master key: on Postgres set FANFARE_MASTER_KEY or FANFARE_MASTER_KEY_FILE; \
         `openssl rand -base64 32` makes one"
    )]
    Missing,
    /// The store has one, and it is not where it was.
    #[error(
        "the master key {path} is gone, and the store was made with it: restore the file from its \
         backup, or choose another store"
    )]
    Lost {
        /// Where it was.
        path: PathBuf,
    },
    /// The file cannot be read, or made.
    #[error("the master key's file {path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The store knows another one.
    #[error(
        "the master key is not the store's, and none of FANFARE_MASTER_KEY_PREVIOUS is: restore \
         the store's master key, or choose another store"
    )]
    NotTheStores,
}

impl MasterKey {
    /// Takes the key from where the settings say. `may_make` allows to make the file beside the store
    /// where it is missing. If several programs start at once, the first makes it and the others read it.
    fn load(source: &MasterKeySource, may_make: bool) -> Result<Self, KeyError> {
        match source {
            MasterKeySource::Unset => Err(KeyError::Missing),
            MasterKeySource::Given(text) => Self::parse(text.expose_secret())
                .ok_or_else(|| KeyError::Malformed("FANFARE_MASTER_KEY".to_owned())),
            MasterKeySource::File(path) => Self::from_file(path),
            MasterKeySource::BesideStore(path) => {
                // Not `exists`, which takes a file that cannot be looked at for a missing one.
                let is_missing = matches!(path.try_exists(), Ok(false));
                if is_missing && !may_make {
                    return Err(KeyError::Lost { path: path.clone() });
                }
                if is_missing {
                    make(path).map_err(|source| file_error(path, source))?;
                }
                Self::from_file(path)
            }
        }
    }

    fn from_file(path: &Path) -> Result<Self, KeyError> {
        Self::parse(read(path)?.expose_secret())
            .ok_or_else(|| KeyError::Malformed(path.display().to_string()))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        let bytes: &[u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(SecretBox::init_with_mut(|key: &mut [u8; 32]| {
            key.copy_from_slice(bytes);
        })))
    }

    /// What the store keeps to know the key by. It tells nothing of the key.
    fn mark(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"fanfare master key, mark 1\0");
        hash.update(self.0.expose_secret());
        hash.finalize().into()
    }

    /// The secret that sessions are sealed with while this is the present master key.
    fn session_secret(&self) -> SecretBox<[u8; 32]> {
        let mut hash = Sha256::new();
        hash.update(b"fanfare dashboard sessions, 1\0");
        hash.update(self.0.expose_secret());
        SecretBox::new(Box::new(hash.finalize().into()))
    }
}

fn read(path: &Path) -> Result<SecretString, KeyError> {
    let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
    Ok(SecretString::from(text))
}

fn file_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::File {
        path: path.to_owned(),
        source,
    }
}

/// Writes a new key to a temporary file, and renames that only if no other program was faster: no program
/// ever reads half a key.
fn make(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Mode 0600 from the beginning.
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    let bytes = Zeroizing::new(rand::random::<[u8; 32]>());
    let text = Zeroizing::new(STANDARD.encode(*bytes));
    writeln!(draft, "{}", *text)?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(failed) => Err(failed.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starters_at_once_get_one_key_that_only_the_user_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let source = MasterKeySource::BesideStore(path.clone());

        let marks: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starters: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| MasterKey::load(&source, true).unwrap().mark()))
                .collect();
            starters.into_iter().map(|s| s.join().unwrap()).collect()
        });

        assert!(marks.iter().all(|mark| *mark == marks[0]));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "drafts are removed");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_that_is_not_32_bytes_is_refused_by_the_name_of_its_setting() {
        for text in ["", "short", "AAAA", "not base64 at all, is it"] {
            let source = MasterKeySource::Given(SecretString::from(text));
            let error = MasterKey::load(&source, true).unwrap_err().to_string();
            assert!(error.starts_with("FANFARE_MASTER_KEY must be"), "{error}");
        }
    }

    #[test]
    fn no_key_is_made_for_a_store_that_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let error = MasterKey::load(&MasterKeySource::BesideStore(path.clone()), false);
        assert!(matches!(error.unwrap_err(), KeyError::Lost { .. }));
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_was_named_is_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mistyped.key");
        let error = MasterKey::load(&MasterKeySource::File(path.clone()), true).unwrap_err();
        let KeyError::File { source, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(source.kind(), io::ErrorKind::NotFound);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_of_the_user_may_end_in_any_blank() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.key");
        let text = STANDARD.encode([7_u8; 32]);
        let mark = |content: String| {
            fs::write(&path, content).unwrap();
            let key = MasterKey::load(&MasterKeySource::File(path.clone()), false);
            key.unwrap().mark()
        };
        assert_eq!(mark(text.clone()), mark(format!("{text}\r\n")));
        assert_ne!(mark(text), mark(STANDARD.encode([8_u8; 32])));
    }

    #[test]
    fn a_master_key_never_shows_in_debug() {
        let text = STANDARD.encode([7_u8; 32]);
        let source = MasterKeySource::Given(SecretString::from(text.as_str()));
        let key = MasterKey::load(&source, false).unwrap();
        assert!(!format!("{key:?} {source:?}").contains(&text));
        assert!(!format!("{key:?}").contains('7'));
    }
}
