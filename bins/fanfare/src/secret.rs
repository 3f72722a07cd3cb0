//! Secrets come from the environment, a pipe or a prompt that does not echo; never from an argument,
//! which every user of the machine can see.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::{Context, Result};
use fanfare_domain::connection::ApiKey;
use fanfare_runtime::klaviyo_key_of_environment;
use secrecy::SecretString;

use crate::errors::UsageError;

/// How many bytes are read from a pipe: more than any key has.
const LONGEST_LINE: u64 = 4_096;

/// Klaviyo's private API key.
pub(crate) fn klaviyo_key() -> Result<ApiKey> {
    let text = match klaviyo_key_of_environment() {
        Some(text) => text,
        None => read_key()?,
    };
    ApiKey::parse(&text).map_err(anyhow::Error::from)
}

/// The key from a pipe or a prompt.
fn read_key() -> Result<SecretString> {
    let input = io::stdin();
    let text = if input.is_terminal() {
        rpassword::prompt_password("Klaviyo private API key (it is not shown): ")
    } else {
        let mut line = String::new();
        let mut input = input.lock().take(LONGEST_LINE);
        input.read_line(&mut line).map(|_| line)
    };
    let text = text.context("the key could not be read")?;
    if text.trim().is_empty() {
        let hint = "no key was given; pipe it into the command, or set KLAVIYO_API_KEY";
        return Err(UsageError(hint.to_owned()).into());
    }
    Ok(SecretString::from(text))
}

/// Whether one of the arguments is a key. Clap would repeat it in its error message.
pub(crate) fn contains_key(arguments: impl IntoIterator<Item = OsString>) -> bool {
    let is_key = |text: &str| text.starts_with("pk_") || text.starts_with("sk_");
    arguments.into_iter().any(|argument| {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        is_key(&argument) || is_key(value)
    })
}

/// The error for a key in the arguments.
pub(crate) fn key_in_arguments_error() -> UsageError {
    let hint = "a key is never an argument, which every user of this machine can see: replace that \
                key, and pipe the new one into `fanfare klaviyo connect`";
    UsageError(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_contains_key(line: &str) -> bool {
        contains_key(line.split(' ').map(OsString::from))
    }

    #[test]
    fn keys_among_arguments_are_known_by_their_beginning() {
        assert!(line_contains_key("klaviyo connect pk_1"));
        assert!(line_contains_key("klaviyo import --segment=sk_live_1"));
        assert!(!line_contains_key("org create --name=Task_force"));
        assert!(!line_contains_key("key revoke key_1 --org org_1"));
    }
}
