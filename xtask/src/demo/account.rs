//! The demo's place on disk, its organization, and the organization's connection to Klaviyo.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::programs::{Programs, SIMULATOR_KEY};
use super::{Klaviyo, unless_stopped};
use crate::stop::Stop;
use crate::workspace;

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

    /// What the programs call the store.
    pub(super) fn store_url(&self) -> OsString {
        let mut url = OsString::from("sqlite://");
        url.push(self.path.join(self.store));
        url
    }

    /// Where the organization's secret key is kept.
    pub(super) fn key_file(&self) -> PathBuf {
        self.path.join(self.key)
    }

    /// An empty log for a program.
    pub(super) fn new_log(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(format!("{name}.log"));
        File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewOrganization {
    secret_key: String,
}

/// Signs in as the organization of the demo before, or else as a new one.
pub(super) fn sign_in(folder: &Folder, programs: &Programs, stop: &Stop) -> Result<Api> {
    unless_stopped(stop)?;
    if let Ok(key) = fs::read_to_string(folder.key_file()) {
        let api = Api::new(&programs.address, key.trim());
        // The store may have been deleted since.
        if api.send("GET", "/api/settings", None)?.status != 401 {
            return Ok(api);
        }
    }
    let output = programs
        .operator(&["org", "create", "--name", "Demo", "--json"])
        .output()?;
    if !output.status.success() {
        bail!(
            "the organization was not made:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let made: NewOrganization = serde_json::from_slice(&output.stdout)
        .context("`fanfare org create --json` printed something else than a key")?;
    keep_private(&folder.key_file(), &made.secret_key)?;
    Ok(Api::new(&programs.address, &made.secret_key))
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
