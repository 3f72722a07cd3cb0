//! A store with many organizations, each with a stored Klaviyo key, made without Klaviyo.

use std::process::{Child, Command};
use std::sync::Arc;

use fanfare_domain::connection::{Connection, MasterKeyRank};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{Directory, KeySealer, Store};
use fanfare_runtime::{
    Database, MasterKeySource, MasterKeys, PreviousKeysSource, Storage, XChaChaSealer,
};
use fanfare_testkit::build::{connection, organization, secret_key};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::master_key;
use crate::support::Installation;

/// The master key of before, and the one that takes its place.
const OLD: u8 = 1;
const NEW: u8 = 2;

/// A store with organizations whose Klaviyo keys the old master key has sealed.
pub(super) struct Shops {
    installation: Installation,
    store: Arc<dyn Store>,
    pub(super) ids: Vec<OrganizationId>,
}

impl Shops {
    /// So many, in the store at this address, which is the installation's.
    pub(super) async fn new(installation: Installation, address: &str, count: u8) -> Self {
        let installation = installation.with("FANFARE_MASTER_KEY", master_key(OLD));
        // The store gets to know its master key.
        assert_eq!(installation.run(&["org", "list"]).status, 0);
        let database = Database::parse(address).unwrap();
        let storage = Storage::open(&database).await;
        let (store, directory) = ports(&storage.unwrap());
        let mut ids = Vec::new();
        for n in 0..count {
            let made = organization(&format!("org_{n:03}"));
            let key = secret_key(&format!("key_{n:03}"), &made.id, n);
            directory.create_organization(&made, &key).await.unwrap();
            ids.push(made.id);
        }
        let shops = Self {
            installation,
            store,
            ids,
        };
        shops.seal_with_the_old_key().await;
        shops
    }

    pub(super) async fn seal_with_the_old_key(&self) {
        let sealer = sealer(&[OLD]);
        for id in &self.ids {
            let mut unit = self.store.begin(id).await.unwrap();
            let key = sealer.seal(id, &klaviyo_key(id));
            let new = Connection {
                key,
                ..connection()
            };
            unit.put_connection(&new).await.unwrap();
            unit.commit().await.unwrap();
        }
    }

    /// Which master key sealed one of the keys. Fails unless it opens, and is the organization's.
    pub(super) async fn sealed_by(&self, id: &OrganizationId) -> MasterKeyRank {
        self.opened_with(&[NEW, OLD], id).await
    }

    /// How many keys the new master key has sealed. Fails unless each opens with one of the two.
    pub(super) async fn sealed_anew(&self) -> usize {
        let mut count = 0;
        for id in &self.ids {
            count += usize::from(self.sealed_by(id).await == MasterKeyRank::Present);
        }
        count
    }

    async fn opened_with(&self, keys: &[u8], id: &OrganizationId) -> MasterKeyRank {
        let mut unit = self.store.read(id).await.unwrap();
        let stored = unit.connection().await.unwrap().unwrap();
        let opened = sealer(keys).open(id, &stored.key).unwrap();
        let (secret, want) = (opened.secret, klaviyo_key(id));
        assert_eq!(secret.expose_secret(), want.expose_secret());
        opened.sealed_by
    }

    /// A command of programs that have both master keys.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.installation.command(arguments);
        command
            .env("FANFARE_MASTER_KEY", master_key(NEW))
            .env("FANFARE_MASTER_KEY_PREVIOUS", master_key(OLD));
        command
    }

    /// Begins to seal all keys with the new master key.
    pub(super) fn begin_rekeying(&self) -> Child {
        self.command(&["rekey", "--json"]).spawn().unwrap()
    }

    /// Seals what is left with the new master key, which is the only one that is needed then.
    pub(super) async fn finish_rekeying(&self) {
        let done = self.sealed_anew().await;
        let report = self.rekey().await;
        let left = self.ids.len() - done;
        assert_eq!(
            report,
            json!({"sealedAnew": left, "unchanged": done, "notOpened": [], "erasuresForgotten": []})
        );
        for id in &self.ids {
            self.opened_with(&[NEW], id).await;
        }
    }

    /// Meanwhile the runtime of the test goes on, so that transactions that the test has dropped end: their locks would
    /// keep the command waiting.
    async fn rekey(&self) -> Value {
        let mut command = self.command(&["rekey", "--json"]);
        let ended = tokio::task::spawn_blocking(move || command.output());
        let ended = ended.await.unwrap().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        serde_json::from_slice(&ended.stdout).unwrap()
    }
}

/// Kills a program as `kill -9` does.
pub(super) fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn klaviyo_key(id: &OrganizationId) -> SecretString {
    SecretString::from(format!("pk_{id}"))
}

fn sealer(keys: &[u8]) -> XChaChaSealer {
    let (present, previous) = keys.split_first().unwrap();
    let present = MasterKeySource::Given(SecretString::from(master_key(*present)));
    let previous = match previous {
        [] => PreviousKeysSource::Unset,
        keys => {
            let keys: Vec<String> = keys.iter().map(|byte| master_key(*byte)).collect();
            PreviousKeysSource::Given(SecretString::from(keys.join(",")))
        }
    };
    XChaChaSealer::new(&MasterKeys::load(&present, &previous, false).unwrap())
}

fn ports(storage: &Storage) -> (Arc<dyn Store>, Arc<dyn Directory>) {
    match storage {
        Storage::Sqlite { store, .. } => (Arc::new(store.clone()), Arc::new(store.clone())),
        Storage::Postgres { store, .. } => {
            let store = store.as_ref();
            (Arc::new(store.clone()), Arc::new(store.clone()))
        }
    }
}
