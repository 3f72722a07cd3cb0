//! The look at the profiles of a batch of contacts, before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::klaviyo::{KlaviyoError, MemberLookup};
use fanfare_domain::writing::{FoundProfile, WriteError};

use super::Slice;
use super::contacts::People;
use super::outcome::WriteFailure;
use crate::klaviyo::CallError;

/// What a look has found of a consumer.
pub(super) enum Seen {
    /// The consumer's profile.
    Profile(Box<FoundProfile>),
    /// The profile of somebody else, who has the same phone number.
    Another,
}

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
        let (mut emails, mut phones) = (Vec::new(), Vec::new());
        for (id, record) in &people.records {
            if found.contains_key(id) {
                continue;
            }
            let consumer = &record.consumer;
            match (&consumer.email, &consumer.phone) {
                (Some(email), _) => emails.push((id, email.as_str().to_owned())),
                (None, Some(phone)) => phones.push((id, phone.value.as_str().to_owned())),
                (None, None) => {}
            }
        }
        let texts =
            |of: &[(&ConsumerId, String)]| of.iter().map(|(_, text)| text.clone()).collect();
        if !emails.is_empty() {
            let lookup = MemberLookup::Emails(texts(&emails));
            let by_email = klaviyo
                .find_profiles(connection, &lookup)
                .await
                .map_err(failed_look)?;
            for (id, email) in emails {
                let is_theirs = |one: &&FoundProfile| {
                    let usable = one.profile.usable_email();
                    usable.is_some_and(|usable| usable.as_str() == email)
                };
                if let Some(one) = by_email.iter().find(is_theirs) {
                    found.insert(id.clone(), Seen::Profile(Box::new(one.clone())));
                }
            }
        }
        if !phones.is_empty() {
            let lookup = MemberLookup::Phones(texts(&phones));
            let by_phone = klaviyo
                .find_profiles(connection, &lookup)
                .await
                .map_err(failed_look)?;
            for (id, phone) in phones {
                let is_theirs = |one: &&FoundProfile| {
                    one.profile.phone.as_text().map(str::trim) == Some(&phone)
                };
                if let Some(one) = by_phone.iter().find(is_theirs) {
                    // A number may be a family's: who has an e-mail besides is known to be somebody, and not this consumer.
                    let seen = match one.profile.usable_email() {
                        None => Seen::Profile(Box::new(one.clone())),
                        Some(_) => Seen::Another,
                    };
                    found.insert(id.clone(), seen);
                }
            }
        }
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
