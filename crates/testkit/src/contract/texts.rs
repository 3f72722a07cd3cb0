//! Texts and times come back as they went in, however odd or large.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::issue::Issue;
use fanfare_domain::page::PagePlan;
use fanfare_domain::ports::Lookup;
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, FullName, MAX_VALUE_BYTES};

use super::harness::StoreHarness;
use super::test_organization::{TestOrganization, assert_paged};
use crate::build::{
    self, audience_id, consumer, consumer_id, link, list, profile, profile_id, stamp,
};
use crate::seen;

/// Every kind of text but NUL: quotes, JSON's own characters, controls, characters of four bytes, non-characters.
const ODD: [&str; 14] = [
    "O'Brien",
    "\"quoted\"",
    "back\\slash \\u0041 \\n",
    "{\"json\": [1]}",
    "$.path -> ?1",
    "%s %_ ;-- DROP",
    "tab\tline\nreturn\r.",
    "\u{1}\u{7f}\u{85}",
    "\u{2028}\u{2029}\u{feff}",
    "e\u{301} \u{e9}",
    "\u{202e}right to left",
    "\u{1f469}\u{200d}\u{1f680} \u{10ffff}",
    "\u{ffff}\u{fffe}",
    "true",
];

/// Each text as a name, all in one page.
pub async fn odd_names_come_back_as_they_went_in(harness: &dyn StoreHarness) {
    let names = ODD.iter().map(|text| (*text).to_owned());
    let numbers = ["007", "1e5", "null", "0x10", "1.0"].map(str::to_owned);
    assert_come_back(harness, names.chain(numbers)).await;
}

/// The longest names, of characters of one byte, of four bytes, and of those that JSON writes longer.
pub async fn the_longest_names_come_back_as_they_went_in(harness: &dyn StoreHarness) {
    let longest = [
        "x".repeat(MAX_VALUE_BYTES),
        "\u{1f389}".repeat(MAX_VALUE_BYTES / 4),
        format!("a{}z", "\u{1}".repeat(MAX_VALUE_BYTES - 2)),
        format!(
            "{} {}",
            "y".repeat(MAX_VALUE_BYTES),
            "z".repeat(MAX_VALUE_BYTES)
        ),
    ];
    assert_come_back(harness, longest.into_iter()).await;
}

/// Writes consumers with these names, and fails unless each name is read as it was written.
async fn assert_come_back(harness: &dyn StoreHarness, names: impl Iterator<Item = String>) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let with_name = |(n, name): (usize, String)| -> Consumer {
        let mut one = consumer(&format!("cons_{n:03}")).full_name("x", Some(stamp("p1", None)));
        one = one.email(&format!("e{n}@example.com"));
        let mut one = one.build();
        let kept = FullName::from_stored(name).expect("a name");
        one.full_name.as_mut().expect("just set").value = kept;
        one
    };
    let created: Vec<Consumer> = names.enumerate().map(with_name).collect();
    let plan = PagePlan {
        created: created.clone(),
        ..PagePlan::default()
    };

    org.write(&run, &plan).await;

    let mut unit = org.read().await;
    for want in created {
        let stored = unit
            .consumer(&want.id)
            .await
            .expect("an answer")
            .expect("the consumer");
        // Without `assert_eq`: a value's `Debug` shows nothing, and a name can be long.
        assert!(stored.consumer == want, "the name of {}", want.id);
    }
}

/// E-mails that a database might take for the same are different, also those of an earlier version's rules.
pub async fn emails_are_told_apart_by_every_character(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let long = format!("{}@example.com", "l".repeat(242));
    let addresses = [
        "straße@example.com",
        "strasse@example.com",
        "e\u{301}@example.com",
        "\u{e9}@example.com",
        "o'b\"r\\ien{}@example.com",
        "\u{1f680}@example.com",
        "a_b@example.com",
        "acb@example.com",
        "1e5@example.com",
        "<acb@example.com>",
        "a@xn--bcher-kva.example",
        "a@b\u{fc}cher.example",
        long.as_str(),
    ];
    let stored = |address: &str| Email::from_stored(address.to_owned()).expect("an e-mail");
    let with_address = |(n, address): (usize, &&str)| Consumer {
        email: Some(stored(address)),
        ..consumer(&format!("cons_{n}")).build()
    };
    let plan = PagePlan {
        created: addresses.iter().enumerate().map(with_address).collect(),
        ..PagePlan::default()
    };
    org.write(&run, &plan).await;

    let mut unit = org.read().await;
    for (n, address) in addresses.into_iter().enumerate() {
        let known = seen::known(unit.as_mut(), &run.id, &[stored(address)], &[])
            .await
            .expect("what is known");
        let ids: Vec<_> = known.consumers.into_iter().map(|one| one.id).collect();
        assert_eq!(ids, [consumer_id(&format!("cons_{n}"))]);
    }
}

/// Times come back to the microsecond, before 1970 and up to the year 9999.
pub async fn times_come_back_to_the_microsecond(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let times: Vec<Timestamp> = [
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2026-11-24T14:13:23.123457Z",
        "2038-01-19T03:14:08Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ]
    .iter()
    .map(|text| Timestamp::parse(text).expect("a time"))
    .collect();
    let links = times.iter().enumerate().map(|(n, time)| {
        let mut link = link(&format!("p{n}"), "cons_1", None);
        link.updated = Some(*time);
        link.changed_at = *time;
        link
    });
    let plan = PagePlan {
        created: vec![consumer("cons_1").build()],
        new_links: links.collect(),
        ..PagePlan::default()
    };

    org.write(&run, &plan).await;

    let known = org.known(&run.id, &[profile_id("p0")]).await;
    assert_eq!(known.links, plan.new_links);
}

/// The longest ids of Klaviyo's, and ids of unusual characters, wherever a store keeps one.
pub async fn any_id_of_klaviyos_comes_back_as_it_went_in(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let ids = [
        "a".repeat(255),
        "\u{1f98a}".repeat(255),
        "a b \"c\" {d} %_?/#\\' ".to_owned(),
        "..".to_owned(),
    ];
    let mut runs = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        let audience = audience_id(&format!("aud_{n}"));
        let source = build::source(&format!("sync_{n}"), list(id), &audience);
        let mut unit = org.begin().await;
        unit.put_source(&source).await.expect("a source");
        let audience = build::audience(&source.audience, &source.id);
        unit.put_audience(&audience).await.expect("an audience");
        unit.commit().await.expect("a commit");
        let mut unit = org.read().await;
        let found = unit.source_of(&list(id)).await.expect("an answer");
        assert_eq!(found, Some(source.clone()));
        runs.push(org.run(&source));
    }
    org.insert(&runs[0]).await;
    let run = runs[0].run();
    let page = ids.each_ref().map(|id| {
        let one = profile(id).email("ann@example.com").phone("0");
        one.first_name(id).build()
    });

    let (plan, _) = org.take(run, &page).await;

    let profiles = ids.each_ref().map(|id| profile_id(id));
    let known = org.known(&run.id, &profiles).await;
    let mut links = plan.new_links.clone();
    links.sort_by(|a, b| a.profile.cmp(&b.profile));
    assert_eq!(known.links, links);
    assert_eq!(known.consumers, plan.created);
    assert_eq!(known.seen_profiles.len(), ids.len());
    let mut unit = org.read().await;
    for id in &profiles {
        let found = unit.lookup_consumers(&Lookup::Profile(id.clone())).await;
        assert_eq!(found.expect("consumers").len(), 1, "{id}");
    }
    let mut issues = plan.issues.clone();
    let key = |issue: &Issue| (issue.profile.clone(), issue.kind.code.as_str());
    issues.sort_by_key(key);
    assert_paged(&issues, async |page| {
        unit.issues(&run.id, page).await.expect("issues")
    })
    .await;
}

/// An address that an earlier version's rules took is read as it is, and takes today's form when its profile is
/// read again.
pub async fn an_address_of_an_earlier_version_is_read_and_renewed(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let before = [
        ("ann@xn--bcher-kva.example", "ann@b\u{fc}cher.example"),
        ("jose\u{301}@example.com", "jos\u{e9}@example.com"),
        ("<bo@example.com>", "<bo@example.com>"),
    ];
    let consumers = before.iter().enumerate().map(|(n, (address, _))| Consumer {
        email: Email::from_stored((*address).to_owned()),
        ..consumer(&format!("cons_{n}")).build()
    });
    let links = (0..before.len()).map(|n| link(&format!("p{n}"), &format!("cons_{n}"), None));
    let plan = PagePlan {
        created: consumers.collect(),
        new_links: links.collect(),
        ..PagePlan::default()
    };
    org.write(&run, &plan).await;

    let sent = before.iter().enumerate();
    let sent = sent.map(|(n, (address, _))| profile(&format!("p{n}")).email(address).build());
    let page: Vec<_> = sent.collect();
    let (plan, added) = org.take(&run, &page).await;

    assert_eq!((plan.created.len(), added), (0, 3));
    let mut unit = org.read().await;
    for (n, (_, today)) in before.iter().enumerate() {
        let record = unit.consumer(&consumer_id(&format!("cons_{n}"))).await;
        let email = record
            .expect("an answer")
            .expect("the consumer")
            .consumer
            .email;
        assert_eq!(email.as_ref().map(Email::as_str), Some(*today));
        let lookup = Lookup::Email((*today).to_owned());
        let found = unit.lookup_consumers(&lookup).await.expect("consumers");
        assert_eq!(found.len(), 1, "{today}");
    }
}
