//! What the simulator itself says of its lists, and changes of them. Nothing here is the service's.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use ureq::http::Request;

use super::environment::KEY;
use super::outcome::all;
use crate::services::api::Api;
use crate::services::simulator;

/// The simulator, asked directly.
pub(super) struct Klaviyo {
    address: String,
    key: String,
    agent: ureq::Agent,
}

impl Klaviyo {
    pub(super) fn at(address: &str) -> Self {
        Self::with_key(address, KEY)
    }

    /// The same, with another key than the account has at first.
    pub(super) fn with_key(address: &str, key: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .proxy(None)
            .max_idle_connections(0)
            .build();
        Self {
            address: address.to_owned(),
            key: key.to_owned(),
            agent: config.into(),
        }
    }

    /// Changes the account at once: a change a line, as `klaviyo-sim --help` tells.
    pub(super) fn change(&self, changes: &str) -> Result<()> {
        self.control("changes", changes)
    }

    /// Plans faults.
    pub(super) fn plan(&self, faults: &str) -> Result<()> {
        self.control("faults", faults)
    }

    fn control(&self, what: &str, orders: &str) -> Result<()> {
        simulator::order(&self.address, what, orders)
    }

    /// The e-mails in a list as they stand there, one for each profile.
    pub(super) fn emails(&self, list: &str) -> Result<Vec<Option<String>>> {
        let profiles = self.profiles(list)?;
        let of = |profile: &Value| profile["attributes"]["email"].as_str().map(str::to_owned);
        Ok(profiles.iter().map(of).collect())
    }

    /// The profiles of a list.
    pub(super) fn profiles(&self, list: &str) -> Result<Vec<Value>> {
        let mut profiles = Vec::new();
        let mut next = Some(format!(
            "{}/api/lists/{list}/profiles?page[size]=100",
            self.address
        ));
        while let Some(address) = next {
            let page = self.page(&address)?;
            let data = page["data"].as_array().context("a page has profiles")?;
            profiles.extend(data.iter().cloned());
            next = page["links"]["next"].as_str().map(str::to_owned);
        }
        Ok(profiles)
    }

    /// A page, as soon as the quota allows it.
    fn page(&self, address: &str) -> Result<Value> {
        loop {
            let request = Request::get(address)
                .header("authorization", format!("Klaviyo-API-Key {}", self.key))
                .header("revision", "2025-07-15");
            let mut answer = self.agent.run(request.body(())?)?;
            if answer.status() == 429 {
                let after = answer.headers().get("retry-after");
                let seconds = after.and_then(|text| text.to_str().ok()?.parse().ok());
                std::thread::sleep(Duration::from_secs(seconds.unwrap_or(1)));
                continue;
            }
            ensure!(
                answer.status() == 200,
                "{address} was answered {}",
                answer.status()
            );
            return Ok(answer.body_mut().read_json()?);
        }
    }

    /// Fails unless the audience is the list: everybody in it whose e-mail is beyond doubt is a member, no member has such an
    /// e-mail that is not in it, and there are not more other members than other profiles.
    pub(super) fn must_be_audience(&self, list: &str, api: &Api, audience: &str) -> Result<()> {
        let in_list = Emails::of(self.emails(list)?);
        let members = all(api, &format!("/api/audiences/{audience}/members"))?;
        let email = |member: &Value| member["email"].as_str().map(str::to_owned);
        in_list
            .must_be(&Emails::of(members.iter().map(email)))
            .with_context(|| format!("the audience of {list}"))
    }
}

/// The e-mails of profiles or members.
#[derive(Default)]
struct Emails {
    /// Those that are the same however one writes addresses.
    plain: BTreeSet<String>,
    /// What all have in common with the form in which an address is stored.
    skeletons: BTreeSet<String>,
    /// How many have another one, or none.
    others: usize,
}

impl Emails {
    fn of(emails: impl IntoIterator<Item = Option<String>>) -> Self {
        let mut found = Self::default();
        for email in emails {
            let email = email.unwrap_or_default().trim().to_ascii_lowercase();
            found.skeletons.insert(skeleton(&email));
            if is_plain(&email) {
                found.plain.insert(email);
            } else {
                found.others += 1;
            }
        }
        found
    }

    fn must_be(&self, members: &Self) -> Result<()> {
        let missing = self.plain.difference(&members.plain).count();
        let is_in_list = |email: &&String| self.skeletons.contains(&skeleton(email));
        let surplus = members.plain.iter().filter(|it| !is_in_list(it)).count();
        ensure!(
            missing + surplus == 0,
            "{missing} of the list's people are missing, and {surplus} are too many"
        );
        ensure!(
            members.others <= self.others,
            "{} members have no e-mail of the list's; it has {} such profiles",
            members.others,
            self.others
        );
        ensure!(!self.plain.is_empty(), "the list is empty");
        Ok(())
    }
}

/// The most characters of an address.
const LONGEST: usize = 254;

fn is_plain(email: &str) -> bool {
    let is_of = |text: &str, signs: &str| {
        let mut all = text.chars();
        !text.is_empty() && all.all(|one| one.is_ascii_alphanumeric() || signs.contains(one))
    };
    email.len() <= LONGEST
        && email.split_once('@').is_some_and(|(local, domain)| {
            let has_dot = domain.contains('.') && !domain.contains("..");
            is_of(local, ".+-_") && is_of(domain, ".-") && has_dot && !domain.contains("xn--")
        })
}

/// Its letters, digits and `@`, without what may be written in several ways.
fn skeleton(email: &str) -> String {
    let signs = email.chars();
    signs
        .filter(|one| one.is_ascii_alphanumeric() || *one == '@')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(all: &[&str]) -> Emails {
        Emails::of(all.iter().map(|email| Some((*email).to_owned())))
    }

    #[test]
    fn an_audience_is_its_list_if_nobody_is_missing_and_nobody_too_many() {
        let padded = "\u{feff}d@exam\u{ad}ple\u{3002}com";
        let list = emails(&[
            "A@example.com ",
            "b@example.com",
            "b@example.com",
            "ü@x.de",
            "",
            padded,
        ]);
        let is = |members: &[&str]| list.must_be(&emails(members)).is_ok();
        assert!(is(&["a@example.com", "b@example.com"]));
        assert!(is(&[
            "a@example.com",
            "b@example.com",
            "ü@x.de",
            "d@example.com"
        ]));
        assert!(!is(&["a@example.com"]), "somebody is missing");
        let more = ["a@example.com", "b@example.com", "c@example.com"];
        assert!(!is(&more), "somebody is too many");
        let others = [
            "a@example.com",
            "b@example.com",
            "",
            "ü@x.de",
            "ö@x.de",
            "é@x.de",
        ];
        assert!(!is(&others), "more than the list has");
    }
}
