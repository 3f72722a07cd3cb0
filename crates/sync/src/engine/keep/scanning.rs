//! Reading all members of a list, and what that corrects in its ledger.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::ids::{Cursor, ProfileId};
use fanfare_domain::klaviyo::{KlaviyoError, MembersFrom};
use fanfare_domain::ports::{AnyRoom, UnitOfWork};
use fanfare_domain::push::{Correction, PushPhase, RowStanding, SETTLES, Standing, correct};
use fanfare_domain::quota::{Kept, Priority};
use fanfare_domain::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::calls::Trouble;
use super::counting::Asked;
use super::step::Pushing;
use super::{AT_ONCE, Slice, Step};
use crate::error::Error;
use crate::klaviyo::CallError;

impl Slice<'_> {
    /// Reads a page of the list's members, and notes them.
    pub(super) async fn scan(
        &mut self,
        mut pushing: Pushing,
        began: Timestamp,
        cursor: Option<Cursor>,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        let collection = CollectionRef {
            kind: CollectionKind::List,
            id: pushing.kept.list.clone(),
        };
        let from = MembersFrom {
            cursor: cursor.clone(),
            ..MembersFrom::default()
        };
        let priority = Priority::Sync(Kept::default());
        let klaviyo = &self.integration.klaviyo;
        let call = klaviyo.members(&pushing.connection, &collection, &from, priority, &AnyRoom);
        let page = match self.ask(call, stop).await? {
            // The page is asked for again.
            Asked::NotInTime => return Ok(Step::Continue),
            Asked::Overtaken => return Ok(Step::OVERTAKEN),
            Asked::Answer(page) => page,
        };
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::OVERTAKEN);
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                let is_forgotten =
                    matches!(&error, CallError::Klaviyo(KlaviyoError::CursorRejected));
                if is_forgotten {
                    pushing.run.phase = PushPhase::Scanning {
                        began: self.integration.now(),
                        cursor: None,
                    };
                }
                let trouble = Trouble::of_read(error);
                return self.after_trouble(unit, pushing, trouble).await;
            }
        };
        if page.next.is_some() && page.next == cursor {
            let trouble = Trouble::Fail(fanfare_domain::failure::FailureCode::CursorLoop);
            return self.after_trouble(unit, pushing, trouble).await;
        }
        let ids: BTreeSet<ProfileId> = page.profiles.into_iter().map(|it| it.id).collect();
        let ids: Vec<ProfileId> = ids.into_iter().collect();
        unit.note_seen(&pushing.kept.list, &ids, began).await?;
        let next = match page.next {
            Some(cursor) => PushPhase::Scanning {
                began,
                cursor: Some(cursor),
            },
            None => pushing.run.next_phase(),
        };
        self.go_on(unit, &mut pushing, next).await
    }

    /// Corrects some rows of the ledger by what was read.
    pub(super) async fn correct(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        began: Timestamp,
        after: Option<ProfileId>,
    ) -> Result<Step, Error> {
        let list = pushing.kept.list.clone();
        let rows = unit.ledger(&list, after.as_ref(), AT_ONCE).await?;
        let is_seen = |seen_at: Option<Timestamp>| seen_at.is_some_and(|at| at >= began);
        let seen = rows.iter().filter(|row| is_seen(row.seen_at));
        let seen: BTreeSet<ProfileId> = seen.map(|row| row.profile.clone()).collect();
        let ours = rows.iter();
        let ours: BTreeMap<ProfileId, (Standing, Timestamp)> = ours
            .filter_map(|row| Some((row.profile.clone(), (row.standing.ours()?, row.since))))
            .collect();
        let now = self.integration.now();
        let (mut taken_off, mut added, mut forgotten) = (Vec::new(), Vec::new(), Vec::new());
        for correction in correct(&ours, &seen, began, SETTLES) {
            match correction {
                Correction::TakenOff(id) => taken_off.push(id),
                Correction::Removed(id) => forgotten.push(id),
                Correction::Added(id) => added.push(id),
            }
        }
        // Others' members who have left.
        let left = rows
            .iter()
            .filter(|row| row.standing == RowStanding::Theirs && !is_seen(row.seen_at));
        forgotten.extend(left.map(|row| row.profile.clone()));
        let with_consumers = |ids: Vec<ProfileId>| -> Vec<_> {
            let of = |id: &ProfileId| rows.iter().find(|row| row.profile == *id);
            let consumer =
                |id: ProfileId| (id.clone(), of(&id).and_then(|row| row.consumer.clone()));
            ids.into_iter().map(consumer).collect()
        };
        let taken_off = with_consumers(taken_off);
        unit.put_standings(&list, &taken_off, RowStanding::TakenOff, now)
            .await?;
        let added = with_consumers(added);
        unit.put_standings(&list, &added, RowStanding::Added, now)
            .await?;
        unit.forget_standings(&list, &forgotten).await?;
        let next = match rows.last() {
            Some(end) if rows.len() == AT_ONCE as usize => PushPhase::Correcting {
                began,
                after: Some(end.profile.clone()),
            },
            _ => {
                pushing.kept.last_scanned_at = Some(began);
                unit.put_kept_list(&pushing.kept).await?;
                pushing.run.next_phase()
            }
        };
        self.go_on(unit, &mut pushing, next).await
    }

    /// Keeps that a step was made.
    pub(super) async fn go_on(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        pushing: &mut Pushing,
        next: PushPhase,
    ) -> Result<Step, Error> {
        pushing.run.go_to(next);
        unit.put_push_run(&pushing.run).await?;
        unit.commit().await?;
        Ok(Step::Continue)
    }
}
