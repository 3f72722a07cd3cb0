//! A run's issues.

use fanfare_domain::issue::{Field, Issue, IssueCode};
use fanfare_domain::page::PagePlan;

use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization, assert_paged};
use crate::build::{at, issue, run_id};

fn plan(issues: Vec<Issue>) -> PagePlan {
    PagePlan {
        issues,
        ..PagePlan::default()
    }
}

/// Issues come by profile, then code, then field, compared as bytes; an issue without a field comes first.
pub async fn issues_are_paged_by_profile_code_and_field(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let mut want = vec![
        issue("A2", IssueCode::MissingContact, None),
        issue("a1", IssueCode::DuplicateEmail, Some(Field::Email)),
        issue("a1", IssueCode::InvalidEmail, Some(Field::Email)),
        issue("a1", IssueCode::InvalidValue, None),
        issue("a1", IssueCode::InvalidValue, Some(Field::FirstName)),
        issue("a1", IssueCode::InvalidValue, Some(Field::LastName)),
        issue("a1", IssueCode::MissingContact, None),
        issue("a10", IssueCode::InvalidPhone, Some(Field::PhoneNumber)),
        issue("a2", IssueCode::MissingContact, None),
    ];
    for (n, issue) in (0..).zip(&mut want) {
        issue.at = at(n);
    }
    let mut mixed: Vec<Issue> = want.iter().rev().cloned().collect();
    mixed.swap(0, 4);
    let later = mixed.split_off(5);
    org.write(&run, &plan(mixed)).await;
    org.write(&run, &plan(later)).await;
    let mut unit = org.read().await;

    let all = unit.issues(&run.id, &ALL).await.expect("issues").items;
    assert_eq!(all, want);
    let counts = [
        (IssueCode::DuplicateEmail, 1),
        (IssueCode::InvalidEmail, 1),
        (IssueCode::InvalidPhone, 1),
        (IssueCode::InvalidValue, 3),
        (IssueCode::MissingContact, 3),
    ];
    assert_eq!(unit.issue_counts(&run.id).await.expect("counts"), counts);
    assert_paged(&all, async |page| {
        unit.issues(&run.id, page).await.expect("issues")
    })
    .await;
}

/// An issue that is met again keeps the time at which it was first met.
pub async fn an_issue_that_is_met_again_is_stored_once(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let first = issue("p1", IssueCode::InvalidEmail, Some(Field::Email));
    let mut again = first.clone();
    again.at = at(500);

    org.write(&run, &plan(vec![first.clone()])).await;
    org.write(&run, &plan(vec![again])).await;

    let mut unit = org.read().await;
    assert_eq!(
        unit.issues(&run.id, &ALL).await.expect("issues").items,
        [first]
    );
}

/// Two runs may meet the same issue, each for itself. An unknown run has no issues.
pub async fn an_issue_belongs_to_its_run(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (one, other) = (org.queue("list1").await, org.queue("list2").await);
    let met = issue("p1", IssueCode::MissingContact, None);
    org.write(&one, &plan(vec![met.clone()])).await;
    let mut unit = org.read().await;
    assert_eq!(
        unit.issues(&other.id, &ALL).await.expect("issues").items,
        []
    );
    drop(unit);

    org.write(&other, &plan(vec![met.clone()])).await;

    let mut unit = org.read().await;
    for run in [&one.id, &other.id] {
        let issues = unit.issues(run, &ALL).await.expect("issues").items;
        assert_eq!(issues, std::slice::from_ref(&met));
    }
    let none = unit
        .issues(&run_id("run_none"), &ALL)
        .await
        .expect("issues");
    assert_eq!((none.end(), none.items.len()), (None, 0));
}
