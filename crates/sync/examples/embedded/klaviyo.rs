//! A Klaviyo that answers from a table: one list, four profiles, two a page.

use async_trait::async_trait;
use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{AccountId, CollectionId, Cursor, ProfileId};
use fanfare_domain::ports::{
    Account, Answer, Capability, Collection, CollectionPage, Klaviyo, KlaviyoError, MemberPage,
    MembersFrom,
};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_domain::time::Timestamp;

/// The list's id.
pub(crate) const LIST: &str = "RtPqXs";

const PAGE: usize = 2;

/// Id, e-mail, phone number, first and last name.
const PROFILES: [[&str; 5]; 4] = [
    ["P1", " Ann@Example.com", "+15550001111", "Ann", "Lee"],
    ["P2", "bo@example.com", "555-1234", "Bo", ""],
    ["P3", "ann@example.com", "", "Anna", "Lee"],
    ["P4", "", "", "Nobody", ""],
];

pub(crate) struct Table;

fn answer<T>(value: T) -> Answer<T> {
    Answer {
        value,
        rate_limits: None,
    }
}

fn list(with_count: bool) -> Result<Collection, KlaviyoError> {
    Ok(Collection {
        id: CollectionId::parse(LIST).map_err(unusable)?,
        name: Some("Newsletter Subscribers".to_owned()),
        created: None,
        updated: None,
        opt_in_process: None,
        is_active: None,
        is_processing: None,
        profile_count: with_count.then_some(PROFILES.len() as u64),
    })
}

fn profile([id, email, phone, first, last]: [&str; 5]) -> Result<Profile, KlaviyoError> {
    Ok(Profile {
        id: ProfileId::parse(id).map_err(unusable)?,
        email: Attribute::text(email),
        phone: Attribute::text(phone),
        first_name: Attribute::text(first),
        last_name: Attribute::text(last),
        updated: Timestamp::parse("2026-11-01T00:00:00Z"),
        joined_at: None,
    })
}

fn unusable(error: impl std::error::Error) -> KlaviyoError {
    KlaviyoError::Invalid(error.to_string())
}

#[async_trait]
impl Klaviyo for Table {
    async fn account(&self, _: &Credential) -> Result<Answer<Account>, KlaviyoError> {
        let id = AccountId::parse("AbC123").map_err(unusable)?;
        Ok(answer(Account { id }))
    }

    async fn collections(
        &self,
        _: &Credential,
        kind: CollectionKind,
        _: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError> {
        let items = match kind {
            CollectionKind::List => vec![list(false)?],
            CollectionKind::Segment => Vec::new(),
        };
        Ok(answer(CollectionPage { items, next: None }))
    }

    async fn collection(
        &self,
        _: &Credential,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError> {
        if collection.kind == CollectionKind::List && collection.id.as_str() == LIST {
            Ok(answer(list(count)?))
        } else {
            Err(KlaviyoError::NotFound)
        }
    }

    async fn members(
        &self,
        _: &Credential,
        _: &CollectionRef,
        from: &MembersFrom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        let start = match &from.cursor {
            None => 0,
            Some(cursor) => cursor
                .as_str()
                .parse()
                .map_err(|_| KlaviyoError::CursorRejected)?,
        };
        let page = PROFILES.into_iter().skip(start).take(PAGE).map(profile);
        let profiles = page.collect::<Result<Vec<Profile>, _>>()?;
        let end = start + profiles.len();
        let next = (end < PROFILES.len()).then(|| Cursor::parse(end.to_string()));
        let next = next.transpose().map_err(unusable)?;
        Ok(answer(MemberPage { profiles, next }))
    }

    async fn probe(&self, _: &Credential, _: Capability) -> Result<Answer<()>, KlaviyoError> {
        Ok(answer(()))
    }
}
