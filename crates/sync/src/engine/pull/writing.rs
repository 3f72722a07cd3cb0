//! Writing: what profiles change, set by set.

use std::iter::Peekable;

use fanfare_domain::page::{Known, PagePlan, keys};
use fanfare_domain::ports::{PageWrite, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::time::Timestamp;

use super::slice::ActiveSlice;
use crate::error::Error;

/// The most bytes of texts that are written at once, of which several copies are made.
const BYTES_OF_A_SET: usize = 1 << 20;

impl ActiveSlice<'_> {
    /// Writes what `plan` decides of a set of profiles, by what the store knows of them and by the run's start, and has every
    /// audience follow the links that move. Returns the plan, and how many consumers became members.
    pub(super) async fn write_set(
        &self,
        unit: &mut dyn UnitOfWork,
        profiles: &[Profile],
        now: Timestamp,
        plan: impl FnOnce(Known, Timestamp) -> PagePlan,
    ) -> Result<(PagePlan, u64), Error> {
        let run = self.run.run();
        let started_at = run.started_at.unwrap_or(now);
        let (emails, profile_ids) = keys(profiles);
        let erased = self.integration.erased(unit, profiles, started_at).await?;
        let known = Known {
            erased,
            ..unit.known(&run.id, &emails, &profile_ids).await?
        };
        let plan = plan(known, started_at);
        let write = PageWrite {
            run: &run.id,
            audience: &run.audience,
            plan: &plan,
            now,
        };
        let members_added = unit.write_page(write).await?;
        self.follow_link_moves(unit, &plan.link_moves).await?;
        Ok((plan, members_added))
    }
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
