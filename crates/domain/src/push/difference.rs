//! Who is added to a list and removed from it, and who is left alone.
//!
//! A list may have members of others: whom a form, the merchant or another program added. So the ledger holds whom we added, and
//! nobody else is ever removed. Somebody counts as added by us only if they were seen not to be a member just before: an
//! add that finds them there would otherwise claim them.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::ProfileId;
use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// What the ledger holds of a profile and a list.
    #[derive(serde::Serialize, serde::Deserialize)]
    Standing {
        /// We are adding them, and have seen them absent; the answer is not known. They are ours.
        Adding = "ADDING",
        /// We added them.
        Added = "ADDED",
        /// We are removing them; the answer is not known. They are still ours.
        Removing = "REMOVING",
        /// We had added them, and somebody took them off, or they left: they are not added again.
        TakenOff = "TAKEN_OFF",
    }
}

impl Standing {
    /// Whether we made them a member.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Adding | Self::Added | Self::Removing)
    }
}

/// Whether a profile is a member of the list, as Klaviyo said a short time ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
    /// Klaviyo has not been asked.
    Unknown,
}

/// What is to be done to a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// They are added. Each is `ADDING` in the ledger before the request is sent.
    pub adds: BTreeSet<ProfileId>,
    /// They are removed. Each is `REMOVING` in the ledger before the request is sent.
    pub removes: BTreeSet<ProfileId>,
    /// Whether they are members has to be asked before they may be added.
    pub to_look_up: BTreeSet<ProfileId>,
    /// They are in the list by others, and stay there whatever we do.
    pub theirs: BTreeSet<ProfileId>,
    /// They should be members, and are not, because somebody took them off.
    pub taken_off: BTreeSet<ProfileId>,
}

impl Difference {
    /// How many people it changes something for.
    pub fn changes(&self) -> usize {
        self.adds.len() + self.removes.len()
    }
}

/// Compares who should be a member with what the ledger holds.
pub fn difference(
    wanted: &BTreeSet<ProfileId>,
    ledger: &BTreeMap<ProfileId, Standing>,
    presence: impl Fn(&ProfileId) -> Presence,
) -> Difference {
    let mut difference = Difference::default();
    for id in wanted {
        let into = match ledger.get(id) {
            Some(Standing::Added) => continue,
            Some(Standing::TakenOff) => &mut difference.taken_off,
            // A write whose answer was lost is sent again; one that was to remove them is turned round.
            Some(Standing::Adding | Standing::Removing) => &mut difference.adds,
            None => match presence(id) {
                Presence::Absent => &mut difference.adds,
                Presence::Present => &mut difference.theirs,
                Presence::Unknown => &mut difference.to_look_up,
            },
        };
        into.insert(id.clone());
    }
    let leaving = ledger
        .iter()
        .filter(|(id, standing)| standing.is_ours() && !wanted.contains(*id));
    difference.removes = leaving.map(|(id, _)| id.clone()).collect();
    difference
}

/// What a scan of the list's members corrects in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// They are no members any more, and we did not remove them.
    TakenOff(ProfileId),
    /// They are no members any more, as we had asked: the ledger forgets them.
    Removed(ProfileId),
    /// They are members, as we had asked.
    Added(ProfileId),
}

/// Compares the ledger with a complete scan of the list's members. `since` is when the last write of a profile was sent: who was
/// written after the scan began, or less than `settles` before, is not judged, because the scan may have missed it.
pub fn correct(
    ledger: &BTreeMap<ProfileId, (Standing, Timestamp)>,
    members: &BTreeSet<ProfileId>,
    scan_began: Timestamp,
    settles: std::time::Duration,
) -> Vec<Correction> {
    let judged = ledger
        .iter()
        .filter(|(_, (_, since))| since.plus(settles) < scan_began);
    let corrections = judged.filter_map(|(id, (standing, _))| {
        let id = id.clone();
        match (standing, members.contains(&id)) {
            (Standing::Added, false) => Some(Correction::TakenOff(id)),
            (Standing::Removing, false) => Some(Correction::Removed(id)),
            (Standing::Adding, true) => Some(Correction::Added(id)),
            // What is still being written is written again, and who was taken off and came back came back by others.
            (Standing::Adding, false)
            | (Standing::Added | Standing::Removing, true)
            | (Standing::TakenOff, _) => None,
        }
    });
    corrections.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn id(number: u8) -> ProfileId {
        ProfileId::parse(format!("P{number}")).unwrap()
    }

    fn ids(numbers: &[u8]) -> BTreeSet<ProfileId> {
        numbers.iter().map(|number| id(*number)).collect()
    }

    #[test]
    fn only_whom_we_added_is_removed_and_nobody_is_claimed_who_was_there() {
        let ledger = [
            (id(1), Standing::Added),
            (id(2), Standing::Added),
            (id(3), Standing::TakenOff),
            (id(4), Standing::Adding),
            (id(5), Standing::Removing),
        ];
        let presence = |of: &ProfileId| match of.as_str() {
            "P6" => Presence::Absent,
            "P7" => Presence::Present,
            _ => Presence::Unknown,
        };
        let wanted = ids(&[1, 3, 4, 6, 7, 8]);
        let found = difference(&wanted, &ledger.into(), presence);
        assert_eq!(found.adds, ids(&[4, 6]));
        assert_eq!(found.removes, ids(&[2, 5]));
        assert_eq!(found.theirs, ids(&[7]));
        assert_eq!(found.to_look_up, ids(&[8]));
        assert_eq!(found.taken_off, ids(&[3]));
        assert_eq!(found.changes(), 4);
    }

    /// Whom a list has, and by whom.
    #[derive(Default)]
    struct World {
        second: i64,
        members: BTreeMap<ProfileId, bool>,
        /// Whom others took off although we had added them.
        taken: BTreeSet<ProfileId>,
        ledger: BTreeMap<ProfileId, (Standing, Timestamp)>,
        wanted: BTreeSet<ProfileId>,
    }

    impl World {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.second * 1_000_000).unwrap()
        }

        fn plan(&self) -> Difference {
            let ledger = self
                .ledger
                .iter()
                .map(|(id, (standing, _))| (id.clone(), *standing));
            let presence = |id: &ProfileId| {
                if self.members.contains_key(id) {
                    Presence::Present
                } else {
                    Presence::Absent
                }
            };
            difference(&self.wanted, &ledger.collect(), presence)
        }

        /// Pushes; of the requests of the first part the answer arrives, of the others the effect is there or not.
        fn push(&mut self, answered: usize, is_effective: bool) {
            let plan = self.plan();
            let now = self.now();
            for (place, id) in plan.adds.into_iter().enumerate() {
                assert!(!self.taken.contains(&id), "{id} was taken off by hand");
                self.ledger.insert(id.clone(), (Standing::Adding, now));
                if place < answered || is_effective {
                    self.members.entry(id.clone()).or_insert(true);
                }
                if place < answered {
                    self.ledger.insert(id, (Standing::Added, now));
                }
            }
            for (place, id) in plan.removes.into_iter().enumerate() {
                assert_ne!(self.members.get(&id), Some(&false), "{id} is not ours");
                self.ledger.insert(id.clone(), (Standing::Removing, now));
                if place < answered || is_effective {
                    self.members.remove(&id);
                }
                if place < answered {
                    self.ledger.remove(&id);
                }
            }
        }

        fn scan(&mut self) {
            let members = self.members.keys().cloned().collect();
            let corrections = correct(&self.ledger, &members, self.now(), Duration::from_secs(5));
            let now = self.now();
            for correction in corrections {
                match correction {
                    Correction::TakenOff(id) => {
                        self.taken.insert(id.clone());
                        self.ledger.insert(id, (Standing::TakenOff, now));
                    }
                    Correction::Removed(id) => {
                        self.ledger.remove(&id);
                    }
                    Correction::Added(id) => {
                        self.ledger.insert(id, (Standing::Added, now));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn nobody_else_s_member_is_ever_removed(steps in prop::collection::vec((0_u8..7, 0_u8..6, any::<bool>()), 0..80)) {
            let mut world = World::default();
            for (step, number, flag) in steps {
                world.second += 10;
                let who = id(number);
                match step {
                    0 => {
                        world.wanted.insert(who);
                    }
                    1 => {
                        world.wanted.remove(&who);
                    }
                    // The merchant adds somebody who is no member and whom we are not adding either: that race nobody can see.
                    2 if !world.ledger.contains_key(&who) => {
                        world.members.entry(who).or_insert(false);
                    }
                    3 => {
                        // The merchant takes somebody off, and a scan sees it before anything else happens.
                        if world.members.remove(&who).is_some() {
                            world.second += 10;
                            world.scan();
                        }
                    }
                    4 => world.scan(),
                    5 => world.push(usize::from(number), flag),
                    _ => world.push(100, true),
                }
            }
            world.second += 10;
            world.push(100, true);
            for id in &world.wanted {
                let is_there = world.members.contains_key(id);
                let is_off = matches!(world.ledger.get(id), Some((Standing::TakenOff, _)));
                prop_assert!(is_there || is_off, "{} should be there", id);
            }
            let ours = world.members.iter().filter(|(_, is_ours)| **is_ours);
            for (id, _) in ours {
                prop_assert!(world.wanted.contains(id), "{} should be gone", id);
            }
            prop_assert_eq!(world.plan().changes(), 0);
        }
    }
}
