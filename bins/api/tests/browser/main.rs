//! The dashboard in a real Chromium, over the real programs: what a person at a screen sees, does and is refused.
//!
//! A test that finds no Chromium, or no driver of it, prints why it is skipped, and returns.

mod axe;
mod browser;
mod clicks;
mod database;
mod finding;
mod giving_back;
mod installation;
mod journey;
mod launch;
mod look;
mod pages;
mod roles;
mod states;
mod store_away;
mod webdriver;
mod without_script;

use crate::installation::Installation;

/// The key that the simulator's account takes.
const KLAVIYO_KEY: &str = "pk_0123456789abcdef0123456789abcdef";

/// The lists and segments of the tests' Klaviyo, as its simulator is told them.
const KLAVIYO: [&str; 10] = [
    "--key",
    KLAVIYO_KEY,
    "--list",
    "RtPqXs=Newsletter Subscribers:600",
    "--list",
    "XyZaBc=VIP Customers:40",
    "--list",
    "Sn1KrS=Sneaker Drops <script>alert(1)</script>:12",
    "--segment",
    "Ac7EgS=Engaged, 30 days:300",
];

/// An installation that is connected and has imported a list, a small one and a segment, by the API.
fn imported() -> Installation {
    let installation = Installation::start(&KLAVIYO);
    installation.connect();
    installation.import(&["RtPqXs", "XyZaBc"], &["Ac7EgS"]);
    installation
}
