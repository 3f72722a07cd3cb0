//! Accounts that live by a seed.

use std::time::Duration;

use fanfare_klaviyo_sim::{Event, Happened, Life, LivingAccount, Member, Recomputation};

use crate::support::{Client, Fixture, KEY, LIST, NOW, SEGMENT};

/// Lives a life to its end. Returns what happened, and who is in the list then.
fn live(fixture: &Fixture, life: Life) -> (Vec<Happened>, Vec<Member>) {
    let simulator = fixture.simulator.handle();
    let mut account = LivingAccount::new(&simulator, "AbC123", life, NOW).unwrap();
    let (mut happened, mut now) = (Vec::new(), NOW);
    while let Some(next) = account.next_at() {
        fixture.advance((next - now).as_seconds_f64());
        now = next;
        happened.extend(account.live_until(now).unwrap());
    }
    (happened, simulator.account().members(LIST).unwrap())
}

#[test]
fn the_same_seed_is_the_same_life_and_another_is_another() {
    type Is = fn(&Happened) -> bool;

    let [first, second, third] = [5, 5, 6].map(|seed| live(&Fixture::new(), Life::hour(seed, 300)));
    assert_eq!(first, second);
    assert_ne!(first.0, third.0);
    assert_eq!(first.0.len(), 300);
    let kinds: [(Is, usize); 6] = [
        (|one| matches!(one, Happened::Joined { .. }), 60),
        (|one| matches!(one, Happened::Left { .. }), 30),
        (|one| matches!(one, Happened::Changed(_)), 50),
        (|one| matches!(one, Happened::Merged { .. }), 5),
        (|one| matches!(one, Happened::Deleted(_)), 5),
        (|one| matches!(one, Happened::Renamed(_)), 5),
    ];
    for (is, least) in kinds {
        let count = first.0.iter().filter(|one| is(one)).count();
        assert!(count >= least, "{count} of {least}");
    }
    let in_future = |member: &Member| {
        member
            .joined
            .is_some_and(|at| at > NOW + Duration::from_hours(1))
    };
    assert!(first.1.iter().any(in_future));
    let is_blank =
        |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    assert!(first.1.iter().any(|member| is_blank(&member.profile.email)));
    let mut emails: Vec<_> = first
        .1
        .iter()
        .filter_map(|member| member.profile.email.as_deref().map(str::trim))
        .filter(|email| !email.is_empty())
        .collect();
    let count = emails.len();
    emails.sort_unstable();
    emails.dedup();
    assert_eq!(emails.len(), count, "nobody has another's e-mail");
}

#[test]
fn a_life_has_an_outage_another_key_and_a_segment_that_is_computed_anew() {
    let fixture = Fixture::new();
    let minutes = Duration::from_mins;
    let life = Life::hour(1, 0)
        .with(minutes(10), Event::Outage(minutes(5)))
        .with(
            minutes(20),
            Event::ReplaceKeys {
                after: minutes(5),
                with: "pk_next".to_owned(),
            },
        )
        .with(
            minutes(30),
            Event::Recompute(SEGMENT.to_owned(), Recomputation::at(4)),
        );
    let simulator = fixture.simulator.handle();
    let mut account = LivingAccount::new(&simulator, "AbC123", life, NOW).unwrap();
    let statuses = || {
        [KEY, "pk_next"].map(|key| {
            let client = Client::new(&fixture.simulator.url(), key);
            client.get("/api/lists", &[]).status
        })
    };
    let mut seen = vec![statuses()];
    let mut now = NOW;
    while let Some(next) = account.next_at() {
        fixture.advance((next - now).as_seconds_f64());
        now = next;
        assert_eq!(account.live_until(now).unwrap().len(), 1);
        seen.push(statuses());
    }
    assert_eq!(
        seen,
        [
            [200, 401],
            [503, 401],
            [200, 401],
            [401, 401],
            [401, 200],
            [401, 200]
        ]
    );
    assert_eq!(simulator.account().size(SEGMENT).unwrap(), 0);
    fixture.advance(600.0);
    assert_eq!(simulator.account().size(SEGMENT).unwrap(), 40);
}

#[test]
fn a_list_to_be_watched_is_the_only_one_that_changes() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator.handle();
    let unknown = LivingAccount::to_be_watched(&simulator, "AbC123", "NoSuch");
    assert!(unknown.is_err());
    let mut account = LivingAccount::to_be_watched(&simulator, "AbC123", LIST).unwrap();
    let mut lists = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let next = account.next_at().unwrap();
        for happened in account.live_until(next).unwrap() {
            if let Happened::Joined { list, .. } | Happened::Left { list, .. } = happened {
                lists.insert(list);
            }
        }
    }
    assert_eq!(lists.into_iter().collect::<Vec<_>>(), [LIST]);
}
