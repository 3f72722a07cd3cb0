//! An account: its keys, its profiles, its lists and segments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::collection::{Collection, Id, Kind, Member};
use super::profile::Profile;
use super::seed;

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// Everything.
    Full,
    /// These, by Klaviyo's names.
    Only(Vec<String>),
}

impl Scopes {
    /// Only these scopes.
    pub fn only<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Only(scopes.into_iter().map(str::to_owned).collect())
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        match self {
            Self::Full => true,
            Self::Only(scopes) => scopes.iter().any(|has| has == scope),
        }
    }
}

/// How a profile is kept: as a number to make it from, until somebody changes it.
#[derive(Debug, Clone)]
enum Kept {
    Seeded(u64),
    Own(Box<Profile>),
}

/// A Klaviyo account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id, which is its public key.
    pub id: String,
    pub(crate) keys: BTreeMap<String, Scopes>,
    pub(crate) collections: BTreeMap<(Kind, String), Collection>,
    profiles: BTreeMap<Id, Kept>,
    seed: u64,
    /// When generated things are dated to: microseconds since 1970.
    born: i64,
}

impl Account {
    /// An account with nothing in it. Generated profiles are the same for the same seed.
    pub fn new(id: &str, seed: u64, born: i64) -> Self {
        Self {
            id: id.to_owned(),
            keys: BTreeMap::new(),
            collections: BTreeMap::new(),
            profiles: BTreeMap::new(),
            seed,
            born,
        }
    }

    /// Lets a key in.
    #[must_use]
    pub fn key(mut self, key: &str, scopes: Scopes) -> Self {
        self.keys.insert(key.to_owned(), scopes);
        self
    }

    /// Adds a list or segment whose members are the generated people of these numbers. They joined
    /// over the last months, some of them many in one second, as by an import.
    pub fn fill(&mut self, kind: Kind, id: &str, name: &str, people: impl Iterator<Item = u64>) {
        let mut collection = Collection::new(name, self.born);
        for (nth, number) in people.enumerate() {
            let profile: Id = seed::id(self.seed, number).into();
            collection.join(&profile, seed::joined(self.seed, self.born, nth as u64));
            self.profiles
                .entry(profile)
                .or_insert(Kept::Seeded(number));
        }
        self.collections.insert((kind, id.to_owned()), collection);
    }

    /// Adds an empty list or segment, or empties the one there.
    pub fn add(&mut self, kind: Kind, id: &str, name: &str) {
        let collection = Collection::new(name, self.born);
        self.collections.insert((kind, id.to_owned()), collection);
    }

    /// Adds a profile, or overwrites the one there.
    pub fn put_profile(&mut self, id: &str, profile: Profile) {
        self.profiles.insert(id.into(), Kept::Own(Box::new(profile)));
    }

    /// Lets a profile of the account join a list or segment at this second, first or again. Tells
    /// whether both are there.
    pub fn join(&mut self, kind: Kind, collection: &str, profile: &str, second: i64) -> bool {
        let Some((id, _)) = self.profiles.get_key_value(profile) else {
            return false;
        };
        let id = Arc::clone(id);
        let found = self.collections.get_mut(&(kind, collection.to_owned()));
        found.map(|found| found.join(&id, second)).is_some()
    }

    /// Lets a profile leave a list or segment. Tells whether it was in it.
    pub fn leave(&mut self, kind: Kind, collection: &str, profile: &str) -> bool {
        let found = self.collections.get_mut(&(kind, collection.to_owned()));
        found.is_some_and(|found| found.leave(profile))
    }

    /// A list or segment.
    pub fn collection(&self, kind: Kind, id: &str) -> Option<&Collection> {
        self.collections.get(&(kind, id.to_owned()))
    }

    /// A list or segment, to be changed.
    pub fn collection_mut(&mut self, kind: Kind, id: &str) -> Option<&mut Collection> {
        self.collections.get_mut(&(kind, id.to_owned()))
    }

    /// Deletes a list or segment. Tells whether it was there.
    pub fn remove(&mut self, kind: Kind, id: &str) -> bool {
        self.collections.remove(&(kind, id.to_owned())).is_some()
    }

    /// Deletes a profile: it leaves everything. Tells whether it was there.
    pub fn delete_profile(&mut self, id: &str) -> bool {
        for collection in self.collections.values_mut() {
            collection.leave(id);
        }
        self.profiles.remove(id).is_some()
    }

    /// A profile.
    pub fn profile(&self, id: &str) -> Option<Profile> {
        self.profiles.get(id).map(|kept| self.unfold(kept))
    }

    /// Ids of all profiles, in order.
    pub(crate) fn profile_ids(&self) -> impl DoubleEndedIterator<Item = &Id> {
        self.profiles.keys()
    }

    pub(crate) fn profiles_between(
        &self,
        range: (std::ops::Bound<&str>, std::ops::Bound<&str>),
    ) -> impl DoubleEndedIterator<Item = &Id> {
        self.profiles.range::<str, _>(range).map(|(id, _)| id)
    }

    /// The truth about who is in a list or segment, in the order of joining.
    pub fn members(&self, kind: Kind, id: &str) -> Vec<Member> {
        let Some(collection) = self.collection(kind, id) else {
            return Vec::new();
        };
        collection
            .order()
            .iter()
            .filter_map(|(joined, id)| {
                Some(Member {
                    id: id.to_string(),
                    joined: *joined,
                    profile: self.profile(id)?,
                })
            })
            .collect()
    }

    fn unfold(&self, kept: &Kept) -> Profile {
        match kept {
            Kept::Seeded(number) => seed::profile(self.seed, self.born, *number),
            Kept::Own(profile) => profile.as_ref().clone(),
        }
    }
}
