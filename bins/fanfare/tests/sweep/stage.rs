//! A store, a Klaviyo, a place to run programs in, and what was seen of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fanfare_klaviyo_sim::{RunningSimulator, Simulator};

use crate::canary::Canary;
use crate::cast::{self, EMAIL, MASTER_KEY};
use crate::evidence::Evidence;
use crate::programs::Place;
use crate::store::Store;
use crate::verdict;

pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) klaviyo: RunningSimulator,
    pub(crate) evidence: Evidence,
}

impl Stage {
    pub(crate) fn set(store: Store) -> Self {
        let evidence = Evidence::default();
        if let Some(password) = store.password() {
            evidence.add_secret(password);
        }
        Self {
            store,
            klaviyo: Simulator::start(cast::klaviyo()).unwrap(),
            evidence,
        }
    }

    /// Where the programs are run against the Klaviyo at this address.
    pub(crate) fn place(&self, klaviyo: String) -> Place<'_> {
        let own = [
            ("FANFARE_API_ADDR", "127.0.0.1:0".to_owned()),
            ("FANFARE_WORKER_ADDR", "127.0.0.1:0".to_owned()),
            ("FANFARE_KLAVIYO_BASE_URL", klaviyo),
            ("FANFARE_MASTER_KEY", STANDARD.encode(MASTER_KEY)),
            ("FANFARE_LOG", "trace".to_owned()),
            ("FANFARE_LOG_FORMAT", "json".to_owned()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        Place {
            folder: self.store.folder(),
            settings: own.into_iter().chain(self.store.settings()).collect(),
            evidence: &self.evidence,
        }
    }

    fn canaries(&self) -> Vec<Canary> {
        let mut canaries = cast::canaries();
        canaries.extend(self.evidence.secrets.borrow().iter().cloned());
        canaries
    }

    /// Sweeps the store as it is now.
    #[track_caller]
    pub(crate) fn sweep_store(&self) {
        let found = verdict::of_store(&self.store, &self.canaries());
        assert!(found.is_empty(), "{found:#?}");
    }

    /// What the store keeps is seen: people in their columns, the sealed key, and apalis's jobs.
    #[track_caller]
    pub(crate) fn assert_store_is_read(&self) {
        let cells = self.store.cells();
        let email = EMAIL.to_lowercase();
        assert!(
            cells
                .iter()
                .any(|cell| cell.column == "email" && cell.bytes == email.as_bytes())
        );
        assert!(cells.iter().any(|cell| cell.column == "sealed_key"));
        assert!(
            cells
                .iter()
                .any(|cell| cell.table.eq_ignore_ascii_case("jobs"))
        );
    }

    /// Sweeps all that was said, and the store at the end.
    #[track_caller]
    pub(crate) fn verdict(&self) {
        let found = verdict::of_evidence(&self.evidence, &self.canaries());
        assert!(found.is_empty(), "{found:#?}");
        self.sweep_store();
    }
}
