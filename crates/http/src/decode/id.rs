//! Ids in paths. They are opaque: a text that cannot be an id is one that was never given.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use fanfare_domain::ids::{
    AudienceId, CollectionId, ConsumerId, DeliveryId, RunId, SnapshotId, SourceId,
};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::{Entity, Error};

use super::value::klaviyo_id;
use crate::error::ApiError;

/// The id in the path.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

/// The two ids in the path: of something, and of something within it.
#[derive(Debug)]
pub(crate) struct IdWithin<T, U>(pub(crate) T, pub(crate) U);

/// Something that a path can name.
pub(crate) trait PathId: Sized {
    /// What it is the id of.
    const ENTITY: Entity;

    /// Takes the text as an id, if it can be one.
    fn parse(text: String) -> Option<Self>;
}

/// A list in the path.
#[derive(Debug)]
pub(crate) struct ListRef(pub(crate) CollectionRef);

/// A segment in the path.
#[derive(Debug)]
pub(crate) struct SegmentRef(pub(crate) CollectionRef);

macro_rules! path_id {
    ($name:ident, $entity:expr, $parse:expr) => {
        impl PathId for $name {
            const ENTITY: Entity = $entity;

            fn parse(text: String) -> Option<Self> {
                $parse(text)
            }
        }
    };
}

path_id!(AudienceId, Entity::Audience, |text| Self::parse(text).ok());
path_id!(ConsumerId, Entity::Consumer, |text| Self::parse(text).ok());
path_id!(SourceId, Entity::SyncSource, |text| Self::parse(text).ok());
path_id!(SnapshotId, Entity::Snapshot, |text| Self::parse(text).ok());
path_id!(DeliveryId, Entity::Delivery, |text| Self::parse(text).ok());
path_id!(RunId, Entity::SyncRun, |text| Self::parse(text).ok());
path_id!(
    ListRef,
    Entity::KlaviyoCollection(CollectionKind::List),
    |text: String| { collection(CollectionKind::List, &text).map(Self) }
);
path_id!(
    SegmentRef,
    Entity::KlaviyoCollection(CollectionKind::Segment),
    |text: String| { collection(CollectionKind::Segment, &text).map(Self) }
);

fn collection(kind: CollectionKind, text: &str) -> Option<CollectionRef> {
    let id = klaviyo_id(text, CollectionId::parse::<&str>).ok()?;
    Some(CollectionRef { kind, id })
}

impl<T: PathId> FromRequest for Id<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = web::Path::<String>::from_request(request, payload).into_inner();
        let text = text.map_or_else(|_| String::new(), web::Path::into_inner);
        ready(parsed(text).map(Self))
    }
}

impl<T: PathId, U: PathId> FromRequest for IdWithin<T, U> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let texts = web::Path::<(String, String)>::from_request(request, payload).into_inner();
        let (outer, inner) = texts.map_or_else(|_| Default::default(), web::Path::into_inner);
        ready(parsed(outer).and_then(|outer| Ok(Self(outer, parsed(inner)?))))
    }
}

fn parsed<T: PathId>(text: String) -> Result<T, ApiError> {
    T::parse(text).ok_or_else(|| Error::NotFound(T::ENTITY).into())
}
