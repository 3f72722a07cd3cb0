//! Calls for audiences that are kept in lists.

use std::collections::BTreeSet;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::connection::OpenConnection;
use fanfare_domain::ids::{CollectionId, ImportJobId, ProfileId};
use fanfare_domain::klaviyo::Collection;
use fanfare_domain::quota::Endpoint;
use fanfare_domain::writing::{Flow, FlowsOf, ImportJob, ProfileUpsert, WriteError};

use super::client::KlaviyoClient;
use super::quota::CallError;

impl KlaviyoClient {
    /// Adds members to a list, [`fanfare_domain::writing::MAX_LISTED`] at most.
    pub(crate) async fn add_to_list(
        &self,
        connection: &OpenConnection,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<(), CallError<WriteError>> {
        let call = self.writes()?;
        let call = call.add_to_list(&connection.credential, list, profiles);
        let endpoint = Endpoint::AddToList;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// Removes members from a list, as many at most.
    pub(crate) async fn remove_from_list(
        &self,
        connection: &OpenConnection,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<(), CallError<WriteError>> {
        let call = self.writes()?;
        let call = call.remove_from_list(&connection.credential, list, profiles);
        let endpoint = Endpoint::RemoveFromList;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// Makes a list.
    pub(crate) async fn create_list(
        &self,
        connection: &OpenConnection,
        name: &str,
    ) -> Result<Collection, CallError<WriteError>> {
        let call = self.writes()?.create_list(&connection.credential, name);
        let endpoint = Endpoint::CreateList;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// How many of these profiles, from the first, one import job holds.
    pub(crate) fn profiles_that_fit(&self, profiles: &[ProfileUpsert]) -> usize {
        let writes = self.writes.as_ref();
        writes.map_or(0, |writes| writes.profiles_that_fit(profiles))
    }

    /// Starts an import job.
    pub(crate) async fn start_import(
        &self,
        connection: &OpenConnection,
        profiles: &[ProfileUpsert],
    ) -> Result<ImportJob, CallError<WriteError>> {
        let writes = self.writes()?;
        let call = writes.start_import(&connection.credential, profiles);
        let endpoint = Endpoint::StartImport;
        self.quota.count_write(connection, endpoint, call).await
    }

    /// How far an import job is.
    pub(crate) async fn import_job(
        &self,
        connection: &OpenConnection,
        job: &ImportJobId,
    ) -> Result<ImportJob, CallError> {
        let writes = self.reads_of_writes()?;
        let call = writes.import_job(&connection.credential, job);
        self.quota
            .count(connection, Endpoint::ImportJob, call)
            .await
    }

    /// The lists and segments that a segment is computed from.
    pub(crate) async fn segment_groups(
        &self,
        connection: &OpenConnection,
        segment: &CollectionId,
    ) -> Result<BTreeSet<CollectionId>, CallError> {
        let writes = self.reads_of_writes()?;
        let call = writes.segment_groups(&connection.credential, segment);
        let endpoint = CollectionKind::Segment.descriptor().endpoints.single;
        self.quota.count(connection, endpoint, call).await
    }

    /// The flows that joining a list starts.
    pub(crate) async fn flows_of_list(
        &self,
        connection: &OpenConnection,
        list: &CollectionId,
    ) -> Result<Vec<Flow>, CallError> {
        let of = FlowsOf::List(list.clone());
        let call = self.reads_of_writes()?.flows(&connection.credential, &of);
        self.quota
            .count(connection, Endpoint::ListFlows, call)
            .await
    }
}
