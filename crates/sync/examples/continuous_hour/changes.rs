//! What happens in Klaviyo, and how long it takes until our rows have it.

use std::collections::HashSet;

use fanfare_domain::door::{Asked, MOST_ASKED};
use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::ports::Lookup;
use fanfare_domain::time::Timestamp;
use fanfare_klaviyo_sim::{AccountHandle, Profile};
use fanfare_sync::Integration;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Join,
    Leave,
    Rename,
}

/// A change that our rows do not have yet.
struct Change {
    kind: Kind,
    at: Timestamp,
    account: usize,
    audience: AudienceId,
    email: String,
    /// The name that the person has now.
    name: String,
}

/// Everything that has happened.
pub(crate) struct Changes {
    random: SmallRng,
    made: u32,
    /// Who has changed already: nobody does so twice.
    touched: HashSet<String>,
    pending: Vec<Change>,
    seen: Vec<(Kind, f64)>,
}

impl Changes {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            random: SmallRng::seed_from_u64(seed),
            made: 0,
            touched: HashSet::new(),
            pending: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// So many times within this many seconds, in their order.
    pub(crate) fn times(&mut self, count: u32, seconds: f64) -> Vec<f64> {
        let mut times: Vec<f64> = (0..count)
            .map(|_| self.random.random_range(0.0..seconds))
            .collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// A number from 0 to below the limit.
    pub(crate) fn any(&mut self, limit: usize) -> usize {
        self.random.random_range(0..limit)
    }

    /// Lets something happen in a list: somebody joins half of the times, leaves, or gets another name.
    pub(crate) fn happen(
        &mut self,
        at: Timestamp,
        account: (usize, &AccountHandle),
        list: &str,
        audience: &AudienceId,
    ) -> Result<()> {
        self.made += 1;
        let name = format!("Changed {}", self.made);
        let (account, handle) = account;
        let kind = [Kind::Join, Kind::Join, Kind::Leave, Kind::Rename][self.any(4)];
        let email = if kind == Kind::Join {
            let email = format!("joined.{}@example.com", self.made);
            handle.join_as(list, Profile::with_email(&email).named("New", &name))?;
            email
        } else {
            let id = self.anybody(handle, list)?;
            let profile = handle.profile(&id)?.ok_or("a member has a profile")?;
            match kind {
                Kind::Leave => handle.leave(list, &id)?,
                _ => handle.update(&id, |values| values.last_name = Some(name.clone()))?,
            }
            let email = profile.email.ok_or("everybody has an e-mail")?;
            self.touched.insert(id);
            email.trim().to_lowercase()
        };
        self.pending.push(Change {
            kind,
            at,
            account,
            audience: audience.clone(),
            email,
            name,
        });
        Ok(())
    }

    /// Somebody in the list who has not changed yet.
    fn anybody(&mut self, handle: &AccountHandle, list: &str) -> Result<String> {
        let size = handle.size(list)?;
        for _ in 0..1_000 {
            let place = self.any(size);
            let id = handle.member_id(list, place)?.ok_or("a member")?;
            if !self.touched.contains(&id) {
                return Ok(id);
            }
        }
        Err("everybody has changed".into())
    }

    /// Looks which changes our rows have, after a run of this audience: who joined and left it, and the names of the
    /// account's people, which any run of the account may have read.
    pub(crate) async fn look(
        &mut self,
        integration: &Integration,
        organization: &OrganizationId,
        account: usize,
        audience: &AudienceId,
    ) -> Result<()> {
        let now = integration.clock().now();
        let (mut asked, mut others) = (Vec::new(), Vec::new());
        for change in self.pending.drain(..) {
            let is_of_run = change.audience == *audience && change.kind != Kind::Rename;
            let is_of_account = change.account == account && change.kind == Kind::Rename;
            if is_of_run || is_of_account {
                asked.push(change);
            } else {
                others.push(change);
            }
        }
        let (names, members): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|it| it.kind == Kind::Rename);
        for some in members.chunks(MOST_ASKED) {
            let emails = some.iter().map(|change| change.email.clone()).collect();
            let check = integration
                .check(organization, audience, &Asked::Emails(emails))
                .await?;
            for (change, member) in some.iter().zip(check.members) {
                let is_seen = member.is_some() == (change.kind == Kind::Join);
                self.settle(change, is_seen, now, &mut others);
            }
        }
        for change in &names {
            let lookup = Lookup::Email(change.email.clone());
            let found = integration.lookup_consumers(organization, &lookup).await?;
            let is_seen = found.iter().any(|record| {
                let name = record.consumer.full_name.as_ref();
                name.is_some_and(|name| name.value.as_str().ends_with(&change.name))
            });
            self.settle(change, is_seen, now, &mut others);
        }
        self.pending = others;
        Ok(())
    }

    fn settle(&mut self, change: &Change, is_seen: bool, now: Timestamp, others: &mut Vec<Change>) {
        if is_seen {
            let seconds = now.since(change.at).as_secs_f64();
            self.seen.push((change.kind, seconds));
        } else {
            others.push(Change {
                audience: change.audience.clone(),
                email: change.email.clone(),
                name: change.name.clone(),
                ..*change
            });
        }
    }

    /// How many changes our rows do not have yet.
    pub(crate) const fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many seconds changes of some kinds took, the shortest first.
    pub(crate) fn seconds(&self, of: impl Fn(Kind) -> bool) -> Vec<f64> {
        let some = self.seen.iter().filter(|(kind, _)| of(*kind));
        let mut seconds: Vec<f64> = some.map(|(_, seconds)| *seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }

    /// How many rows have to be made, changed or ended for them: two where somebody joins, one otherwise.
    pub(crate) fn rows(&self) -> u64 {
        let of = |kind: &Kind| if *kind == Kind::Join { 2 } else { 1 };
        let seen = self.seen.iter().map(|(kind, _)| of(kind));
        let pending = self.pending.iter().map(|change| of(&change.kind));
        seen.chain(pending).sum()
    }
}

/// A percentile of sorted numbers.
pub(crate) fn percentile(sorted: &[f64], share: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((sorted.len() * share / 100).min(last)).copied()
}
