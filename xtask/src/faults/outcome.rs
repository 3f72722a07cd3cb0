//! Every row that the API shows of an import, but for ids of Fanfare, times, attempts and rates.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::services::api::{Api, Page, Run};

/// The result of an import.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    audience: String,
    statuses: [String; 3],
    code: Option<String>,
    counts: [u64; 5],
    members: BTreeSet<String>,
    consumers: BTreeSet<String>,
    sources: u64,
    issues: BTreeSet<String>,
}

impl Outcome {
    /// Reads it from the API. The store holds one import and nothing else.
    pub(super) fn read(api: &Api, run: &Run) -> Result<Self> {
        let audience: Value = api.get(&format!(
            "/api/audiences/{}?include=primarySyncSource",
            run.audience_id
        ))?;
        let status: Value = api.get(&format!("/api/audiences/{}/status", run.audience_id))?;
        let members = consumers_of(api, &format!("/api/audiences/{}/members", run.audience_id))?;
        let consumers = consumers_of(api, "/api/consumers")?;
        let issues = all(api, &format!("/api/sync-runs/{}/issues", run.id))?;
        let count: Value = api.get(&format!("/api/audiences/{}/count", run.audience_id))?;
        ensure!(
            count["count"] == members.len(),
            "the count and the members differ"
        );
        let source = &audience["primarySyncSource"];
        let progress = &run.progress;
        Ok(Self {
            audience: text(&audience["name"]),
            statuses: [
                run.status.clone(),
                text(&status["syncStatus"]),
                text(&source["syncStatus"]),
            ],
            code: run.error.as_ref().map(|error| error.code.clone()),
            counts: [
                progress.processed,
                progress.created,
                progress.updated,
                progress.unchanged,
                progress.skipped,
            ],
            members,
            consumers,
            sources: links(api)?,
            issues: issues
                .iter()
                .map(|issue| {
                    let part = |name: &str| text(&issue[name]);
                    format!("{} {} {}", part("profileId"), part("code"), part("field"))
                })
                .collect(),
        })
    }

    /// Fails unless everything is the same.
    pub(super) fn must_equal(&self, other: &Self) -> Result<()> {
        if self == other {
            return Ok(());
        }
        let mut differences = Vec::new();
        let mut compare = |what: &str, one: String, other: String| {
            if one != other {
                differences.push(format!("{what}: {one} instead of {other}"));
            }
        };
        compare("audience", self.audience.clone(), other.audience.clone());
        compare(
            "statuses",
            format!("{:?}", self.statuses),
            format!("{:?}", other.statuses),
        );
        compare(
            "error",
            format!("{:?}", self.code),
            format!("{:?}", other.code),
        );
        compare(
            "counts",
            format!("{:?}", self.counts),
            format!("{:?}", other.counts),
        );
        compare("links", self.sources.to_string(), other.sources.to_string());
        for (what, ours, theirs) in [
            ("members", &self.members, &other.members),
            ("consumers", &self.consumers, &other.consumers),
            ("issues", &self.issues, &other.issues),
        ] {
            let missing = theirs.difference(ours).count();
            let surplus = ours.difference(theirs).count();
            if missing + surplus > 0 {
                differences.push(format!("{what}: {missing} missing, {surplus} too many"));
            }
        }
        bail!(
            "the rows differ from an undisturbed import's: {}",
            differences.join("; ")
        )
    }

    /// Fails unless the run ended with this code, with everything in agreement.
    pub(super) fn must_have_failed(&self, code: &str) -> Result<()> {
        ensure!(
            self.code.as_deref() == Some(code),
            "the run ended with {:?} instead of {code}",
            self.code
        );
        ensure!(
            self.statuses.iter().all(|status| status == "FAILED"),
            "the statuses disagree: {:?}",
            self.statuses
        );
        let [processed, created, updated, unchanged, skipped] = self.counts;
        ensure!(
            processed == created + updated + unchanged + skipped,
            "the counts do not add up: {:?}",
            self.counts
        );
        Ok(())
    }
}

/// The consumers of a collection, by their values.
fn consumers_of(api: &Api, path: &str) -> Result<BTreeSet<String>> {
    let found = all(api, path)?;
    let count = found.len();
    let consumers: BTreeSet<String> = found
        .iter()
        .map(|consumer| {
            let part = |name: &str| consumer[name].to_string();
            [
                part("email"),
                part("phone"),
                part("fullName"),
                part("primaryExternalId"),
                part("status"),
            ]
            .join(" ")
        })
        .collect();
    ensure!(consumers.len() == count, "{path} holds a consumer twice");
    Ok(consumers)
}

/// Every item of a collection.
pub(super) fn all(api: &Api, path: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let page: Page<Value> = api.get(&format!("{path}?first=100{after}"))?;
        items.extend(page.data);
        match page.page_info.end_cursor {
            Some(cursor) => after = format!("&after={cursor}"),
            None => return Ok(items),
        }
    }
}

fn links(api: &Api) -> Result<u64> {
    let mut count = 0;
    let mut after = String::new();
    loop {
        let path = format!("/api/sync-sources/search?syncSource=klaviyo:profile&first=1000{after}");
        let page: Vec<Value> = api.get(&path)?;
        count += page.len() as u64;
        match page.last() {
            Some(last) => after = format!("&after={}", text(&last["id"])),
            None => return Ok(count),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
