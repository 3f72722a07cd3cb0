//! A Klaviyo in memory: lists and segments with members, faults to order, changes between calls, and
//! a log of the calls.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use fanfare_domain::connection::KlaviyoKey;
use fanfare_domain::ids::{AccountId, CollectionId, Cursor};
use fanfare_domain::ports::{
    Account, Answer, Capability, Collection, CollectionPage, Klaviyo, KlaviyoError, MemberPage,
    MembersFrom,
};
use fanfare_domain::profile::Profile;
use fanfare_domain::quota::Windows;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use secrecy::ExposeSecret;

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

/// What happens at the next call of a kind.
type Hook = Box<dyn FnOnce(&mut Contents) + Send>;

/// What the account holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Lists and segments, with their names and members in the order of joining.
    pub collections: BTreeMap<CollectionRef, (Option<String>, Vec<Profile>)>,
    /// The account's id, where the key may tell.
    pub account: Option<AccountId>,
    /// The keys that are taken; any, if there is none.
    pub keys: Vec<String>,
    /// Scopes that no key has.
    pub missing_scopes: Vec<String>,
    /// Whether sizes are told.
    pub counts: bool,
}

#[derive(Default)]
struct Inner {
    contents: Contents,
    calls: Vec<Call>,
    /// Answers in place of the real ones: one for each call of members to come.
    members: VecDeque<Option<KlaviyoError>>,
    /// The same for every other call.
    others: VecDeque<Option<KlaviyoError>>,
    hooks: VecDeque<(usize, Hook)>,
    page_size: usize,
    windows: Option<Windows>,
    member_calls: usize,
    is_silent: bool,
}

/// A Klaviyo in memory. Clones are the same.
///
/// A cursor is the number of members before it, in the range it is a position of: like Klaviyo's it
/// must be handed back with the same range.
#[derive(Clone)]
pub struct FakeKlaviyo(Arc<Mutex<Inner>>);

impl Default for FakeKlaviyo {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            page_size: 100,
            contents: Contents {
                counts: true,
                ..Contents::default()
            },
            ..Inner::default()
        })))
    }
}

impl FakeKlaviyo {
    /// With pages of this many members.
    #[must_use]
    pub fn page_size(self, size: usize) -> Self {
        self.lock().page_size = size.max(1);
        self
    }

    /// With this list or segment.
    #[must_use]
    pub fn with(
        self,
        collection: CollectionRef,
        name: &str,
        members: impl IntoIterator<Item = impl Into<Profile>>,
    ) -> Self {
        self.change(|contents| {
            let members = members.into_iter().map(Into::into).collect();
            let entry = (Some(name.to_owned()), members);
            contents.collections.insert(collection, entry);
        });
        self
    }

    /// Changes what the account holds, now.
    pub fn change(&self, change: impl FnOnce(&mut Contents)) {
        change(&mut self.lock().contents);
    }

    /// Changes it after this many more pages of members were answered.
    pub fn change_after_pages(
        &self,
        pages: usize,
        change: impl FnOnce(&mut Contents) + Send + 'static,
    ) {
        let mut inner = self.lock();
        let at = inner.member_calls + pages;
        inner.hooks.push_back((at, Box::new(change)));
    }

    /// Answers the calls of members to come with these errors, in order; `None` answers truly.
    pub fn fail_members(&self, errors: impl IntoIterator<Item = Option<KlaviyoError>>) {
        self.lock().members.extend(errors);
    }

    /// Answers all other calls to come with these errors, in order; `None` answers truly.
    pub fn fail_others(&self, errors: impl IntoIterator<Item = Option<KlaviyoError>>) {
        self.lock().others.extend(errors);
    }

    /// Announces these limits with every answer.
    pub fn announce(&self, windows: Windows) {
        self.lock().windows = Some(windows);
    }

    /// Answers no call of members any more, or does again: those who wait are dropped or wait on.
    pub fn fall_silent(&self, is_silent: bool) {
        self.lock().is_silent = is_silent;
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// The pages of members asked for so far.
    pub fn member_calls(&self) -> Vec<MembersFrom> {
        self.calls()
            .into_iter()
            .filter_map(|call| match call {
                Call::Members(_, from) => Some(from),
                _ => None,
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call, and finds out whether it may be answered.
    fn enter(&self, key: &KlaviyoKey, call: Call) -> Result<(), KlaviyoError> {
        let mut inner = self.lock();
        let is_members = matches!(call, Call::Members(..));
        let needed = scopes_of(&call);
        inner.calls.push(call);
        if is_members {
            let before = inner.member_calls;
            while inner.hooks.front().is_some_and(|(at, _)| *at <= before) {
                if let Some((_, hook)) = inner.hooks.pop_front() {
                    hook(&mut inner.contents);
                }
            }
            inner.member_calls += 1;
        }
        let ordered = if is_members {
            inner.members.pop_front()
        } else {
            inner.others.pop_front()
        };
        if let Some(Some(error)) = ordered {
            return Err(error);
        }
        let contents = &inner.contents;
        let is_known = contents.keys.is_empty()
            || contents
                .keys
                .iter()
                .any(|k| k == key.secret().expose_secret());
        if !is_known {
            return Err(KlaviyoError::KeyRejected);
        }
        let lacking: Vec<String> = needed
            .into_iter()
            .filter(|scope| {
                contents
                    .missing_scopes
                    .iter()
                    .any(|missing| missing == scope)
            })
            .map(str::to_owned)
            .collect();
        if lacking.is_empty() {
            Ok(())
        } else {
            Err(KlaviyoError::ScopeMissing(lacking))
        }
    }

    fn answer<T>(&self, value: T) -> Answer<T> {
        Answer {
            value,
            windows: self.lock().windows,
        }
    }
}

fn scopes_of(call: &Call) -> Vec<&'static str> {
    let of = |kind: CollectionKind| match kind {
        CollectionKind::List => "lists:read",
        CollectionKind::Segment => "segments:read",
    };
    match call {
        Call::Account => vec!["accounts:read"],
        Call::Collections(kind) => vec![of(*kind)],
        Call::Collection(collection, _) => vec![of(collection.kind)],
        Call::Members(collection, _) => vec![of(collection.kind), "profiles:read"],
        Call::Probe(capability) => vec![capability.scope()],
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

/// The slice of `items` at a position, and where the next one begins.
fn slice<T: Clone>(
    items: &[T],
    cursor: Option<&Cursor>,
    size: usize,
) -> Result<(Vec<T>, Option<Cursor>), KlaviyoError> {
    let from = match cursor {
        None => 0,
        Some(cursor) => cursor
            .as_str()
            .strip_prefix("at-")
            .and_then(|text| text.parse::<usize>().ok())
            .ok_or(KlaviyoError::CursorRejected)?,
    };
    let page: Vec<T> = items.iter().skip(from).take(size).cloned().collect();
    let end = from + page.len();
    let next = (end < items.len())
        .then(|| Cursor::parse(format!("at-{end}")).expect("a cursor is visible ASCII"));
    Ok((page, next))
}

#[async_trait]
impl Klaviyo for FakeKlaviyo {
    async fn account(&self, key: &KlaviyoKey) -> Result<Answer<Account>, KlaviyoError> {
        way_point().await;
        self.enter(key, Call::Account)?;
        let id = self.lock().contents.account.clone();
        let id = id.ok_or_else(|| KlaviyoError::ScopeMissing(vec!["accounts:read".to_owned()]))?;
        way_point().await;
        Ok(self.answer(Account { id }))
    }

    async fn collections(
        &self,
        key: &KlaviyoKey,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError> {
        way_point().await;
        self.enter(key, Call::Collections(kind))?;
        let all: Vec<Collection> = self
            .lock()
            .contents
            .collections
            .iter()
            .filter(|(collection, _)| collection.kind == kind)
            .map(|(collection, (name, _))| resource(&collection.id, name.as_ref(), None))
            .collect();
        let (items, next) = slice(&all, cursor, 10)?;
        way_point().await;
        Ok(self.answer(CollectionPage { items, next }))
    }

    async fn collection(
        &self,
        key: &KlaviyoKey,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError> {
        way_point().await;
        self.enter(key, Call::Collection(collection.clone(), count))?;
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
        key: &KlaviyoKey,
        collection: &CollectionRef,
        from: &MembersFrom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        way_point().await;
        self.enter(key, Call::Members(collection.clone(), from.clone()))?;
        if self.lock().is_silent {
            std::future::pending::<()>().await;
        }
        let page = {
            let inner = self.lock();
            let (_, members) = inner
                .contents
                .collections
                .get(collection)
                .ok_or(KlaviyoError::NotFound)?;
            let range: Vec<Profile> = members
                .iter()
                .filter(|profile| profile.joined_at >= from.joined_from)
                .cloned()
                .collect();
            let (profiles, next) = slice(&range, from.cursor.as_ref(), inner.page_size)?;
            MemberPage { profiles, next }
        };
        way_point().await;
        Ok(self.answer(page))
    }

    async fn probe(
        &self,
        key: &KlaviyoKey,
        capability: Capability,
    ) -> Result<Answer<()>, KlaviyoError> {
        way_point().await;
        self.enter(key, Call::Probe(capability))?;
        way_point().await;
        Ok(self.answer(()))
    }
}
