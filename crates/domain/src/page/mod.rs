//! What a page of Klaviyo profiles does to Fanfare's consumers.
//!
//! [`plan`] is the central rule of a sync: given a page and what the store knows about it, it decides
//! every write, without doing any. The planner applies the profiles to a working copy, one after the other,
//! and returns only the difference, with each key once, so that a store can write each kind of row in one
//! statement.

mod filter;
mod look_ups;
mod planner;
mod seen_index;

use std::collections::{BTreeMap, BTreeSet};

pub use self::look_ups::LookUps;
use self::planner::PagePlanner;
pub use self::seen_index::{PROFILES_OF_A_SEEN_PAGE, SeenIndex, SeenPage, SeenSet};
use crate::consumer::{Consumer, ProfileLink};
use crate::contact::{Contact, Rule};
use crate::erasure::Erased;
use crate::ids::{ConsumerId, Ids, ProfileId};
use crate::issue::Issue;
use crate::profile::{Profile, UsableProfile};
use crate::time::Timestamp;
use crate::value::Email;

/// What the store knows by the keys of a page that were looked up ([`LookUps`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The consumers that have one of those e-mails or are linked to one of those profiles.
    pub consumers: Vec<Consumer>,
    /// All links of those consumers.
    pub links: Vec<ProfileLink>,
    /// Those of the page's profiles, and of the profiles in `links`, that this run has seen before.
    pub seen_profiles: Vec<SeenProfile>,
    /// Which of the page's identifiers name erased people. No store says so by itself
    /// ([`Erasures`](crate::ports::Erasures)).
    pub erased: Erased,
    /// What is known of consumers whom both sides write, where that is switched on ([`Contacts`](crate::ports::Contacts)).
    pub shared: Option<SharedContacts>,
}

/// The consumers of a page whom both sides write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedContacts {
    /// The rule of every field.
    pub rule: Rule,
    /// When the request for the page began, by our clock.
    pub began_at: Timestamp,
    /// What is remembered of them.
    pub contacts: BTreeMap<ConsumerId, Contact>,
}

impl SharedContacts {
    /// Whether more is remembered of somebody than which profile is theirs.
    fn follows(&self, consumer: &ConsumerId) -> bool {
        let contact = self.contacts.get(consumer);
        contact.is_some_and(|contact| !contact.is_only_linked())
    }
}

/// A profile that a run has seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenProfile {
    /// The profile.
    pub profile: ProfileId,
    /// Whether it had a usable e-mail when the run first saw it.
    pub with_email: bool,
    /// When it joined the list; `None` if Klaviyo did not say.
    pub joined_at: Option<Timestamp>,
}

impl SeenProfile {
    /// Its place in the list, which does not depend on the order in which partitions read it.
    fn place(&self) -> (Option<Timestamp>, &ProfileId) {
        (self.joined_at, &self.profile)
    }
}

/// A consumer to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerWrite {
    /// Its state after the page.
    pub consumer: Consumer,
    /// Whether a user can see the change. If not, only stamps have changed and `updatedAt` stays.
    pub visible: bool,
}

/// The outcomes of a page's profiles, as counts of profiles. A run counts each profile once, by the outcome
/// when the run first saw it: `processed = created + updated + unchanged + skipped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Profiles that the run saw for the first time.
    pub processed: u64,
    /// Profiles for which a consumer was created.
    pub created: u64,
    /// Profiles that changed a consumer's values or links.
    pub updated: u64,
    /// Profiles that changed nothing that a user can see.
    pub unchanged: u64,
    /// Profiles without an e-mail, a phone number or a link, and those of erased people.
    pub skipped: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.processed += other.processed;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.skipped += other.skipped;
    }
}

/// A profile's link that leads from one consumer to another now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkMove {
    /// The consumer that it led to.
    pub from: ConsumerId,
    /// The consumer that it leads to.
    pub to: ConsumerId,
    /// Whether other profiles are linked to the one that it led to, or were before the page: of which lists that one is a
    /// member because of this profile is not known then.
    pub is_shared: bool,
}

/// Everything that a page changes. Each collection holds a key at most once, and consumers, links and members are in the order of
/// their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PagePlan {
    /// Consumers to insert.
    pub created: Vec<Consumer>,
    /// Consumers to overwrite. E-mails can move between them, and to created ones: a store must remove the
    /// old e-mails before it writes the new ones.
    pub updated: Vec<ConsumerWrite>,
    /// Links of profiles of which none is known.
    pub new_links: Vec<ProfileLink>,
    /// Links to overwrite, by profile.
    pub changed_links: Vec<ProfileLink>,
    /// From where to where links lead that have moved: each way once.
    pub link_moves: Vec<LinkMove>,
    /// Profiles that the run saw for the first time.
    pub seen_profiles: Vec<SeenProfile>,
    /// The consumers of the page's profiles, all of which are members of the audience.
    pub members: Vec<ConsumerId>,
    /// How many of them the run meets for the first time: it has seen no profile of theirs before.
    pub consumers_met: u64,
    /// The records that were not taken over without a change.
    pub issues: Vec<Issue>,
    /// What is remembered from now on of consumers whom both sides write, as far as it has changed.
    pub contacts: BTreeMap<ConsumerId, Contact>,
    /// Of whom Klaviyo is to be told, because a value of ours is newer than that of the page.
    pub to_tell: BTreeSet<ConsumerId>,
    /// Of whom Klaviyo need not be told any more, because the page has our values.
    pub told: BTreeSet<ConsumerId>,
    /// The outcomes of the page's profiles.
    pub tally: Tally,
}

impl PagePlan {
    fn in_order(mut self) -> Self {
        self.created.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self.updated
            .sort_unstable_by(|a, b| a.consumer.id.cmp(&b.consumer.id));
        for links in [&mut self.new_links, &mut self.changed_links] {
            links.sort_unstable_by(|a, b| a.profile.cmp(&b.profile));
        }
        self.members.sort_unstable();
        self
    }

    /// The links that the page writes.
    pub fn links(&self) -> impl Iterator<Item = &ProfileLink> {
        self.new_links.iter().chain(&self.changed_links)
    }
}

/// All keys by which a store finds what it knows about a page: its usable e-mails and its profiles.
pub fn keys(page: &[Profile]) -> (Vec<Email>, Vec<ProfileId>) {
    LookUps::default().of_page(page, &SeenIndex::default(), &Erased::default())
}

/// Decides what a page does.
///
/// `run_started_at` is the latest time that a profile's `updated` may have, `now` becomes the date of links
/// and issues, and `ids` gives the ids of what is created.
pub fn plan(
    page: &[Profile],
    known: Known,
    run_started_at: Timestamp,
    now: Timestamp,
    ids: &dyn Ids,
) -> PagePlan {
    let mut planner = PagePlanner::new(known, now, ids);
    for profile in page {
        planner.take(&UsableProfile::of(profile, run_started_at));
    }
    planner.finish()
}

/// Decides what a page of profiles does that have changed somewhere in the account: profiles that are linked, and whose
/// consumers are members of some audience. Nobody becomes a member by it but through a link that moves, and an issue is told
/// only of a change that was not known before.
///
/// A change that is dated in the future is read each time until then. It changes something only where a user can see it:
/// otherwise its stamps would be written at each time.
pub fn plan_changes(
    page: &[Profile],
    known: Known,
    run_started_at: Timestamp,
    now: Timestamp,
    ids: &dyn Ids,
) -> PagePlan {
    let mut planner = PagePlanner::new(known, now, ids);
    for profile in page {
        let is_ahead = profile.updated.is_some_and(|at| at > run_started_at);
        planner.take_change(&UsableProfile::of(profile, run_started_at), is_ahead);
    }
    PagePlan {
        members: Vec::new(),
        ..planner.finish()
    }
}
