//! The calls that are made to Klaviyo.

use async_trait::async_trait;

use crate::collection::{CollectionKind, CollectionRef};
use crate::connection::Credential;
use crate::ids::Cursor;
use crate::klaviyo::{
    Account, Answer, Capability, Collection, CollectionPage, KlaviyoError, MemberPage, MembersFrom,
};

/// Klaviyo's REST API, revision 2026-07-15.
///
/// Each call is one request. An adapter never retries, never waits and never follows a link to
/// another origin; it trusts nothing it is sent. It MUST hold answers to a size, and calls to a
/// time, and MUST keep the credential out of every error.
#[async_trait]
pub trait Klaviyo: Send + Sync {
    /// `GET /api/accounts`: whose credential this is. Scope `accounts:read`.
    async fn account(&self, credential: &Credential) -> Result<Answer<Account>, KlaviyoError>;

    /// `GET /api/lists` or `/api/segments`, ten a page. Scope `lists:read` or `segments:read`.
    async fn collections(
        &self,
        credential: &Credential,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError>;

    /// `GET /api/lists/{id}` or `/api/segments/{id}`; with `count` also how many profiles it has,
    /// from another bucket of the quota.
    async fn collection(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError>;

    /// `GET /api/lists/{id}/profiles` or the segment's, a hundred a page by join time. Scopes of
    /// the collection and `profiles:read`.
    async fn members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        from: &MembersFrom,
    ) -> Result<Answer<MemberPage>, KlaviyoError>;

    /// Tries whether the credential has a capability, with the smallest request that needs it.
    async fn probe(
        &self,
        credential: &Credential,
        capability: Capability,
    ) -> Result<Answer<()>, KlaviyoError>;
}
