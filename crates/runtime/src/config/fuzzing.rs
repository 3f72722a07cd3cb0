//! What must hold whatever bytes stand in the settings: the fuzzing engine looks for bytes for which it does not, and
//! the tests repeat those that were found.
//!
//! It is compiled for tests and by `cargo xtask fuzz` alone.
#![expect(
    clippy::missing_panics_doc,
    reason = "a target panics to tell what it found"
)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::provided::ProvidedSettings;
use super::{Config, ConfigError, SETTINGS};

/// A target's name and function. The bytes that it is tested with are in `crates/fuzz/corpus/NAME`.
pub type Target = (&'static str, fn(&[u8]));

/// All targets of this crate.
pub const TARGETS: &[Target] = &[("runtime-settings", settings)];

/// A text that stands for a secret. The engine knows it and puts it where it can.
const CANARY: &str = "canary0123456789";

/// Settings whose values are not shown.
const SECRET: [&str; 2] = ["FANFARE_MASTER_KEY", "FANFARE_MASTER_KEY_PREVIOUS"];

/// The environment, a line for each variable, then an empty line and `fanfare.toml`.
pub fn settings(bytes: &[u8]) {
    let head_ends = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (variables, file) = match head_ends {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (&[][..], bytes),
    };
    let variables = variables.split(|byte| *byte == b'\n').filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b'=')?;
        let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        Some((text(&line[..at]), text(&line[at + 1..])))
    });
    let file = String::from_utf8_lossy(file);
    let config = match ProvidedSettings::of(variables, &file)
        .and_then(|provided| Config::of(provided, Path::new("fanfare.toml")))
    {
        Ok(config) => config,
        Err(ConfigError::Misspelt { .. } | ConfigError::UnknownKey(_)) => return,
        Err(error) => {
            assert!(!error.to_string().contains(CANARY), "{error}");
            return;
        }
    };
    for setting in SETTINGS {
        let shown = (setting.shown)(&config);
        if SECRET.contains(&setting.name) {
            assert!(["••••", "not set"].contains(&shown.as_str()), "{shown}");
        }
    }
    for database in [Some(&config.database), config.migration_database.as_ref()] {
        let shown = database.map(ToString::to_string).unwrap_or_default();
        if let Some(place) = shown.strip_prefix("postgres://") {
            // The password stands before an `@`, or among the parameters.
            let place = place.strip_prefix("••••@");
            assert!(place.is_some_and(|place| !place.contains(['@', '?', '#'])));
        }
    }
    assert!((1..=3_600).contains(&config.lease.as_secs()));
    assert!(config.klaviyo.to_string().starts_with("http"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_has_found_holds() {
        fanfare_testkit::corpus::replay(super::TARGETS);
    }
}
