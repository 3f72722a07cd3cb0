//! What a program is wired with.

use std::sync::Arc;

use fanfare_domain::connection::{KlaviyoKey, SealedKey};
use fanfare_domain::ids::{AccountId, OrganizationId};
use fanfare_domain::ports::{
    Clock, Directory, Ids, KeySealer, Klaviyo, QuotaLedger, Store, StoreError, UnitOfWork,
    WorkQueue,
};
use fanfare_domain::time::Timestamp;

use crate::error::Error;
use crate::gateway::Gateway;
use crate::rate_limit_block::RateLimitBlocks;

/// The adapters behind the ports.
#[derive(Clone)]
pub struct Ports {
    /// Rows of organizations.
    pub store: Arc<dyn Store>,
    /// Organizations and secret keys.
    pub directory: Arc<dyn Directory>,
    /// The queue of due work.
    pub work_queue: Arc<dyn WorkQueue>,
    /// Klaviyo's quotas.
    pub ledger: Arc<dyn QuotaLedger>,
    /// Klaviyo.
    pub klaviyo: Arc<dyn Klaviyo>,
    /// The master key.
    pub sealer: Arc<dyn KeySealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids; they MUST come from a cryptographic generator, for secret keys are made of them.
    pub ids: Arc<dyn Ids>,
}

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct Integration {
    pub(crate) ports: Ports,
    blocks: RateLimitBlocks,
}

/// An opened connection: what a call to Klaviyo needs.
#[derive(Debug, Clone)]
pub(crate) struct OpenConnection {
    pub(crate) key: KlaviyoKey,
    /// The key as it was stored: another one there means that it was replaced.
    pub(crate) sealed: SealedKey,
    pub(crate) account: String,
}

impl Integration {
    /// The use cases over these adapters.
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            blocks: RateLimitBlocks::default(),
        }
    }

    /// The time, as the use cases see it.
    pub fn clock(&self) -> &dyn Clock {
        self.ports.clock.as_ref()
    }

    /// Where the use cases take ids from.
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

    pub(crate) async fn begin(
        &self,
        of: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.ports.store.begin(of).await
    }

    pub(crate) fn gateway(&self) -> Gateway<'_> {
        Gateway::new(&self.ports, &self.blocks)
    }

    /// Opens the stored key.
    pub(crate) async fn open_connection(
        &self,
        organization: &OrganizationId,
    ) -> Result<OpenConnection, Error> {
        let stored = self.read(organization).await?.connection().await?;
        let stored = stored.ok_or(Error::KeyNotFound)?;
        let secret = self.ports.sealer.open(organization, &stored.key)?;
        let key = KlaviyoKey::parse(&secret).map_err(|_| Error::KeyNotFound)?;
        Ok(OpenConnection {
            key,
            account: quota_account(organization, stored.account.as_ref()),
            sealed: stored.key,
        })
    }
}

/// The name under which a connection's quota is kept: all keys of one Klaviyo account share it.
pub(crate) fn quota_account(organization: &OrganizationId, account: Option<&AccountId>) -> String {
    match account {
        Some(account) => format!("account:{account}"),
        None => format!("connection:{organization}"),
    }
}
