//! The fixture: the keys and profiles of the test, all of them canaries.

use fanfare_klaviyo_sim::{AccountPlan, CollectionPlan, Key, Kind as Of, Plan, Profile, Quota};
use serde_json::json;
use time::OffsetDateTime;

use crate::canary::{Canary, Kind};

/// The key that works.
pub(crate) const KEY: &str = "pk_right7f3acanary0a1b2c3d4e5f";
/// Another key of the same account.
pub(crate) const ROTATED: &str = "pk_rotated7f3acanary0a1b2c3d4e";
/// A key that may not read profiles.
pub(crate) const LIMITED: &str = "pk_limited7f3acanary0a1b2c3d4e";
/// A key of another account.
pub(crate) const OTHER: &str = "pk_other7f3acanary0a1b2c3d4e5f";
/// A key that Klaviyo does not know.
pub(crate) const UNKNOWN: &str = "pk_unknown7f3acanary0a1b2c3d4e";
/// Texts that are no private keys of Klaviyo.
pub(crate) const OF_THE_WRONG_KIND: [&str; 4] = [
    "sk_live_wrong7f3acanary0a1b2c3d4",
    "pk_live_wrong7f3acanary0a1b2c3d4",
    "pk_test_wrong7f3acanary0a1b2c3d4",
    "wrong7f3acanary0a1b2c3d4e5f60718",
];
/// A secret key that was never made.
pub(crate) const FORGED: &str = "sk_live_forged7f3acanary0a1b2c3d";
/// 32 bytes.
pub(crate) const MASTER_KEY: &[u8; 32] = b"canary-master-key-of-leak-tests!";
/// A master key of before.
pub(crate) const PREVIOUS_MASTER_KEY: &[u8; 32] = b"canary-master-key-of-before-this";

/// A profile in which every value is valid.
pub(crate) const EMAIL: &str = "Ada.Canary7f3a@People-Canary.Example";
pub(crate) const PHONE: &str = "+4915177770001";
pub(crate) const FIRST_NAME: &str = "Adacanary7f3a";

/// Values that are imported.
const IMPORTED: [&str; 14] = [
    EMAIL,
    "Ada.Canary7f3a",
    "4915177770001",
    FIRST_NAME,
    "Lovecanary7f3a",
    "4915177770002",
    "Bobcanary7f3b",
    "Buildcanary7f3b",
    "Cy.Canary7f3c",
    "Cycanary7f3c",
    "Borgcanary7f3c",
    "Dot.Canary7f3d",
    "Nulcanary7f3d",
    "4915177770006",
];

/// Values that are not imported: they are invalid, of a skipped profile, or not asked for.
const NOT_IMPORTED: [&str; 13] = [
    "bob.canary7f3b at people",
    "0151/canary7f3c",
    "Dotcanary7f3d",
    "hiddencanary7f3d",
    "Evecanary7f3e",
    "Nonecanary7f3e",
    "titlecanary7f3a",
    "companycanary7f3a",
    "externalcanary7f3a",
    "streetcanary7f3a",
    "propertycanary7f3a",
    "valuecanary7f3a",
    "203.0.113.77",
];

/// All canaries that are known before the scenario runs.
pub(crate) fn canaries() -> Vec<Canary> {
    let keys = [KEY, ROTATED, LIMITED, OTHER, UNKNOWN, FORGED];
    let master_keys = [MASTER_KEY, PREVIOUS_MASTER_KEY].map(|key| str::from_utf8(key).unwrap());
    let secrets = keys.into_iter().chain(OF_THE_WRONG_KIND).chain(master_keys);
    let of = |kind| {
        move |text: &str| Canary {
            kind,
            text: text.to_owned(),
        }
    };
    let imported = IMPORTED.into_iter().map(of(Kind::Imported));
    let not_imported = NOT_IMPORTED.into_iter().map(of(Kind::NotImported));
    secrets
        .map(of(Kind::Secret))
        .chain(imported)
        .chain(not_imported)
        .collect()
}

fn ada() -> Profile {
    let mut ada = Profile::with_email(EMAIL)
        .phone(PHONE)
        .named(FIRST_NAME, "Lovecanary7f3a");
    ada.title = Some("titlecanary7f3a".to_owned());
    ada.organization = Some("companycanary7f3a".to_owned());
    ada.external_id = Some("externalcanary7f3a".to_owned());
    ada.location.address1 = Some("streetcanary7f3a".to_owned());
    ada.location.ip = Some("203.0.113.77".to_owned());
    let property = ("propertycanary7f3a".to_owned(), json!("valuecanary7f3a"));
    ada.properties.extend([property]);
    ada
}

/// Profiles with valid values, with each kind of invalid value, without any, and one profile twice.
fn profiles() -> [Profile; 6] {
    let mut eve = Profile::default().named("Evecanary7f3e", "Nonecanary7f3e");
    eve.email = None;
    [
        ada(),
        Profile::with_email("bob.canary7f3b at people")
            .phone("+4915177770002")
            .named("Bobcanary7f3b", "Buildcanary7f3b"),
        Profile::with_email("Cy.Canary7f3c@people-canary.example")
            .phone("0151/canary7f3c")
            .named("Cycanary7f3c", "Borgcanary7f3c"),
        Profile::with_email("dot.canary7f3d@people-canary.example")
            .named("Dotcanary7f3d\0hiddencanary7f3d", "Nulcanary7f3d"),
        eve,
        ada().phone("+4915177770006"),
    ]
}

/// The lists and segments of the right account.
pub(crate) const LISTS: [&str; 4] = ["RtPqXs", "XyZaBc", "LiSt03", "LiSt04"];
pub(crate) const SEGMENTS: [&str; 2] = ["SeGm01", "SeGm02"];
/// A list that only the hostile Klaviyo is asked for.
pub(crate) const UNTOUCHED: &str = "LaTeR1";

/// Seconds since the epoch: these profiles join before and after the generated ones.
const JOINED: [i64; 2] = [1_704_070_000, 1_790_000_000];

/// A collection with the profiles at the beginning and at the end of a scan of several pages.
fn collection(kind: Of, id: &str) -> CollectionPlan {
    let mut plan = CollectionPlan::new(kind, id, &format!("Collection {id}")).generated(240);
    for from in JOINED {
        for (at, profile) in (from..).zip(profiles()) {
            plan = plan.member(OffsetDateTime::from_unix_timestamp(at).unwrap(), profile);
        }
    }
    plan
}

pub(crate) fn klaviyo() -> Plan {
    let mut right = AccountPlan::new("RiGhT1")
        .key(KEY)
        .key(ROTATED)
        .with_key(Key::new(LIMITED).without("profiles:read"));
    for list in LISTS.into_iter().chain([UNTOUCHED]) {
        right = right.with(collection(Of::List, list));
    }
    for segment in SEGMENTS {
        right = right.with(collection(Of::Segment, segment));
    }
    let other = AccountPlan::new("OtHeR1")
        .key(OTHER)
        .list("OtHeR2", "Others", 3);
    Plan::new([right, other]).quota(Quota::Unlimited)
}
