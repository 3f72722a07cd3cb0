//! The mark by which a store knows its master key: no program may seal with a key that the others do not have.
//!
//! The store's key is the present one or, while the master key is being replaced, one of before. When nothing is
//! sealed by that one any more the mark becomes the present one's.

use fanfare_domain::connection::MasterKeyRank;

use super::{KeyError, MasterKeys};
use crate::config::Config;
use crate::error::StartError;
use crate::storage::Storage;

/// The name under which the store keeps the mark.
const NAME: &str = "master_key_mark";

/// What to do about a store that knows none of the configured keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownMark {
    /// Nothing is done with such a store.
    Refused,
    /// Its key is lost; the present one is to take its place.
    Accepted,
}

/// The master keys of the settings, if the store knows one of them; on first start the store gets to know the
/// present one.
pub(crate) async fn load_keys(
    config: &Config,
    storage: &Storage,
    unknown: UnknownMark,
) -> Result<MasterKeys, StartError> {
    let is_known = storage.meta(NAME).await?.is_some();
    let may_make = !is_known || unknown == UnknownMark::Accepted;
    let keys = MasterKeys::load(&config.master_key, &config.previous_master_keys, may_make)?;
    let known = storage.keep_meta(NAME, &keys.present_mark()).await?;
    if keys.marked(&known).is_none() && unknown == UnknownMark::Refused {
        return Err(KeyError::NotTheStores.into());
    }
    Ok(keys)
}

/// Which of the keys is the store's.
pub(crate) async fn rank(
    keys: &MasterKeys,
    storage: &Storage,
) -> Result<MasterKeyRank, StartError> {
    let known = storage.meta(NAME).await?.unwrap_or_default();
    keys.marked(&known)
        .ok_or_else(|| KeyError::NotTheStores.into())
}

/// Makes the present key the store's. Fails if the store gets to know yet another one meanwhile.
pub(crate) async fn set_present(keys: &MasterKeys, storage: &Storage) -> Result<(), StartError> {
    let known = storage.meta(NAME).await?.unwrap_or_default();
    let present = keys.present_mark();
    storage.replace_meta(NAME, &known, &present).await?;
    match rank(keys, storage).await? {
        MasterKeyRank::Present => Ok(()),
        MasterKeyRank::Previous(_) => Err(KeyError::NotTheStores.into()),
    }
}
