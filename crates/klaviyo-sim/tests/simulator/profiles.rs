//! Whom a generated account holds.

use std::collections::{HashMap, HashSet};

use fanfare_klaviyo_sim::{EdgeCases, Member, Plan, Profile, Simulator, demo_account};

use crate::support::{Fixture, KEY, LIST, account};

fn demo() -> (Vec<Member>, Vec<Member>) {
    let simulator = Simulator::start(Plan::new([demo_account()])).unwrap();
    let account = simulator.account();
    (
        account.members("RtPqXs").unwrap(),
        account.members("XyZaBc").unwrap(),
    )
}

#[test]
fn the_demo_has_a_list_and_a_segment_that_partly_overlap() {
    let (newsletter, customers) = demo();
    assert_eq!((newsletter.len(), customers.len()), (12_000, 800));
    let readers: HashSet<_> = newsletter.iter().map(|member| &member.profile.id).collect();
    assert_eq!(readers.len(), 12_000);
    let both = customers
        .iter()
        .filter(|member| readers.contains(&member.profile.id));
    assert_eq!(both.count(), 600);
}

#[test]
fn the_same_seed_generates_the_same_profiles() {
    assert_eq!(demo(), demo());
    let mut plan = Plan::new([demo_account()]);
    plan.seed = 2;
    let simulator = Simulator::start(plan).unwrap();
    assert_ne!(simulator.account().members("RtPqXs").unwrap(), demo().0);
}

#[test]
fn the_demos_newsletter_has_edge_cases() {
    let (newsletter, _) = demo();
    let some = |what: &str, is_so: &dyn Fn(&Profile) -> bool| {
        let count = newsletter
            .iter()
            .filter(|member| is_so(&member.profile))
            .count();
        assert!(count > 0, "no profile has {what}");
        assert!(count < 9_000, "{what} should not be usual");
    };
    let email = |profile: &Profile| profile.email.clone().unwrap_or_default();
    some("no e-mail but a phone", &|who| {
        who.email.is_none() && who.phone_number.is_some()
    });
    some("neither", &|who| {
        who.email.is_none() && who.phone_number.is_none()
    });
    some("no names", &|who| {
        who.first_name.is_none() && who.last_name.is_none()
    });
    some("a short id", &|who| who.id.len() == 6);
    some("a padded e-mail", &|who| email(who) != email(who).trim());
    some("capitals", &|who| email(who) != email(who).to_lowercase());
    some("a broken e-mail", &|who| {
        who.email.is_some() && email(who).matches('@').count() != 1
    });
    some("a long e-mail", &|who| email(who).len() > 254);
    some("a foreign e-mail", &|who| !email(who).is_ascii());
    some("a broken phone", &|who| {
        who.phone_number
            .as_ref()
            .is_some_and(|n| !n.starts_with('+'))
    });
    some("a huge name", &|who| {
        who.first_name
            .as_ref()
            .is_some_and(|name| name.len() > 65_536)
    });
    some("a NUL", &|who| {
        who.first_name
            .as_ref()
            .is_some_and(|name| name.contains('\0'))
    });
    some("huge properties", &|who| {
        serde_json::to_vec(&who.properties).unwrap().len() > 80_000
    });
    some("no time of change", &|who| who.updated.is_none());
    some("a change in the future", &|who| {
        who.updated.as_deref() > Some("2027")
    });
    some("microseconds", &|who| {
        who.updated.as_ref().is_some_and(|at| at.contains('.'))
    });
    some("another form of time", &|who| {
        who.updated.as_ref().is_some_and(|at| at.contains('W'))
    });
    some("a domain in Punycode", &|who| email(who).contains("@XN--"));
    some("an e-mail in brackets", &|who| email(who).starts_with('<'));
    some("no time at all", &|who| {
        who.updated.as_deref() == Some("a while ago")
    });

    let mut by_email = HashMap::<_, u32>::new();
    for member in &newsletter {
        let email = email(&member.profile).trim().to_lowercase();
        *by_email.entry(email).or_default() += 1;
    }
    assert!(
        by_email.values().any(|count| *count == 2),
        "two with one e-mail"
    );
    let mut by_second = HashMap::<_, u32>::new();
    for member in &newsletter {
        *by_second.entry(member.joined).or_default() += 1;
    }
    assert!(
        by_second.values().any(|count| *count > 1_000),
        "a bulk import's second"
    );
    assert!(
        newsletter
            .iter()
            .all(|member| member.joined.is_some_and(|joined| joined.nanosecond() == 0))
    );
}

#[test]
fn an_account_can_have_only_edge_cases_or_none() {
    let of = |edge_cases| {
        let fixture = Fixture::with(account().edge_cases(edge_cases), |plan| plan);
        let members = fixture.simulator.account().members(LIST).unwrap();
        let emails = members
            .into_iter()
            .filter_map(|member| member.profile.email);
        emails.collect::<HashSet<_>>().len()
    };
    assert_eq!(of(EdgeCases::None), 250);
    assert!(of(EdgeCases::All) < 230);
}

#[test]
fn every_edge_case_is_answered_unchanged() {
    let fixture = Fixture::with(account().edge_cases(EdgeCases::All), |plan| plan);
    let query = [("sort", "joined_group_at"), ("page[size]", "100")];
    let scanned = fixture
        .scan(&format!("/api/lists/{LIST}/profiles"), &query)
        .concat();
    let truth = fixture.simulator.account().members(LIST).unwrap();
    assert_eq!(scanned.len(), truth.len());
    for (seen, Member { profile, .. }) in scanned.iter().zip(&truth) {
        assert_eq!(seen["id"], profile.id);
        let seen = &seen["attributes"];
        let text = |name: &str| seen[name].as_str().map(str::to_owned);
        assert_eq!(text("email"), profile.email);
        assert_eq!(text("phone_number"), profile.phone_number);
        assert_eq!(text("first_name"), profile.first_name);
        assert_eq!(text("last_name"), profile.last_name);
        assert_eq!(text("updated"), profile.updated);
        assert_eq!(text("created"), profile.created);
        assert_eq!(seen["properties"].as_object(), Some(&profile.properties));
    }
    assert_eq!(
        fixture.client.get("/api/accounts", &[]).status,
        200,
        "still there for {KEY}"
    );
}
