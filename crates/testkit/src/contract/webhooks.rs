//! Fanfare's webhooks.

use std::collections::BTreeMap;

use fanfare_domain::connection::SealedKey;
use fanfare_domain::events::{EventSettings, EventType, InboundKey, WebhookSecrets};
use fanfare_domain::writing::MetricName;

use super::assert_refused;
use super::harness::StoreHarness;
use super::test_organization::TestOrganization;
use crate::build::at;

fn sealed(byte: u8) -> SealedKey {
    SealedKey {
        form: 1,
        bytes: vec![byte; 70],
    }
}

fn keys(of: &[&str]) -> Vec<InboundKey> {
    of.iter().map(|key| InboundKey((*key).to_owned())).collect()
}

/// The present secret and the one of before, each sealed anew by itself.
pub async fn secrets_come_back_as_they_were_put_and_are_sealed_anew(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    assert_eq!(unit.webhook_secrets().await.expect("an answer"), None);
    let none = unit.reseal_webhook_secret(&sealed(1), &sealed(2)).await;
    assert!(!none.expect("an answer"));
    let first = WebhookSecrets::rotated(None, sealed(1), at(1));
    unit.put_webhook_secrets(&first).await.expect("secrets");
    assert_eq!(
        unit.webhook_secrets().await.expect("secrets"),
        Some(first.clone())
    );
    let second = WebhookSecrets::rotated(Some(first), sealed(2), at(2));
    unit.put_webhook_secrets(&second).await.expect("secrets");
    unit.commit().await.expect("a commit");

    let mut unit = org.begin().await;
    assert_eq!(
        unit.webhook_secrets().await.expect("secrets"),
        Some(second.clone())
    );
    for (before, after, is_there) in [(1, 3, true), (2, 4, true), (1, 5, false)] {
        let resealed = unit
            .reseal_webhook_secret(&sealed(before), &sealed(after))
            .await;
        assert_eq!(resealed.expect("an answer"), is_there, "{before}");
    }
    let want = WebhookSecrets {
        current: sealed(4),
        previous: second.previous.map(|(_, until)| (sealed(3), until)),
    };
    assert_eq!(unit.webhook_secrets().await.expect("secrets"), Some(want));
    unit.commit().await.expect("a commit");
    let mut other = TestOrganization::of(harness, "org_b").read().await;
    assert_eq!(other.webhook_secrets().await.expect("an answer"), None);
}

/// Nothing is sent until somebody wants it.
pub async fn what_is_chosen_of_events_comes_back(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    let none = EventSettings::default();
    assert_eq!(unit.event_settings().await.expect("settings"), none);
    let chosen = EventSettings {
        enabled: true,
        metrics: BTreeMap::from([
            (EventType::DrawLost, None),
            (EventType::DrawWon, MetricName::parse("Gewonnen: „Ja“").ok()),
        ]),
    };
    for settings in [&none, &chosen] {
        unit.put_event_settings(settings).await.expect("settings");
        assert_eq!(unit.event_settings().await.expect("settings"), *settings);
    }
    unit.commit().await.expect("a commit");
    let mut other = TestOrganization::of(harness, "org_b").read().await;
    assert_eq!(other.event_settings().await.expect("settings"), none);
}

/// Until they are old.
pub async fn an_event_that_has_come_is_known_by_its_keys(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.begin().await;
    let known = unit.known_events(&keys(&["a"])).await;
    assert_eq!(known.expect("an answer"), []);
    unit.insert_events(&keys(&["a"]), at(1))
        .await
        .expect("keys");
    unit.insert_events(&keys(&["b"]), at(2))
        .await
        .expect("keys");
    unit.insert_events(&keys(&["c"]), at(3))
        .await
        .expect("keys");
    unit.commit().await.expect("a commit");

    let mut other = TestOrganization::of(harness, "org_b").begin().await;
    let known = other.known_events(&keys(&["a", "b"])).await;
    assert_eq!(known.expect("an answer"), []);
    other
        .insert_events(&keys(&["a"]), at(1))
        .await
        .expect("keys");
    other.commit().await.expect("a commit");

    let mut unit = org.begin().await;
    let mut known = unit
        .known_events(&keys(&["c", "x", "a"]))
        .await
        .expect("keys");
    known.sort();
    assert_eq!(known, keys(&["a", "c"]));
    assert_eq!(unit.delete_events(at(3), 1).await.expect("a number"), 1);
    assert_eq!(unit.delete_events(at(3), 9).await.expect("a number"), 1);
    assert_eq!(unit.delete_events(at(3), 9).await.expect("a number"), 0);
    let known = unit.known_events(&keys(&["a", "b", "c"])).await;
    assert_eq!(known.expect("keys"), keys(&["c"]));
    unit.commit().await.expect("a commit");
    let twice = org.begin().await.insert_events(&keys(&["c"]), at(3)).await;
    assert_refused(twice, "a key that is there");
}
