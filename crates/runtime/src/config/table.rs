//! The settings there are, for documents, for `fanfare doctor`, and to tell known names by.

use std::fmt::Write;

use super::{Config, LogFormat, MasterKeySource, PreviousKeysSource};

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The variable; the key in `fanfare.toml` is the same without `FANFARE_`, in lower case.
    pub name: &'static str,
    /// What is in force without it.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What is in force, as it may be shown.
    pub shown: fn(&Config) -> String,
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "FANFARE_DATABASE_URL",
        default: "`sqlite://.fanfare/fanfare.db`",
        meaning: "the store, `sqlite://…` or `postgres://…`; SQLite is made and migrated on start, Postgres by `fanfare migrate`",
        shown: |config| config.database.to_string(),
    },
    Setting {
        name: "FANFARE_MIGRATION_DATABASE_URL",
        default: "as `FANFARE_DATABASE_URL`",
        meaning: "the login of the database's owner, for `fanfare migrate` on Postgres alone",
        shown: |config| match &config.migration_database {
            Some(database) => database.to_string(),
            None => "as FANFARE_DATABASE_URL".to_owned(),
        },
    },
    Setting {
        name: "FANFARE_API_ADDR",
        default: "`127.0.0.1:4800`",
        meaning: "where the API listens; port 0 takes a free one; the address is printed as `listening on http://HOST:PORT`",
        shown: |config| config.api_addr.clone(),
    },
    Setting {
        name: "FANFARE_WORKER_ADDR",
        default: "`127.0.0.1:4801`",
        meaning: "where the worker shows its health and metrics, in the same way",
        shown: |config| config.worker_addr.clone(),
    },
    Setting {
        name: "FANFARE_PUBLIC_URL",
        default: "`http://` and the API's address",
        meaning: "where browsers and webhooks reach the API; `https://…` says that TLS stands in front of it",
        shown: |config| match &config.public_url {
            Some(url) => url.to_string(),
            None => format!("http://{}", config.api_addr),
        },
    },
    Setting {
        name: "FANFARE_KLAVIYO_BASE_URL",
        default: "`https://a.klaviyo.com`",
        meaning: "the only origin that is ever contacted; plain `http` only on this machine",
        shown: |config| config.klaviyo.to_string(),
    },
    Setting {
        name: "FANFARE_MASTER_KEY",
        default: "none",
        meaning: "32 bytes in base64 that seal the stored Klaviyo keys",
        shown: |config| match config.master_key {
            MasterKeySource::Given(_) => "••••".to_owned(),
            _ => "not set".to_owned(),
        },
    },
    Setting {
        name: "FANFARE_MASTER_KEY_FILE",
        default: "embedded store: `master.key` beside it, made on first start with mode 0600; Postgres: one of the two is required",
        meaning: "a file that holds them instead",
        shown: |config| match &config.master_key {
            MasterKeySource::File(path) | MasterKeySource::BesideStore(path) => {
                path.display().to_string()
            }
            MasterKeySource::Given(_) | MasterKeySource::Unset => "not set".to_owned(),
        },
    },
    Setting {
        name: "FANFARE_MASTER_KEY_PREVIOUS",
        default: "none",
        meaning: "master keys of before, with commas between them: they open stored Klaviyo keys and never seal any; `fanfare rekey` makes them unnecessary",
        shown: |config| match config.previous_master_keys {
            PreviousKeysSource::Given(_) => "••••".to_owned(),
            _ => "not set".to_owned(),
        },
    },
    Setting {
        name: "FANFARE_MASTER_KEY_PREVIOUS_FILE",
        default: "none",
        meaning: "a file that holds them instead",
        shown: |config| match &config.previous_master_keys {
            PreviousKeysSource::File(path) => path.display().to_string(),
            _ => "not set".to_owned(),
        },
    },
    Setting {
        name: "FANFARE_LEASE_SECONDS",
        default: "`10`",
        meaning: "how long a silent worker keeps a run, 1 to 3600",
        shown: |config| config.lease.as_secs().to_string(),
    },
    Setting {
        name: "FANFARE_MIN_REFRESH_SECONDS",
        default: "`60`",
        meaning: "the shortest interval of a continuous audience, 1 to 604800; less than a minute is for tests. An audience with a shorter one, of before, is synced by this one",
        shown: |config| config.intervals.shortest.to_string(),
    },
    Setting {
        name: "FANFARE_FULL_PASS_SECONDS",
        default: "`86400`",
        meaning: "the longest time between two complete passes of a continuous audience, 1 to 31536000",
        shown: |config| config.full_passes.longest.as_secs().to_string(),
    },
    Setting {
        name: "FANFARE_KLAVIYO_SHARE",
        default: "`100`",
        meaning: "the percent of a Klaviyo account's quota that syncs may use, 1 to 100; what a user waits for may use all of it, and comes first",
        shown: |config| config.klaviyo_share.percent().to_string(),
    },
    Setting {
        name: "FANFARE_RETENTION_DAYS",
        default: "`90`",
        meaning: "how long ended runs and their issues are kept, and the members of archived audiences, 1 to 36525; the latest run and the latest successful run of each audience stay",
        shown: |config| (config.retention.as_secs() / 86_400).to_string(),
    },
    Setting {
        name: "FANFARE_HISTORY_DAYS",
        default: "`400`",
        meaning: "how long it is kept who left an audience when, 1 to 36525; what a snapshot needs stays",
        shown: |config| (config.history.as_secs() / 86_400).to_string(),
    },
    Setting {
        name: "FANFARE_LOG",
        default: "`info`; the operator's commands `warn`",
        meaning: "what is logged, as `tracing` filters say it: `info,fanfare_sync=debug`",
        shown: |config| config.log.clone().unwrap_or_else(|| "info".to_owned()),
    },
    Setting {
        name: "FANFARE_LOG_FORMAT",
        default: "`text` on a terminal, else `json`",
        meaning: "the form of the logs",
        shown: |config| {
            match config.log_format {
                Some(LogFormat::Text) => "text",
                Some(LogFormat::Json) => "json",
                None => "text on a terminal, else json",
            }
            .to_owned()
        },
    },
];

/// The settings as a table of Markdown.
pub fn markdown() -> String {
    let mut table = String::from("| Variable | Default | Meaning |\n|---|---|---|\n");
    for setting in SETTINGS {
        let Setting {
            name,
            default,
            meaning,
            ..
        } = setting;
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{name}` | {default} | {meaning} |");
    }
    table
}
