//! The calls that show which events have arrived.

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::ids::{Cursor, MetricId};
use fanfare_domain::quota::Endpoint;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{MetricPage, RecordedEvents};

use super::client::KlaviyoClient;
use super::quota::CallError;

impl KlaviyoClient {
    /// A page of the account's metrics.
    pub(crate) async fn metrics(
        &self,
        connection: &OpenConnection,
        cursor: Option<&Cursor>,
    ) -> Result<MetricPage, CallError> {
        let writes = self.reads_of_writes()?;
        let call = writes.metrics(&connection.credential, cursor);
        self.quota.count(connection, Endpoint::Metrics, call).await
    }

    /// A page of a metric's events from a time on, the earliest first.
    pub(crate) async fn recorded_events(
        &self,
        connection: &OpenConnection,
        metric: &MetricId,
        since: Timestamp,
        cursor: Option<&Cursor>,
    ) -> Result<RecordedEvents, CallError> {
        let writes = self.reads_of_writes()?;
        let call = writes.recorded_events(&connection.credential, metric, since, cursor);
        self.quota.count(connection, Endpoint::Events, call).await
    }
}
