//! Why a program does not start, or ends before it was told to.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use fanfare_domain::ports::StoreError;
use fanfare_jobs::RunnerError;
use fanfare_klaviyo::BuildError;

use crate::config::ConfigError;
use crate::key::KeyError;
use crate::storage::StorageError;

/// Why a program does not start, or ends before it was told to. With its causes it is one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A log has been set up already.
    #[error("the log could not be set up")]
    Log(#[source] Box<dyn Error + Send + Sync>),
    /// The metrics' recorder could not be set up.
    #[error("the metrics could not be set up")]
    Metrics(#[source] Box<dyn Error + Send + Sync>),
    /// Signals cannot be listened to.
    #[error("signals cannot be listened to")]
    Signals(#[source] io::Error),
    /// Another program has the port.
    #[error(
        "the address {address} is in use by another program: end that one, or set {setting} to \
         another address (port 0 takes a free one)"
    )]
    AddressInUse {
        /// The address.
        address: String,
        /// The setting.
        setting: &'static str,
    },
    /// There is no listening on the address for another reason.
    #[error("there is no listening on the address {address}, which {setting} sets")]
    Listen {
        /// The address.
        address: String,
        /// The setting.
        setting: &'static str,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store was opened, and failed then.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// There is no master key, or a wrong one.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Klaviyo's client cannot be made.
    #[error(transparent)]
    Klaviyo(#[from] BuildError),
    /// A server could not be started, or failed.
    #[error("the server failed")]
    Server(#[source] io::Error),
    /// The job runner gave up.
    #[error(transparent)]
    Runner(#[from] RunnerError),
    /// Something ended by itself that should have gone on.
    #[error("{0} ended without having been told to")]
    Ended(&'static str),
}

/// A program's exit status: 0, or 1 and one line on standard error that says why.
pub fn conclude(program: &str, result: Result<(), StartError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line, each once.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_each_cause_once() {
        let cause = io::Error::other("no\nluck");
        let error = StartError::Server(cause);
        assert_eq!(one_line(&error), "the server failed: no luck");

        let transparent = StartError::from(ConfigError::UnknownKey("colour".to_owned()));
        assert_eq!(one_line(&transparent).matches("colour").count(), 1);
    }
}
