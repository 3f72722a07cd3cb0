//! How many consumers of each organization pages have written that the index of searches leaves out, as far as this process
//! knows. The count goes from one slice to the next.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fanfare_domain::ids::OrganizationId;

/// The counts.
#[derive(Debug, Default)]
pub(super) struct SearchBacklog(Mutex<HashMap<OrganizationId, usize>>);

impl SearchBacklog {
    /// The index leaves out so many more. Returns how many it leaves out now.
    pub(super) fn add(&self, organization: &OrganizationId, written: usize) -> usize {
        let mut counts = self.counts();
        let count = counts.get(organization).copied().unwrap_or_default();
        let count = count.saturating_add(written);
        if count > 0 {
            counts.insert(organization.clone(), count);
        }
        count
    }

    /// The index has so many more.
    pub(super) fn take(&self, organization: &OrganizationId, indexed: usize) {
        let mut counts = self.counts();
        let left = counts.remove(organization).unwrap_or_default();
        if left > indexed {
            counts.insert(organization.clone(), left - indexed);
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_organization_has_a_count_that_is_gone_once_all_are_indexed() {
        let backlog = SearchBacklog::default();
        let [a, b] = ["org_a", "org_b"].map(|id| OrganizationId::parse(id).unwrap());
        assert_eq!(backlog.add(&a, 5), 5);
        assert_eq!(backlog.add(&a, 2), 7);
        assert_eq!(backlog.add(&b, 0), 0);
        backlog.take(&a, 4);
        assert_eq!(backlog.add(&a, 0), 3);
        backlog.take(&a, 4);
        backlog.take(&b, 1);
        assert!(backlog.counts().is_empty());
    }
}
