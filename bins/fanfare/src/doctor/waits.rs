//! What keeps an organization's syncs waiting for long, or from being started.

use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
use fanfare_runtime::one_line;
use fanfare_sync::Error as SyncError;

use super::{Check, CheckStatus};
use crate::context::CommandContext;
use crate::errors::explain;

/// A longer rate-limit block is named: those of Klaviyo's quotas end within a minute.
const LONG_BLOCK: Duration = Duration::from_mins(10);

/// How many paused audiences of an organization are named.
const MOST_NAMED: usize = 10;

/// Klaviyo's rate-limit blocks, the runs that this version leaves to a newer one, and paused schedules. None for an organization without
/// a connection.
pub(super) async fn check(context: &CommandContext, organization: &OrganizationId) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(blocks(context, organization).await);
    checks.extend(unreadable(context, organization).await);
    checks.extend(paused(context, organization).await);
    checks
}

async fn blocks(context: &CommandContext, organization: &OrganizationId) -> Option<Check> {
    let subject = format!("rate limits of {organization}");
    let blocks = match context.integration().rate_limit_blocks(organization).await {
        Ok(blocks) => blocks,
        Err(SyncError::KeyNotFound) => return None,
        Err(error) => {
            let finding = one_line(explain(error).as_ref());
            return Some(Check::new(subject, CheckStatus::Failed, finding));
        }
    };
    let long: Vec<String> = blocks
        .iter()
        .filter(|block| block.wait > LONG_BLOCK)
        .map(|block| format!("{} before {}", block.endpoint, block.until))
        .collect();
    Some(if long.is_empty() {
        let finding = "Klaviyo asks for no wait of more than ten minutes";
        Check::new(subject, CheckStatus::Passed, finding)
    } else {
        let finding = format!(
            "Klaviyo has asked for no request to {}, and syncs wait for that; if it cannot be meant, \
             `fanfare klaviyo unblock --org {organization}` ends the wait",
            long.join(", to ")
        );
        Check::new(subject, CheckStatus::Failed, finding)
    })
}

/// The audiences whose schedules are paused. There may be thousands: some are named.
async fn paused(context: &CommandContext, organization: &OrganizationId) -> Option<Check> {
    let subject = format!("schedules of {organization}");
    let found = match context.integration().paused_schedules(organization).await {
        Ok(found) if found.is_empty() => return None,
        Ok(found) => found,
        Err(error) => {
            let finding = one_line(explain(error).as_ref());
            return Some(Check::new(subject, CheckStatus::Failed, finding));
        }
    };
    let named = found.iter().take(MOST_NAMED);
    let mut named: Vec<String> = named.map(|(id, code)| format!("{id} ({code})")).collect();
    if let Some(more) = found.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    let finding = format!(
        "{} do not sync by themselves: key_invalid and scope_missing are over once a valid key is connected, source_gone \
         once a sync by hand succeeds (POST /api/audiences/ID/sync)",
        named.join(", ")
    );
    Some(Check::new(subject, CheckStatus::Failed, finding))
}

async fn unreadable(context: &CommandContext, organization: &OrganizationId) -> Option<Check> {
    let subject = format!("syncs of {organization}");
    let found = match context.integration().unreadable_runs(organization).await {
        Ok(found) if found.is_empty() => return None,
        Ok(found) => found,
        Err(error) => {
            let finding = one_line(explain(error).as_ref());
            return Some(Check::new(subject, CheckStatus::Failed, finding));
        }
    };
    let ids: Vec<String> = found.iter().map(ToString::to_string).collect();
    let finding = format!(
        "{} cannot be read by this version: while an upgrade lasts, the newer version works on them; \
         otherwise cancel them (POST /api/sync-runs/ID/cancel) and sync again",
        ids.join(", ")
    );
    Some(Check::new(subject, CheckStatus::Failed, finding))
}
