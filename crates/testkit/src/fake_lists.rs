//! The lists of the fake Klaviyo that writes: its members are those of a [`FakeKlaviyo`].

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::consent::{Consent, ConsentLevel, Consents};
use fanfare_domain::ids::{CollectionId, ProfileId};
use fanfare_domain::klaviyo::{Answer, Collection, KlaviyoError, MemberLookup};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::writing::{Flow, FoundProfile, MAX_LISTED, WriteError};

use crate::fake_klaviyo::FakeKlaviyo;
use crate::fake_writes::{FakeWrites, WriteFault};
use crate::memory::yield_point;

/// What is done to members of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// They are added.
    Add,
    /// They are removed.
    Remove,
}

/// A call that changed a list, or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCall {
    /// What it did.
    pub direction: Direction,
    /// To which list.
    pub list: CollectionId,
    /// To whom.
    pub profiles: Vec<ProfileId>,
}

/// What is known of lists.
#[derive(Default)]
pub(crate) struct Lists {
    pub(crate) klaviyo: Option<FakeKlaviyo>,
    calls: Vec<ListCall>,
    /// The members whom calls have added.
    added: BTreeMap<CollectionId, BTreeSet<ProfileId>>,
    breaches: Vec<String>,
    /// Whether the key lacks the scope that writes lists.
    is_read_only: bool,
    /// The flows that joining a list starts; `None` if the key may not read them.
    flows: Option<Vec<Flow>>,
    /// E-mails of people who are suppressed.
    suppressed: BTreeSet<String>,
    /// How many lists were made.
    made: usize,
}

impl FakeWrites {
    /// A Klaviyo whose lists are those of `klaviyo`, and whose flows can be read: there are none.
    pub fn on(klaviyo: &FakeKlaviyo) -> Self {
        let writes = Self::default();
        {
            let lists = &mut writes.state().lists;
            lists.klaviyo = Some(klaviyo.clone());
            lists.flows = Some(Vec::new());
        }
        writes
    }

    /// Lets joining any list start these flows; with `None` the key may not read flows.
    pub fn set_flows(&self, flows: Option<Vec<Flow>>) {
        self.state().lists.flows = flows;
    }

    /// Takes the scope away that writes lists.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.state().lists.is_read_only = is_read_only;
    }

    /// Suppresses whoever has this e-mail.
    pub fn suppress(&self, email: &str) {
        self.state().lists.suppressed.insert(email.to_owned());
    }

    /// The calls that changed lists or would have, in order.
    pub fn list_calls(&self) -> Vec<ListCall> {
        self.state().lists.calls.clone()
    }

    /// What must never happen and did: a member was removed whom no call had added.
    pub fn breaches(&self) -> Vec<String> {
        self.state().lists.breaches.clone()
    }

    /// Somebody takes a member off a list by hand, or adds them.
    pub fn by_hand(&self, direction: Direction, list: &CollectionId, profile: &ProfileId) {
        let mut state = self.state();
        let lists = &mut state.lists;
        let added = lists.added.entry(list.clone()).or_default();
        added.remove(profile);
        let klaviyo = lists.klaviyo.clone().expect("a Klaviyo with lists");
        apply(&klaviyo, direction, list, profile);
    }

    pub(crate) async fn change_list(
        &self,
        direction: Direction,
        list: &CollectionId,
        ids: &[ProfileId],
    ) -> Result<Answer<()>, WriteError> {
        yield_point().await;
        let fault = {
            let mut state = self.state();
            let fault = state.faults.pop_front();
            match &fault {
                Some(WriteFault::Refused(error)) => return Err(error.clone()),
                Some(WriteFault::RequestLost | WriteFault::NoEffect) => {}
                Some(WriteFault::AnswerLost) | None => {
                    state.lists.change(direction, list, ids)?;
                }
            }
            fault
        };
        yield_point().await;
        match fault {
            None | Some(WriteFault::NoEffect) => Ok(answer(())),
            Some(_) => Err(WriteError::OutcomeUnknown {
                what: "nothing came".to_owned(),
                retry_after: RetryAfter::Unknown,
            }),
        }
    }

    pub(crate) async fn make_list(&self, name: &str) -> Result<Answer<Collection>, WriteError> {
        yield_point().await;
        let mut state = self.state();
        let lists = &mut state.lists;
        lists.check_scope()?;
        lists.made += 1;
        let id = CollectionId::parse(format!("New{}", lists.made)).expect("an id");
        let list = list_of(&id);
        lists.klaviyo()?.change(|contents| {
            let empty = (Some(name.to_owned()), Vec::new());
            contents.collections.insert(list, empty);
        });
        Ok(answer(Collection {
            id,
            name: Some(name.to_owned()),
            created: None,
            updated: None,
            opt_in_process: None,
            is_active: None,
            is_processing: None,
            profile_count: None,
        }))
    }

    pub(crate) async fn flows_of_lists(&self) -> Result<Answer<Vec<Flow>>, KlaviyoError> {
        yield_point().await;
        let flows = self.state().lists.flows.clone();
        let missing = || KlaviyoError::ScopeMissing(vec!["flows:read".to_owned()]);
        flows.map(answer).ok_or_else(missing)
    }

    pub(crate) async fn find_by(
        &self,
        lookup: &MemberLookup,
    ) -> Result<Answer<Vec<FoundProfile>>, KlaviyoError> {
        yield_point().await;
        let state = self.state();
        let klaviyo = state.lists.klaviyo.clone();
        let klaviyo = klaviyo.ok_or_else(|| KlaviyoError::Refused("it has no lists".to_owned()))?;
        let mut found = Vec::new();
        klaviyo.change(|contents| {
            let all = contents
                .collections
                .values()
                .flat_map(|(_, members)| members);
            let all: BTreeMap<&ProfileId, &Profile> = all.map(|one| (&one.id, one)).collect();
            for profile in all.into_values() {
                let (texts, text) = match lookup {
                    MemberLookup::Emails(texts) => (texts, profile.email.as_text()),
                    MemberLookup::Phones(texts) => (texts, profile.phone.as_text()),
                };
                let Some(text) = text.filter(|text| texts.iter().any(|one| one == text)) else {
                    continue;
                };
                let mut consents = Consents::UNKNOWN;
                if state.lists.suppressed.contains(text) {
                    consents.email = Consent {
                        level: ConsentLevel::Suppressed,
                        ..Consent::UNKNOWN
                    };
                }
                found.push(FoundProfile {
                    profile: Profile {
                        consents: Some(consents),
                        ..profile.clone()
                    },
                    external_id: Attribute::Absent,
                });
            }
        });
        Ok(answer(found))
    }
}

impl Lists {
    fn klaviyo(&self) -> Result<&FakeKlaviyo, WriteError> {
        let none = || WriteError::Refused("this Klaviyo has no lists".to_owned());
        self.klaviyo.as_ref().ok_or_else(none)
    }

    fn check_scope(&self) -> Result<(), WriteError> {
        if self.is_read_only {
            return Err(WriteError::ScopeMissing(vec!["lists:write".to_owned()]));
        }
        Ok(())
    }

    /// All of it, or nothing: a list that is not there and a profile that is not known refuse the whole call.
    fn change(
        &mut self,
        direction: Direction,
        list: &CollectionId,
        ids: &[ProfileId],
    ) -> Result<(), WriteError> {
        self.check_scope()?;
        let klaviyo = self.klaviyo()?.clone();
        assert!(!ids.is_empty() && ids.len() <= MAX_LISTED, "{}", ids.len());
        let (mut members, mut known) = (None, BTreeSet::new());
        klaviyo.change(|contents| {
            for (_, of) in contents.collections.values() {
                known.extend(of.iter().map(|one| one.id.clone()));
            }
            let of = contents.collections.get(&list_of(list));
            let of = of.map(|(_, of)| of.iter().map(|one| one.id.clone()).collect());
            members = of;
        });
        let members: BTreeSet<ProfileId> = members.ok_or(WriteError::Gone)?;
        if ids.iter().any(|id| !known.contains(id)) {
            return Err(WriteError::Gone);
        }
        self.calls.push(ListCall {
            direction,
            list: list.clone(),
            profiles: ids.to_vec(),
        });
        let added = self.added.entry(list.clone()).or_default();
        for id in ids {
            match direction {
                Direction::Add => {
                    if !members.contains(id) {
                        added.insert(id.clone());
                    }
                }
                Direction::Remove => {
                    if members.contains(id) && !added.remove(id) {
                        let breach = format!("{id} was removed from {list}, and was not ours");
                        self.breaches.push(breach);
                    }
                }
            }
            apply(&klaviyo, direction, list, id);
        }
        Ok(())
    }
}

/// Where profiles are that are in no list: Klaviyo knows them still.
const NO_LIST: &str = "no-list";

fn apply(klaviyo: &FakeKlaviyo, direction: Direction, list: &CollectionId, profile: &ProfileId) {
    klaviyo.change(|contents| {
        let all = contents
            .collections
            .values()
            .flat_map(|(_, members)| members);
        let known = all.into_iter().find(|one| one.id == *profile).cloned();
        let Some(known) = known else {
            return;
        };
        let nowhere = CollectionRef {
            kind: CollectionKind::Segment,
            id: CollectionId::parse(NO_LIST).expect("an id"),
        };
        let (_, kept) = contents.collections.entry(nowhere).or_default();
        if kept.iter().all(|one| one.id != *profile) {
            kept.push(known.clone());
        }
        let Some((_, members)) = contents.collections.get_mut(&list_of(list)) else {
            return;
        };
        match direction {
            Direction::Add if members.iter().all(|one| one.id != *profile) => members.push(known),
            Direction::Add => {}
            Direction::Remove => members.retain(|one| one.id != *profile),
        }
    });
}

fn list_of(id: &CollectionId) -> CollectionRef {
    CollectionRef {
        kind: CollectionKind::List,
        id: id.clone(),
    }
}

fn answer<T>(value: T) -> Answer<T> {
    Answer {
        value,
        rate_limits: None,
    }
}
