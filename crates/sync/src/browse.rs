//! Klaviyo's lists and segments, each with the source that syncs it.

use std::collections::{HashMap, HashSet};

use fanfare_domain::connection::{Connection, OpenConnection};
use fanfare_domain::ids::{Cursor, OrganizationId};
use fanfare_domain::klaviyo::{Collection, KlaviyoError};
use fanfare_domain::scan::LoopDetector;
use fanfare_domain::source::{CollectionKind, CollectionRef, CollectionSource};
use fanfare_domain::time::Timestamp;

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::kept_collections::Told;

/// A list or segment in Klaviyo, and the source that syncs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowsedCollection {
    /// The list or segment as Klaviyo describes it.
    pub collection: Collection,
    /// The source that syncs it, if there is one.
    pub source: Option<CollectionSource>,
}

/// The cost of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// How many profiles it has; `None` if Klaviyo does not say so now.
    pub profiles: Option<u64>,
    /// How many requests read the list or segment and its profiles.
    pub requests: Option<u64>,
    /// The least time that these requests take by the quota that is free now, in seconds.
    pub seconds: Option<u64>,
}

/// The most pages of lists or segments that are read, with ten on each.
const MAX_PAGES: u64 = 200;

/// How many profiles one request reads: a page of members.
const PROFILES_PER_REQUEST: u64 = 100;

impl Integration {
    /// All lists or segments of the account, as Klaviyo told them within the last five seconds, with what syncs them
    /// now.
    pub async fn collections(
        &self,
        organization: &OrganizationId,
        kind: CollectionKind,
    ) -> Result<Vec<BrowsedCollection>, Error> {
        Ok(self.collections_now(organization, kind).await?.0)
    }

    /// The same, with the time at which Klaviyo told them.
    pub async fn collections_now(
        &self,
        organization: &OrganizationId,
        kind: CollectionKind,
    ) -> Result<(Vec<BrowsedCollection>, Timestamp), Error> {
        let stored = self.stored_connection(organization).await?;
        let told = self.ask_for_collections(organization, &stored, kind);
        self.browsed(organization, kind, told.await?).await
    }

    /// The same for a page, which does not wait for Klaviyo where it told them within the last five minutes: then they
    /// are read anew behind the page, and shown by the next one.
    pub async fn collections_at_hand(
        &self,
        organization: &OrganizationId,
        kind: CollectionKind,
    ) -> Result<(Vec<BrowsedCollection>, Timestamp), Error> {
        let stored = self.stored_connection(organization).await?;
        let of = (organization.clone(), kind);
        let known = self.kept_collections.at_hand(of, &stored.key, self.now());
        let told = match known {
            Some((told, false)) => told,
            Some((told, true)) => {
                let (application, organization) = (self.clone(), organization.clone());
                tokio::spawn(async move {
                    // What comes of it, an error too, is told to the next who asks.
                    let read = application.ask_for_collections(&organization, &stored, kind);
                    drop(read.await);
                });
                told
            }
            None => {
                self.ask_for_collections(organization, &stored, kind)
                    .await?
            }
        };
        self.browsed(organization, kind, told).await
    }

    /// All lists or segments, as Klaviyo tells them now or told them within the last five seconds.
    async fn ask_for_collections(
        &self,
        organization: &OrganizationId,
        stored: &Connection,
        kind: CollectionKind,
    ) -> Result<Told, Error> {
        let connection = self.opened(organization, stored)?;
        let read = self.all_collections(&connection, kind);
        let of = (organization.clone(), kind);
        self.kept_collections
            .get(of, &stored.key, self.clock(), read)
            .await
    }

    /// What Klaviyo told, with what syncs it now.
    async fn browsed(
        &self,
        organization: &OrganizationId,
        kind: CollectionKind,
        told: Told,
    ) -> Result<(Vec<BrowsedCollection>, Timestamp), Error> {
        let sources = self.read(organization).await?.sources(kind).await?;
        let mut synced: HashMap<_, _> = sources
            .into_iter()
            .map(|source| (source.collection.id.clone(), source))
            .collect();
        let browsed = told.collections.iter().cloned().map(|collection| {
            let source = synced.remove(&collection.id);
            BrowsedCollection { collection, source }
        });
        Ok((browsed.collect(), told.at))
    }

    /// The cost of importing a list or segment. What is not known is `None`.
    pub async fn estimate(
        &self,
        organization: &OrganizationId,
        collection: &CollectionRef,
    ) -> Result<Estimate, Error> {
        let connection = self.open_connection(organization).await?;
        // Whether there is such a list is answered first, by a request that does not depend on the count.
        self.look_up(&connection, collection, false).await?;
        let Some(profiles) = self.count(&connection, collection).await? else {
            return Ok(Estimate {
                profiles: None,
                requests: None,
                seconds: None,
            });
        };
        // An empty list still takes a page, and the list itself is read once.
        let requests = profiles.div_ceil(PROFILES_PER_REQUEST).max(1) + 1;
        let least = self
            .klaviyo
            .estimate_members(&connection, collection, requests)
            .await?;
        Ok(Estimate {
            profiles: Some(profiles),
            requests: Some(requests),
            seconds: Some(least.as_secs()),
        })
    }

    /// Klaviyo's count of the profiles; `None` if it is not to be had now.
    async fn count(
        &self,
        connection: &OpenConnection,
        collection: &CollectionRef,
    ) -> Result<Option<u64>, Error> {
        match self.look_up(connection, collection, true).await {
            Ok(found) => Ok(found.profile_count),
            Err(error @ Error::Store(_)) => Err(error),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::info!(error, "Klaviyo gave no count of the list's profiles");
                Ok(None)
            }
        }
    }

    /// One list or segment by id.
    pub(crate) async fn look_up(
        &self,
        connection: &OpenConnection,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Collection, Error> {
        let call = || self.klaviyo.collection(connection, collection, count);
        match self.klaviyo.with_short_wait(call).await {
            Err(Error::KlaviyoUnreachable(KlaviyoError::NotFound)) => {
                Err(Error::NotFound(Entity::KlaviyoCollection(collection.kind)))
            }
            other => other,
        }
    }

    async fn all_collections(
        &self,
        connection: &OpenConnection,
        kind: CollectionKind,
    ) -> Result<Vec<Collection>, Error> {
        let (mut found, mut seen, mut pages) = (Vec::new(), HashSet::new(), 0);
        let mut loops = LoopDetector::default();
        let mut cursor: Option<Cursor> = None;
        loop {
            let call = || self.klaviyo.collections(connection, kind, cursor.as_ref());
            let page = self.klaviyo.with_short_wait(call).await?;
            let before = found.len();
            found.extend(
                page.items
                    .into_iter()
                    .filter(|item| seen.insert(item.id.clone())),
            );
            let new = (found.len() - before) as u64;
            pages += 1;
            let Some(next) = page.next else {
                return Ok(found);
            };
            loops.step(&next, new, pages).map_err(|error| {
                Error::KlaviyoUnreachable(KlaviyoError::Invalid(error.to_string()))
            })?;
            if pages >= MAX_PAGES {
                let what = kind.descriptor().path;
                return Err(Error::EndlessCollections { what, pages });
            }
            cursor = Some(next);
        }
    }
}
