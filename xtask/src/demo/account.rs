//! The demo's place on disk, its organization, and the organization's connection to Klaviyo.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Klaviyo;
use crate::services::Services;
use crate::services::api::Api;
use crate::workspace;

/// The key that the simulator's demo account takes.
const SIMULATOR_KEY: &str = "pk_demo_0123456789abcdef0123456789abcdef";

/// The folder that the demo keeps everything in.
pub(super) struct Folder {
    path: PathBuf,
    store: &'static str,
    key: &'static str,
    _lock: File,
}

impl Folder {
    /// Opens the folder, making it where there is none, and keeps other demos out.
    ///
    /// A real account and the simulator's never share a store: neither's key must reach the other.
    pub(super) fn open(klaviyo: &Klaviyo) -> Result<Self> {
        let path = workspace::root().join(".fanfare");
        fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        let lock = File::create(path.join("demo.lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another demo is running here; end it first"),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let (store, key) = match klaviyo {
            Klaviyo::Simulated => ("fanfare.db", "demo.key"),
            Klaviyo::Real(_) => ("klaviyo.db", "klaviyo.key"),
        };
        Ok(Self {
            path,
            store,
            key,
            _lock: lock,
        })
    }

    /// The store's file.
    pub(super) fn store(&self) -> PathBuf {
        self.path.join(self.store)
    }

    /// Where the organization's secret key is kept.
    pub(super) fn key_file(&self) -> PathBuf {
        self.path.join(self.key)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Signs in as the organization of the demo before, or else as a new one.
pub(super) fn sign_in(folder: &Folder, services: &Services) -> Result<Api> {
    if let Ok(key) = fs::read_to_string(folder.key_file()) {
        let api = Api::new(&services.address, key.trim());
        // The store may have been deleted since.
        if api.send("GET", "/api/settings", None)?.status != 401 {
            return Ok(api);
        }
    }
    let key = services.create_organization("Demo")?;
    keep_private(&folder.key_file(), &key)?;
    Ok(Api::new(&services.address, &key))
}

/// What the simulator is told: the demo's account, under a key that is known here, that a list lives in it, and that what is
/// written shows at once.
pub(super) fn simulator_arguments(living: &str) -> Vec<OsString> {
    let arguments = ["--key", SIMULATOR_KEY, "--living", living, "--at-once"];
    arguments.map(OsString::from).to_vec()
}

/// Connects the organization to Klaviyo.
pub(super) fn connect(api: &Api, klaviyo: &Klaviyo) -> Result<()> {
    let key = match klaviyo {
        Klaviyo::Simulated => SIMULATOR_KEY,
        Klaviyo::Real(key) => key,
    };
    let body = json!({"klaviyo": {"apiKey": key}});
    api.put::<Value>("/api/settings", &body)
        .context("Klaviyo was not connected")?;
    Ok(())
}

fn keep_private(path: &Path, secret: &str) -> Result<()> {
    let unwritable = || format!("{} cannot be written", path.display());
    // A file that is there keeps its mode: begin with a new one.
    if path.exists() {
        fs::remove_file(path).with_context(unwritable)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(unwritable)?;
    writeln!(file, "{secret}").with_context(unwritable)
}
