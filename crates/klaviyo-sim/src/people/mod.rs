//! The profiles of an account: generated when they are asked for, kept only where they were changed.

mod generate;
mod id;
mod oddity;
mod profile;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

pub(crate) use self::generate::{PAST_ENDS, dice};
pub(crate) use self::id::{MOST, ProfileId, made_at, mix};
pub use self::oddity::Oddities;
pub use self::profile::{ListSuppression, Location, Profile, Suppression};

/// All profiles of an account.
pub(crate) struct People {
    seed: u64,
    salt: u32,
    /// So many were generated.
    size: u32,
    oddities: Oddities,
    /// Those that were put in or changed.
    kept: BTreeMap<ProfileId, Profile>,
    /// Generated ones that are there no more.
    gone: HashSet<ProfileId>,
}

impl People {
    /// So many people, generated from a seed. `salt` tells this account's ids from another's.
    pub(crate) fn generated(seed: u64, salt: u32, size: u32, oddities: Oddities) -> Self {
        Self {
            seed,
            salt,
            size,
            oddities,
            kept: BTreeMap::new(),
            gone: HashSet::new(),
        }
    }

    /// The id of a generated person.
    pub(crate) fn at(&self, slot: u32) -> ProfileId {
        ProfileId::Generated {
            salt: self.salt,
            slot,
        }
    }

    /// Finds who has this id.
    pub(crate) fn find(&self, text: &str) -> Option<ProfileId> {
        let generated = ProfileId::generated(text, self.salt, self.size);
        let id = generated.unwrap_or_else(|| ProfileId::Given(Arc::new(text.to_owned())));
        self.exists(&id).then_some(id)
    }

    fn exists(&self, id: &ProfileId) -> bool {
        match id {
            ProfileId::Generated { .. } => !self.gone.contains(id),
            ProfileId::Given(_) => self.kept.contains_key(id),
        }
    }

    /// Who that is.
    pub(crate) fn get(&self, id: &ProfileId) -> Option<Profile> {
        if let Some(kept) = self.kept.get(id) {
            return Some(kept.clone());
        }
        match id {
            ProfileId::Generated { slot, .. } if !self.gone.contains(id) => {
                Some(generate::person(self.seed, self.salt, *slot, self.oddities))
            }
            _ => None,
        }
    }

    /// Puts a profile in, or in place of the one with its id.
    pub(crate) fn put(&mut self, profile: Profile) -> ProfileId {
        let generated = ProfileId::generated(&profile.id, self.salt, self.size);
        let id = generated.unwrap_or_else(|| ProfileId::Given(Arc::new(profile.id.clone())));
        self.gone.remove(&id);
        self.kept.insert(id.clone(), profile);
        id
    }

    /// Takes a profile away.
    pub(crate) fn remove(&mut self, id: &ProfileId) {
        self.kept.remove(id);
        if matches!(id, ProfileId::Generated { .. }) {
            self.gone.insert(id.clone());
        }
    }

    /// Everybody's id, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ProfileId> {
        let given = self.kept.keys();
        let given = given
            .filter(|id| matches!(id, ProfileId::Given(_)))
            .cloned();
        (0..self.size)
            .map(|slot| self.at(slot))
            .filter(|id| !self.gone.contains(id))
            .chain(given)
    }
}
