//! How long a search of a large audience's members takes while nothing else is done.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Figure;
use super::latency::percentile;
use crate::interrupt::Interrupt;
use crate::services::api::Api;

/// What a search may take for 99 of 100, in milliseconds.
const LIMIT: f64 = 100.0;

/// How often each text is searched.
const TIMES: usize = 25;

/// The pause between two searches: an organization is allowed 1,000 requests a minute.
const PAUSE: Duration = Duration::from_millis(100);

/// Texts that no member of a simulated list has, that some have, and that all or nearly all have.
const TEXTS: [&str; 9] = [
    "nobody-has-this",
    "zq",
    "wxyz",
    "chloé walker",
    "garcía",
    "va ada",
    "+1415000",
    "example.net",
    "an",
];

/// Searches the audience for texts of every kind, and for the e-mail address of one member.
pub(super) fn measure(
    api: &Api,
    audience: &str,
    store: &str,
    interrupt: &Interrupt,
) -> Result<Vec<Figure>> {
    let members = format!("/api/audiences/{audience}/members?first=1");
    let page: Value = api.get(&members)?;
    let email = page["data"][0]["email"].as_str();
    let email = email.context("the first member has no e-mail address")?;
    let mut times = Vec::new();
    for text in TEXTS
        .iter()
        .chain([&email])
        .cycle()
        .take((TEXTS.len() + 1) * TIMES)
    {
        ensure!(!interrupt.is_requested(), "interrupted");
        interrupt.sleep(PAUSE);
        let path = format!(
            "/api/audiences/{audience}/members?first=20&search={}",
            utf8_percent_encode(text, NON_ALPHANUMERIC)
        );
        let began = Instant::now();
        let answer = api.send_once("GET", &path, None)?;
        times.push(began.elapsed());
        ensure!(
            answer.status == 200,
            "a search for {text:?} was answered {}: {}",
            answer.status,
            answer.body
        );
    }
    Ok([("p50", 50), ("p99", 99)]
        .map(|(name, share)| Figure {
            case: "neighbour",
            what: format!("a search of the large audience, {name}, on {store}"),
            unit: "ms",
            measured: percentile(&mut times, share),
            limit_is: "what it may take",
            limit: Some(LIMIT),
        })
        .into())
}
