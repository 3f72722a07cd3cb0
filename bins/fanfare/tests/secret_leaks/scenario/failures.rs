//! Syncs while Klaviyo fails, and with keys that Klaviyo refuses.

use fanfare_klaviyo_sim::{Effect, Endpoint, Fault, Key, Kind, RetryAfter, Shape};

use super::{await_end, connect, start_sync};
use crate::client::Client;
use crate::environment::Environment;
use crate::fixture::{KEY, LIMITED, LISTS, ROTATED, SEGMENTS};

/// One fault for each page of a scan, because the worker retries each.
fn faults() -> Vec<Fault> {
    let effects = [
        [
            Effect::Status(500, None),
            Effect::Shape(Shape::NotJson),
            Effect::Truncate,
        ],
        [
            Effect::Throttle(RetryAfter::Seconds(1)),
            Effect::Challenge,
            Effect::Reset,
        ],
        [
            Effect::Shape(Shape::DataIsText),
            Effect::Shape(Shape::NoAttributes),
            Effect::Surrogate,
        ],
        [Effect::Empty, Effect::ForeignLink, Effect::ForgetCursor],
        [
            Effect::Status(524, None),
            Effect::Shape(Shape::NoLinks),
            Effect::Shape(Shape::NoIds),
        ],
        [
            Effect::Status(503, Some(RetryAfter::Seconds(1))),
            Effect::Status(502, None),
            Effect::Shape(Shape::DataIsNull),
        ],
    ];
    let lists = LISTS.map(|id| (Kind::List, id)).into_iter();
    let collections = lists.chain(SEGMENTS.map(|id| (Kind::Segment, id)));
    let of = |((kind, id), effects): ((Kind, &str), [Effect; 3])| {
        let fault = |(page, effect)| {
            Fault::new(effect)
                .on(Endpoint::Members(kind))
                .of(id)
                .page(page)
        };
        (1..).zip(effects).map(fault).collect::<Vec<_>>()
    };
    collections.zip(effects).flat_map(of).collect()
}

/// Syncs everything at once with a fault on every page.
pub(super) fn sync_through_faults(
    environment: &Environment,
    client: &Client<'_>,
    audiences: &[String],
) {
    for fault in faults() {
        environment.klaviyo.add_fault(fault);
    }
    let runs: Vec<String> = audiences.iter().map(|id| start_sync(client, id)).collect();
    for run in runs {
        await_end(client, &run);
    }
    let requests = environment.klaviyo.requests();
    let is_hit = |request: &&fanfare_klaviyo_sim::Request| !request.faults.is_empty();
    let hit = requests.iter().filter(is_hit).count();
    assert!(hit > faults().len() / 2, "{hit} faults");
    environment.klaviyo.clear_faults();
}

/// Syncs with a key that lost a scope, then is revoked, and then is replaced.
pub(super) fn sync_with_keys_that_fail(
    environment: &Environment,
    client: &Client<'_>,
    audience: &str,
) {
    let account = environment.klaviyo.account();
    let fails_with = |code: &str| {
        let run = await_end(client, &start_sync(client, audience));
        assert_eq!(run["error"]["code"], code, "{run}");
        for path in ["/api/settings", "/api/klaviyo", "/api/klaviyo/segments"] {
            client.get(path);
        }
    };
    account.revoke_key(KEY).unwrap();
    account
        .add_key(Key::new(KEY).without("profiles:read"))
        .unwrap();
    fails_with("scope_missing");
    account.revoke_key(KEY).unwrap();
    fails_with("key_invalid");
    assert_eq!(connect(client, KEY, false), 400);
    assert_eq!(connect(client, LIMITED, false), 400);
    assert_eq!(connect(client, ROTATED, false), 200);
    let run = await_end(client, &start_sync(client, audience));
    assert_eq!(run["status"], "SUCCESS", "{run}");
}
