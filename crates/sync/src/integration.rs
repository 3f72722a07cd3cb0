//! The use cases with their ports, as a program wires them.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::connection::{ApiKey, Connection, OpenConnection};
use fanfare_domain::due_pass::FullPassLimits;
use fanfare_domain::history::KEPT_FOR;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{
    Clock, Directory, Ids, KeySealer, Klaviyo, KlaviyoWrites, QuotaLedger, RequestLimits, Store,
    StoreError, UnitOfWork, WorkQueue,
};
use fanfare_domain::quota::Share;
use fanfare_domain::schedule::Intervals;
use fanfare_domain::time::Timestamp;

use crate::door::DoorQueues;
use crate::error::Error;
use crate::intake::{IntakeQueues, KnownSecrets};
use crate::kept_collections::KeptCollections;
use crate::klaviyo::KlaviyoClient;
use crate::known_keys::KnownKeys;
use crate::read_back::Samples;

/// The adapters behind the ports.
#[derive(Clone)]
pub struct Ports {
    /// The rows of each organization.
    pub store: Arc<dyn Store>,
    /// Organizations and secret keys.
    pub directory: Arc<dyn Directory>,
    /// The queue of due work.
    pub work_queue: Arc<dyn WorkQueue>,
    /// Klaviyo's quotas.
    pub ledger: Arc<dyn QuotaLedger>,
    /// The rate limits of organizations.
    pub request_limits: Arc<dyn RequestLimits>,
    /// Klaviyo's API.
    pub klaviyo: Arc<dyn Klaviyo>,
    /// The master keys.
    pub sealer: Arc<dyn KeySealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids. They MUST come from a cryptographic generator, because secret keys are made of them.
    pub ids: Arc<dyn Ids>,
}

/// The ports that the use cases call themselves. They call Klaviyo and its quotas through the client.
#[derive(Clone)]
pub(crate) struct OwnPorts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) work_queue: Arc<dyn WorkQueue>,
    pub(crate) request_limits: Arc<dyn RequestLimits>,
    pub(crate) sealer: Arc<dyn KeySealer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
}

/// The use cases. Clones are cheap, and share the adapters.
#[derive(Clone)]
pub struct Integration {
    pub(crate) ports: OwnPorts,
    pub(crate) klaviyo: KlaviyoClient,
    pub(crate) kept_collections: KeptCollections,
    pub(crate) history_kept_for: Duration,
    pub(crate) known_keys: KnownKeys,
    pub(crate) known_secrets: KnownSecrets,
    pub(crate) intake: IntakeQueues,
    pub(crate) door: DoorQueues,
    pub(crate) samples: Samples,
    pub(crate) intervals: Intervals,
    pub(crate) full_pass_limits: FullPassLimits,
}

impl Integration {
    /// The use cases with these adapters.
    pub fn new(ports: Ports) -> Self {
        Self {
            klaviyo: KlaviyoClient::new(ports.klaviyo, ports.ledger, Arc::clone(&ports.clock)),
            kept_collections: KeptCollections::default(),
            known_keys: KnownKeys::default(),
            known_secrets: KnownSecrets::default(),
            intake: IntakeQueues::default(),
            door: DoorQueues::default(),
            samples: Samples::default(),
            intervals: Intervals::default(),
            full_pass_limits: FullPassLimits::default(),
            ports: OwnPorts {
                store: ports.store,
                directory: ports.directory,
                work_queue: ports.work_queue,
                request_limits: ports.request_limits,
                sealer: ports.sealer,
                clock: ports.clock,
                ids: ports.ids,
            },
            history_kept_for: KEPT_FOR,
        }
    }

    /// The same, keeping the history of memberships for so long.
    #[must_use]
    pub fn keeping_history_for(self, history_kept_for: Duration) -> Self {
        Self {
            history_kept_for,
            ..self
        }
    }

    /// The same, of whose Klaviyo quota syncs use this share.
    #[must_use]
    pub fn with_klaviyo_share(self, share: Share) -> Self {
        let klaviyo = self.klaviyo.with_share(share);
        Self { klaviyo, ..self }
    }

    /// The same, sending deliveries by this port. Without it they stay pending.
    #[must_use]
    pub fn with_klaviyo_writes(self, writes: Arc<dyn KlaviyoWrites>) -> Self {
        let klaviyo = self.klaviyo.with_writes(writes);
        Self { klaviyo, ..self }
    }

    /// The same, for audiences with these intervals.
    #[must_use]
    pub fn with_intervals(self, intervals: Intervals) -> Self {
        Self { intervals, ..self }
    }

    /// The same, making complete passes of continuous audiences within these limits.
    #[must_use]
    pub fn with_full_pass_limits(self, full_pass_limits: FullPassLimits) -> Self {
        Self {
            full_pass_limits,
            ..self
        }
    }

    /// The shortest interval at which an audience may sync, in seconds.
    pub const fn shortest_interval(&self) -> u32 {
        self.intervals.shortest
    }

    /// The clock of the use cases.
    pub fn clock(&self) -> &dyn Clock {
        self.ports.clock.as_ref()
    }

    /// The ids of the use cases.
    pub fn ids(&self) -> &dyn Ids {
        self.ports.ids.as_ref()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    pub(crate) async fn read(
        &self,
        of: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.ports.store.read(of).await
    }

    /// A unit for reading, by the means of searches where it is for one.
    pub(crate) async fn read_or_search(
        &self,
        of: &OrganizationId,
        is_search: bool,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        if is_search {
            self.ports.store.search(of).await
        } else {
            self.read(of).await
        }
    }

    pub(crate) async fn begin(
        &self,
        of: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.ports.store.begin(of).await
    }

    /// The stored connection with its key decrypted, ready for calls to Klaviyo.
    pub(crate) async fn open_connection(
        &self,
        organization: &OrganizationId,
    ) -> Result<OpenConnection, Error> {
        let stored = self.stored_connection(organization).await?;
        self.opened(organization, &stored)
    }

    /// The stored connection.
    pub(crate) async fn stored_connection(
        &self,
        organization: &OrganizationId,
    ) -> Result<Connection, Error> {
        let stored = self.read(organization).await?.connection().await?;
        stored.ok_or(Error::KeyNotFound)
    }

    /// A stored connection with its key decrypted.
    pub(crate) fn opened(
        &self,
        organization: &OrganizationId,
        stored: &Connection,
    ) -> Result<OpenConnection, Error> {
        let opened = self.ports.sealer.open(organization, &stored.key)?;
        let key = ApiKey::parse(&opened.secret).map_err(|_| Error::KeyNotFound)?;
        let account = stored.account.as_ref();
        Ok(OpenConnection::new(organization, account, key.into()).of_generation(stored.generation))
    }
}
