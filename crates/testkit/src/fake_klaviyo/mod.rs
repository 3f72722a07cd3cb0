//! A Klaviyo in memory: lists and segments with members, faults that a test orders, changes between calls,
//! and a record of the calls.

mod answers;

pub use answers::Call;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{AccountId, ProfileId};
use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::ports::{Answer, KlaviyoError, MembersFrom};
use fanfare_domain::profile::Profile;
use fanfare_domain::quota::RateLimits;
use fanfare_domain::source::CollectionRef;
use fanfare_domain::time::Timestamp;
use secrecy::ExposeSecret;

/// A change to the account that a test has ordered for a later call.
type Change = Box<dyn FnOnce(&mut Contents) + Send>;

/// What the account holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Lists and segments, with their names and members, in any order.
    pub collections: BTreeMap<CollectionRef, (Option<String>, Vec<Profile>)>,
    /// Profiles that are in no list or segment.
    pub unlisted: Vec<Profile>,
    /// The external ids of profiles, where there are some.
    pub external_ids: BTreeMap<ProfileId, String>,
    /// The account's id; without one, the key lacks the scope `accounts:read`.
    pub account: Option<AccountId>,
    /// The keys that Klaviyo accepts; with none given, it accepts every key.
    pub keys: Vec<String>,
    /// Scopes that no key has.
    pub missing_scopes: Vec<String>,
    /// Whether Klaviyo tells how many profiles a list or segment has.
    pub counts: bool,
    /// How many profiles more than there are Klaviyo counts in each list or segment.
    pub counts_too_many: u64,
    /// Where members without a join time come.
    pub unknown_joins: UnknownJoins,
    /// Whether members who joined in one second come in the order of their ids also when the latest come first, and not
    /// in the reverse of it.
    pub ids_always_ascend: bool,
    /// What Klaviyo refuses of requests for members.
    pub refused: Refused,
    /// Segments that are being computed.
    pub processing: Vec<CollectionRef>,
    /// When lists and segments were last changed, where that is told.
    pub updated: BTreeMap<CollectionRef, Timestamp>,
}

impl Contents {
    /// Changes a profile wherever it stands. Returns whether there is one.
    pub fn change_profile(&mut self, id: &ProfileId, change: impl Fn(&mut Profile)) -> bool {
        let members = self
            .collections
            .values_mut()
            .flat_map(|(_, members)| members);
        let mut is_there = false;
        for profile in members.chain(&mut self.unlisted) {
            if profile.id == *id {
                change(profile);
                is_there = true;
            }
        }
        is_there
    }

    /// All profiles of the account, by id.
    pub fn profiles(&self) -> Vec<Profile> {
        let members = self.collections.values().flat_map(|(_, members)| members);
        let members = members.chain(&self.unlisted);
        let profiles: BTreeMap<&ProfileId, &Profile> =
            members.map(|member| (&member.id, member)).collect();
        let profiles = profiles.into_values().cloned();
        profiles
            .map(|profile| Profile {
                joined_at: None,
                ..profile
            })
            .collect()
    }
}

/// Where members without a join time come in a list that is sorted by join time. No filter finds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownJoins {
    /// As if they had joined before all others.
    #[default]
    Earliest,
    /// As if they had joined after all others.
    Latest,
    /// After all others, whether the earliest or the latest come first.
    AlwaysLast,
}

/// What of a request for members Klaviyo refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Refused {
    /// Nothing.
    #[default]
    Nothing,
    /// A range of join times.
    Ranges,
    /// A range, and sorting by join times.
    RangesAndOrder,
}

impl Refused {
    fn includes(self, from: &MembersFrom) -> bool {
        match self {
            Self::Nothing => false,
            Self::Ranges => from.joined_from.is_some() || from.joined_before.is_some(),
            Self::RangesAndOrder => {
                from.joined_from.is_some() || from.order != MemberOrder::Unsorted
            }
        }
    }
}

#[derive(Default)]
struct Inner {
    contents: Contents,
    calls: Vec<Call>,
    /// Errors in place of the next pages of members, one for each call; `None` leaves the true answer.
    members: VecDeque<Option<KlaviyoError>>,
    /// The same for every other call.
    others: VecDeque<Option<KlaviyoError>>,
    /// Each with the number of pages of members after which it is made.
    changes: Vec<(usize, Change)>,
    page_size: usize,
    is_circular: bool,
    rate_limits: Option<RateLimits>,
    member_calls: usize,
    is_stopped: bool,
}

/// A Klaviyo in memory. Its clones share one account.
///
/// Members come by when they joined, then by id. A cursor is the position after one of them, as Klaviyo's
/// is: a member who leaves moves no other member, and one who joins comes last.
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
    /// Sets how many members are on a page; 100 unless a test says otherwise.
    #[must_use]
    pub fn page_size(self, size: usize) -> Self {
        self.lock().page_size = size.max(1);
        self
    }

    /// Makes the pages of every list lead in a circle: the last page's cursor is the first page's.
    #[must_use]
    pub fn with_circular_pages(self) -> Self {
        self.lock().is_circular = true;
        self
    }

    /// Adds this list or segment.
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

    /// Changes what the account holds, at once.
    pub fn change(&self, change: impl FnOnce(&mut Contents)) {
        change(&mut self.lock().contents);
    }

    /// Changes what the account holds after this many more pages of members were answered.
    pub fn change_after_pages(
        &self,
        pages: usize,
        change: impl FnOnce(&mut Contents) + Send + 'static,
    ) {
        let mut inner = self.lock();
        let at = inner.member_calls + pages;
        inner.changes.push((at, Box::new(change)));
    }

    /// Answers the next calls for members with these errors, in order; `None` lets one call have its true answer.
    pub fn fail_members(&self, errors: impl IntoIterator<Item = Option<KlaviyoError>>) {
        self.lock().members.extend(errors);
    }

    /// Answers the next calls of every other kind with these errors, in order; `None` lets one call have its true
    /// answer.
    pub fn fail_others(&self, errors: impl IntoIterator<Item = Option<KlaviyoError>>) {
        self.lock().others.extend(errors);
    }

    /// Announces these limits with every answer.
    pub fn announce(&self, rate_limits: RateLimits) {
        self.lock().rate_limits = Some(rate_limits);
    }

    /// Stops answering calls for members, or begins to answer them again. A call made meanwhile never ends: its
    /// caller has to drop it.
    pub fn stop_answering(&self, is_stopped: bool) {
        self.lock().is_stopped = is_stopped;
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Where each page of members began that was asked for so far.
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

    /// Records a call, and refuses it where a test or the key's scopes say so.
    fn enter(&self, credential: &Credential, call: Call) -> Result<(), KlaviyoError> {
        let mut inner = self.lock();
        let is_members = matches!(call, Call::Members(..));
        let needed = call.scopes();
        inner.calls.push(call);
        if is_members {
            let before = inner.member_calls;
            let changes = std::mem::take(&mut inner.changes);
            let (due, later): (Vec<_>, _) = changes.into_iter().partition(|(at, _)| *at <= before);
            inner.changes = later;
            for (_, change) in due {
                change(&mut inner.contents);
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
        let Credential::ApiKey(key) = credential;
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
            rate_limits: self.lock().rate_limits,
        }
    }
}
