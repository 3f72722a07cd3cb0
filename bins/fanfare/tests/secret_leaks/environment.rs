//! The environment of the test: a store, a Klaviyo, the programs, and what they wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fanfare_klaviyo_sim::{RunningSimulator, Simulator};

use crate::canary::Canary;
use crate::capture::Captured;
use crate::findings;
use crate::fixture::{self, EMAIL, MASTER_KEY, PREVIOUS_MASTER_KEY};
use crate::programs::Programs;
use crate::store::Store;

pub(crate) struct Environment {
    pub(crate) store: Store,
    pub(crate) klaviyo: RunningSimulator,
    pub(crate) captured: Captured,
}

impl Environment {
    pub(crate) fn new(store: Store) -> Self {
        let captured = Captured::default();
        if let Some(password) = store.password() {
            captured.add_secret(password);
        }
        Self {
            store,
            klaviyo: Simulator::start(fixture::klaviyo()).unwrap(),
            captured,
        }
    }

    /// The programs, with the Klaviyo at this address.
    pub(crate) fn programs(&self, klaviyo: String) -> Programs<'_> {
        let own = [
            ("FANFARE_API_ADDR", "127.0.0.1:0".to_owned()),
            ("FANFARE_WORKER_ADDR", "127.0.0.1:0".to_owned()),
            ("FANFARE_KLAVIYO_BASE_URL", klaviyo),
            ("FANFARE_MASTER_KEY", STANDARD.encode(MASTER_KEY)),
            (
                "FANFARE_MASTER_KEY_PREVIOUS",
                STANDARD.encode(PREVIOUS_MASTER_KEY),
            ),
            ("FANFARE_LOG", "trace".to_owned()),
            ("FANFARE_LOG_FORMAT", "json".to_owned()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        Programs {
            folder: self.store.folder(),
            settings: own.into_iter().chain(self.store.settings()).collect(),
            captured: &self.captured,
        }
    }

    fn canaries(&self) -> Vec<Canary> {
        let mut canaries = fixture::canaries();
        canaries.extend(self.captured.secrets.borrow().iter().cloned());
        canaries
    }

    /// Fails if the store holds a canary where it does not belong.
    #[track_caller]
    pub(crate) fn assert_store_is_clean(&self) {
        let found = findings::of_store(&self.store, &self.canaries());
        assert!(found.is_empty(), "{found:#?}");
    }

    /// Fails if the test cannot see what the store keeps: profiles in their columns, the sealed key, and
    /// apalis's jobs.
    #[track_caller]
    pub(crate) fn assert_store_holds_the_imported_values(&self) {
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

    /// Fails if any output, or the store at the end, shows a canary where it does not belong.
    #[track_caller]
    pub(crate) fn assert_nothing_leaked(&self) {
        let found = findings::of_evidence(&self.captured, &self.canaries());
        assert!(found.is_empty(), "{found:#?}");
        self.assert_store_is_clean();
    }
}
