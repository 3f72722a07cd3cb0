//! Some people of an audience, compared with the ledger of its list.
//!
//! A consumer has one profile in the list: the one that the ledger has for them, else their primary one, else the one that is known
//! of their contact. A profile that we added stays for as long as the consumer for whom it was added is a member, or any consumer to whom it is linked.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::consumer::Consumer;
use fanfare_domain::door::People;
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, ProfileId};
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::push::{
    Difference, KeptList, LedgerRow, Presence, RowStanding, Standing, difference,
};

/// What of an audience and its list a batch is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) audience: &'a AudienceId,
    pub(crate) list: &'a CollectionId,
}

impl<'a> Facts<'a> {
    pub(crate) const fn of(kept: &'a KeptList) -> Self {
        Self {
            audience: &kept.audience,
            list: &kept.list,
        }
    }
}

/// Some people, as the store knows them in one unit.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Who should be in the list, each with the consumer for whom that is.
    wanted: BTreeMap<ProfileId, Option<ConsumerId>>,
    ledger: BTreeMap<ProfileId, LedgerRow>,
    /// Members of whom no profile is known.
    pub(crate) unlinked: Vec<Consumer>,
    /// How many people were compared.
    pub(crate) compared: u64,
}

impl Batch {
    /// Of these consumers, members or not. Those who are gone are compared by their rows.
    pub(crate) async fn of_consumers(
        unit: &mut dyn UnitOfWork,
        facts: Facts<'_>,
        ids: &[ConsumerId],
    ) -> Result<Self, StoreError> {
        let records = unit.consumers_of(ids).await?;
        let consumers: Vec<Consumer> = records.into_iter().map(|it| it.consumer).collect();
        let people = People::Consumers(ids.to_vec());
        let members = members_among(unit, facts.audience, &people).await?;
        let mut batch = Self::of(unit, facts, ids, &consumers, &members).await?;
        batch.compared = ids.len() as u64;
        Ok(batch)
    }

    /// Of these consumers, who are all members.
    pub(crate) async fn of_members(
        unit: &mut dyn UnitOfWork,
        facts: Facts<'_>,
        members: &[Consumer],
    ) -> Result<Self, StoreError> {
        let ids: Vec<ConsumerId> = members.iter().map(|member| member.id.clone()).collect();
        let all = ids.iter().cloned().collect();
        let mut batch = Self::of(unit, facts, &ids, members, &all).await?;
        batch.compared = ids.len() as u64;
        Ok(batch)
    }

    async fn of(
        unit: &mut dyn UnitOfWork,
        facts: Facts<'_>,
        ids: &[ConsumerId],
        consumers: &[Consumer],
        members: &BTreeSet<ConsumerId>,
    ) -> Result<Self, StoreError> {
        let rows = unit.ledger_of_consumers(facts.list, ids).await?;
        let mut of_consumer: BTreeMap<&ConsumerId, Vec<&LedgerRow>> = BTreeMap::new();
        for row in &rows {
            if let Some(consumer) = &row.consumer {
                of_consumer.entry(consumer).or_default().push(row);
            }
        }
        let members = consumers.iter().filter(|it| members.contains(&it.id));
        let without = members.clone().filter(|it| it.primary.is_none());
        let without: Vec<ConsumerId> = without.map(|it| it.id.clone()).collect();
        let contacts = if without.is_empty() {
            BTreeMap::new()
        } else {
            unit.contacts_of(&without).await?
        };
        let mut batch = Self::default();
        for consumer in members {
            let rows = of_consumer.get(&consumer.id).into_iter().flatten();
            let key = |row: &LedgerRow| (rank(row.standing), row.profile.clone());
            let known = rows.min_by_key(|row| key(row));
            let primary = consumer.primary.as_ref();
            let profile = known
                .map(|row| row.profile.clone())
                .or_else(|| primary.map(|primary| primary.stamp.profile.clone()))
                .or_else(|| Some(contacts.get(&consumer.id)?.profile.clone()));
            match profile {
                Some(profile) => {
                    batch.wanted.insert(profile, Some(consumer.id.clone()));
                }
                None => batch.unlinked.push(consumer.clone()),
            }
        }
        let wanted: Vec<ProfileId> = batch.wanted.keys().cloned().collect();
        let of_profiles = unit.ledger_of_profiles(facts.list, &wanted).await?;
        let rows = rows.into_iter().chain(of_profiles);
        batch.ledger = rows.map(|row| (row.profile.clone(), row)).collect();
        batch.keep_linked(unit, facts).await?;
        Ok(batch)
    }

    /// Of people whose profiles were just found, each with the consumer whose it is.
    pub(crate) async fn of_found(
        unit: &mut dyn UnitOfWork,
        facts: Facts<'_>,
        found: BTreeMap<ProfileId, Option<ConsumerId>>,
    ) -> Result<Self, StoreError> {
        let profiles: Vec<ProfileId> = found.keys().cloned().collect();
        let rows = unit.ledger_of_profiles(facts.list, &profiles).await?;
        Ok(Self {
            wanted: found,
            ledger: rows
                .into_iter()
                .map(|row| (row.profile.clone(), row))
                .collect(),
            ..Self::default()
        })
    }

    /// Of these rows of the ledger.
    pub(crate) async fn of_rows(
        unit: &mut dyn UnitOfWork,
        facts: Facts<'_>,
        rows: Vec<LedgerRow>,
    ) -> Result<Self, StoreError> {
        let consumers: BTreeSet<ConsumerId> =
            rows.iter().filter_map(|it| it.consumer.clone()).collect();
        let people = People::Consumers(consumers.into_iter().collect());
        let members = members_among(unit, facts.audience, &people).await?;
        let compared = rows.len() as u64;
        let ledger: BTreeMap<ProfileId, LedgerRow> = rows
            .into_iter()
            .map(|row| (row.profile.clone(), row))
            .collect();
        let is_member = |row: &&LedgerRow| {
            let consumer = row.consumer.as_ref();
            let is_ours = row.standing.ours().is_some_and(Standing::is_ours);
            is_ours && consumer.is_some_and(|id| members.contains(id))
        };
        let wanted = ledger.values().filter(is_member);
        let wanted = wanted.map(|row| (row.profile.clone(), row.consumer.clone()));
        let mut batch = Self {
            wanted: wanted.collect(),
            ledger,
            unlinked: Vec::new(),
            compared,
        };
        batch.keep_linked(unit, facts).await?;
        Ok(batch)
    }

    /// Whoever would be removed and is linked to a member stays.
    async fn keep_linked(
        &mut self,
        unit: &mut dyn UnitOfWork,
        facts: Facts<'_>,
    ) -> Result<(), StoreError> {
        let leaving: Vec<ProfileId> = self
            .difference(|_| Presence::Unknown)
            .removes
            .into_iter()
            .collect();
        let audiences = [facts.audience.clone()];
        let linked = unit.members_profiles(&audiences, &leaving).await?;
        // Who has another profile in the list is there already.
        let mut has_one: BTreeSet<ConsumerId> = self.wanted.values().flatten().cloned().collect();
        for profile in linked {
            let consumer = self
                .ledger
                .get(&profile)
                .and_then(|row| row.consumer.clone());
            let is_second = consumer
                .clone()
                .is_some_and(|consumer| !has_one.insert(consumer));
            if !is_second {
                self.wanted.insert(profile, consumer);
            }
        }
        Ok(())
    }

    /// What is to be done for them. `presence` says whether a profile is in the list of whom the ledger holds nothing.
    pub(crate) fn difference(&self, presence: impl Fn(&ProfileId) -> Presence) -> Difference {
        let wanted = self.wanted.keys().cloned().collect();
        let ours = self.ledger.iter();
        let ours: BTreeMap<ProfileId, Standing> = ours
            .filter_map(|(id, row)| Some((id.clone(), row.standing.ours()?)))
            .collect();
        difference(&wanted, &ours, |id| match self.ledger.get(id) {
            Some(row) if row.standing == RowStanding::Theirs => Presence::Present,
            _ => presence(id),
        })
    }

    /// The consumer for whom a profile is in the list, or was.
    pub(crate) fn consumer_of(&self, profile: &ProfileId) -> Option<ConsumerId> {
        let wanted = self.wanted.get(profile).cloned().flatten();
        wanted.or_else(|| self.ledger.get(profile)?.consumer.clone())
    }
}

/// Which of a consumer's rows is the one that counts.
const fn rank(standing: RowStanding) -> u8 {
    match standing {
        RowStanding::Added => 0,
        RowStanding::Adding => 1,
        RowStanding::Removing => 2,
        RowStanding::TakenOff => 3,
        RowStanding::Theirs => 4,
    }
}

async fn members_among(
    unit: &mut dyn UnitOfWork,
    audience: &AudienceId,
    people: &People,
) -> Result<BTreeSet<ConsumerId>, StoreError> {
    let read = unit.members_among(audience, people).await?;
    let members = read.into_iter().flat_map(|read| read.members);
    Ok(members.map(|member| member.consumer).collect())
}
