//! The calls and their answers.

use async_trait::async_trait;
use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{CollectionId, Cursor};
use fanfare_domain::ports::{
    Account, Answer, Capability, Collection, CollectionPage, Klaviyo, KlaviyoError, MemberPage,
    MembersFrom,
};
use fanfare_domain::profile::Profile;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_domain::time::Timestamp;

use super::FakeKlaviyo;
use crate::memory::way_point;

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Whose key it is.
    Account,
    /// A page of lists or segments.
    Collections(CollectionKind),
    /// One list or segment, with or without its size.
    Collection(CollectionRef, bool),
    /// A page of members.
    Members(CollectionRef, MembersFrom),
    /// Whether the key has a capability.
    Probe(Capability),
}

impl Call {
    /// The scopes that it needs.
    pub(super) fn scopes(&self) -> Vec<&'static str> {
        match self {
            Self::Account => vec!["accounts:read"],
            Self::Collections(kind) => vec![kind.descriptor().scope],
            Self::Collection(collection, _) => vec![collection.kind.descriptor().scope],
            Self::Members(collection, _) => {
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

/// The page behind a position, of items that come with their positions in order, and the next position.
fn page_behind<T>(
    items: Vec<(String, T)>,
    cursor: Option<&Cursor>,
    size: usize,
) -> Result<(Vec<T>, Option<Cursor>), KlaviyoError> {
    let behind = match cursor {
        None => "",
        Some(cursor) => cursor
            .as_str()
            .strip_prefix(CURSOR)
            .ok_or(KlaviyoError::CursorRejected)?,
    };
    let mut rest = items
        .into_iter()
        .filter(|(place, _)| place.as_str() > behind);
    let (mut page, mut last) = (Vec::new(), String::new());
    for (place, item) in rest.by_ref().take(size) {
        page.push(item);
        last = place;
    }
    let next = rest.next().map(|_| format!("{CURSOR}{last}"));
    Ok((
        page,
        next.map(|text| Cursor::parse(text).expect("visible ASCII")),
    ))
}

/// How every cursor here begins.
const CURSOR: &str = "behind:";

/// Where a member comes in its list: by when it joined, then by id.
fn place(profile: &Profile) -> String {
    let joined = profile.joined_at.map_or(0, Timestamp::as_micros);
    format!("{joined:020}:{}", profile.id)
}

/// The beginning of a second, as Klaviyo's filters take a time.
fn whole_second(time: Timestamp) -> Timestamp {
    let micros = time.as_micros();
    Timestamp::from_micros(micros - micros.rem_euclid(1_000_000)).expect("a time just before")
}

#[async_trait]
impl Klaviyo for FakeKlaviyo {
    async fn account(&self, credential: &Credential) -> Result<Answer<Account>, KlaviyoError> {
        way_point().await;
        self.enter(credential, Call::Account)?;
        let id = self.lock().contents.account.clone();
        let id = id.ok_or_else(|| KlaviyoError::ScopeMissing(vec!["accounts:read".to_owned()]))?;
        way_point().await;
        Ok(self.answer(Account { id }))
    }

    async fn collections(
        &self,
        credential: &Credential,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError> {
        way_point().await;
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
        let (items, next) = page_behind(all, cursor, 10)?;
        way_point().await;
        Ok(self.answer(CollectionPage { items, next }))
    }

    async fn collection(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError> {
        way_point().await;
        self.enter(credential, Call::Collection(collection.clone(), count))?;
        let found = {
            let inner = self.lock();
            let contents = &inner.contents;
            let (name, members) = contents
                .collections
                .get(collection)
                .ok_or(KlaviyoError::NotFound)?;
            let count = (count && contents.counts).then_some(members.len() as u64);
            resource(&collection.id, name.as_ref(), count)
        };
        way_point().await;
        Ok(self.answer(found))
    }

    async fn members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        from: &MembersFrom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        way_point().await;
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
            let begin = from.joined_from.map(whole_second);
            let range = members.iter().filter(|one| one.joined_at >= begin);
            let mut range: Vec<_> = range.map(|one| (place(one), one.clone())).collect();
            range.sort_by(|a, b| a.0.cmp(&b.0));
            let (profiles, next) = page_behind(range, from.cursor.as_ref(), inner.page_size)?;
            MemberPage { profiles, next }
        };
        way_point().await;
        Ok(self.answer(page))
    }

    async fn probe(
        &self,
        credential: &Credential,
        capability: Capability,
    ) -> Result<Answer<()>, KlaviyoError> {
        way_point().await;
        self.enter(credential, Call::Probe(capability))?;
        way_point().await;
        Ok(self.answer(()))
    }
}
