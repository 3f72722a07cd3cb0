//! Klaviyo's JSON, written out as it has been seen.

mod account;
mod collection;
mod document;
mod job;
mod profile;
mod subscriptions;

pub(crate) use self::account::{account, is_field as is_account_field};
pub(crate) use self::collection::collection;
pub(crate) use self::document::{Identifier, Links, Many, One};
pub(crate) use self::job::import_job;
pub(crate) use self::profile::{ProfileResource, ProfileView, is_field as is_profile_field};
