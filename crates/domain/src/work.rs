//! Work that is done in the background, of any kind, and which of it is done next.
//!
//! Work is identified by its organization, its kind and its id. What has to be done, and how far it is, is in
//! the rows of its kind; the queue of due work only says that there is something to do.

use crate::ids::{AudienceId, OrganizationId, RunId, WorkId};
use crate::text_enum::text_enum;

text_enum! {
    /// A kind of work.
    WorkKind {
        /// A sync run that reads a Klaviyo list or segment. Its id is the run's.
        Pull = "PULL",
        /// Sending what Klaviyo is to be told. An organization has one such work, while anything is pending.
        Push = "PUSH",
        /// Making a Klaviyo list what the audience is that is kept in it. Its id is the audience's.
        KeptList = "KEPT_LIST",
    }
}

/// Work within its organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkKey {
    /// Its kind.
    pub kind: WorkKind,
    /// Its id, which is unique within the kind.
    pub id: WorkId,
}

impl WorkKey {
    /// The work of a sync run.
    pub fn pull(run: &RunId) -> Self {
        Self {
            kind: WorkKind::Pull,
            id: WorkId::of_run(run),
        }
    }

    /// The work of keeping an audience in its list.
    pub fn kept_list(audience: &AudienceId) -> Self {
        Self {
            kind: WorkKind::KeptList,
            id: WorkId::of_audience(audience),
        }
    }

    /// The work of sending the organization's deliveries.
    pub fn push() -> Self {
        Self {
            kind: WorkKind::Push,
            id: WorkId::of_outbox(),
        }
    }
}

/// Work of one organization: everything that a job's payload holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkItem {
    /// The organization.
    pub organization: OrganizationId,
    /// The work.
    pub key: WorkKey,
}

impl WorkItem {
    /// The work of a sync run.
    pub fn pull(organization: &OrganizationId, run: &RunId) -> Self {
        Self {
            organization: organization.clone(),
            key: WorkKey::pull(run),
        }
    }
}

/// Work that is due and leased to no worker, as the scheduler compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulingCandidate {
    /// The work.
    pub work: WorkItem,
    /// How much work of its organization is leased to workers now.
    pub leased: u64,
}

impl SchedulingCandidate {
    /// Whether a worker should leave work of an organization that has `leased` leases, and take this work up:
    /// even with one lease more, the candidate's organization has fewer.
    pub const fn should_preempt(&self, leased: u64) -> bool {
        self.leased + 1 < leased
    }
}

/// Whether an organization that has `held` of a process's slots may take one more of the `free` ones: as long as more
/// are free than it has. So it never has more than half, and however many slots the organizations before it have taken,
/// the next one finds some.
pub const fn may_take_slot(held: usize, free: usize) -> bool {
    held < free
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_organization_that_holds_nothing_finds_a_slot_beside_any_few_others(
            slots in 1_usize..200, others in 0_u32..8,
        ) {
            let mut free = slots;
            for _ in 0..others {
                let mut held = 0;
                while may_take_slot(held, free) {
                    (held, free) = (held + 1, free - 1);
                }
            }
            prop_assert_eq!(may_take_slot(0, free), slots >> others > 0);
        }
    }

    #[test]
    fn an_organization_with_fewer_leases_preempts_until_both_have_as_many() {
        let organization = OrganizationId::parse("org_1").unwrap();
        let candidate = |leased| SchedulingCandidate {
            work: WorkItem::pull(&organization, &RunId::parse("run_1").unwrap()),
            leased,
        };
        assert!(candidate(0).should_preempt(2));
        assert!(!candidate(0).should_preempt(1));
        assert!(!candidate(3).should_preempt(4));
        assert!(candidate(3).should_preempt(5));
    }
}
