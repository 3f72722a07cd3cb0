//! What the programs have in common: configuration, telemetry, the master key, wiring and shutdown.
//!
//! A program's `main` reads like a recipe of this crate's parts: [`no_arguments`], [`Config::load`], a
//! log, [`shutdown::on_signal`], [`Socket::of_api`], [`App::open`], then [`serve_api`], [`work`] or both.
//! The operator's command line uses [`App`] for everything else. No rule of the service is here.

mod app;
mod arguments;
mod config;
mod error;
mod key;
mod priority;
mod readiness;
mod restored;
mod serve;
pub mod shutdown;
mod socket;
mod storage;
mod system;
pub mod telemetry;

pub use app::App;
pub use arguments::no_arguments;
#[cfg(any(test, fuzzing))]
pub use config::fuzzing;
pub use config::{
    Config, ConfigError, Database, ExposedFile, InvalidDatabase, LogFormat, MasterKeySource,
    PreviousKeysSource, PublicUrl, SETTINGS, Setting, Source, klaviyo_key_of_environment, markdown,
};
pub use error::{StartError, conclude, one_line};
pub use key::{KeyError, MasterKeys, XChaChaSealer};
pub use priority::give_way;
pub use restored::StorePlace;
pub use serve::{serve_api, serve_both, work};
pub use socket::Socket;
pub use storage::{SchemaState, Storage, StorageError};
pub use system::{SystemClock, SystemIds};
