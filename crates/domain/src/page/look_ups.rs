//! By which of its keys a store is asked what it knows about a page.

use std::collections::{BTreeSet, HashSet};

use fastbloom::BloomFilter;

use super::filter::{PageHasher, filter_of};
use super::{Known, SeenIndex};
use crate::erasure::Erased;
use crate::ids::ProfileId;
use crate::profile::Profile;
use crate::value::Email;

/// Which keys of its pages a run looks up. The default looks up all of them.
///
/// The people of a first import are in no store: once all look-ups of its first page have found nobody, a run looks up those alone
/// by which it may have written somebody itself, since these were made. It may be wrong, because others write consumers too. Then the plan
/// gives a consumer the e-mail of another one, or creates a link that is there, a store refuses that, and the page is planned anew with
/// all look-ups ([`all_from_now_on`](Self::all_from_now_on)). So that it is refused, only keys are spared that every plan is sure to
/// write: profiles with a usable e-mail, on a page that has each profile once (of two e-mails the first would not be written), and
/// nobody who was erased.
#[derive(Debug, Default)]
pub struct LookUps {
    /// The e-mails of the pages so far, unless all keys are looked up anyway.
    emails: Option<BloomFilter<PageHasher>>,
    are_spared: bool,
}

impl LookUps {
    /// Of a run that may be the first to write the people of a list with so many members.
    pub fn of_run(members: Option<u64>) -> Self {
        Self {
            emails: Some(filter_of(members)),
            are_spared: false,
        }
    }

    /// The keys of a page that are to be looked up. `seen` are the profiles of the pages before, and `erased` the people of this
    /// page who were erased.
    pub fn of_page(
        &mut self,
        page: &[Profile],
        seen: &SeenIndex,
        erased: &Erased,
    ) -> (Vec<Email>, Vec<ProfileId>) {
        let mut ids = HashSet::new();
        let has_each_once = page.iter().all(|profile| ids.insert(&profile.id));
        let are_spared = self.are_spared && has_each_once && erased.0.is_empty();
        let (mut emails, mut profiles) = (BTreeSet::new(), BTreeSet::new());
        for profile in page {
            let email = profile.usable_email();
            let is_inserted = email.is_some() && seen.pages_of(profile.id.as_str()).is_empty();
            if !(are_spared && is_inserted) {
                profiles.insert(profile.id.clone());
            }
            if let Some(email) = email {
                let filter = self.emails.as_mut();
                let may_be_known = filter.is_some_and(|filter| filter.insert(email.as_str()));
                if may_be_known || !are_spared {
                    emails.insert(email);
                }
            }
        }
        (emails.into_iter().collect(), profiles.into_iter().collect())
    }

    /// What a store knows by those keys.
    pub fn found(&mut self, known: &Known) {
        if self.emails.is_some() && known.consumers.is_empty() {
            self.are_spared = true;
        } else if !self.are_spared {
            *self = Self::default();
        }
    }

    /// Whether the last page may have been planned without something that a store knows.
    pub const fn are_spared(&self) -> bool {
        self.are_spared
    }

    /// Somebody of the last page was there.
    pub fn all_from_now_on(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::Consumer;
    use crate::erasure::Identifier;
    use crate::ids::ConsumerId;
    use crate::page::SeenProfile;
    use crate::profile::Attribute;

    fn profile(id: &str, email: Option<&str>) -> Profile {
        Profile {
            id: ProfileId::parse(id).unwrap(),
            email: email.map_or(Attribute::Absent, Attribute::text),
            phone: Attribute::Absent,
            first_name: Attribute::Absent,
            last_name: Attribute::Absent,
            updated: None,
            joined_at: None,
            consents: None,
            unreadable_times: Vec::new(),
        }
    }

    fn page(of: &[(&str, Option<&str>)]) -> Vec<Profile> {
        of.iter().map(|(id, email)| profile(id, *email)).collect()
    }

    /// The ids and the e-mails that are looked up.
    fn looked_up(
        look_ups: &mut LookUps,
        of: &[(&str, Option<&str>)],
    ) -> (Vec<String>, Vec<String>) {
        let (emails, profiles) =
            look_ups.of_page(&page(of), &SeenIndex::default(), &Erased::default());
        let profiles = profiles.iter().map(|id| id.as_str().to_owned());
        let emails = emails.iter().map(|email| email.as_str().to_owned());
        (profiles.collect(), emails.collect())
    }

    /// Those of a run whose first page, with `a@example.com` of `p1`, has met nobody.
    fn spared() -> LookUps {
        let mut look_ups = LookUps::of_run(Some(1000));
        looked_up(&mut look_ups, &[("p1", Some("a@example.com"))]);
        look_ups.found(&Known::default());
        assert!(look_ups.are_spared());
        look_ups
    }

    fn somebody() -> Known {
        Known {
            consumers: vec![Consumer::new(ConsumerId::new(ulid::Ulid::from_parts(1, 1)))],
            ..Known::default()
        }
    }

    #[test]
    fn all_keys_of_the_first_page_are_looked_up_each_once() {
        let mut look_ups = LookUps::of_run(None);
        let page = [
            ("p2", Some("a@example.com")),
            ("p1", Some("A@example.com")),
            ("p2", Some("no address")),
        ];
        let (profiles, emails) = looked_up(&mut look_ups, &page);
        assert_eq!(profiles, ["p1", "p2"]);
        assert_eq!(emails, ["a@example.com"]);
    }

    #[test]
    fn nobody_is_looked_up_whom_the_run_cannot_have_written_itself() {
        let mut look_ups = spared();
        let (profiles, emails) = looked_up(&mut look_ups, &[("p2", Some("b@example.com"))]);
        assert!(profiles.is_empty());
        assert!(emails.is_empty());
    }

    #[test]
    fn an_email_of_an_earlier_page_is_looked_up() {
        let mut look_ups = spared();
        let (profiles, emails) = looked_up(&mut look_ups, &[("p2", Some("A@Example.com"))]);
        assert!(profiles.is_empty());
        assert_eq!(emails, ["a@example.com"]);
    }

    #[test]
    fn a_profile_that_the_run_has_seen_is_looked_up() {
        let mut look_ups = spared();
        let mut seen = SeenIndex::of_run(None);
        seen.add(&[SeenProfile {
            profile: ProfileId::parse("p1").unwrap(),
            with_email: true,
            joined_at: None,
        }]);
        let page = page(&[
            ("p1", Some("new@example.com")),
            ("p2", Some("b@example.com")),
        ]);
        let (_, profiles) = look_ups.of_page(&page, &seen, &Erased::default());
        assert_eq!(profiles, [ProfileId::parse("p1").unwrap()]);
    }

    #[test]
    fn profiles_that_a_plan_may_not_insert_are_looked_up() {
        let mut look_ups = spared();
        let (profiles, _) = looked_up(&mut look_ups, &[("p2", None), ("p3", Some("no address"))]);
        assert_eq!(profiles, ["p2", "p3"]);
    }

    #[test]
    fn a_page_that_has_a_profile_twice_is_looked_up_completely() {
        let mut look_ups = spared();
        let page = [
            ("p2", Some("b@example.com")),
            ("p2", Some("c@example.com")),
            ("p3", Some("d@example.com")),
        ];
        let (profiles, emails) = looked_up(&mut look_ups, &page);
        assert_eq!(profiles, ["p2", "p3"]);
        assert_eq!(emails, ["b@example.com", "c@example.com", "d@example.com"]);
    }

    #[test]
    fn a_page_with_erased_people_is_looked_up_completely() {
        let mut look_ups = spared();
        let one = ProfileId::parse("p9").unwrap();
        let erased = Erased(BTreeSet::from([Identifier::Profile(one)]));
        let (emails, profiles) = look_ups.of_page(
            &page(&[("p2", Some("b@example.com"))]),
            &SeenIndex::default(),
            &erased,
        );
        assert_eq!((profiles.len(), emails.len()), (1, 1));
    }

    #[test]
    fn a_run_whose_first_page_meets_somebody_looks_up_all_keys() {
        let mut look_ups = LookUps::of_run(Some(1000));
        looked_up(&mut look_ups, &[("p1", Some("a@example.com"))]);
        look_ups.found(&somebody());
        assert!(!look_ups.are_spared());
        looked_up(&mut look_ups, &[("p2", Some("b@example.com"))]);
        look_ups.found(&Known::default());
        assert!(!look_ups.are_spared());
    }

    #[test]
    fn people_whom_the_run_has_written_itself_change_nothing() {
        let mut look_ups = spared();
        look_ups.found(&somebody());
        assert!(look_ups.are_spared());
    }

    #[test]
    fn after_a_refusal_all_keys_are_looked_up() {
        let mut look_ups = spared();
        look_ups.all_from_now_on();
        let (profiles, emails) = looked_up(&mut look_ups, &[("p2", Some("b@example.com"))]);
        assert_eq!((profiles.len(), emails.len()), (1, 1));
        look_ups.found(&Known::default());
        assert!(!look_ups.are_spared());
    }
}
