//! What is known about a page.

use std::collections::BTreeSet;

use fanfare_domain::consumer::ProfileLink;
use fanfare_domain::ids::{ConsumerId, ProfileId, SourceId};
use fanfare_domain::page::SeenProfile;
use fanfare_domain::ports::StoreError;
use serde::Deserialize;

use crate::columns::id;
use crate::db_timestamp::{DbTimestamp, from_db};

/// A row of `profile_links`, with its consumer. As JSON it is an array of these values.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ProfileLinkRow {
    pub source_id: String,
    pub profile_id: String,
    pub consumer_id: String,
    pub profile_updated: Option<DbTimestamp>,
    pub changed_at: DbTimestamp,
}

impl TryFrom<ProfileLinkRow> for ProfileLink {
    type Error = StoreError;

    fn try_from(row: ProfileLinkRow) -> Result<Self, StoreError> {
        let consumer = "profile_links.consumer_id";
        Ok(Self {
            source: id(row.source_id, SourceId::parse, "profile_links.source_id")?,
            profile: id(row.profile_id, ProfileId::parse, "profile_links.profile_id")?,
            consumer: id(row.consumer_id, ConsumerId::parse, consumer)?,
            updated: from_db(row.profile_updated),
            changed_at: row.changed_at.0,
        })
    }
}

/// A profile that a run has seen. As JSON it is an array of these values.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct SeenProfileRow {
    pub profile_id: String,
    pub with_email: bool,
    pub joined_at: Option<DbTimestamp>,
}

impl TryFrom<SeenProfileRow> for SeenProfile {
    type Error = StoreError;

    fn try_from(row: SeenProfileRow) -> Result<Self, StoreError> {
        Ok(Self {
            profile: id(row.profile_id, ProfileId::parse, "run_seen_pages.profiles")?,
            with_email: row.with_email,
            joined_at: from_db(row.joined_at),
        })
    }
}

/// A member of an audience, and the profiles that are linked to it. As JSON it is an array of these values.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct MemberProfiles {
    pub consumer_id: String,
    /// Whether the run has made it a member.
    pub is_new: bool,
    pub profiles: Vec<String>,
}

/// The profiles of a page together with those that are linked to its consumers, each once, in order.
pub fn profiles_of<'a>(page: &'a [ProfileId], links: &'a [ProfileLink]) -> Vec<&'a str> {
    let linked = links.iter().map(|link| &link.profile);
    let profiles: BTreeSet<&str> = page.iter().chain(linked).map(ProfileId::as_str).collect();
    profiles.into_iter().collect()
}
