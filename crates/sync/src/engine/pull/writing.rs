//! Writing: what profiles change, set by set.

use std::iter::Peekable;

use fanfare_domain::ids::ConsumerId;
use fanfare_domain::page::{Known, PagePlan, SharedContacts, keys};
use fanfare_domain::ports::{PageWrite, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::time::Timestamp;

use super::slice::ActiveSlice;
use crate::error::Error;
use crate::telling::follow_page;

/// The most bytes of texts that are written at once, of which several copies are made.
const BYTES_OF_A_SET: usize = 1 << 20;

impl ActiveSlice<'_> {
    /// Writes what `plan` decides of a set of profiles, by what the store knows of them and by the run's start, and has every
    /// audience follow the links that move. `began_at` is when the first request for them began. Returns the plan, and how many consumers became members.
    pub(super) async fn write_set(
        &self,
        unit: &mut dyn UnitOfWork,
        profiles: &[Profile],
        began_at: Timestamp,
        now: Timestamp,
        plan: impl FnOnce(Known, Timestamp) -> PagePlan,
    ) -> Result<(PagePlan, u64), Error> {
        let run = self.run.run();
        let started_at = run.started_at.unwrap_or(now);
        let (emails, profile_ids) = keys(profiles);
        let erased = self.integration.erased(unit, profiles, started_at).await?;
        let mut known = Known {
            erased,
            ..unit
                .known(&run.id, &self.seen, &emails, &profile_ids)
                .await?
        };
        known.shared = shared(unit, &known, began_at).await?;
        let plan = plan(known, started_at);
        let write = PageWrite {
            run: &run.id,
            audience: &run.audience,
            plan: &plan,
            first_seen_page: self.seen.last_page() + 1,
            now,
        };
        let members_added = unit.write_page(write).await?;
        self.follow_link_moves(unit, &plan.link_moves).await?;
        unit.put_contacts(&plan.contacts).await?;
        follow_page(self.integration, unit, &plan.to_tell, &plan.told, now).await?;
        Ok((plan, members_added))
    }
}

/// What is remembered of those consumers of a page whom both sides write: `None` where that is switched off.
async fn shared(
    unit: &mut dyn UnitOfWork,
    known: &Known,
    began_at: Timestamp,
) -> Result<Option<SharedContacts>, Error> {
    let settings = unit.contact_settings().await?;
    if !settings.enabled || known.consumers.is_empty() {
        return Ok(None);
    }
    let ids: Vec<ConsumerId> = known.consumers.iter().map(|one| one.id.clone()).collect();
    Ok(Some(SharedContacts {
        rule: settings.rule(),
        began_at,
        contacts: unit.contacts_of(&ids).await?,
    }))
}

/// The profiles of one write: all that there are, or of large ones so many that their texts and everything that is made
/// of them take little memory.
pub(super) fn next_set(profiles: &mut Peekable<impl Iterator<Item = Profile>>) -> Vec<Profile> {
    let (mut set, mut bytes) = (Vec::new(), 0);
    while let Some(profile) = profiles.next_if(|next| bytes + next.text_bytes() <= BYTES_OF_A_SET) {
        bytes += profile.text_bytes();
        set.push(profile);
    }
    // One profile alone is always taken.
    if set.is_empty() {
        set.extend(profiles.next());
    }
    set
}

#[cfg(test)]
mod tests {
    use fanfare_domain::ids::ProfileId;
    use fanfare_domain::profile::Attribute;

    use super::*;

    fn profile(bytes: usize) -> Profile {
        Profile {
            id: ProfileId::parse("p1").unwrap(),
            email: Attribute::Absent,
            phone: Attribute::Absent,
            first_name: Attribute::text("x".repeat(bytes)),
            last_name: Attribute::Unusable,
            updated: None,
            joined_at: None,
            consents: None,
            unreadable_times: Vec::new(),
        }
    }

    #[test]
    fn small_profiles_are_written_together_and_large_ones_in_sets() {
        let sets = |sizes: &[usize]| {
            let mut rest = sizes.iter().map(|bytes| profile(*bytes)).peekable();
            let mut sets = Vec::new();
            while rest.peek().is_some() {
                sets.push(next_set(&mut rest).len());
            }
            sets
        };
        assert_eq!(sets(&[100; 800]), [800]);
        assert_eq!(sets(&[1 << 19; 5]), [2, 2, 1]);
        assert_eq!(sets(&[10, 5 << 20, 10, 10]), [1, 1, 2]);
        assert!(sets(&[]).is_empty());
    }
}
