//! Calls for a push: writes to the list, and who is in it.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::failure::{FailureCode, Remedy, remedy};
use fanfare_domain::ids::ProfileId;
use fanfare_domain::klaviyo::{KlaviyoError, MemberLookup};
use fanfare_domain::profile::Profile;
use fanfare_domain::push::Presence;
use fanfare_domain::waiting::Waiting;
use fanfare_domain::writing::{MAX_LISTED, WriteError};
use tokio_util::sync::CancellationToken;

use super::Slice;
use super::counting::Asked;
use super::step::Pushing;
use crate::error::Error;
use crate::klaviyo::CallError;

/// How many profiles are looked up in one request.
const LOOKED_UP_AT_ONCE: usize = 20;

/// Why a call brought no answer that a push can go on with.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A fault of ours: the quota could not be asked for.
    Ours(Error),
    /// Klaviyo's quota, or its `Retry-After`.
    Until(Waiting),
    /// The same call is made again later; after several the push fails with this code.
    Again(FailureCode),
    /// The list is gone.
    ListGone,
    /// The push fails.
    Fail(FailureCode),
    /// The key is refused.
    KeyRejected,
    /// The key lacks these scopes.
    ScopesMissing(Vec<String>),
    /// The worker has to stop, and the answer did not come in time.
    Stopped,
}

impl Trouble {
    pub(super) fn of_read(error: CallError) -> Self {
        let error = match error {
            CallError::NotBefore(waiting) => return Self::Until(waiting),
            CallError::Store(error) => return Self::Ours(error.into()),
            CallError::Klaviyo(error) => error,
        };
        match remedy(&error) {
            Remedy::Wait => Self::Again(FailureCode::UpstreamUnavailable),
            Remedy::Retry(code) | Remedy::Reposition(code) => Self::Again(code),
            Remedy::ReadWhole => Self::Fail(FailureCode::UpstreamInvalid),
            Remedy::Fail(FailureCode::KeyInvalid) => Self::KeyRejected,
            Remedy::Fail(FailureCode::ScopeMissing) => Self::ScopesMissing(match error {
                KlaviyoError::ScopeMissing(scopes) => scopes,
                _ => Vec::new(),
            }),
            Remedy::Fail(FailureCode::SourceGone) => Self::ListGone,
            Remedy::Fail(code) => Self::Fail(code),
        }
    }

    pub(super) fn of_write(error: CallError<WriteError>) -> Self {
        let error = match error {
            CallError::NotBefore(waiting) => return Self::Until(waiting),
            CallError::Store(error) => return Self::Ours(error.into()),
            CallError::Klaviyo(error) => error,
        };
        match error {
            WriteError::KeyRejected => Self::KeyRejected,
            WriteError::ScopeMissing(scopes) if !scopes.is_empty() => Self::ScopesMissing(scopes),
            WriteError::ScopeMissing(_) | WriteError::NotPermitted => {
                Self::ScopesMissing(vec![crate::saving::LISTS_WRITE.to_owned()])
            }
            WriteError::Throttled(_)
            | WriteError::NotSent(_)
            | WriteError::OutcomeUnknown { .. } => Self::Again(FailureCode::UpstreamUnavailable),
            WriteError::Gone => Self::ListGone,
            WriteError::ContentRefused(_)
            | WriteError::IdentifierConflict { .. }
            | WriteError::RevisionRetired
            | WriteError::Refused(_) => Self::Fail(FailureCode::UpstreamInvalid),
        }
    }
}

/// What is done to members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Add,
    Remove,
}

/// What has become of writes.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Klaviyo has done it for these.
    pub(super) done: Vec<ProfileId>,
    /// Klaviyo does not know these.
    pub(super) unknown: Vec<ProfileId>,
    /// Why the others were not come to, or what is not known of them.
    pub(super) trouble: Option<Trouble>,
}

/// Who of those who were asked for is in a list. Of those whom Klaviyo does not know nothing is said.
pub(super) type LookedUp = BTreeMap<ProfileId, Presence>;

impl Slice<'_> {
    /// Adds or removes members. One whom Klaviyo does not know makes it refuse all of a call, so such a call is divided until
    /// only that one is left.
    pub(super) async fn write_members(
        &mut self,
        pushing: &Pushing,
        direction: Direction,
        ids: Vec<ProfileId>,
        stop: &CancellationToken,
    ) -> Result<Asked<Written>, Error> {
        let mut written = Written::default();
        let mut is_list_there = false;
        let mut waiting: Vec<Vec<ProfileId>> =
            ids.chunks(MAX_LISTED).map(<[ProfileId]>::to_vec).collect();
        while let Some(mut some) = waiting.pop() {
            let (klaviyo, list) = (&self.integration.klaviyo, &pushing.kept.list);
            let call = async {
                match direction {
                    Direction::Add => klaviyo.add_to_list(&pushing.connection, list, &some).await,
                    Direction::Remove => {
                        klaviyo
                            .remove_from_list(&pushing.connection, list, &some)
                            .await
                    }
                }
            };
            let answer = match self.ask(call, stop).await? {
                Asked::NotInTime => {
                    written.trouble = Some(Trouble::Stopped);
                    break;
                }
                Asked::Overtaken => return Ok(Asked::Overtaken),
                Asked::Answer(answer) => answer,
            };
            match answer {
                Ok(()) => {
                    written.done.append(&mut some);
                    continue;
                }
                Err(CallError::Klaviyo(WriteError::Gone | WriteError::ContentRefused(_))) => {}
                Err(error) => {
                    written.trouble = Some(Trouble::of_write(error));
                    break;
                }
            }
            if !is_list_there {
                match self.is_list_there(pushing, stop).await? {
                    Asked::Overtaken => return Ok(Asked::Overtaken),
                    Asked::NotInTime => written.trouble = Some(Trouble::Stopped),
                    Asked::Answer(Err(trouble)) => written.trouble = Some(trouble),
                    Asked::Answer(Ok(())) => is_list_there = true,
                }
                if written.trouble.is_some() {
                    break;
                }
            }
            if some.len() > 1 {
                let rest = some.split_off(some.len() / 2);
                waiting.extend([rest, some]);
            } else {
                written.unknown.append(&mut some);
            }
        }
        Ok(Asked::Answer(written))
    }

    async fn is_list_there(
        &mut self,
        pushing: &Pushing,
        stop: &CancellationToken,
    ) -> Result<Asked<Result<(), Trouble>>, Error> {
        let collection = list_of(pushing);
        let klaviyo = &self.integration.klaviyo;
        let call = klaviyo.collection(&pushing.connection, &collection, false);
        let asked = self.ask(call, stop).await?;
        Ok(asked.map(|answer| answer.map(drop).map_err(Trouble::of_read)))
    }

    /// Asks Klaviyo who of these is in the list: by the addresses that their profiles have now, because a list is not asked by
    /// profiles.
    pub(super) async fn look_up(
        &mut self,
        pushing: &Pushing,
        ids: &BTreeSet<ProfileId>,
        stop: &CancellationToken,
    ) -> Result<Asked<Result<LookedUp, Trouble>>, Error> {
        let ids: Vec<ProfileId> = ids.iter().cloned().collect();
        let mut found = LookedUp::new();
        for some in ids.chunks(LOOKED_UP_AT_ONCE) {
            let look = look_up_some(self.integration, pushing, some);
            match self.ask(look, stop).await? {
                Asked::Answer(Ok(some)) => found.extend(some),
                other => return Ok(other),
            }
        }
        Ok(Asked::Answer(Ok(found)))
    }
}

fn list_of(pushing: &Pushing) -> CollectionRef {
    CollectionRef {
        kind: CollectionKind::List,
        id: pushing.kept.list.clone(),
    }
}

async fn look_up_some(
    integration: &crate::integration::Integration,
    pushing: &Pushing,
    ids: &[ProfileId],
) -> Result<LookedUp, Trouble> {
    let (klaviyo, connection) = (&integration.klaviyo, &pushing.connection);
    let profiles = klaviyo
        .profiles(connection, ids)
        .await
        .map_err(Trouble::of_read)?;
    let asked: BTreeSet<&ProfileId> = ids.iter().collect();
    let profiles: Vec<Profile> = profiles
        .into_iter()
        .filter(|it| asked.contains(&it.id))
        .collect();
    let mut emails = Vec::new();
    let mut phones = Vec::new();
    let mut found = LookedUp::new();
    for profile in &profiles {
        let (email, phone) = (profile.email.as_text(), profile.phone.as_text());
        match (
            email.filter(|it| !it.is_empty()),
            phone.filter(|it| !it.is_empty()),
        ) {
            (Some(email), _) => emails.push(email.to_owned()),
            (None, Some(phone)) => phones.push(phone.to_owned()),
            (None, None) => continue,
        }
        found.insert(profile.id.clone(), Presence::Absent);
    }
    let collection = list_of(pushing);
    for lookup in [MemberLookup::Emails(emails), MemberLookup::Phones(phones)] {
        let (MemberLookup::Emails(texts) | MemberLookup::Phones(texts)) = &lookup;
        if texts.is_empty() {
            continue;
        }
        let members = klaviyo.find_members(connection, &collection, &lookup).await;
        for member in members.map_err(Trouble::of_read)? {
            if let Some(presence) = found.get_mut(&member.id) {
                *presence = Presence::Present;
            }
        }
    }
    Ok(found)
}
