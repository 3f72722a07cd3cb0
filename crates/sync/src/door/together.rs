//! Checks of an audience that wait are read together: a crowd at the door costs a few reads, and not one for each person.

use std::sync::Arc;

use fanfare_domain::audience::Freshness;
use fanfare_domain::door::{Asked, Members, People};
use fanfare_domain::ids::{AudienceId, OrganizationId};
use tokio::sync::oneshot;

use crate::batch_queue::{BatchQueues, Batches, alike, gone};
use crate::error::{Entity, Error};
use crate::integration::Integration;

/// The most people whom one read asks for, if it is for more than one check: a millisecond or two.
const AT_ONCE: usize = 200;

/// The checks of a process that wait, by audience.
pub(crate) type DoorQueues = BatchQueues<Door, Waiting>;

/// At whose door they wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Door {
    organization: OrganizationId,
    audience: AudienceId,
}

/// A check that waits.
pub(crate) struct Waiting {
    asked: Asked,
    done: oneshot::Sender<Result<Arc<Read>, Error>>,
}

/// What was read for some checks.
pub(super) struct Read {
    pub(super) freshness: Freshness,
    pub(super) members: Members,
}

impl Integration {
    /// What is read for this check, together with the checks that come while others are read. It begins after the call.
    pub(super) async fn read_door(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        asked: &Asked,
    ) -> Result<Arc<Read>, Error> {
        let door = Door {
            organization: organization.clone(),
            audience: audience.clone(),
        };
        let (done, answer) = oneshot::channel();
        let asked = asked.clone();
        // How many wait is bounded by the checks that an organization may have under way.
        let put = self.door.put(&door, Waiting { asked, done }, usize::MAX);
        if let Ok(Some(batches)) = put {
            tokio::spawn(read_all(self.clone(), batches));
        }
        answer.await.map_err(gone)?
    }

    async fn read_together(&self, door: &Door, checks: &[Waiting]) -> Result<Read, Error> {
        let store = &self.ports.store;
        let mut members = Members::default();
        let mut freshness = None;
        for people in People::of_all(checks.iter().map(|check| &check.asked)) {
            let read = store.check_members(&door.organization, &door.audience, &people);
            let read = read.await?.ok_or(Error::NotFound(Entity::Audience))?;
            members.add(read.members);
            // At least as fresh as what was read first are all.
            freshness.get_or_insert(read.freshness);
        }
        let freshness = freshness.ok_or(Error::NotFound(Entity::Audience))?;
        Ok(Read { freshness, members })
    }
}

/// Reads what is asked at a door while there are checks.
async fn read_all(integration: Integration, mut batches: Batches<Door, Waiting>) {
    while let Some(mut checks) = batches.next(AT_ONCE, |check| check.asked.len()) {
        checks.retain(|check| !check.done.is_closed());
        if checks.is_empty() {
            continue;
        }
        match integration.read_together(batches.key(), &checks).await {
            // A row that cannot be read costs whoever asks for it, and not all who wait.
            Err(Error::Store(error)) if !error.is_transient() && checks.len() > 1 => {
                for check in checks {
                    let one = std::slice::from_ref(&check);
                    let read = integration.read_together(batches.key(), one).await;
                    let _ = check.done.send(read.map(Arc::new));
                }
            }
            Ok(read) => {
                let read = Arc::new(read);
                for check in checks {
                    let _ = check.done.send(Ok(Arc::clone(&read)));
                }
            }
            Err(error) => {
                for check in checks {
                    let _ = check.done.send(Err(match &error {
                        Error::NotFound(entity) => Error::NotFound(*entity),
                        error => alike(error),
                    }));
                }
            }
        }
    }
}
