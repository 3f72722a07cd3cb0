//! The wiring: adapters behind ports, and the use cases over them.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::{Clock, WorkQueue};
use fanfare_jobs::{Runner, RunnerOptions};
use fanfare_klaviyo::{KlaviyoHttp, Timeouts};
use fanfare_sync::engine::Pace;
use fanfare_sync::{Integration, Ports};

use crate::config::Config;
use crate::error::StartError;
use crate::key::{KeyError, MasterKey, XChaChaSealer};
use crate::storage::{Storage, StoragePorts};
use crate::system::{SystemClock, SystemIds};

/// The name under which the store keeps the mark of its master key.
const KEY_MARK: &str = "master_key_mark";

/// The wired service: what every program works with.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub integration: Integration,
    /// The store behind them.
    pub storage: Storage,
    work_queue: Arc<dyn WorkQueue>,
    lease: Duration,
}

impl App {
    /// Opens the store and wires everything to it. Fails if the master key is not the store's.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        // The cheapest fault is found first, before anything is made.
        let klaviyo = KlaviyoHttp::new(config.klaviyo.clone(), Timeouts::default())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let storage = Storage::open(&config.database, Arc::clone(&clock)).await?;
        let key = master_key(config, &storage).await?;
        let StoragePorts {
            store,
            directory,
            work_queue,
            ledger,
        } = storage.ports();
        let integration = Integration::new(Ports {
            store,
            directory,
            work_queue: Arc::clone(&work_queue),
            ledger,
            klaviyo: Arc::new(klaviyo),
            sealer: Arc::new(XChaChaSealer::new(&key)),
            clock,
            ids: Arc::new(SystemIds),
        });
        Ok(Self {
            integration,
            storage,
            work_queue,
            lease: config.lease,
        })
    }

    /// A runner of this store's runs.
    pub(crate) fn runner(&self) -> Runner {
        let options = RunnerOptions {
            pace: Pace {
                lease: self.lease,
                ..Pace::default()
            },
            ..RunnerOptions::default()
        };
        Runner::new(
            self.storage.queue(),
            Arc::clone(&self.work_queue),
            self.integration.clone(),
            options,
        )
    }

    /// Closes the store in good order; not for long, if something still holds it.
    pub async fn close(self) {
        self.storage.close().await;
    }
}

/// The master key, if it is the one that the store knows; on first start the store gets to know it.
async fn master_key(config: &Config, storage: &Storage) -> Result<MasterKey, StartError> {
    let is_known = storage.meta(KEY_MARK).await?.is_some();
    let key = MasterKey::load(&config.master_key, !is_known)?;
    let mark = key.mark();
    if storage.keep_meta(KEY_MARK, &mark).await? == mark {
        Ok(key)
    } else {
        Err(KeyError::NotTheStores.into())
    }
}
