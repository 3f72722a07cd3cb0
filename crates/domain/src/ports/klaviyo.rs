//! Calls to Klaviyo.

use async_trait::async_trait;

use crate::collection::{CollectionKind, CollectionRef};
use crate::connection::Credential;
use crate::ids::{Cursor, ProfileId};
use crate::klaviyo::{
    Account, Answer, Capability, Collection, CollectionPage, KlaviyoError, MemberLookup,
    MemberPage, MembersFrom,
};
use crate::profile::Profile;

/// Klaviyo's REST API, revision 2026-07-15.
///
/// Each call is one request. An adapter never retries, never waits for quota and never follows a link to
/// another origin; it trusts nothing that it receives. It MUST limit the size of answers and the duration of
/// calls, and MUST keep the credential out of every error.
#[async_trait]
pub trait Klaviyo: Send + Sync {
    /// `GET /api/accounts`: the account that the credential belongs to. Scope `accounts:read`.
    async fn account(&self, credential: &Credential) -> Result<Answer<Account>, KlaviyoError>;

    /// `GET /api/lists` or `/api/segments`, ten collections on a page. Scope `lists:read` or `segments:read`.
    async fn collections(
        &self,
        credential: &Credential,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError>;

    /// `GET /api/lists/{id}` or `/api/segments/{id}`. With `count` the answer also has the number of
    /// profiles, and the call is counted in another bucket of the quota.
    async fn collection(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError>;

    /// `GET /api/lists/{id}/profiles` or the same of a segment, a hundred profiles on a page, by join time.
    /// Scopes: that of the collection and `profiles:read`. The caller says how large the answer may become;
    /// where there is no more room, the answer is dropped ([`KlaviyoError::NoRoom`]).
    async fn members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        from: &MembersFrom,
        room: &dyn AnswerRoom,
    ) -> Result<Answer<MemberPage>, KlaviyoError>;

    /// The same for those members who have one of a few e-mails or phone numbers, in any order: twenty values at most.
    async fn find_members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        lookup: &MemberLookup,
    ) -> Result<Answer<Vec<Profile>>, KlaviyoError>;

    /// `GET /api/profiles`: those profiles that there are of a few ids, twenty at most. Scope `profiles:read`.
    async fn profiles(
        &self,
        credential: &Credential,
        ids: &[ProfileId],
    ) -> Result<Answer<Vec<Profile>>, KlaviyoError>;

    /// Tests whether the credential has a capability, with the smallest request that needs it.
    async fn probe(
        &self,
        credential: &Credential,
        capability: Capability,
    ) -> Result<Answer<()>, KlaviyoError>;
}

/// The memory that an answer may take while it arrives.
pub trait AnswerRoom: Send + Sync {
    /// Whether the answer may take `bytes` from now on, in bytes of its body.
    fn grow_to(&self, bytes: usize) -> bool;
}

/// As much room as an answer needs.
#[derive(Debug, Clone, Copy)]
pub struct AnyRoom;

impl AnswerRoom for AnyRoom {
    fn grow_to(&self, _: usize) -> bool {
        true
    }
}
