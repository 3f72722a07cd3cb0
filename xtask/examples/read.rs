//! Reads the pages of a list as the worker does and drops them, and prints the seconds it took: what no second pass can
//! beat. `read ADDRESS KEY LIST READERS` divides the list by join times, as the worker does, among so many readers.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The list, and how it is asked for.
struct List {
    agent: ureq::Agent,
    pages: String,
    key: String,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, key, list, number] = arguments.as_slice() else {
        println!("skipped: `cargo xtask bench` tells it ADDRESS KEY LIST READERS");
        return Ok(());
    };
    let number: i64 = number.parse().context("the readers are no number")?;
    ensure!(number > 0, "there are no readers");
    let config = ureq::Agent::config_builder().proxy(None);
    let list = List {
        agent: config.build().new_agent(),
        pages: format!(
            "{address}/api/lists/{list}/profiles?fields[profile]=email,phone_number,first_name,\
             last_name,joined_group_at,updated&page[size]=100"
        ),
        key: format!("Klaviyo-API-Key {key}"),
    };
    let (earliest, latest) = (list.end("joined_group_at")?, list.end("-joined_group_at")?);
    let step = (latest - earliest).whole_seconds() / number + 1;
    let (list, begun) = (&list, Instant::now());
    let read: Result<usize> = std::thread::scope(|scope| {
        let ranges = (0..number).map(|n| earliest.unix_timestamp() + n * step);
        let threads: Vec<_> = ranges
            .map(|from| scope.spawn(move || list.read(from, from + step)))
            .collect();
        let read = threads.into_iter().map(|thread| match thread.join() {
            Ok(read) => read,
            Err(_) => anyhow::bail!("a reader has panicked"),
        });
        read.sum()
    });
    let seconds = begun.elapsed().as_secs_f64();
    println!("{} {seconds}", read?);
    Ok(())
}

impl List {
    /// The join time at one end of the list, in this order.
    fn end(&self, order: &str) -> Result<OffsetDateTime> {
        let page = self.page(&format!("{}&sort={order}", self.pages))?;
        let joined = page["data"][0]["attributes"]["joined_group_at"].as_str();
        let joined = joined.context("the list is empty, or has no join times")?;
        Ok(OffsetDateTime::parse(joined, &Rfc3339)?)
    }

    /// Reads who joined between these times, in seconds, the second one excluded. Returns how many they are.
    fn read(&self, from: i64, until: i64) -> Result<usize> {
        let time = |seconds| -> Result<String> {
            Ok(OffsetDateTime::from_unix_timestamp(seconds)?.format(&Rfc3339)?)
        };
        let mut read = 0;
        let mut next = Some(format!(
            "{}&sort=joined_group_at&filter=greater-or-equal(joined_group_at,{}),\
             less-than(joined_group_at,{})",
            self.pages,
            time(from)?,
            time(until)?
        ));
        while let Some(url) = next {
            let page = self.page(&url)?;
            read += page["data"].as_array().map_or(0, Vec::len);
            next = page["links"]["next"].as_str().map(str::to_owned);
        }
        Ok(read)
    }

    fn page(&self, url: &str) -> Result<Value> {
        let request = self.agent.get(url).header("authorization", &self.key);
        let mut answer = request.header("revision", "2026-07-15").call()?;
        let body = answer.body_mut().with_config().limit(64 << 20);
        Ok(body.read_json()?)
    }
}
