//! What a push would do, before it does it.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::connection::OpenConnection;
use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId, ProfileId};
use fanfare_domain::klaviyo::{KlaviyoError, MemberLookup, MembersFrom};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{AnyRoom, UnitOfWork};
use fanfare_domain::push::{
    Confirmation, KeptList, MustConfirm, PUSH_LIMIT, Presence, Preview, must_confirm,
};
use fanfare_domain::quota::Priority;
use fanfare_domain::writing::{Channel, Flow, MAX_LOOKED_FOR};

use super::{Batch, Facts};
use crate::error::{Entity, Error};
use crate::hexadecimal::digits;
use crate::integration::Integration;

/// What somebody is shown before a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPreview {
    /// What it would do, and the text that confirms it.
    pub confirmation: Confirmation,
    /// Whether the numbers are what it is, and not at most that: of long lists not everybody is asked for.
    pub is_exact: bool,
    /// Why it needs the confirmation, if it does.
    pub must_confirm: Option<MustConfirm>,
}

/// How many pages of a list's members a preview reads at most.
const MOST_PAGES: usize = 20;

/// How many of those who would be added are asked for in Klaviyo.
const MOST_ASKED: usize = 2_000;

/// How many people are compared at once.
pub(super) const AT_ONCE: u32 = 1_000;

/// What a look at everything has found.
#[derive(Debug, Default)]
struct Counted {
    adds: u64,
    removes: u64,
    /// Members of whom no profile is known, and some of them.
    unlinked: u64,
    some_unlinked: Vec<Consumer>,
    /// Some of those who would be added, with their e-mails here.
    some: Vec<(ProfileId, Option<String>)>,
}

impl Integration {
    /// Shows what a push of an audience would do. What is shown may be confirmed for a while.
    pub async fn preview_push(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
    ) -> Result<PushPreview, Error> {
        let kept = self.required_kept_list(organization, audience).await?;
        let (preview, is_exact) = self.preview(organization, &kept).await?;
        let ids = &self.ports.ids;
        let text = [ids.ulid(), ids.ulid()].map(|ulid| digits(&ulid.random().to_be_bytes()[6..]));
        let confirmation = Confirmation {
            text: text.concat(),
            preview,
            shown_at: self.now(),
        };
        let mut unit = self.begin(organization).await?;
        let stored = unit.kept_list(audience).await?;
        let mut stored = stored
            .filter(|it| it.list == kept.list)
            .ok_or(Error::NoKeptList)?;
        stored.show(confirmation.clone());
        unit.put_kept_list(&stored).await?;
        let limit = unit.push_limit().await?.unwrap_or(PUSH_LIMIT);
        unit.commit().await?;
        let is_first = stored.followed_until.is_none();
        Ok(PushPreview {
            must_confirm: must_confirm(&confirmation.preview, limit, is_first),
            confirmation,
            is_exact,
        })
    }

    /// The list that an audience is kept in, which there is.
    pub(super) async fn required_kept_list(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
    ) -> Result<KeptList, Error> {
        let mut unit = self.read(organization).await?;
        let record = unit.audience(audience).await?;
        let record = record.ok_or(Error::NotFound(Entity::Audience))?;
        if record.audience.archived {
            return Err(Error::Archived);
        }
        unit.kept_list(audience).await?.ok_or(Error::NoKeptList)
    }

    /// What a push would do now, and whether that is exact.
    pub(super) async fn preview(
        &self,
        organization: &OrganizationId,
        kept: &KeptList,
    ) -> Result<(Preview, bool), Error> {
        let connection = self.open_connection(organization).await?;
        let members = self.members_of_short_list(&connection, kept).await?;
        let presence = |id: &ProfileId| match &members {
            Some(members) if members.contains(id) => Presence::Present,
            // Of a long list those count as members whom its last reading has met; the others may be added.
            _ => Presence::Absent,
        };
        let mut unit = self.read(organization).await?;
        let mut counted = count(unit.as_mut(), kept, presence).await?;
        let settings = unit.contact_settings().await?;
        drop(unit);
        let people = std::mem::take(&mut counted.some_unlinked);
        let known = self.look_for(&connection, &people, settings).await?;
        // Those who are not asked for are made, or not: in Klaviyo or not, that is the most that it can be.
        let rest = counted.unlinked - people.len() as u64;
        let (more_new, more_unknown) = if settings.create_profiles {
            (rest, 0)
        } else {
            (0, rest)
        };
        let new_profiles = known.new + more_new;
        let mut unit = self.read(organization).await?;
        let found = Batch::of_found(unit.as_mut(), Facts::of(kept), known.profiles).await?;
        drop(unit);
        count_adds(&mut counted, &found, &people, presence);
        let flows = self.flows_of(&connection, kept).await?;
        let (suppressed, asked) = self.count_suppressed(&connection, &counted.some).await?;
        let preview = Preview {
            audience: kept.audience.clone(),
            list: kept.list.clone(),
            adds: counted.adds + new_profiles,
            removes: counted.removes,
            unknown: known.unknown + more_unknown,
            new_profiles,
            suppressed,
            flows,
        };
        let is_exact = members.is_some() && asked == counted.adds && rest == 0;
        Ok((preview, is_exact))
    }

    /// Everybody who is in a list, if its pages are few.
    async fn members_of_short_list(
        &self,
        connection: &OpenConnection,
        kept: &KeptList,
    ) -> Result<Option<BTreeSet<ProfileId>>, Error> {
        let collection = CollectionRef {
            kind: CollectionKind::List,
            id: kept.list.clone(),
        };
        let (mut from, mut found) = (MembersFrom::default(), BTreeSet::new());
        for _ in 0..MOST_PAGES {
            let call = || {
                let klaviyo = &self.klaviyo;
                klaviyo.members(connection, &collection, &from, Priority::User, &AnyRoom)
            };
            let page = match self.klaviyo.with_short_wait(call).await {
                Err(Error::KlaviyoUnreachable(KlaviyoError::NotFound)) => {
                    let list = Entity::KlaviyoCollection(CollectionKind::List);
                    return Err(Error::NotFound(list));
                }
                page => page?,
            };
            found.extend(page.profiles.into_iter().map(|profile| profile.id));
            from.cursor = page.next;
            if from.cursor.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The flows that joining the list starts; `None` where the key may not read them.
    async fn flows_of(
        &self,
        connection: &OpenConnection,
        kept: &KeptList,
    ) -> Result<Option<Vec<Flow>>, Error> {
        let call = || self.klaviyo.flows_of_list(connection, &kept.list);
        match self.klaviyo.with_short_wait(call).await {
            Ok(flows) => Ok(Some(flows)),
            Err(Error::ScopeMissing(_) | Error::KlaviyoUnreachable(KlaviyoError::NotPermitted)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// How many of these people are suppressed, and of how many that was asked.
    async fn count_suppressed(
        &self,
        connection: &OpenConnection,
        people: &[(ProfileId, Option<String>)],
    ) -> Result<(u64, u64), Error> {
        let ids: BTreeSet<&ProfileId> = people.iter().map(|(id, _)| id).collect();
        let mut suppressed = 0;
        for some in people.chunks(MAX_LOOKED_FOR) {
            let emails: Vec<String> = some.iter().filter_map(|(_, email)| email.clone()).collect();
            if emails.is_empty() {
                continue;
            }
            let lookup = MemberLookup::Emails(emails);
            let call = || self.klaviyo.find_profiles(connection, &lookup);
            let found = self.klaviyo.with_short_wait(call).await?.into_iter();
            let found = found.filter(|it| ids.contains(&it.profile.id));
            suppressed += found
                .filter(|it| {
                    let consents = it.profile.consents;
                    consents.is_some_and(|known| known.of(Channel::Email).is_suppressed())
                })
                .count() as u64;
        }
        Ok((suppressed, people.len() as u64))
    }
}

/// Counts whom of a batch a push would add. `people` are the consumers of the batch.
fn count_adds(
    counted: &mut Counted,
    batch: &Batch,
    people: &[Consumer],
    presence: impl Fn(&ProfileId) -> Presence,
) {
    let adds = batch.difference(presence).adds;
    counted.adds += adds.len() as u64;
    let by_id: BTreeMap<&ConsumerId, &Consumer> = people.iter().map(|it| (&it.id, it)).collect();
    let room = MOST_ASKED - counted.some.len();
    for id in adds.into_iter().take(room) {
        let consumer = batch.consumer_of(&id);
        let consumer = consumer.and_then(|id| by_id.get(&id).copied());
        let email = consumer.and_then(|it| it.email.as_ref());
        let email = email.map(|email| email.as_str().to_owned());
        counted.some.push((id, email));
    }
}

/// Compares everybody, in the unit's state.
async fn count(
    unit: &mut dyn UnitOfWork,
    kept: &KeptList,
    presence: impl Fn(&ProfileId) -> Presence,
) -> Result<Counted, Error> {
    let facts = Facts::of(kept);
    let mut counted = Counted::default();
    let mut page = PageRequest {
        first: AT_ONCE,
        after: None,
    };
    loop {
        let read = unit.members(&kept.audience, None, &page).await?;
        page.after = read.end().map(str::to_owned);
        let members: Vec<_> = read.items.into_iter().map(|it| it.consumer).collect();
        let batch = Batch::of_members(unit, facts, &members).await?;
        count_adds(&mut counted, &batch, &members, &presence);
        counted.unlinked += batch.unlinked.len() as u64;
        let room = MOST_ASKED - counted.some_unlinked.len();
        counted
            .some_unlinked
            .extend(batch.unlinked.into_iter().take(room));
        if page.after.is_none() {
            break;
        }
    }
    let mut after = None;
    loop {
        let rows = unit.ledger(&kept.list, after.as_ref(), AT_ONCE).await?;
        after = rows.last().map(|row| row.profile.clone());
        let is_last = rows.len() < AT_ONCE as usize;
        let batch = Batch::of_rows(unit, facts, rows).await?;
        counted.removes += batch.difference(&presence).removes.len() as u64;
        if is_last {
            return Ok(counted);
        }
    }
}
