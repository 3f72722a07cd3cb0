//! Faults of Klaviyo, and of the connection to it.

use anyhow::Result;

use super::{finish, finish_in_failure, lost};
use crate::faults::{RoundContext, RoundResult};

pub(super) fn throttled(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "list-profiles@request=2:429=2",
        "list-profiles@request=5:429=0",
        "list-profiles@request=9:429=date:2",
        "list-profiles@request=14,times=3:429=1",
        "list-profiles@request=20,times=6:503=1",
        "list-profiles@request=28:502=date:2",
        "list@request=2:429=1",
    ];
    through(context, &faults, 0)
}

pub(super) fn unanswered(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "list-profiles@request=2:500",
        "list-profiles@request=4:503",
        "list-profiles@request=6:524",
        "list-profiles@request=8:challenge",
        "list-profiles@request=10:reset",
        "list-profiles@request=12:truncate",
        "list-profiles@request=14:empty",
        "list-profiles@request=16:slow=700",
        "list-profiles@request=18:401",
        "list-profiles@request=20:407",
        "list-profiles@request=22:425",
        "list@request=2:502",
        "list@for=costly:refuse=403",
    ];
    // The simulator logs a cut answer as answered.
    through(context, &faults, 2)
}

pub(super) fn wrong_bodies(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "list-profiles@request=2:shape=not-json",
        "list-profiles@request=4:shape=data-is-text",
        "list-profiles@request=6:shape=data-is-null",
        "list-profiles@request=8:shape=no-links",
        "list-profiles@request=10:shape=no-ids",
        "list-profiles@request=12:foreign-link",
        // Not quite JSON, and read all the same.
        "list-profiles@request=14:byte-order-mark",
        "list-profiles@request=16:doubled-name",
        "list@request=2:shape=data-is-null",
    ];
    through(context, &faults, 6)
}

fn through(context: &RoundContext<'_>, faults: &[&str], allowed: u64) -> Result<RoundResult> {
    let environment = context.environment(faults, 1)?;
    environment.import()?;
    // A machine that is busy for longer than the lease loses the lease, and a page.
    finish(&environment, allowed + lost(1), None)
}

/// After a cursor that Klaviyo refuses, the worker reads the pages of one second again.
pub(super) fn forgotten_cursor(context: &RoundContext<'_>) -> Result<RoundResult> {
    through(context, &["list-profiles@request=11:forget-cursor"], 2)
}

/// No range can be read: one reader, which needs no filter, reads the list.
pub(super) fn refused_filter(context: &RoundContext<'_>) -> Result<RoundResult> {
    through(context, &["list-profiles@times=all:refuse-filter"], 0)
}

pub(super) fn page_loop(context: &RoundContext<'_>) -> Result<RoundResult> {
    let kind = ["loop", "fresh-loop"][context.page()?];
    let fault = format!("list-profiles@request=6,times=all:{kind}");
    let environment = context.environment(&[&fault], 1)?;
    environment.import()?;
    finish_in_failure(&environment, "cursor_loop", u64::MAX)
}

pub(super) fn revoked(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&["list-profiles@request=8:revoke-key"], 1)?;
    environment.import()?;
    finish_in_failure(&environment, "key_invalid", 0)
}

pub(super) fn scope_lost(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment =
        context.environment(&["list-profiles@request=8:drop-scope=profiles:read"], 1)?;
    environment.import()?;
    finish_in_failure(&environment, "scope_missing", 0)
}

pub(super) fn deleted(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&["list-profiles@request=8:delete-collection"], 1)?;
    environment.import()?;
    finish_in_failure(&environment, "source_gone", 0)
}
