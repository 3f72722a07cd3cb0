//! Faults of Klaviyo, and of the way there.

use anyhow::Result;

use super::{finish, finish_in_failure, lost};
use crate::faults::{Play, Played};

pub(super) fn throttled(play: &Play<'_>) -> Result<Played> {
    let faults = [
        "list-profiles@request=2:429=2",
        "list-profiles@request=5:429=0",
        "list-profiles@request=9:429=date:2",
        "list-profiles@request=14,times=3:429=1",
        "list@request=2:429=1",
    ];
    through(play, &faults, 0)
}

pub(super) fn unanswered(play: &Play<'_>) -> Result<Played> {
    let faults = [
        "list-profiles@request=2:500",
        "list-profiles@request=4:503",
        "list-profiles@request=6:524",
        "list-profiles@request=8:challenge",
        "list-profiles@request=10:reset",
        "list-profiles@request=12:truncate",
        "list-profiles@request=14:empty",
        "list-profiles@request=16:slow=700",
        "list@request=2:502",
    ];
    // What was cut was counted as answered.
    through(play, &faults, 2)
}

pub(super) fn nonsense(play: &Play<'_>) -> Result<Played> {
    let faults = [
        "list-profiles@request=2:shape=not-json",
        "list-profiles@request=4:shape=data-is-text",
        "list-profiles@request=6:shape=data-is-null",
        "list-profiles@request=8:shape=no-links",
        "list-profiles@request=10:shape=no-ids",
        "list-profiles@request=12:foreign-link",
        "list@request=2:shape=data-is-null",
    ];
    through(play, &faults, 6)
}

fn through(play: &Play<'_>, faults: &[&str], allowed: u64) -> Result<Played> {
    let scene = play.scene(faults, 1)?;
    scene.import()?;
    // A machine that is busy with other things for longer than the lease loses it, and a page.
    finish(&scene, allowed + lost(1), None)
}

/// A cursor that Klaviyo no longer takes costs the pages of one second.
pub(super) fn forgotten_cursor(play: &Play<'_>) -> Result<Played> {
    through(play, &["list-profiles@request=11:forget-cursor"], 2)
}

pub(super) fn circle(play: &Play<'_>) -> Result<Played> {
    let kind = ["loop", "fresh-loop"][play.page()?];
    let fault = format!("list-profiles@request=6,times=all:{kind}");
    let scene = play.scene(&[&fault], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "cursor_loop", u64::MAX)
}

pub(super) fn revoked(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&["list-profiles@request=8:revoke-key"], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "key_invalid", 0)
}

pub(super) fn scope_lost(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&["list-profiles@request=8:drop-scope=profiles:read"], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "scope_missing", 0)
}

pub(super) fn deleted(play: &Play<'_>) -> Result<Played> {
    let scene = play.scene(&["list-profiles@request=8:delete-collection"], 1)?;
    scene.import()?;
    finish_in_failure(&scene, "source_gone", 0)
}
