//! Fanfare's dashboard: pages over the use cases, for people.
//!
//! A handler reads the address or the form, calls use cases of [`fanfare_sync::Integration`], and writes HTML; no
//! handler holds a rule. Each file of `pages` is one page with its routes. What a script swaps in place is a partial
//! of the same page by the same handler, and without script every page and form works. [`pages()`] is given to the
//! API's server, which serves both.

mod assets;
mod attempts;
mod components;
mod counts;
mod ended_runs;
mod error;
mod fields;
mod guard;
mod headers;
mod layout;
mod made_secrets;
mod pages;
mod people;
mod router;
mod session;
#[cfg(test)]
mod tests;
mod texts;
mod visitor;
mod words;

use std::sync::Arc;

use actix_web::web::Data;

pub use session::SessionKeys;

use crate::attempts::Attempts;
use crate::counts::Counts;
use crate::ended_runs::EndedRuns;
use crate::made_secrets::MadeSecrets;

/// What the dashboard needs to know of its installation.
#[derive(Debug)]
pub struct Options {
    /// What sessions are sealed with.
    pub session_keys: SessionKeys,
    /// Whether browsers reach it by https: its cookie is sent by that alone then.
    pub is_secure: bool,
}

/// The dashboard as all workers of the server share it.
#[derive(Debug)]
struct Dashboard {
    options: Options,
    attempts: Attempts,
    counts: Counts,
    ended_runs: EndedRuns,
    made_secrets: MadeSecrets,
}

/// The pages, for the API's server.
pub fn pages(options: Options) -> fanfare_http::Pages {
    let dashboard = Data::new(Dashboard {
        options,
        attempts: Attempts::default(),
        counts: Counts::default(),
        ended_runs: EndedRuns::default(),
        made_secrets: MadeSecrets::default(),
    });
    Arc::new(move |config| router::register(config, &dashboard))
}
