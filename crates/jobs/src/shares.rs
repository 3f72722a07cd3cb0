//! Shares: how many of this process's slots each organization has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::work::may_take_slot;

/// The slots of this process, and which organization's work is in how many of them.
pub(crate) struct Shares {
    slots: usize,
    held: Mutex<HashMap<OrganizationId, usize>>,
}

/// One slot of an organization's share, until it is dropped.
pub(crate) struct Share {
    shares: Arc<Shares>,
    organization: OrganizationId,
}

impl Shares {
    pub(crate) fn of(slots: usize) -> Arc<Self> {
        Arc::new(Self {
            slots,
            held: Mutex::default(),
        })
    }

    /// Whether the organization has slots, and may have no more of them now.
    pub(crate) fn is_full(&self, organization: &OrganizationId) -> bool {
        let held = self.held();
        held.contains_key(organization) && !self.has_room(&held, organization)
    }

    /// One more slot for the organization, if it may have one.
    pub(crate) fn take(self: &Arc<Self>, organization: &OrganizationId) -> Option<Share> {
        let mut held = self.held();
        if !self.has_room(&held, organization) {
            return None;
        }
        *held.entry(organization.clone()).or_default() += 1;
        Some(Share {
            shares: Arc::clone(self),
            organization: organization.clone(),
        })
    }

    fn has_room(&self, held: &HashMap<OrganizationId, usize>, of: &OrganizationId) -> bool {
        let free = self.slots.saturating_sub(held.values().sum());
        may_take_slot(held.get(of).copied().unwrap_or_default(), free)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        if let Some(slots) = held.get_mut(&self.organization) {
            *slots -= 1;
            if *slots == 0 {
                held.remove(&self.organization);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_gets_half_of_the_slots_and_the_next_ones_half_of_what_is_left() {
        let shares = Shares::of(16);
        let take_all = |organization: &OrganizationId| -> Vec<Share> {
            std::iter::from_fn(|| shares.take(organization)).collect()
        };
        let [first, second, third] =
            ["org_a", "org_b", "org_c"].map(|id| OrganizationId::parse(id).unwrap());
        let of_first = take_all(&first);
        assert_eq!((of_first.len(), take_all(&second).len()), (8, 4));
        let of_second = take_all(&second);
        assert_eq!((of_second.len(), take_all(&third).len()), (4, 2));
        assert!(shares.is_full(&first) && shares.is_full(&second) && !shares.is_full(&third));

        drop(of_first);
        drop(of_second);
        assert_eq!(shares.held().len(), 0);
        assert_eq!(take_all(&third).len(), 8);
    }
}
