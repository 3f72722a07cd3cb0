//! Why somebody is, or is not, a member.

use fanfare_domain::consumer::ProfileLink;
use fanfare_domain::explain::ReasonCode::{
    Left, LiveUnavailable, Member, NotInList, NotReadYet, Readdressed, RemovalHeld, Skipped,
    UnknownPerson,
};
use fanfare_domain::explain::{
    self, Facts, HeldRemovals, Live, LiveMember, ReasonCode, SkippedProfile, profiles, reasons,
};
use fanfare_domain::history::{Membership, MembershipEnd};
use fanfare_domain::ids::{ConsumerId, ProfileId, RunId, SourceId};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::time::Timestamp;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn profile(id: &str) -> ProfileId {
    ProfileId::parse(id).unwrap()
}

fn run() -> RunId {
    RunId::parse("run_1").unwrap()
}

fn link(id: &str) -> ProfileLink {
    ProfileLink {
        source: SourceId::parse("sync_1").unwrap(),
        profile: profile(id),
        consumer: ConsumerId::parse("cons_1").unwrap(),
        updated: None,
        changed_at: at(5),
    }
}

/// Somebody known, after a complete pass.
fn known() -> Facts {
    Facts {
        consumer: Some(ConsumerId::parse("cons_1").unwrap()),
        links: vec![link("P1")],
        as_of: Some(at(10)),
        last_run: Some(run()),
        ..Facts::default()
    }
}

fn membership(began: Timestamp) -> Membership {
    Membership {
        consumer: ConsumerId::parse("cons_1").unwrap(),
        began,
        joined_by: Some(run()),
        end: None,
    }
}

fn end(at: Timestamp) -> MembershipEnd {
    MembershipEnd {
        at,
        left_by: Some(run()),
    }
}

fn member() -> Facts {
    Facts {
        membership: Some(membership(at(3))),
        ..known()
    }
}

fn in_list(ids: &[&str]) -> Live {
    let one = |id: &&str| LiveMember {
        profile: profile(id),
        joined_at: Some(at(20)),
    };
    Live::Members(ids.iter().map(one).collect())
}

fn skipped(code: IssueCode) -> SkippedProfile {
    SkippedProfile {
        profile: profile("P9"),
        code,
        run: run(),
        at: at(8),
    }
}

#[track_caller]
fn check(facts: &Facts, live: &Live, want: &[ReasonCode]) {
    let codes: Vec<ReasonCode> = reasons(facts, live).iter().map(|r| r.code).collect();
    assert_eq!(codes, want);
}

#[test]
fn a_member_is_one_whatever_klaviyo_says() {
    check(&member(), &Live::NotAsked, &[Member]);
    check(&member(), &in_list(&["P1"]), &[Member]);
    check(&member(), &in_list(&[]), &[Member]);
    let told = &reasons(&member(), &in_list(&[]))[0];
    assert!(
        told.message.contains("next complete pass"),
        "{}",
        told.message
    );
    assert_eq!((told.at, told.run.clone()), (Some(at(3)), Some(run())));
}

#[test]
fn a_held_member_is_told_so_unless_klaviyo_has_them() {
    for held in [
        HeldRemovals::Guard,
        HeldRemovals::Incomplete,
        HeldRemovals::Deferred,
    ] {
        let facts = Facts {
            held: Some(held),
            ..member()
        };
        check(&facts, &Live::NotAsked, &[Member, RemovalHeld]);
        check(&facts, &in_list(&[]), &[Member, RemovalHeld]);
        check(&facts, &in_list(&["P1"]), &[Member]);
        // Whoever is no member is not held.
        let facts = Facts {
            held: Some(held),
            ..known()
        };
        check(&facts, &Live::NotAsked, &[NotInList]);
    }
    assert_eq!(
        HeldRemovals::of(true, Some("incomplete_read"), true),
        Some(HeldRemovals::Guard)
    );
    assert_eq!(
        HeldRemovals::of(false, Some("incomplete_read"), true),
        Some(HeldRemovals::Incomplete)
    );
    assert_eq!(
        HeldRemovals::of(false, None, true),
        Some(HeldRemovals::Deferred)
    );
    assert_eq!(HeldRemovals::of(false, Some("cancelled"), false), None);
}

#[test]
fn somebody_known_is_not_in_the_list_or_has_joined_since() {
    check(&known(), &Live::NotAsked, &[NotInList]);
    check(&known(), &in_list(&[]), &[NotInList]);
    check(&known(), &in_list(&["P1"]), &[NotReadYet, NotInList]);
    check(&known(), &Live::Unavailable, &[NotInList, LiveUnavailable]);
    let never_read = Facts {
        as_of: None,
        ..known()
    };
    check(&never_read, &Live::NotAsked, &[NotReadYet]);
}

#[test]
fn somebody_who_left_is_told_when() {
    let facts = Facts {
        left: Some(end(at(9))),
        ..known()
    };
    check(&facts, &Live::NotAsked, &[Left, NotInList]);
    let told = &reasons(&facts, &Live::NotAsked)[0];
    assert_eq!(told.at, Some(at(9)));
    assert!(
        told.message.contains("1970-01-01T00:00:09"),
        "{}",
        told.message
    );
}

#[test]
fn somebody_whose_email_changed_is_told_who_they_are_now() {
    let facts = Facts {
        readdressed: Some(explain::Readdressed {
            profile: profile("P1"),
            consumer: ConsumerId::parse("cons_2").unwrap(),
        }),
        links: Vec::new(),
        ..known()
    };
    check(&facts, &Live::NotAsked, &[Readdressed, NotInList]);
    assert!(
        reasons(&facts, &Live::NotAsked)[0]
            .message
            .contains("cons_2")
    );
}

#[test]
fn nobody_known_is_unknown_or_skipped_or_not_read_yet() {
    let unknown = Facts {
        as_of: Some(at(10)),
        ..Facts::default()
    };
    check(&unknown, &Live::NotAsked, &[UnknownPerson]);
    check(&unknown, &in_list(&["P9"]), &[NotReadYet, UnknownPerson]);
    check(
        &Facts::default(),
        &Live::NotAsked,
        &[NotReadYet, UnknownPerson],
    );
    for code in IssueCode::ALL {
        let facts = Facts {
            skipped: Some(skipped(*code)),
            ..unknown.clone()
        };
        for live in [Live::NotAsked, in_list(&["P9"])] {
            check(&facts, &live, &[Skipped]);
            let told = &reasons(&facts, &live)[0];
            assert!(told.message.contains(code.as_str()), "{}", told.message);
            assert_eq!(told.profile, Some(profile("P9")));
        }
    }
}

#[test]
fn profiles_are_in_the_list_as_klaviyo_says_or_else_as_the_last_complete_pass_saw() {
    let shown = |facts: &Facts, live: &Live| -> Vec<_> {
        let all = profiles(facts, live).into_iter();
        all.map(|one| {
            (
                one.profile.to_string(),
                one.in_list,
                one.joined_at,
                one.last_seen_at,
            )
        })
        .collect()
    };
    let p1 = |in_list, joined, seen| vec![("P1".to_owned(), in_list, joined, Some(at(seen)))];
    assert_eq!(shown(&member(), &Live::NotAsked), p1(Some(true), None, 10));
    assert_eq!(shown(&known(), &Live::NotAsked), p1(Some(false), None, 5));
    assert_eq!(
        shown(&known(), &in_list(&["P1"])),
        p1(Some(true), Some(at(20)), 5)
    );
    assert_eq!(shown(&member(), &in_list(&[])), p1(Some(false), None, 10));
    let two = Facts {
        links: vec![link("P2"), link("P1")],
        ..member()
    };
    let ids: Vec<_> = shown(&two, &Live::NotAsked)
        .into_iter()
        .map(|one| (one.0, one.1))
        .collect();
    assert_eq!(ids, [("P1".to_owned(), None), ("P2".to_owned(), None)]);
    let of_nobody = Facts {
        skipped: Some(skipped(IssueCode::InvalidEmail)),
        ..Facts::default()
    };
    let want = vec![("P9".to_owned(), None, None, Some(at(8)))];
    assert_eq!(shown(&of_nobody, &Live::NotAsked), want);
}

prop_compose! {
    fn any_facts()(
        consumer: bool, links in 0..3_usize, membership: bool, left: bool, code in 0..IssueCode::ALL.len() + 1,
        readdressed: bool, as_of in prop::option::of(0..9_i64), is_syncing: bool, held in 0..4_usize,
    ) -> Facts {
        let id = ConsumerId::parse("cons_1").unwrap();
        Facts {
            links: ["P1", "P2"][..links.min(2)].iter().map(|id| link(id)).collect(),
            membership: membership.then(|| self::membership(at(1))),
            left: left.then(|| end(at(2))),
            skipped: IssueCode::ALL.get(code).map(|code| skipped(*code)),
            readdressed: readdressed.then(|| explain::Readdressed {
                profile: profile("P3"),
                consumer: id.clone(),
            }),
            consumer: consumer.then_some(id),
            as_of: as_of.map(at),
            last_run: Some(run()),
            is_syncing,
            held: [HeldRemovals::Guard, HeldRemovals::Incomplete, HeldRemovals::Deferred].get(held).copied(),
        }
    }
}

proptest! {
    #[test]
    fn there_is_always_a_reason_and_the_strongest_is_first(
        facts in any_facts(), live in 0..4_usize,
    ) {
        let live = [Live::NotAsked, Live::Unavailable, in_list(&[]), in_list(&["P1"])][live].clone();
        let told = reasons(&facts, &live);
        prop_assert!(told.is_sorted_by(|a, b| a.code < b.code), "{told:?}");
        prop_assert_eq!(told[0].code == Member, facts.membership.is_some());
        let says_unavailable = told.iter().any(|reason| reason.code == LiveUnavailable);
        prop_assert_eq!(says_unavailable, live == Live::Unavailable);
        prop_assert!(told.iter().any(|reason| reason.code != LiveUnavailable));
        prop_assert!(told.iter().all(|reason| reason.message.ends_with('.')));
    }
}
