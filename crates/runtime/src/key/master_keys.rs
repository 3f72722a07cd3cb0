//! The master keys of an installation: the present one, and those of before.

use fanfare_domain::connection::MasterKeyRank;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::{KeyError, MasterKey, read};
use crate::config::{MasterKeySource, PreviousKeysSource};

/// The master keys of an installation. The present one seals; all of them open.
#[derive(Debug)]
pub struct MasterKeys {
    pub(super) present: MasterKey,
    pub(super) previous: Vec<MasterKey>,
}

impl MasterKeys {
    /// Takes the keys from where the settings say. `may_make` allows to make the present key's file beside the
    /// embedded store where it is missing.
    pub fn load(
        present: &MasterKeySource,
        previous: &PreviousKeysSource,
        may_make: bool,
    ) -> Result<Self, KeyError> {
        let present = MasterKey::load(present, may_make)?;
        let (text, setting) = match previous {
            PreviousKeysSource::Unset => {
                return Ok(Self {
                    present,
                    previous: Vec::new(),
                });
            }
            PreviousKeysSource::Given(text) => {
                (text.clone(), "FANFARE_MASTER_KEY_PREVIOUS".to_owned())
            }
            PreviousKeysSource::File(path) => (read(path)?, path.display().to_string()),
        };
        match parse(&text, &present) {
            Ok(previous) => Ok(Self { present, previous }),
            Err(faults) => Err(KeyError::Previous {
                setting,
                faults: faults.join("; "),
            }),
        }
    }

    /// Each with its rank, the present one first.
    fn ranked(&self) -> impl Iterator<Item = (MasterKeyRank, &MasterKey)> {
        let previous = (1..).map(MasterKeyRank::Previous).zip(&self.previous);
        [(MasterKeyRank::Present, &self.present)]
            .into_iter()
            .chain(previous)
    }

    /// The ranks there are, the present one first.
    pub fn ranks(&self) -> impl Iterator<Item = MasterKeyRank> {
        self.ranked().map(|(rank, _)| rank)
    }

    /// The secrets that the dashboard's sessions are sealed with, one of each master key, the present one's first. They
    /// tell nothing of the master keys.
    pub fn session_secrets(&self) -> Vec<SecretBox<[u8; 32]>> {
        self.ranked().map(|(_, key)| key.session_secret()).collect()
    }

    /// The mark of the present key.
    pub(super) fn present_mark(&self) -> [u8; 32] {
        self.present.mark()
    }

    /// Which of the keys has this mark.
    pub(super) fn marked(&self, mark: &[u8]) -> Option<MasterKeyRank> {
        let mut ranked = self.ranked();
        let found = ranked.find(|(_, key)| key.mark() == mark);
        found.map(|(rank, _)| rank)
    }
}

/// The keys of before, or all that is wrong with them. A key that is given twice is a mistake: another one was
/// meant, and what that one sealed would not open.
fn parse(text: &SecretString, present: &MasterKey) -> Result<Vec<MasterKey>, Vec<String>> {
    let (mut keys, mut faults) = (Vec::<(usize, MasterKey)>::new(), Vec::new());
    for (place, part) in (1..).zip(text.expose_secret().split(',')) {
        let Some(key) = MasterKey::parse(part) else {
            faults.push(format!("key {place} must be 32 bytes in base64"));
            continue;
        };
        let is_same = |other: &MasterKey| other.mark() == key.mark();
        if is_same(present) {
            faults.push(format!("key {place} is the present master key"));
        } else if let Some((first, _)) = keys.iter().find(|(_, other)| is_same(other)) {
            faults.push(format!("key {place} is key {first} again"));
        } else {
            keys.push((place, key));
        }
    }
    if faults.is_empty() {
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    fn load(previous: &PreviousKeysSource) -> Result<MasterKeys, KeyError> {
        let present = MasterKeySource::Given(SecretString::from(key(1)));
        MasterKeys::load(&present, previous, false)
    }

    fn given(text: &str) -> Result<MasterKeys, KeyError> {
        load(&PreviousKeysSource::Given(SecretString::from(text)))
    }

    #[test]
    fn previous_keys_are_ranked_as_they_are_listed() {
        let keys = given(&format!("{} , {}\n", key(2), key(3))).unwrap();

        let marks: Vec<_> = keys
            .ranked()
            .map(|(rank, key)| (rank, key.mark()))
            .collect();
        let ranks: Vec<_> = keys.ranks().collect();
        let want = [
            MasterKeyRank::Present,
            MasterKeyRank::Previous(1),
            MasterKeyRank::Previous(2),
        ];
        assert_eq!(ranks, want);
        for (rank, mark) in marks {
            assert_eq!(keys.marked(&mark), Some(rank));
        }
        assert_eq!(keys.marked(&[0; 32]), None);
    }

    #[test]
    fn previous_keys_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("previous");
        fs::write(&path, format!("{},{}\n", key(2), key(3))).unwrap();
        let keys = load(&PreviousKeysSource::File(path.clone())).unwrap();
        assert_eq!(keys.ranks().count(), 3);

        fs::write(&path, "").unwrap();
        let error = load(&PreviousKeysSource::File(path.clone())).unwrap_err();
        let want = format!("{}: key 1 must be 32 bytes in base64", path.display());
        assert_eq!(error.to_string(), want);
        let missing = PreviousKeysSource::File(PathBuf::from("/nonexistent/previous"));
        assert!(matches!(load(&missing), Err(KeyError::File { .. })));
    }

    #[test]
    fn everything_that_is_wrong_with_previous_keys_is_named_by_their_places_and_not_shown() {
        let text = format!("{},canary,{},{},,{}", key(2), key(1), key(2), key(3));
        let error = given(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "FANFARE_MASTER_KEY_PREVIOUS: key 2 must be 32 bytes in base64; key 3 is the present \
             master key; key 4 is key 1 again; key 5 must be 32 bytes in base64"
        );
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn master_keys_never_show_in_debug() {
        let keys = given(&key(2)).unwrap();
        let shown = format!("{keys:?}");
        assert!(
            !shown.contains("1, 1") && !shown.contains("2, 2"),
            "{shown}"
        );
    }
}
