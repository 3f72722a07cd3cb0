//! What a run has to do, and how far it is: written in the transaction that writes the pages.

use crate::ids::{ConsumerId, ProfileId};
use crate::run::RunMode;
use crate::scan::Scan;

/// A run's checkpoint, by what kind of pass it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Pass {
    /// Reads the whole list or segment, and alone removes members.
    Full(FullPass),
}

impl Default for Pass {
    fn default() -> Self {
        Self::Full(FullPass::default())
    }
}

impl Pass {
    /// What the API calls it.
    pub const fn mode(&self) -> RunMode {
        match self {
            Self::Full(_) => RunMode::Full,
        }
    }

    /// What is done next.
    pub const fn phase(&self) -> &Phase {
        match self {
            Self::Full(full) => &full.phase,
        }
    }

    /// How far the list is read, while it is.
    pub const fn scan(&self) -> Option<&Scan> {
        match self.phase() {
            Phase::Reading(scan) => Some(scan),
            _ => None,
        }
    }

    pub(crate) const fn scan_mut(&mut self) -> Option<&mut Scan> {
        match self {
            Self::Full(FullPass {
                phase: Phase::Reading(scan),
                ..
            }) => Some(scan),
            Self::Full(_) => None,
        }
    }
}

/// A complete pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FullPass {
    /// What is done next.
    pub phase: Phase,
    /// The organization's link moves up to which members are known to be right: those at the pass's start,
    /// or when the last look for missing members began.
    pub link_moves: LinkMoves,
}

/// The phases of a complete pass, in order. Each carries what it goes on from.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Phase {
    /// The list's name and size are still to be read.
    #[default]
    Opening,
    /// Pages are read.
    Reading(Scan),
    /// All pages are read. Consumers that were seen and are no members become members, in batches by
    /// profile id.
    AddingMembers {
        /// The last profile of the batch before.
        after: Option<ProfileId>,
    },
    /// Members that were not seen are counted against the removal threshold.
    CheckingRemovals,
    /// Members that were not seen are removed, in batches by consumer id. The threshold allows it.
    RemovingMembers {
        /// The last consumer of the batch before.
        after: Option<ConsumerId>,
    },
}

/// How often pages have moved a profile of the organization from one consumer to another. A pass whose
/// number is still the organization's knows that the consumers of all profiles it has seen are members.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct LinkMoves(pub u64);
