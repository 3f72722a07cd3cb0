//! The look at the profiles of a batch of contacts, before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::consumer::Consumer;
use fanfare_domain::contact::{Seen, lookups, whose};
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::writing::WriteError;

use super::Slice;
use super::contacts::People;
use super::outcome::WriteFailure;
use crate::klaviyo::CallError;

impl Slice<'_> {
    /// Looks at the profiles: by id where one is known, else and where it is gone by e-mail or phone number, as it
    /// is after a merge.
    pub(super) async fn look(
        &self,
        connection: &OpenConnection,
        people: &People,
    ) -> Result<BTreeMap<ConsumerId, Seen>, WriteFailure> {
        let klaviyo = &self.integration.klaviyo;
        let mut found = BTreeMap::new();
        let known: BTreeSet<&ProfileId> = people
            .records
            .keys()
            .filter_map(|id| people.profile(id))
            .collect();
        let known: Vec<ProfileId> = known.into_iter().cloned().collect();
        if !known.is_empty() {
            let by_id = klaviyo
                .look_at_profiles(connection, &known)
                .await
                .map_err(failed_look)?;
            for id in people.records.keys() {
                let profile = people.profile(id);
                let one = by_id.iter().find(|one| Some(&one.profile.id) == profile);
                if let Some(one) = one {
                    found.insert(id.clone(), Seen::Profile(Box::new(one.clone())));
                }
            }
        }
        let others: Vec<&Consumer> = people
            .records
            .iter()
            .filter(|(id, _)| !found.contains_key(id))
            .map(|(_, record)| &record.consumer)
            .collect();
        let mut by_address = Vec::new();
        for lookup in lookups(others.iter().copied()) {
            let some = klaviyo.find_profiles(connection, &lookup).await;
            by_address.extend(some.map_err(failed_look)?);
        }
        found.extend(whose(others, &by_address));
        Ok(found)
    }
}

/// Why a look failed, as a write would have: nothing was done.
pub(super) fn failed_look(error: CallError) -> WriteFailure {
    let error = match error {
        CallError::NotBefore(waiting) => return WriteFailure::NotBefore(waiting.until),
        CallError::Store(error) => return WriteFailure::Ours(error.into()),
        CallError::Klaviyo(error) => error,
    };
    WriteFailure::Klaviyo(match error {
        KlaviyoError::KeyRejected => WriteError::KeyRejected,
        KlaviyoError::ScopeMissing(scopes) => WriteError::ScopeMissing(scopes),
        KlaviyoError::NotPermitted => WriteError::ScopeMissing(vec!["profiles:read".to_owned()]),
        KlaviyoError::Throttled(retry_after) | KlaviyoError::Outage { retry_after, .. } => {
            WriteError::Throttled(retry_after)
        }
        KlaviyoError::RevisionRetired => WriteError::RevisionRetired,
        KlaviyoError::NotFound => WriteError::Gone,
        other => WriteError::NotSent(other.to_string()),
    })
}
