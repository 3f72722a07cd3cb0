//! Contacts that both sides write become equal, whatever is interleaved, lost or late, with clocks that differ by minutes.
//! `PROPTEST_CASES` says how many histories are tried.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::contact::{Contact, ContactField, Decision, Ours, Outcome, Read, Rule, Winner};
use fanfare_domain::ids::ProfileId;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::PersonalText;
use proptest::prelude::*;

type Values = BTreeMap<ContactField, Option<PersonalText>>;

const FIELDS: [ContactField; 2] = [ContactField::FullName, ContactField::Phone];

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Somebody changes or empties our value.
    Ours(ContactField, Option<u8>),
    /// Somebody changes or empties theirs.
    Theirs(ContactField, Option<u8>),
    /// Something else of the profile changes.
    Touch,
    /// A read begins; what it finds arrives later.
    BeginRead,
    /// What was found arrives.
    EndRead,
    /// The write that waits is sent.
    Send(Fate),
    /// The profile becomes another one, with other values.
    Merge(u8, u8),
    /// The profile is deleted.
    Delete,
    /// The person is erased here.
    Erase,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    LostAfter,
    LostBefore,
    NotSent,
    Refused(ContactField),
    Throttled,
}

#[derive(Debug)]
struct Profile {
    id: ProfileId,
    values: Values,
    /// By Klaviyo's clock, and as reads show it.
    updated: Timestamp,
}

/// What a read has found; `None` if the profile is gone.
struct Found(Option<Read>);

struct World {
    now: Timestamp,
    /// By how many seconds the clocks are ahead of the true time, and five minutes.
    skews: (u64, u64),
    ours: BTreeMap<ContactField, Ours>,
    theirs: Option<Profile>,
    contact: Option<Contact>,
    /// What is to be sent, as it was frozen.
    waiting: Option<Values>,
    /// Whether it has been counted as a write.
    is_counted: bool,
    found: Option<Found>,
    winner: Winner,
    changes: usize,
    writes: usize,
}

fn value(of: u8) -> PersonalText {
    PersonalText::new(format!("value {of}"))
}

fn id(number: usize) -> ProfileId {
    ProfileId::parse(format!("P{number}")).unwrap()
}

impl World {
    fn new(
        skews: (u64, u64),
        winner: Winner,
        ours: [Option<u8>; 2],
        theirs: [Option<u8>; 2],
    ) -> Self {
        let now = Timestamp::parse("2026-11-29T12:00:00Z").unwrap();
        let ours = FIELDS.into_iter().zip(ours).map(|(field, of)| {
            let ours = Ours {
                value: of.map(value),
                changed_at: now,
                is_cleared: false,
            };
            (field, ours)
        });
        let theirs = FIELDS.into_iter().zip(theirs);
        let profile = Profile {
            id: id(0),
            values: theirs.map(|(field, of)| (field, of.map(value))).collect(),
            updated: now,
        };
        Self {
            now: now.plus(Duration::from_mins(10)),
            skews,
            ours: ours.collect(),
            theirs: Some(profile),
            contact: Some(Contact::new(id(0))),
            waiting: None,
            is_counted: false,
            found: None,
            winner,
            // Each field may have to be made equal once.
            changes: FIELDS.len(),
            writes: 0,
        }
    }

    fn our_clock(&self) -> Timestamp {
        let fast = self.now.plus(Duration::from_secs(self.skews.0));
        fast.minus(Duration::from_mins(5))
    }

    fn touch(&mut self) {
        let at = self.now.plus(Duration::from_secs(self.skews.1));
        if let Some(profile) = &mut self.theirs {
            profile.updated = at.minus(Duration::from_mins(5)).whole_second();
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ours(field, of) => {
                let at = self.our_clock();
                let to = of.map(value);
                let ours = self.ours.get_mut(&field).unwrap();
                if ours.value != to {
                    *ours = Ours {
                        is_cleared: to.is_none(),
                        value: to,
                        changed_at: at,
                    };
                    self.changes += 1;
                }
            }
            Step::Theirs(field, of) => {
                let Some(profile) = &mut self.theirs else {
                    return;
                };
                let before = profile.values.insert(field, of.map(value));
                if before != Some(of.map(value)) {
                    self.changes += 1;
                    self.touch();
                }
            }
            Step::Touch => self.touch(),
            Step::BeginRead => self.found = Some(Found(self.look())),
            Step::EndRead => {
                if let Some(Found(found)) = self.found.take() {
                    self.arrive(found);
                }
            }
            Step::Send(fate) => self.send(fate),
            Step::Merge(name, phone) => {
                let Some(profile) = &mut self.theirs else {
                    return;
                };
                let number: usize = profile.id.as_str()[1..].parse().unwrap();
                profile.id = id(number + 1);
                profile.values = [
                    (FIELDS[0], Some(value(name))),
                    (FIELDS[1], Some(value(phone))),
                ]
                .into();
                self.changes += FIELDS.len();
                self.touch();
            }
            Step::Delete => self.theirs = None,
            Step::Erase => {
                // What waits is dropped with the person.
                (self.contact, self.waiting) = (None, None);
            }
        }
    }

    fn look(&self) -> Option<Read> {
        let profile = self.theirs.as_ref()?;
        Some(Read {
            began_at: self.our_clock(),
            profile: profile.id.clone(),
            updated: Some(profile.updated),
            values: profile.values.clone(),
        })
    }

    fn arrive(&mut self, found: Option<Read>) {
        let Some(read) = found else {
            // Gone: it is no longer linked, and nothing is written to it any more.
            (self.contact, self.waiting) = (None, None);
            return;
        };
        let now = self.our_clock();
        let winner = self.winner;
        let Some(contact) = &mut self.contact else {
            return;
        };
        if read.profile != contact.profile {
            // What was frozen for the profile that is no more is not sent to the one that is left.
            self.waiting = None;
        }
        let (decisions, _) = contact.read(&read, &self.ours, |_| Rule::both(winner), now);
        let has_arrived = self.waiting.as_ref().is_some_and(|waiting| {
            waiting
                .iter()
                .all(|(field, sent)| decisions.contains(&(*field, Decision::Agree(sent.clone()))))
        });
        if has_arrived {
            self.waiting = None;
        }
        let mut pushed = Values::new();
        for (field, decision) in decisions {
            match decision {
                Decision::Pull(theirs) => {
                    // People in Klaviyo never write the first values: such a one is our own that came back.
                    let is_echo = (0..ONLY_OURS).any(|of| value(of) == theirs);
                    assert!(!is_echo, "an echo of {} was pulled", theirs.as_str());
                    self.writes += 1;
                    let ours = Ours {
                        value: Some(theirs),
                        changed_at: now,
                        is_cleared: false,
                    };
                    self.ours.insert(field, ours);
                }
                Decision::Push(value) => {
                    pushed.insert(field, value);
                }
                Decision::Agree(_) | Decision::Nothing => {}
            }
        }
        if !pushed.is_empty() {
            assert!(self.waiting.is_none(), "there is one write at a time");
            self.waiting = Some(pushed);
            self.is_counted = false;
        }
    }

    fn send(&mut self, fate: Fate) {
        let now = self.our_clock();
        let Some(values) = self.waiting.clone() else {
            return;
        };
        let is_there = match (&self.theirs, &self.contact) {
            (Some(profile), Some(contact)) => profile.id == contact.profile,
            _ => false,
        };
        if !is_there {
            // 404: the next read tells what has become of the profile.
            let contact = self.contact.as_mut().expect("erasing drops what waits");
            contact.ended(&Outcome::NotDone, now);
            self.waiting = None;
            return;
        }
        if matches!(fate, Fate::Answered | Fate::LostAfter) {
            let profile = self.theirs.as_mut().unwrap();
            let before = profile.values.clone();
            profile.values.extend(values.clone());
            if profile.values != before {
                self.touch();
            }
            if !self.is_counted {
                self.writes += values.len();
                self.is_counted = true;
            }
        }
        let updated = self.theirs.as_ref().map(|profile| profile.updated);
        let contact = self.contact.as_mut().unwrap();
        let outcome = match fate {
            Fate::Answered => Outcome::Done { updated },
            Fate::LostAfter | Fate::LostBefore => Outcome::Unknown,
            Fate::NotSent | Fate::Throttled => Outcome::NotDone,
            Fate::Refused(field) => Outcome::Refused(vec![field]),
        };
        contact.ended(&outcome, now);
        if outcome != Outcome::Unknown {
            self.waiting = None;
        }
    }

    /// Lets nobody change anything, and both sides be synced until there is nothing to write. Answers with the number of
    /// passes that wrote something.
    fn rest(&mut self) -> usize {
        for passes in 0..10 {
            self.now = self.now.plus(Duration::from_hours(2));
            let before = self.writes;
            self.send(Fate::Answered);
            self.now = self.now.plus(Duration::from_secs(1));
            let found = self.look();
            self.arrive(found);
            if self.writes == before && self.waiting.is_none() {
                return passes;
            }
        }
        panic!("it does not come to rest");
    }

    fn check(&self) {
        let (Some(contact), Some(profile)) = (&self.contact, &self.theirs) else {
            return;
        };
        for field in FIELDS {
            let (ours, theirs) = (&self.ours[&field].value, &profile.values[&field]);
            let shared = &contact.fields[&field];
            let is_refused = shared.refused.as_ref() == Some(ours);
            // What Klaviyo has emptied neither wipes ours nor is written back.
            let is_emptied = theirs.is_none() && shared.base.as_ref() == Some(ours);
            assert!(
                ours == theirs || is_refused || is_emptied,
                "{field}: {:?} and {:?}, {shared:?}",
                ours.as_ref().map(PersonalText::as_str),
                theirs.as_ref().map(PersonalText::as_str),
            );
            if ours == theirs {
                assert_eq!(shared.base.as_ref(), Some(ours), "{field}");
            }
        }
        assert!(!contact.is_in_flight());
    }
}

fn field() -> impl Strategy<Value = ContactField> {
    prop::sample::select(FIELDS.to_vec())
}

/// How many of the values only Fanfare's people write.
const ONLY_OURS: u8 = 3;

fn ours() -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.85, 0_u8..6)
}

fn theirs() -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.85, ONLY_OURS..8)
}

fn step() -> impl Strategy<Value = Step> {
    let fate = prop_oneof![
        6 => Just(Fate::Answered),
        2 => Just(Fate::LostAfter),
        1 => Just(Fate::LostBefore),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::Throttled),
        1 => field().prop_map(Fate::Refused),
    ];
    prop_oneof![
        40 => (field(), ours()).prop_map(|(field, of)| Step::Ours(field, of)),
        40 => (field(), theirs()).prop_map(|(field, of)| Step::Theirs(field, of)),
        10 => Just(Step::Touch),
        80 => Just(Step::BeginRead),
        80 => Just(Step::EndRead),
        60 => fate.prop_map(Step::Send),
        4 => (ONLY_OURS..8, ONLY_OURS..8).prop_map(|(name, phone)| Step::Merge(name, phone)),
        1 => Just(Step::Delete),
        1 => Just(Step::Erase),
    ]
}

fn winner() -> impl Strategy<Value = Winner> {
    prop::sample::select(Winner::ALL.to_vec())
}

proptest! {
    #[test]
    fn both_sides_become_equal_by_few_writes(
        skews in (0_u64..600, 0_u64..600),
        winner in winner(),
        ours in [ours(), ours()],
        theirs in [theirs(), theirs()],
        steps in prop::collection::vec((step(), 0_u64..240), 0..80),
    ) {
        let mut world = World::new(skews, winner, ours, theirs);
        for (step, pause) in steps {
            world.now = world.now.plus(Duration::from_secs(pause));
            let was_erased = world.contact.is_none();
            let before = world.theirs.as_ref().map(|profile| profile.values.clone());
            world.step(step);
            if was_erased && matches!(step, Step::Send(_) | Step::EndRead) {
                let after = world.theirs.as_ref().map(|profile| profile.values.clone());
                prop_assert_eq!(before, after, "nothing is written for who was erased");
            }
        }
        let passes = world.rest();
        prop_assert!(passes <= 4, "{} passes", passes);
        world.check();
        prop_assert!(world.writes <= 2 * world.changes, "{} writes for {} changes", world.writes, world.changes);
        let writes = world.writes;
        world.rest();
        prop_assert_eq!(world.writes, writes, "at rest nothing is written");
    }
}
