//! The settings as the operator gave them, as text, and their source: the environment first, then the file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::{fs, io};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};

use super::{ConfigError, SETTINGS};

/// The file beside the environment.
pub(super) const FILE: &str = "fanfare.toml";

const PREFIX: &str = "FANFARE_";

/// Variables of this prefix that are for tests and builds, not for programs.
const NOT_FOR_PROGRAMS: &[&str] = &[
    "FANFARE_TEST_DATABASE_URL",
    "FANFARE_SQLITE_BUILD_URL",
    "FANFARE_PG_BUILD_URL",
];

/// How many letters may be wrong in a name that is taken for a misspelt one.
const MAX_TYPOS: usize = 2;

/// Where a setting's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A variable.
    Environment,
    /// `fanfare.toml`.
    File,
    /// The setting is not given.
    Default,
}

/// The settings that were given, by the variable's name. A blank value counts as not given.
pub(super) struct ProvidedSettings {
    values: BTreeMap<&'static str, (String, Source)>,
    /// Variables that begin like settings and are none.
    pub(super) unknown_variables: Vec<String>,
}

impl ProvidedSettings {
    /// Reads both. A name that is probably a setting's, misspelt, is an error: going on with the
    /// default could mean another store. Other variables may belong to other programs.
    pub(super) fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        file: &Path,
    ) -> Result<Self, ConfigError> {
        Self::of(variables, &content(file)?)
    }

    /// The same of what the file holds.
    pub(super) fn of(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        file: &str,
    ) -> Result<Self, ConfigError> {
        let (mut environment, mut unknown_variables) = (BTreeMap::new(), Vec::new());
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
                continue;
            };
            if let Some(known) = known_variable(name) {
                let value = value
                    .into_string()
                    .map_err(|_| ConfigError::NotText(name.to_owned()))?;
                if !value.trim().is_empty() {
                    environment.insert(key(known), value);
                }
            } else if let Some(meant) = misspelt(name, SETTINGS.iter().map(|one| one.name)) {
                let name = name.to_owned();
                return Err(ConfigError::Misspelt { name, meant });
            } else if !NOT_FOR_PROGRAMS.contains(&name) {
                unknown_variables.push(name.to_owned());
            }
        }
        let merged: Dict = Figment::from(Toml::string(file))
            .merge(Serialized::defaults(&environment))
            .extract()
            .map_err(|error| unreadable(&error))?;
        let mut values = BTreeMap::new();
        for (name, value) in merged {
            let known = known_key(&name).ok_or_else(|| unknown_key(&name))?;
            let source = if environment.contains_key(&name) {
                Source::Environment
            } else {
                Source::File
            };
            let text = text(value).ok_or_else(|| ConfigError::NotText(named(known, source)))?;
            if !text.trim().is_empty() {
                values.insert(known, (text, source));
            }
        }
        Ok(Self {
            values,
            unknown_variables,
        })
    }

    /// The value of a setting, if it was given.
    pub(super) fn get(&self, variable: &'static str) -> Option<&str> {
        self.values.get(variable).map(|(text, _)| text.trim())
    }

    /// Where its value comes from.
    pub(super) fn source(&self, variable: &'static str) -> Source {
        let provided = self.values.get(variable);
        provided.map_or(Source::Default, |(_, source)| *source)
    }

    /// The setting as the operator gave it: `FANFARE_LOG`, or `log in fanfare.toml`.
    pub(super) fn named(&self, variable: &'static str) -> String {
        named(variable, self.source(variable))
    }
}

fn named(variable: &'static str, source: Source) -> String {
    match source {
        Source::File => format!("{} in {FILE}", key(variable)),
        Source::Environment | Source::Default => variable.to_owned(),
    }
}

/// The key in the file of a variable.
fn key(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).to_ascii_lowercase()
}

fn known_variable(name: &str) -> Option<&'static str> {
    let mut names = SETTINGS.iter().map(|setting| setting.name);
    names.find(|known| *known == name)
}

fn known_key(name: &str) -> Option<&'static str> {
    let mut names = SETTINGS.iter().map(|setting| setting.name);
    names.find(|known| key(known) == name)
}

/// The known name that the operator may have meant.
fn misspelt(name: &str, known: impl Iterator<Item = impl AsRef<str>>) -> Option<String> {
    let with_distance = known.map(|known| {
        let distance = strsim::damerau_levenshtein(name, known.as_ref());
        (distance, known.as_ref().to_owned())
    });
    let nearest = with_distance.min_by_key(|(distance, _)| *distance);
    nearest
        .filter(|(distance, _)| *distance <= MAX_TYPOS)
        .map(|(_, known)| known)
}

/// Only Fanfare reads the file: an unknown key in it is a mistake.
fn unknown_key(name: &str) -> ConfigError {
    match misspelt(name, SETTINGS.iter().map(|one| key(one.name))) {
        Some(meant) => ConfigError::Misspelt {
            name: format!("{name} in {FILE}"),
            meant,
        },
        None => ConfigError::UnknownKey(name.to_owned()),
    }
}

/// What the file holds: nothing, if there is none.
fn content(file: &Path) -> Result<String, ConfigError> {
    match fs::read_to_string(file) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(ConfigError::File(error.to_string())),
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text),
        Value::Num(_, number) => match number.to_i128() {
            Some(whole) => Some(whole.to_string()),
            None => number.to_f64().map(|number| number.to_string()),
        },
        _ => None,
    }
}

/// The place of the fault, and not the line of the file, which may hold a secret.
fn unreadable(error: &figment::Error) -> ConfigError {
    let text = error.to_string();
    ConfigError::File(text.lines().next().unwrap_or_default().to_owned())
}
