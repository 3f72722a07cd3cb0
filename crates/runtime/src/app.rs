//! The wiring: adapters behind ports, and the use cases over them.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::connection::MasterKeyRank;
use fanfare_domain::ports::{Klaviyo, WorkQueue};
use fanfare_http::Pages;
use fanfare_jobs::{Runner, RunnerOptions};
use fanfare_klaviyo::{KlaviyoHttp, Timeouts};
use fanfare_sync::engine::Pace;
use fanfare_sync::{Integration, Ports};
use fanfare_web::{Options, SessionKeys};

use crate::config::{Config, PublicUrl};
use crate::error::StartError;
use crate::key::store_mark::{self, UnknownMark};
use crate::key::{MasterKeys, XChaChaSealer};
use crate::restored::{self, StorePlace};
use crate::storage::{Storage, StoragePorts};
use crate::system::SystemIds;

/// The wired service: what every program works with.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub integration: Integration,
    /// The store behind them.
    pub storage: Storage,
    master_keys: Arc<MasterKeys>,
    work_queue: Arc<dyn WorkQueue>,
    lease: Duration,
    retention: Duration,
    public_url: Option<PublicUrl>,
}

impl App {
    /// Opens the store and wires everything to it. Fails if no configured master key is the store's.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        Self::open_with(config, UnknownMark::Refused).await
    }

    /// The same for a store whose master key is lost: its stored Klaviyo keys do not open, and what is stored
    /// from now on is sealed with the present master key.
    pub async fn open_without_its_master_key(config: &Config) -> Result<Self, StartError> {
        Self::open_with(config, UnknownMark::Accepted).await
    }

    async fn open_with(config: &Config, unknown: UnknownMark) -> Result<Self, StartError> {
        // The cheapest fault is found first, before anything is made.
        let klaviyo = Arc::new(KlaviyoHttp::new(
            config.klaviyo.clone(),
            Timeouts::default(),
        )?);
        let storage = Storage::open(&config.database).await?;
        let clock = storage.clock();
        let keys = store_mark::load_keys(config, &storage, unknown).await?;
        for file in config.exposed_files() {
            tracing::warn!("{file}");
        }
        if restored::place(&storage).await? == StorePlace::Another {
            tracing::warn!(
                "the store was restored from a backup or moved: secret keys that were revoked since the backup are \
                 valid again; `fanfare restored` lists the valid ones and ends this warning"
            );
        }
        let StoragePorts {
            store,
            directory,
            work_queue,
            ledger,
            request_limits,
        } = storage.ports();
        let integration = Integration::new(Ports {
            store,
            directory,
            work_queue: Arc::clone(&work_queue),
            ledger,
            request_limits,
            klaviyo: Arc::clone(&klaviyo) as Arc<dyn Klaviyo>,
            sealer: Arc::new(XChaChaSealer::new(&keys)),
            ids: Arc::new(SystemIds::new(Arc::clone(&clock))),
            clock,
        })
        .with_klaviyo_writes(klaviyo)
        .keeping_history_for(config.history)
        .with_intervals(config.intervals)
        .with_full_pass_limits(config.full_passes)
        .with_klaviyo_share(config.klaviyo_share);
        Ok(Self {
            integration,
            storage,
            master_keys: Arc::new(keys),
            work_queue,
            lease: config.lease,
            retention: config.retention,
            public_url: config.public_url.clone(),
        })
    }

    /// The configured master keys.
    pub fn master_keys(&self) -> &MasterKeys {
        &self.master_keys
    }

    /// Which of them the store knows as its own.
    pub async fn master_key_of_store(&self) -> Result<MasterKeyRank, StartError> {
        store_mark::rank(&self.master_keys, &self.storage).await
    }

    /// Makes the present master key the store's own, once it has sealed all that is stored. What was sealed by
    /// others is overwritten.
    pub async fn end_rekeying(&self) -> Result<(), StartError> {
        self.storage.overwrite_deleted().await;
        store_mark::set_present(&self.master_keys, &self.storage).await
    }

    /// Whether the store is a backup that was restored and not looked through yet.
    pub async fn store_place(&self) -> Result<StorePlace, StartError> {
        Ok(restored::place(&self.storage).await?)
    }

    /// Ends the warning of a restored store.
    pub async fn accept_store_place(&self) -> Result<(), StartError> {
        Ok(restored::accept(&self.storage).await?)
    }

    /// The dashboard's pages.
    pub(crate) fn pages(&self) -> Pages {
        fanfare_web::pages(Options {
            session_keys: SessionKeys::of(&self.master_keys.session_secrets()),
            is_secure: self.public_url.as_ref().is_some_and(PublicUrl::is_secure),
        })
    }

    /// Where others reach the API, if that was configured.
    pub(crate) fn public_url(&self) -> Option<String> {
        self.public_url.as_ref().map(ToString::to_string)
    }

    /// A runner of this store's runs.
    pub(crate) fn runner(&self) -> Runner {
        let options = RunnerOptions {
            pace: Pace {
                lease: self.lease,
                ..Pace::default()
            },
            retention: self.retention,
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
