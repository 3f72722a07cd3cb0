//! Whether the store is a backup that was restored, and that the operator has not looked through since.
//!
//! A secret key that was revoked after a backup is valid again in the backup, and nothing in there tells. So the store
//! knows the place that it is at by what no backup carries along, and is taken for restored at any other.

use fanfare_domain::ports::StoreError;

use crate::storage::Storage;

/// The name under which the store keeps its place.
const NAME: &str = "place";

/// What is known of the store's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorePlace {
    /// It is where it was.
    Same,
    /// It was restored or moved since it was last looked through.
    Another,
    /// The database does not tell where it is.
    Unknown,
}

/// Compares the store's place with the one it knows. A store that knows none gets to know this one.
pub(crate) async fn place(storage: &Storage) -> Result<StorePlace, StoreError> {
    let Some(identity) = storage.identity().await? else {
        return Ok(StorePlace::Unknown);
    };
    let known = storage.keep_meta(NAME, identity.as_bytes()).await?;
    Ok(if known == identity.as_bytes() {
        StorePlace::Same
    } else {
        StorePlace::Another
    })
}

/// Lets the store know this place as its own, since it was looked through.
pub(crate) async fn accept(storage: &Storage) -> Result<(), StoreError> {
    let Some(identity) = storage.identity().await? else {
        return Ok(());
    };
    let known = storage.keep_meta(NAME, identity.as_bytes()).await?;
    let identity = identity.as_bytes();
    storage.replace_meta(NAME, &known, identity).await.map(drop)
}
