//! A run's checkpoint: what the run has to do and how far it is. It is written in the same transaction as
//! the pages.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::account_changes::ChangesScan;
use crate::ids::ConsumerId;
use crate::run::Crashes;
use crate::scan::Scan;
use crate::text_enum::text_enum;
use crate::watermarks::Watermarks;

text_enum! {
    /// How much of the list a run reads.
    RunMode {
        /// All of it.
        Full = "FULL",
        /// What changed since the last run.
        Incremental = "INCREMENTAL",
    }
}

/// A run's checkpoint. Each kind of pass has a variant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Pass {
    /// Reads the whole list or segment. Only this kind of pass removes members.
    Full(FullPass),
    /// Reads who joined since the pass before. It adds and updates, and keeps no seen profiles.
    Incremental(IncrementalPass),
}

impl Default for Pass {
    fn default() -> Self {
        Self::Full(FullPass::default())
    }
}

impl Pass {
    /// The mode that the API shows for it.
    pub const fn mode(&self) -> RunMode {
        match self {
            Self::Full(_) => RunMode::Full,
            Self::Incremental(_) => RunMode::Incremental,
        }
    }

    /// What the run does next.
    pub const fn phase(&self) -> &Phase {
        match self {
            Self::Full(FullPass { phase, .. })
            | Self::Incremental(IncrementalPass { phase, .. }) => phase,
        }
    }

    pub(crate) const fn phase_mut(&mut self) -> &mut Phase {
        match self {
            Self::Full(FullPass { phase, .. })
            | Self::Incremental(IncrementalPass { phase, .. }) => phase,
        }
    }

    /// The crashes of the run's workers that its pages have not made up for.
    pub const fn crashes(&self) -> Crashes {
        match self {
            Self::Full(FullPass { crashes, .. })
            | Self::Incremental(IncrementalPass { crashes, .. }) => *crashes,
        }
    }

    pub(crate) const fn crashes_mut(&mut self) -> &mut Crashes {
        match self {
            Self::Full(FullPass { crashes, .. })
            | Self::Incremental(IncrementalPass { crashes, .. }) => crashes,
        }
    }

    /// How far the list is read; `None` while the run does not read it.
    pub const fn scan(&self) -> Option<&Scan> {
        match self.phase() {
            Phase::Reading(scan) => Some(scan),
            _ => None,
        }
    }

    pub(crate) const fn scan_mut(&mut self) -> Option<&mut Scan> {
        match self.phase_mut() {
            Phase::Reading(scan) => Some(scan),
            _ => None,
        }
    }
}

/// A complete pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FullPass {
    /// What the run does next.
    pub phase: Phase,
    /// The organization's count of link moves for which members are known to be complete: the count at the
    /// pass's start, or when the run last began to look for missing members.
    pub link_moves: LinkMoves,
    /// The crashes of the run's workers that its pages have not made up for.
    #[serde(default)]
    pub crashes: Crashes,
    /// Whether the run had read pages before it opened its list, because its checkpoint was lost: they may have added
    /// members to an audience that was empty at the run's start.
    #[serde(default)]
    pub is_reopened: bool,
    /// How many consumers the pass has met: those with a profile that it has seen. `None` if a program that does not count
    /// them has begun it or went on with it. As long as no link moves, it has seen every member if there are not more.
    #[serde(default)]
    pub consumers_met: Option<u64>,
    /// Whether the run has just found that it has seen every member whom it added itself. It is not stored: a worker that
    /// takes the run up later does not know what was looked at.
    #[serde(skip)]
    pub saw_whom_it_added: bool,
}

/// A pass that reads who joined since the pass before.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IncrementalPass {
    /// What the run does next.
    pub phase: Phase,
    /// The crashes of the run's workers that its pages have not made up for.
    pub crashes: Crashes,
    /// From where it goes on.
    pub since: Watermarks,
    /// How many profiles Klaviyo counted when it began, if that is known.
    pub counted: Option<u64>,
    /// Whether it has read everything, because the list does not tell join times: the next pass is complete then.
    pub is_whole: bool,
    /// How many profiles of the account had changed and changed consumers, beside those who joined.
    pub changed: u64,
}

/// The phases of a pass, in order; an incremental one only reads: the list, and then the account's changes. Each holds the
/// position from which it continues.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Phase {
    /// The list's name and size are still to be read.
    #[default]
    Opening,
    /// Pages are read.
    Reading(Scan),
    /// Who joined is read, and the changes of the account's profiles follow. `None` if it is still to be decided whether
    /// this run reads them.
    ReadingChanges(Option<ChangesScan>),
    /// The list was read by ranges, and fewer profiles were seen than Klaviyo had counted, or its count is not
    /// known: it is asked for once more, because a member without a join time is in no range.
    ComparingCounts,
    /// All pages are read. Consumers whose profiles were seen and who are not members yet become members, in
    /// batches of pages of seen profiles.
    AddingMembers {
        /// The number of the last page of the batch before. The version before stored a profile: then it begins again.
        #[serde(alias = "after", deserialize_with = "page_or_first")]
        after_page: Option<u64>,
    },
    /// Members that were not seen are counted against the removal threshold.
    CheckingRemovals,
    /// Members that were not seen are removed, in batches by consumer id. The removal threshold allows it.
    RemovingMembers {
        /// The last consumer of the batch before.
        after: Option<ConsumerId>,
    },
}

/// Reads the number of a page, or a profile of the version before.
fn page_or_first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Page(u64),
        Profile(IgnoredAny),
    }

    let stored = Option::<Stored>::deserialize(deserializer)?;
    Ok(stored.map(|stored| match stored {
        Stored::Page(page) => page,
        Stored::Profile(_) => 0,
    }))
}

/// How many pages have moved a profile of the organization from one consumer to another, and how many people were erased with
/// their links. As long as a pass holds the same count as the organization, the consumers of all profiles that it has seen are members.
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
