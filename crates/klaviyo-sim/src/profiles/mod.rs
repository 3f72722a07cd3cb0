//! The profiles of an account: generated when they are asked for, kept only where they were changed.

mod edge_case;
mod generate;
mod id;
mod profile;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

pub use self::edge_case::EdgeCases;
pub(crate) use self::generate::{PAST_ENDS, random};
pub(crate) use self::id::{MOST, ProfileId, made_at, mix};
pub use self::profile::{Consent, ListSuppression, Location, Profile, Suppression};

/// All profiles of an account.
pub(crate) struct ProfileStore {
    seed: u64,
    salt: u32,
    /// How many were generated.
    size: u32,
    edge_cases: EdgeCases,
    /// Profiles that were put in or changed.
    kept: BTreeMap<ProfileId, Profile>,
    /// Generated profiles that were deleted.
    gone: HashSet<ProfileId>,
}

impl ProfileStore {
    /// `size` profiles, generated from a seed. `salt` tells this account's ids from another's.
    pub(crate) fn generated(seed: u64, salt: u32, size: u32, edge_cases: EdgeCases) -> Self {
        Self {
            seed,
            salt,
            size,
            edge_cases,
            kept: BTreeMap::new(),
            gone: HashSet::new(),
        }
    }

    /// The id of the profile that is generated for a slot.
    pub(crate) fn id_of_slot(&self, slot: u32) -> ProfileId {
        ProfileId::Generated {
            salt: self.salt,
            slot,
        }
    }

    /// The id in the form it is kept in, if a profile has it.
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

    /// A profile with its values.
    pub(crate) fn get(&self, id: &ProfileId) -> Option<Profile> {
        if let Some(kept) = self.kept.get(id) {
            return Some(kept.clone());
        }
        match id {
            ProfileId::Generated { slot, .. } if !self.gone.contains(id) => Some(
                generate::profile(self.seed, self.salt, *slot, self.edge_cases),
            ),
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

    /// Deletes a profile.
    pub(crate) fn remove(&mut self, id: &ProfileId) {
        self.kept.remove(id);
        if matches!(id, ProfileId::Generated { .. }) {
            self.gone.insert(id.clone());
        }
    }

    /// The ids of all profiles, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ProfileId> {
        let given = self.kept.keys();
        let given = given
            .filter(|id| matches!(id, ProfileId::Given(_)))
            .cloned();
        (0..self.size)
            .map(|slot| self.id_of_slot(slot))
            .filter(|id| !self.gone.contains(id))
            .chain(given)
    }
}
