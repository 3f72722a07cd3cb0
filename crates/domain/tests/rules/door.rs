//! The door, and how fresh an audience is.

use std::time::Duration;

use fanfare_domain::audience::Freshness;
use fanfare_domain::door::{Asked, Member, Members, People};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::schedule::Intervals;
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use proptest::prelude::*;

fn consumer(id: &str) -> ConsumerId {
    ConsumerId::parse(id).unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn members(read: impl IntoIterator<Item = Member>) -> Members {
    let mut members = Members::default();
    members.add(read.into_iter().collect());
    members
}

#[test]
fn an_email_is_asked_for_in_the_form_that_is_stored_and_once() {
    let asked = Asked::Emails(texts(&[
        " ADA@Example.com",
        "ada@example.com",
        "no address",
        "",
        "bo@xn--bcher-kva.example",
    ]));

    let want =
        ["ada@example.com", "bo@b\u{fc}cher.example"].map(|text| Email::parse(text).unwrap());
    assert_eq!(People::of_all([&asked]), [People::Emails(want.to_vec())]);
    let members = members([Member {
        email: Some(want[0].clone()),
        consumer: consumer("cons_1"),
    }]);
    let ada = Some(consumer("cons_1"));
    let want = [ada.clone(), ada, None, None, None];
    assert_eq!(asked.answers(&members), want);
}

#[test]
fn a_text_that_is_no_id_names_nobody() {
    let asked = Asked::Consumers(texts(&["cons_1", "", "a b", "\u{0}", "cons_2", "cons_1"]));

    let want = ["cons_1", "cons_2"].map(consumer);
    assert_eq!(People::of_all([&asked]), [People::Consumers(want.to_vec())]);
    let members = members([Member {
        email: None,
        consumer: consumer("cons_1"),
    }]);
    let one = Some(consumer("cons_1"));
    assert_eq!(
        asked.answers(&members),
        [one.clone(), None, None, None, None, one]
    );
}

#[test]
fn checks_that_are_read_together_ask_for_each_once_and_are_answered_apart() {
    let (first, second) = (texts(&["a@x.y", "b@x.y"]), texts(&["B@x.y", "c@x.y"]));
    let by_id = Asked::Consumers(texts(&["cons_b", "cons_d"]));
    let (first, second) = (Asked::Emails(first), Asked::Emails(second));

    let people = People::of_all([&first, &by_id, &second]);

    let email = |text| Email::parse(text).unwrap();
    let emails = ["a@x.y", "b@x.y", "c@x.y"].map(email);
    let ids = ["cons_b", "cons_d"].map(consumer);
    let want = [
        People::Emails(emails.to_vec()),
        People::Consumers(ids.to_vec()),
    ];
    assert_eq!(people, want);
    let b = |email| Member {
        email,
        consumer: consumer("cons_b"),
    };
    let members = members([b(Some(email("b@x.y"))), b(None)]);
    let b = Some(consumer("cons_b"));
    assert_eq!(first.answers(&members), [None, b.clone()]);
    assert_eq!(second.answers(&members), [b.clone(), None]);
    assert_eq!(by_id.answers(&members), [b, None]);
}

#[test]
fn what_was_asked_is_not_printed() {
    let asked = Asked::Emails(texts(&["canary@example.com"]));
    assert_eq!(format!("{asked:?}"), "Emails(1 texts)");
}

proptest! {
    #[test]
    fn there_is_an_answer_for_each_text_in_its_order(
        texts in prop::collection::vec("[a-c]@x[.]y| [A-C]@x[.]y|[a-c]", 0..20),
    ) {
        let asked = Asked::Emails(texts.clone());
        let people = People::of_all([&asked]);
        let [People::Emails(emails)] = people.as_slice() else { unreachable!() };
        prop_assert!(emails.is_sorted_by(|a, b| a < b));
        let member = |email: &Email| Member {
            consumer: consumer(&format!("cons_{}", &email.as_str()[..1])),
            email: Some(email.clone()),
        };
        let members = members(emails.iter().map(member));
        let want: Vec<_> = texts
            .iter()
            .map(|text| {
                let letter = text.trim().to_lowercase().chars().next().unwrap();
                text.contains('@').then(|| consumer(&format!("cons_{letter}")))
            })
            .collect();
        prop_assert_eq!(asked.answers(&members), want);
        prop_assert_eq!(asked.answers(&Members::default()), vec![None; texts.len()]);
    }

    #[test]
    fn an_audience_that_refreshes_itself_is_stale_after_two_intervals_and_a_minute(
        interval in 1_u32..604_801, over in 0_u64..10,
    ) {
        let (last, intervals) = (Timestamp::EPOCH, Intervals { shortest: 60 });
        let is_late = |last_synced_at, interval| {
            let in_force = Duration::from_secs(u64::from(interval).max(60));
            let now = last.plus(in_force * 2 + Duration::from_secs(60 + over));
            let freshness = Freshness {
                last_synced_at,
                created_at: last,
                refresh_interval_seconds: Some(interval),
            };
            let manual = Freshness { refresh_interval_seconds: None, ..freshness };
            assert!(!manual.is_stale(intervals, now));
            freshness.is_stale(intervals, now)
        };
        prop_assert_eq!(is_late(Some(last), interval), over > 0);
        prop_assert_eq!(is_late(None, interval), over > 0);
        prop_assert!(!is_late(Some(last.plus(Duration::from_secs(10))), interval));
    }
}
