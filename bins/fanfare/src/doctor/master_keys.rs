//! Whether the master keys are the store's, and which of them sealed the stored Klaviyo keys.

use std::collections::BTreeMap;

use fanfare_domain::connection::MasterKeyRank;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::organization::Organization;
use fanfare_runtime::one_line;

use super::{Check, CheckStatus};
use crate::context::CommandContext;
use crate::errors::explain;

/// Which master key the store knows as its own.
pub(super) async fn of_store(context: &CommandContext) -> Check {
    let (status, finding) = match context.app().master_key_of_store().await {
        Ok(MasterKeyRank::Present) => (CheckStatus::Passed, "it is the store's".to_owned()),
        Ok(previous) => (
            CheckStatus::Passed,
            format!("the store's is {previous}; `fanfare rekey` ends its replacement"),
        ),
        Err(error) => (CheckStatus::Failed, one_line(&error)),
    };
    Check::new("master key", status, finding)
}

/// How many stored Klaviyo keys each master key sealed.
pub(super) async fn sealed_by(context: &CommandContext, organizations: &[Organization]) -> Check {
    const SUBJECT: &str = "sealed keys";
    let ranks = context.app().master_keys().ranks();
    let mut counts: BTreeMap<MasterKeyRank, u64> = ranks.map(|rank| (rank, 0)).collect();
    let mut not_opened = Vec::new();
    for Organization { id, .. } in organizations {
        match context.integration().sealed_by(id).await {
            Ok(None) => {}
            Ok(Some(Ok(rank))) => *counts.entry(rank).or_default() += 1,
            Ok(Some(Err(_))) => not_opened.push(id),
            Err(error) => {
                let finding = one_line(explain(error).as_ref());
                return Check::new(SUBJECT, CheckStatus::Failed, finding);
            }
        }
    }
    let status = if not_opened.is_empty() {
        CheckStatus::Passed
    } else {
        CheckStatus::Failed
    };
    Check::new(SUBJECT, status, finding(&counts, &not_opened))
}

fn finding(counts: &BTreeMap<MasterKeyRank, u64>, not_opened: &[&OrganizationId]) -> String {
    let mut finding: Vec<String> = counts
        .iter()
        .map(|(rank, count)| format!("{count} by {rank}"))
        .collect();
    if !not_opened.is_empty() {
        let ids: Vec<&str> = not_opened.iter().map(|id| id.as_str()).collect();
        finding.push(format!(
            "{} by none of them: add the master key that sealed them to FANFARE_MASTER_KEY_PREVIOUS, or \
             let these organizations connect Klaviyo again: {}",
            ids.len(),
            ids.join(", ")
        ));
    }
    let is_replaced = counts
        .iter()
        .any(|(rank, count)| *rank != MasterKeyRank::Present && *count > 0);
    if is_replaced {
        finding.push("`fanfare rekey` seals them with the present one".to_owned());
    }
    finding.join("; ")
}
