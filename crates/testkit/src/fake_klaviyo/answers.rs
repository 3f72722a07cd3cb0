//! The calls and their answers.

use std::collections::BTreeSet;

use async_trait::async_trait;
use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{CollectionId, Cursor, ProfileId};
use fanfare_domain::klaviyo::{ChangedFrom, MemberLookup, MemberOrder};
use fanfare_domain::ports::{
    Account, Answer, AnswerRoom, Capability, Collection, CollectionPage, Klaviyo, KlaviyoError,
    MemberPage, MembersFrom,
};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_domain::time::Timestamp;

use super::{Contents, FakeKlaviyo, UnknownJoins};
use crate::memory::yield_point;

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The account that the key belongs to.
    Account,
    /// A page of lists or segments.
    Collections(CollectionKind),
    /// One list or segment, with or without its size.
    Collection(CollectionRef, bool),
    /// A page of members.
    Members(CollectionRef, MembersFrom),
    /// Members by their e-mails or phone numbers.
    FindMembers(CollectionRef, MemberLookup),
    /// Profiles by id.
    Profiles(Vec<ProfileId>),
    /// A page of the profiles that have changed.
    ChangedProfiles(ChangedFrom),
    /// Whether the key has a capability.
    Probe(Capability),
}

impl Call {
    /// The scopes that the call needs.
    pub(super) fn scopes(&self) -> Vec<&'static str> {
        match self {
            Self::Account => vec!["accounts:read"],
            Self::Collections(kind) => vec![kind.descriptor().scope],
            Self::Collection(collection, _) => vec![collection.kind.descriptor().scope],
            Self::Profiles(_) | Self::ChangedProfiles(_) => vec!["profiles:read"],
            Self::Members(collection, _) | Self::FindMembers(collection, _) => {
                vec![collection.kind.descriptor().scope, "profiles:read"]
            }
            Self::Probe(capability) => vec![capability.scope()],
        }
    }
}

fn resource(id: &CollectionId, name: Option<&String>, count: Option<u64>) -> Collection {
    Collection {
        id: id.clone(),
        name: name.cloned(),
        created: None,
        updated: None,
        opt_in_process: None,
        is_active: None,
        is_processing: None,
        profile_count: count,
    }
}

/// How the items of a collection are divided into pages.
struct Paging {
    /// Items on a page.
    size: usize,
    /// Whether the last page leads to the first again.
    is_circular: bool,
}

impl Paging {
    /// The page after a cursor, and the cursor of the next page. Each item comes with its position, in order.
    fn page<T>(
        &self,
        items: Vec<(String, T)>,
        cursor: Option<&Cursor>,
    ) -> Result<(Vec<T>, Option<Cursor>), KlaviyoError> {
        let after = match cursor {
            None => "",
            Some(cursor) => cursor
                .as_str()
                .strip_prefix(CURSOR)
                .ok_or(KlaviyoError::CursorRejected)?,
        };
        let mut rest = items
            .into_iter()
            .filter(|(position, _)| position.as_str() > after);
        let (mut page, mut last) = (Vec::new(), String::new());
        for (position, item) in rest.by_ref().take(self.size) {
            page.push(item);
            last = position;
        }
        let next = match rest.next() {
            Some(_) => Some(last),
            None => self.is_circular.then(String::new),
        };
        let next = next.map(|position| format!("{CURSOR}{position}"));
        let next = next.map(|text| Cursor::parse(text).expect("visible ASCII"));
        Ok((page, next))
    }
}

/// Lists and segments on a page.
const COLLECTIONS_PER_PAGE: usize = 10;

/// How many profiles these are. One that has joined again is there twice until a test takes it out.
fn distinct(members: &[Profile]) -> u64 {
    let ids: BTreeSet<_> = members.iter().map(|member| &member.id).collect();
    ids.len() as u64
}

/// How every cursor of the fake begins.
const CURSOR: &str = "after:";

/// A text that is in reverse order to that of others.
fn reversed(id: &str) -> String {
    let digits = id.bytes().map(|byte| format!("{:02x}", u8::MAX - byte));
    // A longer id comes first: the mark is greater than any digit.
    digits.chain(["~".to_owned()]).collect()
}

/// The position of a member in its list: by when it joined, then by its id; or by its id alone.
fn position(profile: &Profile, order: MemberOrder, contents: &Contents) -> String {
    let id = &profile.id;
    let unknown_joins = contents.unknown_joins;
    let joined = profile.joined_at.map(Timestamp::as_micros);
    match (joined, order) {
        (_, MemberOrder::Unsorted) => id.to_string(),
        (Some(joined), MemberOrder::EarliestFirst) => format!("1:{joined:020}:{id}"),
        (Some(joined), MemberOrder::LatestFirst) => {
            let joined = i64::MAX / 2 - joined;
            if contents.ids_always_ascend {
                format!("1:{joined:020}:{id}")
            } else {
                format!("1:{joined:020}:{}", reversed(id.as_str()))
            }
        }
        (None, order) => {
            let is_first = match unknown_joins {
                UnknownJoins::Earliest => order == MemberOrder::EarliestFirst,
                UnknownJoins::Latest => order == MemberOrder::LatestFirst,
                UnknownJoins::AlwaysLast => false,
            };
            format!("{}:{id}", if is_first { 0 } else { 2 })
        }
    }
}

/// Whether Klaviyo finds the attribute by one of these texts. It compares without regard to case.
fn is_among(attribute: &Attribute, texts: &[String]) -> bool {
    let text = attribute.as_text().map(str::trim);
    text.is_some_and(|text| texts.iter().any(|one| one.eq_ignore_ascii_case(text)))
}

/// The time without its part of a second, since Klaviyo's filters take whole seconds.
fn whole_second(time: Timestamp) -> Timestamp {
    let micros = time.as_micros();
    Timestamp::from_micros(micros - micros.rem_euclid(1_000_000)).expect("a time just before")
}

#[async_trait]
impl Klaviyo for FakeKlaviyo {
    async fn account(&self, credential: &Credential) -> Result<Answer<Account>, KlaviyoError> {
        yield_point().await;
        self.enter(credential, Call::Account)?;
        let id = self.lock().contents.account.clone();
        let id = id.ok_or_else(|| KlaviyoError::ScopeMissing(vec!["accounts:read".to_owned()]))?;
        yield_point().await;
        Ok(self.answer(Account { id }))
    }

    async fn collections(
        &self,
        credential: &Credential,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError> {
        yield_point().await;
        self.enter(credential, Call::Collections(kind))?;
        let all: Vec<(String, Collection)> = self
            .lock()
            .contents
            .collections
            .iter()
            .filter(|(collection, _)| collection.kind == kind)
            .map(|(collection, (name, _))| {
                let item = resource(&collection.id, name.as_ref(), None);
                (collection.id.to_string(), item)
            })
            .collect();
        let (items, next) = Paging {
            size: COLLECTIONS_PER_PAGE,
            is_circular: self.lock().is_circular,
        }
        .page(all, cursor)?;
        yield_point().await;
        Ok(self.answer(CollectionPage { items, next }))
    }

    async fn collection(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError> {
        yield_point().await;
        self.enter(credential, Call::Collection(collection.clone(), count))?;
        let found = {
            let inner = self.lock();
            let contents = &inner.contents;
            let (name, members) = contents
                .collections
                .get(collection)
                .ok_or(KlaviyoError::NotFound)?;
            let count =
                (count && contents.counts).then(|| distinct(members) + contents.counts_too_many);
            Collection {
                is_processing: Some(contents.processing.contains(collection)),
                updated: contents.updated.get(collection).copied(),
                ..resource(&collection.id, name.as_ref(), count)
            }
        };
        yield_point().await;
        Ok(self.answer(found))
    }

    async fn members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        from: &MembersFrom,
        room: &dyn AnswerRoom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        yield_point().await;
        self.enter(credential, Call::Members(collection.clone(), from.clone()))?;
        if self.lock().is_stopped {
            std::future::pending::<()>().await;
        }
        let page = {
            let inner = self.lock();
            let (_, members) = inner
                .contents
                .collections
                .get(collection)
                .ok_or(KlaviyoError::NotFound)?;
            if inner.contents.refused.includes(from) {
                return Err(KlaviyoError::RangeRefused);
            }
            let place = |one: &Profile| position(one, from.order, &inner.contents);
            let begin = from.joined_from.map(whole_second);
            let end = from.joined_before.map(whole_second);
            let range = members.iter().filter(|one| {
                let is_before = end.is_none_or(|end| one.joined_at.is_some_and(|at| at < end));
                one.joined_at >= begin && is_before
            });
            let mut range: Vec<_> = range.map(|one| (place(one), one.clone())).collect();
            range.sort_by(|a, b| a.0.cmp(&b.0));
            let paging = Paging {
                size: inner.page_size,
                is_circular: inner.is_circular,
            };
            let (profiles, next) = paging.page(range, from.cursor.as_ref())?;
            MemberPage { profiles, next }
        };
        let bytes = page.profiles.iter().map(Profile::text_bytes).sum();
        if !room.grow_to(bytes) {
            return Err(KlaviyoError::NoRoom(bytes));
        }
        yield_point().await;
        Ok(self.answer(page))
    }

    async fn find_members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        lookup: &MemberLookup,
    ) -> Result<Answer<Vec<Profile>>, KlaviyoError> {
        yield_point().await;
        let call = Call::FindMembers(collection.clone(), lookup.clone());
        self.enter(credential, call)?;
        let found = {
            let inner = self.lock();
            let (_, members) = inner
                .contents
                .collections
                .get(collection)
                .ok_or(KlaviyoError::NotFound)?;
            let has = |one: &&Profile| match lookup {
                MemberLookup::Emails(texts) => is_among(&one.email, texts),
                MemberLookup::Phones(texts) => is_among(&one.phone, texts),
            };
            members.iter().filter(has).cloned().collect()
        };
        yield_point().await;
        Ok(self.answer(found))
    }

    async fn profiles(
        &self,
        credential: &Credential,
        ids: &[ProfileId],
    ) -> Result<Answer<Vec<Profile>>, KlaviyoError> {
        yield_point().await;
        self.enter(credential, Call::Profiles(ids.to_vec()))?;
        let found = self.lock().contents.profiles();
        let found = found.into_iter().filter(|one| ids.contains(&one.id));
        let found = found.collect();
        yield_point().await;
        Ok(self.answer(found))
    }

    async fn changed_profiles(
        &self,
        credential: &Credential,
        from: &ChangedFrom,
        room: &dyn AnswerRoom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        yield_point().await;
        self.enter(credential, Call::ChangedProfiles(from.clone()))?;
        let page = {
            let inner = self.lock();
            let after = whole_second(from.after);
            let all = inner.contents.profiles().into_iter();
            let changed = all.filter(|one| one.updated.is_some_and(|at| at > after));
            let place = |one: &Profile| {
                let updated = one.updated.map(Timestamp::as_micros);
                format!("{:020}:{}", updated.unwrap_or_default(), one.id)
            };
            let mut changed: Vec<_> = changed.map(|one| (place(&one), one)).collect();
            changed.sort_by(|a, b| a.0.cmp(&b.0));
            let paging = Paging {
                size: inner.page_size,
                is_circular: inner.is_circular,
            };
            let (profiles, next) = paging.page(changed, from.cursor.as_ref())?;
            MemberPage { profiles, next }
        };
        let bytes = page.profiles.iter().map(Profile::text_bytes).sum();
        if !room.grow_to(bytes) {
            return Err(KlaviyoError::NoRoom(bytes));
        }
        yield_point().await;
        Ok(self.answer(page))
    }

    async fn probe(
        &self,
        credential: &Credential,
        capability: Capability,
    ) -> Result<Answer<()>, KlaviyoError> {
        yield_point().await;
        self.enter(credential, Call::Probe(capability))?;
        yield_point().await;
        Ok(self.answer(()))
    }
}
