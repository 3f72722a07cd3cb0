//! Who waits for whom.

use std::sync::Arc;

use fanfare_domain::ports::{ConsumerFilter, Store};
use fanfare_domain::profile::Profile;
use fanfare_testkit::build;

use crate::support::{org, store};

#[tokio::test]
async fn writers_of_two_organizations_do_not_wait_for_each_other() {
    let fixture = store().await;
    let (ours, theirs) = (org("org_a"), org("org_b"));
    fixture.queue(&ours, "list1").await;
    let mut one = fixture.begin(&ours).await;
    let mut other = fixture.begin(&theirs).await;

    assert_eq!(one.active_runs().await.unwrap().len(), 1);
    assert_eq!(other.active_runs().await.unwrap().len(), 0);
    other.commit().await.unwrap();
    one.commit().await.unwrap();
}

#[tokio::test]
async fn a_unit_that_waits_too_long_for_the_writer_is_told_to_come_again() {
    let fixture = store().await;
    let organization = org("org_a");
    let _held = fixture.begin(&organization).await;

    let waited = fixture.store.begin(&organization).await.err().unwrap();

    assert!(waited.is_transient(), "{waited:?}");
}

/// The same twenty people, each time in another order and with another name.
fn page(round: usize) -> Vec<Profile> {
    (0..20)
        .map(|n| (n * 7 + round * 3) % 20)
        .map(|n| {
            build::profile(&format!("p{n}"))
                .email(&format!("e{}@example.com", (n + round) % 20))
                .first_name(&format!("Name {round}"))
                .updated(i64::try_from(round).unwrap())
                .build()
        })
        .collect()
}

#[tokio::test]
async fn pages_that_overlap_and_others_who_write_consumers_come_into_no_deadlock() {
    const WRITERS: usize = 6;
    const PAGES: usize = 8;
    let fixture = Arc::new(store().await);
    let organization = org("org_a");
    let first = fixture.queue(&organization, "list0").await;
    fixture.take(&first, &page(0)).await;

    let writers: Vec<_> = (1..=WRITERS)
        .map(|writer| {
            let (fixture, organization) = (fixture.clone(), organization.clone());
            tokio::spawn(async move {
                let run = fixture.queue(&organization, &format!("list{writer}")).await;
                for n in 0..PAGES {
                    fixture.take(&run, &page(writer + n * WRITERS)).await;
                }
            })
        })
        .collect();
    // Another service, which knows nothing of the organization's lock, writes them by id.
    let pool = fixture.database.pool();
    let rival = tokio::spawn(async move {
        for _ in 0..PAGES * WRITERS {
            let mut tx = pool.begin().await.unwrap();
            sqlx::query(
                "SELECT FROM (SELECT id FROM consumers WHERE organization_id = 'org_a'
                    ORDER BY id FOR NO KEY UPDATE) locked",
            )
            .execute(&mut *tx)
            .await
            .unwrap();
            sqlx::query("UPDATE consumers SET updated_by = 'rival'")
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
    });

    for writer in writers {
        writer.await.unwrap();
    }
    rival.await.unwrap();
    let mut unit = fixture.read(&organization).await;
    let all = fanfare_domain::paging::PageRequest {
        first: 1_000,
        after: None,
    };
    let consumers = unit
        .consumers(&ConsumerFilter::default(), &all)
        .await
        .unwrap();
    assert_eq!(consumers.items.len(), 20);
}
