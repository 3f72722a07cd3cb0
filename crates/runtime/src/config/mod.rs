//! The settings: the environment first, then `fanfare.toml` in the working directory, then defaults.

mod database;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod provided;
mod public_url;
mod secret_files;
mod table;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanfare_domain::due_pass::FullPassLimits;
use fanfare_domain::history::KEPT_FOR;
use fanfare_domain::quota::Share;
use fanfare_domain::schedule::{Intervals, LONGEST_INTERVAL};
use fanfare_klaviyo::Origin;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

pub use database::{Database, InvalidDatabase};
pub use provided::Source;
pub use public_url::PublicUrl;
pub use secret_files::ExposedFile;
pub use table::{SETTINGS, Setting, markdown};

use provided::{FILE, ProvidedSettings};

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the store is.
    pub database: Database,
    /// The database owner's login, for `fanfare migrate` alone, where it is another one.
    pub migration_database: Option<Database>,
    /// Where the API listens, `HOST:PORT`.
    pub api_addr: String,
    /// Where the worker shows its health, `HOST:PORT`.
    pub worker_addr: String,
    /// Where browsers and webhooks reach the API; `None` for its own address, without TLS.
    pub public_url: Option<PublicUrl>,
    /// The only origin of Klaviyo's that is contacted.
    pub klaviyo: Origin,
    /// Where the master key comes from.
    pub master_key: MasterKeySource,
    /// Where the master keys of before come from.
    pub previous_master_keys: PreviousKeysSource,
    /// How long a worker that sends no heartbeat keeps a run.
    pub lease: Duration,
    /// The intervals that continuous audiences may have.
    pub intervals: Intervals,
    /// How often complete passes of continuous audiences are made.
    pub full_passes: FullPassLimits,
    /// The share of Klaviyo's quota that syncs use.
    pub klaviyo_share: Share,
    /// How long ended runs are kept, and what else is kept for a time only.
    pub retention: Duration,
    /// How long the history of memberships is kept.
    pub history: Duration,
    /// What is logged; `None` for what suits the program.
    pub log: Option<String>,
    /// How it is written; `None` for what suits the place it goes to.
    pub log_format: Option<LogFormat>,
    /// Variables that begin like settings and are none.
    pub unknown_variables: Vec<String>,
    sources: BTreeMap<&'static str, Source>,
    file: PathBuf,
}

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub enum MasterKeySource {
    /// The setting itself, in base64.
    Given(SecretString),
    /// A file of the user's that holds it in base64.
    File(PathBuf),
    /// The file beside the embedded store, made on first start.
    BesideStore(PathBuf),
    /// Nowhere, and a store that is not embedded.
    Unset,
}

/// Where the master keys of before come from.
#[derive(Debug, Clone)]
pub enum PreviousKeysSource {
    /// The setting itself: keys in base64, with commas between them.
    Given(SecretString),
    /// A file of the user's that holds the same.
    File(PathBuf),
    /// Nowhere: there are none.
    Unset,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines of text for a reader.
    Text,
    /// A JSON object a line.
    Json,
}

/// A setting that cannot be used. Each message names it, and what would do; no secret is shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A name that is a setting's but for a letter or two.
    #[error("there is no setting {name}; did you mean {meant}?")]
    Misspelt {
        /// As it was written.
        name: String,
        /// The setting it resembles.
        meant: String,
    },
    /// A key in the file that resembles no setting.
    #[error(
        "there is no setting {0}, which {FILE} gives; docs/OPERATIONS.md lists those there are"
    )]
    UnknownKey(String),
    /// The file is not TOML.
    #[error("{FILE} cannot be read: {0}")]
    File(String),
    /// Neither text nor a number.
    #[error("{0} must be text or a number")]
    NotText(String),
    /// A value that cannot be used.
    #[error("{name}: {fault}")]
    Value {
        /// The setting as it was given.
        name: String,
        /// What is wrong, and what would be right.
        fault: String,
    },
}

/// The name of the master key's file beside an embedded store.
const KEY_FILE: &str = "master.key";

/// The longest lease, in seconds: the run of a dead worker waits as long for another worker.
const LONGEST_LEASE: u64 = 3_600;

impl Config {
    /// Reads the settings.
    pub fn load() -> Result<Self, ConfigError> {
        Self::read(std::env::vars_os(), Path::new(FILE))
    }

    /// Reads them from other variables and another file.
    fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        file: &Path,
    ) -> Result<Self, ConfigError> {
        Self::of(ProvidedSettings::read(variables, file)?, file)
    }

    /// The settings in force where these are provided, beside this file.
    fn of(provided: ProvidedSettings, file: &Path) -> Result<Self, ConfigError> {
        let database = parsed(&provided, "FANFARE_DATABASE_URL", Database::parse)?
            .unwrap_or_else(|| Database::Sqlite(PathBuf::from(".fanfare/fanfare.db")));
        let klaviyo = parsed(&provided, "FANFARE_KLAVIYO_BASE_URL", Origin::parse)?;
        let klaviyo = klaviyo.map_or_else(|| Origin::parse("https://a.klaviyo.com"), Ok);
        let lease = parsed(&provided, "FANFARE_LEASE_SECONDS", lease)?;
        let history = parsed(&provided, "FANFARE_HISTORY_DAYS", retention)?;
        let intervals = parsed(&provided, "FANFARE_MIN_REFRESH_SECONDS", intervals)?;
        let full_passes = parsed(&provided, "FANFARE_FULL_PASS_SECONDS", full_passes)?;
        let klaviyo_share = parsed(&provided, "FANFARE_KLAVIYO_SHARE", klaviyo_share)?;
        let retention = parsed(&provided, "FANFARE_RETENTION_DAYS", retention)?;
        Ok(Self {
            migration_database: migration_database(&provided, &database)?,
            api_addr: parsed(&provided, "FANFARE_API_ADDR", address)?
                .unwrap_or_else(|| "127.0.0.1:4800".to_owned()),
            worker_addr: parsed(&provided, "FANFARE_WORKER_ADDR", address)?
                .unwrap_or_else(|| "127.0.0.1:4801".to_owned()),
            public_url: parsed(&provided, "FANFARE_PUBLIC_URL", PublicUrl::parse)?,
            klaviyo: klaviyo
                .map_err(|fault| fault_in(&provided, "FANFARE_KLAVIYO_BASE_URL", fault))?,
            master_key: master_key(&provided, &database)?,
            previous_master_keys: previous_master_keys(&provided)?,
            lease: lease.unwrap_or(Duration::from_secs(10)),
            intervals: intervals.unwrap_or_default(),
            full_passes: full_passes.unwrap_or_default(),
            klaviyo_share: klaviyo_share.unwrap_or_default(),
            retention: retention.unwrap_or(days(90)),
            history: history.unwrap_or(KEPT_FOR),
            log: parsed(&provided, "FANFARE_LOG", log)?,
            log_format: parsed(&provided, "FANFARE_LOG_FORMAT", log_format)?,
            sources: SETTINGS
                .iter()
                .map(|setting| (setting.name, provided.source(setting.name)))
                .collect(),
            database,
            unknown_variables: provided.unknown_variables,
            file: file.to_owned(),
        })
    }

    /// Where a setting's value comes from.
    pub fn source(&self, setting: &Setting) -> Source {
        let source = self.sources.get(setting.name);
        source.copied().unwrap_or(Source::Default)
    }
}

/// The Klaviyo key that the environment holds for `fanfare klaviyo connect`. No setting of the
/// programs.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is read here alone"
)]
pub fn klaviyo_key_of_environment() -> Option<SecretString> {
    let text = std::env::var("KLAVIYO_API_KEY").ok()?;
    (!text.trim().is_empty()).then(|| SecretString::from(text))
}

fn parsed<T, E: std::fmt::Display>(
    provided: &ProvidedSettings,
    variable: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, ConfigError> {
    let value = provided.get(variable).map(parse).transpose();
    value.map_err(|fault| fault_in(provided, variable, fault))
}

fn fault_in(
    provided: &ProvidedSettings,
    variable: &'static str,
    fault: impl std::fmt::Display,
) -> ConfigError {
    ConfigError::Value {
        name: provided.named(variable),
        fault: fault.to_string(),
    }
}

fn migration_database(
    provided: &ProvidedSettings,
    database: &Database,
) -> Result<Option<Database>, ConfigError> {
    let variable = "FANFARE_MIGRATION_DATABASE_URL";
    let migration = parsed(provided, variable, Database::parse)?;
    match (&migration, database) {
        (None, _) | (Some(Database::Postgres(_)), Database::Postgres(_)) => Ok(migration),
        (Some(_), _) => Err(fault_in(
            provided,
            variable,
            "it is for Postgres, where FANFARE_DATABASE_URL is of Postgres too",
        )),
    }
}

fn master_key(
    provided: &ProvidedSettings,
    database: &Database,
) -> Result<MasterKeySource, ConfigError> {
    let given = value_or_file(provided, "FANFARE_MASTER_KEY", "FANFARE_MASTER_KEY_FILE")?;
    Ok(match (given, database) {
        (Some(Given::Value(key)), _) => MasterKeySource::Given(key),
        (Some(Given::File(path)), _) => MasterKeySource::File(path),
        (None, Database::Sqlite(store)) => {
            MasterKeySource::BesideStore(store.with_file_name(KEY_FILE))
        }
        (None, Database::Postgres(_)) => MasterKeySource::Unset,
    })
}

fn previous_master_keys(provided: &ProvidedSettings) -> Result<PreviousKeysSource, ConfigError> {
    let given = value_or_file(
        provided,
        "FANFARE_MASTER_KEY_PREVIOUS",
        "FANFARE_MASTER_KEY_PREVIOUS_FILE",
    )?;
    Ok(match given {
        Some(Given::Value(keys)) => PreviousKeysSource::Given(keys),
        Some(Given::File(path)) => PreviousKeysSource::File(path),
        None => PreviousKeysSource::Unset,
    })
}

/// A secret as the operator gave it.
enum Given {
    Value(SecretString),
    File(PathBuf),
}

/// A secret that is given by one of two settings, or by none.
fn value_or_file(
    provided: &ProvidedSettings,
    variable: &'static str,
    file: &'static str,
) -> Result<Option<Given>, ConfigError> {
    match (provided.get(variable), provided.get(file)) {
        (Some(_), Some(_)) => {
            let fault = format!("{} is given too; keep one of the two", provided.named(file));
            Err(fault_in(provided, variable, fault))
        }
        (Some(value), None) => Ok(Some(Given::Value(SecretString::from(value)))),
        (None, Some(path)) => Ok(Some(Given::File(PathBuf::from(path)))),
        (None, None) => Ok(None),
    }
}

fn address(text: &str) -> Result<String, &'static str> {
    let split = text.rsplit_once(':');
    let fits = split.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    });
    if fits {
        Ok(text.to_owned())
    } else {
        Err("it must be HOST:PORT, such as 127.0.0.1:4800")
    }
}

fn lease(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|it| (1..=LONGEST_LEASE).contains(it));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| format!("it must be a whole number of seconds from 1 to {LONGEST_LEASE}"))
}

/// The shortest interval: one second in tests, at most the longest one.
fn intervals(text: &str) -> Result<Intervals, String> {
    let seconds = text.parse().ok();
    let shortest = seconds.filter(|seconds| (1..=LONGEST_INTERVAL).contains(seconds));
    shortest
        .map(|shortest| Intervals { shortest })
        .ok_or_else(|| format!("it must be a whole number of seconds from 1 to {LONGEST_INTERVAL}"))
}

/// The longest time between two complete passes that can be set, in seconds: a year.
const LONGEST_FULL_PASS: u64 = 31_536_000;

fn full_passes(text: &str) -> Result<FullPassLimits, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|it| (1..=LONGEST_FULL_PASS).contains(it));
    seconds
        .map(|seconds| FullPassLimits {
            longest: Duration::from_secs(seconds),
            ..FullPassLimits::default()
        })
        .ok_or_else(|| {
            format!("it must be a whole number of seconds from 1 to {LONGEST_FULL_PASS}")
        })
}

fn klaviyo_share(text: &str) -> Result<Share, &'static str> {
    let share = text.parse().ok().and_then(Share::of_percent);
    share.ok_or("it must be a whole number of percent from 1 to 100")
}

/// The longest retention, in days: a hundred years.
const LONGEST_RETENTION: u64 = 36_525;

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn retention(text: &str) -> Result<Duration, String> {
    let number = text
        .parse()
        .ok()
        .filter(|it| (1..=LONGEST_RETENTION).contains(it));
    number
        .map(days)
        .ok_or_else(|| format!("it must be a whole number of days from 1 to {LONGEST_RETENTION}"))
}

fn log(text: &str) -> Result<String, &'static str> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("it is no filter such as info or info,fanfare_sync=debug"),
    }
}

fn log_format(text: &str) -> Result<LogFormat, &'static str> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("it must be text or json"),
    }
}

#[cfg(test)]
mod tests;
