//! Writing: what profiles change, set by set.

use fanfare_domain::ids::ConsumerId;
use fanfare_domain::page::{Known, LookUps, PagePlan, SharedContacts};
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
        look_ups: &mut LookUps,
        (began_at, now): (Timestamp, Timestamp),
        plan: impl FnOnce(Known, Timestamp) -> PagePlan,
    ) -> Result<(PagePlan, u64), Error> {
        let run = self.run.run();
        let started_at = run.started_at.unwrap_or(now);
        let erased = self.integration.erased(unit, profiles, started_at).await?;
        let (emails, profile_ids) = look_ups.of_page(profiles, &self.seen, &erased);
        let mut known = Known {
            erased,
            ..unit
                .known(&run.id, &self.seen, &emails, &profile_ids)
                .await?
        };
        look_ups.found(&known);
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

/// The profiles in sets of one write each: all of them, or of large ones so many that their texts and everything that is
/// made of them take little memory.
pub(super) fn sets(profiles: &[Profile]) -> impl Iterator<Item = &[Profile]> {
    let mut rest = profiles;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |profile: &&Profile| {
            bytes += profile.text_bytes();
            bytes <= BYTES_OF_A_SET
        };
        // One profile alone is always taken.
        let length = rest.iter().take_while(fits).count().max(1);
        let (set, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(set)
    })
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
        let lengths = |sizes: &[usize]| {
            let profiles: Vec<Profile> = sizes.iter().map(|bytes| profile(*bytes)).collect();
            sets(&profiles).map(<[Profile]>::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[100; 800]), [800]);
        assert_eq!(lengths(&[1 << 19; 5]), [2, 2, 1]);
        assert_eq!(lengths(&[10, 5 << 20, 10, 10]), [1, 1, 2]);
        assert!(lengths(&[]).is_empty());
    }
}
