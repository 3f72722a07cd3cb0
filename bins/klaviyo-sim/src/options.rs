//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use fanfare_klaviyo_sim::{
    AccountPlan, CollectionPlan, Delays, Fault, GRAMMAR, Key, Kind, Latency, Plan, Quota,
    demo_account,
};

/// The key that is known if none is given.
const DEMO_KEY: &str = "pk_demo_0123456789abcdef0123456789abcdef";

/// A Klaviyo that runs here: lists, segments and profiles out of a seed, Klaviyo's own quotas, and faults
/// on demand.
///
/// Without --list and --segment it shows the demo's account: "Newsletter Subscribers" (`RtPqXs`) with
/// 12,000 profiles, "VIP Customers" (`XyZaBc`) with 800, and some more.
#[derive(Debug, Parser)]
#[command(version, after_long_help = format!("Faults, as --fault takes them:\n\n{GRAMMAR}"))]
pub(crate) struct Options {
    /// Where to listen; port 0 takes a free one. Printed once it listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4802", value_parser = address)]
    addr: SocketAddr,
    /// A private key that may read everything; may be repeated
    #[arg(long = "key", value_name = "pk_...", default_value = DEMO_KEY)]
    keys: Vec<String>,
    /// The key of an account of its own, with the same lists and segments; may be repeated
    #[arg(long = "other-key", value_name = "pk_...")]
    other_keys: Vec<String>,
    /// A list and how many profiles are in it; may be repeated
    #[arg(long = "list", value_name = "ID=NAME:PROFILES")]
    lists: Vec<Described>,
    /// A segment and how many profiles are in it; may be repeated
    #[arg(long = "segment", value_name = "ID=NAME:PROFILES")]
    segments: Vec<Described>,
    /// How many percent of the members of each list joined within one second, as by an import in bulk
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
    in_one_second: u8,
    /// Other people for another number
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How long an answer takes, in milliseconds [default: about 250, as Klaviyo's pages]
    #[arg(long, value_name = "MS")]
    latency: Option<u64>,
    /// Let what requests write show at once: events otherwise after 5 s, consent after a minute
    #[arg(long)]
    at_once: bool,
    /// Keep no bodies of requests in the journal of what was written
    #[arg(long)]
    no_bodies: bool,
    /// As many requests as anybody likes
    #[arg(long)]
    no_quota: bool,
    /// Something that goes wrong; may be repeated (see --help)
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Fault>,
    /// Let people join this list, leave it and change, and the list be renamed, every few seconds
    #[arg(long, value_name = "LIST")]
    pub(crate) living: Option<String>,
    /// Write every request to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) request_log: Option<PathBuf>,
}

/// A list or segment on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Described {
    id: String,
    name: String,
    profiles: u32,
}

impl FromStr for Described {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(id, rest)| {
            let (name, profiles) = rest.rsplit_once(':')?;
            Some((id, name, profiles.parse().ok()?))
        });
        match parts {
            Some((id, name, profiles)) if !id.is_empty() => Ok(Self {
                id: id.to_owned(),
                name: name.to_owned(),
                profiles,
            }),
            _ => Err("it is written ID=NAME:PROFILES, with a number of profiles".to_owned()),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text
        .to_socket_addrs()
        .map_err(|error| format!("it is written HOST:PORT ({error})"))?;
    found.next().ok_or_else(|| "it has no address".to_owned())
}

impl Options {
    /// What is to be started. The request log is not opened.
    pub(crate) fn plan(self) -> Plan {
        let mut account = if self.lists.is_empty() && self.segments.is_empty() {
            demo_account()
        } else {
            let of = |kind, described: Vec<Described>| {
                described
                    .into_iter()
                    .map(move |Described { id, name, profiles }| CollectionPlan {
                        in_one_second: self.in_one_second,
                        ..CollectionPlan::new(kind, &id, &name).generated(profiles)
                    })
            };
            of(Kind::List, self.lists)
                .chain(of(Kind::Segment, self.segments))
                .fold(AccountPlan::new("FnfSm0"), AccountPlan::with)
        };
        let others = self.other_keys.iter().zip(1..).map(|(key, number)| {
            let mut other = account.clone();
            other.id = format!("Other{number}");
            other.key(key)
        });
        let others: Vec<_> = others.collect();
        account.keys = self.keys.iter().map(|key| Key::new(key)).collect();
        let mut plan = Plan::new([account]);
        plan.accounts.extend(others);
        plan.address = self.addr;
        plan.seed = self.seed;
        plan.latency = self.latency.map_or(Latency::KLAVIYO, |ms| {
            Latency::exactly(Duration::from_millis(ms))
        });
        plan.quota = if self.no_quota {
            Quota::Unlimited
        } else {
            Quota::Klaviyo
        };
        plan.faults = self.faults;
        // The program may run for days, and has no way to read the kept requests.
        plan.keeps_requests = false;
        plan.keeps_bodies = !self.no_bodies;
        // Whoever uses it is told by the control endpoint, and may do as they like.
        plan.allows_breaches = true;
        if self.at_once {
            plan.switches.delays = Delays::NONE;
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_key_has_an_account_of_its_own() {
        let arguments = ["klaviyo-sim", "--key", "pk_a", "--other-key", "pk_b"];
        let plan = Options::parse_from(arguments).plan();
        let accounts: Vec<_> = plan
            .accounts
            .iter()
            .map(|account| (account.id.as_str(), account.keys.len()))
            .collect();
        assert_eq!(accounts, [("FnfDm0", 1), ("Other1", 1)]);
    }

    #[test]
    fn a_lists_name_may_hold_the_signs_around_it() {
        let described = "RtPqXs=A=B: news:12".parse();
        assert_eq!(
            described,
            Ok(Described {
                id: "RtPqXs".to_owned(),
                name: "A=B: news".to_owned(),
                profiles: 12,
            })
        );
        for text in ["", "RtPqXs", "RtPqXs=News", "RtPqXs=News:many", "=News:1"] {
            assert!(text.parse::<Described>().is_err(), "{text}");
        }
    }
}
