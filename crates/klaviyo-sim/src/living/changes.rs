//! The ordinary changes of a living account.

use std::time::Duration;

use rand::RngExt;
use time::OffsetDateTime;
use ulid::Ulid;

use super::{Happened, LivingAccount};
use crate::instant;
use crate::profiles::Profile;
use crate::state::ChangeError;

/// How long the id of a profile that has become another still answers.
const ANSWERS_FOR: Duration = Duration::from_mins(10);

/// How far ahead Klaviyo's times lie at most, where they lie in the future.
const SECONDS_AHEAD: i64 = 7_200;

/// What can happen to somebody, as often as it is there.
const KINDS: [Ordinary; 20] = [
    Ordinary::Join,
    Ordinary::Join,
    Ordinary::Join,
    Ordinary::Join,
    Ordinary::Leave,
    Ordinary::Leave,
    Ordinary::Leave,
    Ordinary::Leave,
    Ordinary::Rejoin,
    Ordinary::Rejoin,
    Ordinary::Rejoin,
    Ordinary::Readdress,
    Ordinary::Readdress,
    Ordinary::Readdress,
    Ordinary::Name,
    Ordinary::Name,
    Ordinary::Blank,
    Ordinary::Merge,
    Ordinary::Delete,
    Ordinary::RenameList,
];

#[derive(Debug, Clone, Copy)]
enum Ordinary {
    Join,
    Leave,
    Rejoin,
    Readdress,
    Name,
    Blank,
    Merge,
    Delete,
    RenameList,
}

impl LivingAccount {
    /// Makes one change. If nobody is there for it, somebody joins instead.
    pub(super) fn change(&mut self, now: OffsetDateTime) -> Result<Happened, ChangeError> {
        let kind = KINDS[self.random.random_range(0..KINDS.len())];
        let list = self.any_list()?;
        let changed = match kind {
            Ordinary::Join => None,
            Ordinary::Leave => self.leave(&list)?,
            Ordinary::Rejoin => self.rejoin(&list, now)?,
            Ordinary::Readdress => self.readdress(&list, now)?,
            Ordinary::Name => self.name(&list)?,
            Ordinary::Blank => self.blank(&list)?,
            Ordinary::Merge => self.merge(&list)?,
            Ordinary::Delete => self.delete(&list)?,
            Ordinary::RenameList => {
                self.made += 1;
                let name = format!("Renamed {}", self.made);
                self.account.rename(&list, Some(&name))?;
                Some(Happened::Renamed(list.clone()))
            }
        };
        match changed {
            Some(changed) => Ok(changed),
            None => self.join(list, now),
        }
    }

    fn any_list(&mut self) -> Result<String, ChangeError> {
        if self.lists.is_empty() {
            return Err(ChangeError::NoCollection("of any id".to_owned()));
        }
        let place = self.random.random_range(0..self.lists.len());
        Ok(self.lists[place].clone())
    }

    /// Somebody in the list.
    fn anybody(&mut self, list: &str) -> Result<Option<String>, ChangeError> {
        let size = self.account.size(list)?;
        if size == 0 {
            return Ok(None);
        }
        let place = self.random.random_range(0..size);
        self.account.member_id(list, place)
    }

    /// A time that now and then lies in the future.
    fn around(&mut self, now: OffsetDateTime) -> OffsetDateTime {
        if self.random.random_bool(0.1) {
            now + time::Duration::seconds(self.random.random_range(1..SECONDS_AHEAD))
        } else {
            now
        }
    }

    fn join(&mut self, list: String, now: OffsetDateTime) -> Result<Happened, ChangeError> {
        self.made += 1;
        let ms = u64::try_from(now.unix_timestamp()).unwrap_or_default() * 1_000;
        let id = Ulid::from_parts(ms, self.random.random()).to_string();
        let person = if self.random.random_bool(0.15) {
            Profile::default().phone(&format!("+1415555{:04}", self.made))
        } else {
            Profile::with_email(&self.new_email())
        };
        let person = person
            .id(&id)
            .named("New", &format!("Number {}", self.made));
        self.account.put(person)?;
        self.unusual.insert(id.clone());
        let joined = self.around(now);
        self.account.join_at(&list, &id, joined)?;
        Ok(Happened::Joined { list, profile: id })
    }

    /// An e-mail that nobody has: somebody may have had it.
    fn new_email(&mut self) -> String {
        if !self.free_emails.is_empty() && self.random.random_bool(0.25) {
            let place = self.random.random_range(0..self.free_emails.len());
            return self.free_emails.swap_remove(place);
        }
        self.made += 1;
        format!("living.{}@example.com", self.made)
    }

    fn leave(&mut self, list: &str) -> Result<Option<Happened>, ChangeError> {
        let Some(profile) = self.anybody(list)? else {
            return Ok(None);
        };
        self.account.leave(list, &profile)?;
        self.left.push((list.to_owned(), profile.clone()));
        let list = list.to_owned();
        Ok(Some(Happened::Left { list, profile }))
    }

    /// Somebody who left joins again, or somebody who is there leaves and joins at once.
    fn rejoin(&mut self, list: &str, now: OffsetDateTime) -> Result<Option<Happened>, ChangeError> {
        let found = if !self.left.is_empty() && self.random.random_bool(0.5) {
            let place = self.random.random_range(0..self.left.len());
            Some(self.left.swap_remove(place))
        } else {
            self.anybody(list)?
                .map(|profile| (list.to_owned(), profile))
        };
        let Some((list, profile)) = found else {
            return Ok(None);
        };
        if self.account.profile(&profile)?.is_none() {
            return Ok(None);
        }
        let joined = self.around(now);
        self.account.join_at(&list, &profile, joined)?;
        Ok(Some(Happened::Joined { list, profile }))
    }

    fn readdress(
        &mut self,
        list: &str,
        now: OffsetDateTime,
    ) -> Result<Option<Happened>, ChangeError> {
        let found = self.anybody(list)?;
        let Some(profile) = found.filter(|profile| !self.blanked.contains(profile)) else {
            return Ok(None);
        };
        let email = self.new_email();
        let updated = instant::show(self.around(now).unix_timestamp());
        let mut before = None;
        self.account.update(&profile, |values| {
            before = values.email.replace(email);
            values.updated = Some(updated);
        })?;
        self.free_emails.extend(before);
        self.unusual.insert(profile.clone());
        Ok(Some(Happened::Changed(profile)))
    }

    fn name(&mut self, list: &str) -> Result<Option<Happened>, ChangeError> {
        let Some(profile) = self.anybody(list)? else {
            return Ok(None);
        };
        self.made += 1;
        let name = format!("Number {}", self.made);
        self.account
            .update(&profile, |values| values.last_name = Some(name))?;
        Ok(Some(Happened::Changed(profile)))
    }

    /// Somebody's e-mail, number or name is blank from now on.
    fn blank(&mut self, list: &str) -> Result<Option<Happened>, ChangeError> {
        let Some(profile) = self.anybody(list)? else {
            return Ok(None);
        };
        let blank = Some("  ".to_owned());
        match self.random.random_range(0..3) {
            0 if !self.unusual.contains(&profile) => {
                let is_null = self.random.random_bool(0.5);
                let email = if is_null { None } else { blank };
                self.account
                    .update(&profile, |values| values.email = email)?;
                self.unusual.insert(profile.clone());
                self.blanked.insert(profile.clone());
            }
            1 if !self.unusual.contains(&profile) => {
                self.account
                    .update(&profile, |values| values.phone_number = None)?;
            }
            _ => {
                self.account
                    .update(&profile, |values| values.first_name = blank)?;
            }
        }
        Ok(Some(Happened::Changed(profile)))
    }

    fn merge(&mut self, list: &str) -> Result<Option<Happened>, ChangeError> {
        let (from, into) = (self.anybody(list)?, self.anybody(list)?);
        let (Some(from), Some(into)) = (from, into) else {
            return Ok(None);
        };
        if from == into {
            return Ok(None);
        }
        self.account.merge_at_once(&from, &into, ANSWERS_FOR)?;
        self.unusual.insert(into.clone());
        self.left.retain(|(_, profile)| *profile != from);
        Ok(Some(Happened::Merged { from, into }))
    }

    fn delete(&mut self, list: &str) -> Result<Option<Happened>, ChangeError> {
        let Some(profile) = self.anybody(list)? else {
            return Ok(None);
        };
        let values = self.account.profile(&profile)?;
        self.account.delete(&profile)?;
        if !self.unusual.contains(&profile) {
            self.free_emails
                .extend(values.and_then(|values| values.email));
        }
        Ok(Some(Happened::Deleted(profile)))
    }
}
