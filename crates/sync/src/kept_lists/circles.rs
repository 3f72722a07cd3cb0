//! Whether a list would feed itself: by the sources of audiences, by other audiences that are kept, and by the definitions of Klaviyo's
//! segments.

use std::collections::{BTreeSet, VecDeque};

use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::ids::{AudienceId, CollectionId, OrganizationId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::push::{Feeds, Node, circle};

use crate::error::Error;
use crate::integration::Integration;

impl Integration {
    /// What of Klaviyo's own feeds the audience through segments, as their definitions say. Those are read that may lead to the
    /// audience, one request each, and none where no segment does. What changes in Klaviyo later is not seen.
    pub(super) async fn definitions(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        known: &[Feeds],
    ) -> Result<Vec<Feeds>, Error> {
        let begin = Node::Audience(audience.clone());
        let (mut seen, mut waiting) = (BTreeSet::from([begin.clone()]), VecDeque::from([begin]));
        let (mut defined, mut connection) = (Vec::new(), None);
        while let Some(node) = waiting.pop_front() {
            let into_it = known.iter().filter(|edge| edge.into == node);
            let mut before: Vec<Node> = into_it.map(|edge| edge.from.clone()).collect();
            if let Node::Collection(segment) = &node
                && segment.kind == CollectionKind::Segment
            {
                let open = match connection.take() {
                    Some(open) => open,
                    None => self.open_connection(organization).await?,
                };
                let call = || self.klaviyo.segment_groups(&open, &segment.id);
                let groups = match self.klaviyo.with_short_wait(call).await {
                    Ok(groups) => groups,
                    // It is a list, or gone; or nobody may know it.
                    Err(
                        Error::ScopeMissing(_)
                        | Error::KlaviyoUnreachable(
                            KlaviyoError::NotFound | KlaviyoError::NotPermitted,
                        ),
                    ) => BTreeSet::new(),
                    Err(error) => return Err(error),
                };
                connection = Some(open);
                // Klaviyo names lists and segments by ids alone.
                for id in groups {
                    for &kind in CollectionKind::ALL {
                        let id = id.clone();
                        before.push(Node::Collection(CollectionRef { kind, id }));
                    }
                }
                let edges = before.iter().map(|from| Feeds {
                    from: from.clone(),
                    into: node.clone(),
                });
                defined.extend(edges);
            }
            for one in before {
                if seen.insert(one.clone()) {
                    waiting.push_back(one);
                }
            }
        }
        Ok(defined)
    }
}

/// What feeds what, by our own rows. What the audience itself is kept in is left out: that is about to change.
pub(super) async fn known_feeds(
    unit: &mut dyn UnitOfWork,
    audience: &AudienceId,
) -> Result<Vec<Feeds>, Error> {
    let mut known = Vec::new();
    for &kind in CollectionKind::ALL {
        let sources = unit.sources(kind).await?.into_iter();
        known.extend(sources.map(|source| Feeds {
            from: Node::Collection(source.collection),
            into: Node::Audience(source.audience),
        }));
    }
    let all = unit.kept_lists().await?;
    let others = all.iter().filter(|it| it.audience != *audience);
    known.extend(others.map(|kept| feeds(&kept.audience, &kept.list)));
    Ok(known)
}

/// Refuses a list that keeps another audience, and one that feeds this one.
pub(super) async fn check(
    unit: &mut dyn UnitOfWork,
    audience: &AudienceId,
    list: &CollectionId,
    known: &[Feeds],
) -> Result<(), Error> {
    let all = unit.kept_lists().await?;
    let other = all
        .iter()
        .find(|it| it.list == *list && it.audience != *audience);
    if let Some(other) = other {
        return Err(Error::ListTaken(other.audience.clone()));
    }
    let Some(chain) = circle(known, &feeds(audience, list)) else {
        return Ok(());
    };
    let mut names = Vec::with_capacity(chain.len());
    for node in chain {
        names.push(match node {
            Node::Audience(id) => {
                let record = unit.audience(&id).await?;
                let name = record.map(|record| record.audience.name);
                format!("audience {} ({id})", name.unwrap_or_default())
            }
            Node::Collection(it) => format!("Klaviyo {} {}", it.kind.noun(), it.id),
        });
    }
    Err(Error::CircularSync(names))
}

fn feeds(audience: &AudienceId, list: &CollectionId) -> Feeds {
    Feeds {
        from: Node::Audience(audience.clone()),
        into: Node::Collection(CollectionRef {
            kind: CollectionKind::List,
            id: list.clone(),
        }),
    }
}
