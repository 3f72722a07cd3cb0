//! Secrets come from the environment, a pipe or a prompt that does not echo; never from an argument,
//! which every user of the machine can see.

use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::{Context, Result};
use fanfare_runtime::klaviyo_key_of_environment;
use secrecy::SecretString;

use crate::explain::WronglyCalled;

/// Longer than any key, and an end to what a pipe may pour in.
const LONGEST_LINE: u64 = 4_096;

/// Klaviyo's private API key.
pub(crate) fn klaviyo_key() -> Result<SecretString> {
    if let Some(key) = klaviyo_key_of_environment() {
        return Ok(key);
    }
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
        return Err(WronglyCalled(hint.to_owned()).into());
    }
    Ok(SecretString::from(text))
}
