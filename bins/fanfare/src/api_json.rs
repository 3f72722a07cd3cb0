//! Answers as JSON, in the same shapes as the HTTP API.

use fanfare_domain::explain::Live;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{
    BrowsedCollection, Explanation, Imported, RateLimitBlock, Settings, SkipReason, Skipped,
};
use serde_json::{Value, json};

fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// The connection, as in `GET /api/settings`.
pub(crate) fn settings(settings: &Settings) -> Value {
    let klaviyo = match &settings.connection {
        Some(connection) => json!({
            "configured": true,
            "apiKey": masked(&connection.last4),
            "status": connection.status.as_str(),
            "accountId": connection.account,
            "verifiedAt": connection.verified_at.to_string(),
            "missingScopes": connection.missing_scopes,
            "message": connection.message,
        }),
        None => json!({
            "configured": false,
            "apiKey": null,
            "status": "NOT_CONNECTED",
            "accountId": null,
            "verifiedAt": null,
            "missingScopes": [],
            "message": null,
        }),
    };
    json!({ "klaviyo": klaviyo })
}

/// A key as it is shown.
pub(crate) fn masked(last4: &str) -> String {
    format!("••••{last4}")
}

/// A list, as in `GET /api/klaviyo`.
pub(crate) fn list(browsed: &BrowsedCollection) -> Value {
    let list = &browsed.collection;
    let attributes = json!({
        "name": list.name,
        "created": text(list.created),
        "updated": text(list.updated),
        "optInProcess": list.opt_in_process,
    });
    collection(browsed, &attributes)
}

/// A segment, as in `GET /api/klaviyo/segments`.
pub(crate) fn segment(browsed: &BrowsedCollection) -> Value {
    let segment = &browsed.collection;
    let attributes = json!({
        "name": segment.name,
        "created": text(segment.created),
        "updated": text(segment.updated),
        "isActive": segment.is_active,
        "isProcessing": segment.is_processing,
    });
    collection(browsed, &attributes)
}

fn collection(browsed: &BrowsedCollection, attributes: &Value) -> Value {
    let source = browsed.source.as_ref();
    json!({
        "id": browsed.collection.id,
        "attributes": attributes,
        "isSynced": source.is_some(),
        "syncStatus": source.map(|source| source.status.as_str()),
        "audienceId": source.map(|source| &source.audience),
        "lastSyncedAt": text(source.and_then(|source| source.last_synced_at)),
    })
}

/// A collection that is being imported, as in `POST /api/audiences/import/klaviyo`.
pub(crate) fn imported(imported: &Imported) -> Value {
    json!({
        "listId": imported.collection.id,
        "kind": imported.collection.kind.as_str(),
        "syncSourceId": imported.source,
        "audienceId": imported.audience,
        "runId": imported.run,
        "status": "PENDING",
    })
}

/// A collection that is not imported, as in `POST /api/audiences/import/klaviyo`.
pub(crate) fn skipped(skipped: &Skipped) -> Value {
    let existing = match &skipped.reason {
        SkipReason::AlreadySynced(audience) => Some(audience),
        SkipReason::NotFound => None,
    };
    json!({
        "listId": skipped.collection.id,
        "kind": skipped.collection.kind.as_str(),
        "reason": skipped.reason_text(),
        "existingAudienceId": existing,
    })
}

/// A run, as in `GET /api/sync-runs/{id}`.
pub(crate) fn run(run: &SyncRun, now: Timestamp) -> Value {
    let (progress, tally) = (&run.progress, &run.progress.tally);
    let error = run
        .error
        .as_ref()
        .map(|error| json!({"code": error.code.as_str(), "message": error.message}));
    let rate = run.profiles_per_second(now);
    json!({
        "id": run.id,
        "organizationId": run.organization,
        "syncSourceId": run.source,
        "audienceId": run.audience,
        "mode": run.pass.mode().as_str(),
        "trigger": run.trigger.as_str(),
        "status": run.status.as_str(),
        "attempt": run.attempt,
        "queuedAt": run.queued_at.to_string(),
        "startedAt": text(run.started_at),
        "finishedAt": text(run.finished_at),
        "progress": {
            "total": progress.total,
            "processed": tally.processed,
            "created": tally.created,
            "updated": tally.updated,
            "unchanged": tally.unchanged,
            "skipped": tally.skipped,
            "membersAdded": progress.members_added,
            "membersRemoved": progress.members_removed,
            "pages": progress.pages,
            "profilesPerSecond": rate.map(|rate| (rate * 10.0).round() / 10.0),
            "etaSeconds": run.eta_seconds(now),
        },
        "waitingUntil": run.waiting_at(now).map(|waiting| json!({
            "until": waiting.until.to_string(),
            "why": waiting.why.as_str(),
        })),
        "removalsDeferred": run.removals_deferred,
        "error": error,
    })
}

/// A rate-limit block that `fanfare klaviyo unblock` has ended.
pub(crate) fn block(block: &RateLimitBlock) -> Value {
    json!({"endpoint": block.endpoint.as_str(), "until": block.until.to_string()})
}

/// Why somebody is, or is not, a member, as in `GET /api/audiences/{id}/explain`.
pub(crate) fn explanation(audience: &AudienceId, explained: &Explanation) -> Value {
    let profiles: Vec<Value> = explained
        .profiles
        .iter()
        .map(|profile| {
            json!({
                "profileId": profile.profile,
                "inList": profile.in_list,
                "joinedAt": text(profile.joined_at),
                "lastSeenAt": text(profile.last_seen_at),
            })
        })
        .collect();
    let reasons: Vec<Value> = explained
        .reasons
        .iter()
        .map(|reason| {
            json!({
                "code": reason.code.as_str(),
                "message": reason.message,
                "profileId": reason.profile,
                "runId": reason.run,
                "at": text(reason.at),
            })
        })
        .collect();
    let live = match &explained.live {
        Live::Members(members) => {
            let member = members.first();
            json!({
                "inList": member.is_some(),
                "profileId": member.map(|member| &member.profile),
                "joinedAt": text(member.and_then(|member| member.joined_at)),
            })
        }
        Live::NotAsked | Live::Unavailable => Value::Null,
    };
    json!({
        "audienceId": audience,
        "isMember": explained.is_member,
        "consumerId": explained.consumer,
        "asOf": text(explained.as_of),
        "profiles": profiles,
        "reasons": reasons,
        "live": live,
    })
}
