//! Forgetting the organization shows nothing.

use std::collections::BTreeMap;

use fanfare_domain::contact::{Contact, ContactSettings};
use fanfare_domain::erasure::ErasedHash;
use fanfare_domain::events::{EventSettings, InboundKey, WebhookSecrets};
use fanfare_domain::history::Snapshot;
use fanfare_domain::ids::{OrganizationId, SnapshotId};
use fanfare_testkit::build;
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::{Fixture, org, store};
use crate::tables;

/// A store with rows of two organizations in every table.
async fn two_organizations() -> Fixture {
    let fixture = store().await;
    fill(&fixture).await;
    fixture
}

/// Writes rows of two organizations into every table.
pub(crate) async fn fill(fixture: &Fixture) {
    for organization in ["org_a", "org_b"] {
        let organization = org(organization);
        let run = fixture.queue(&organization, "list1").await;
        let page = [
            build::profile("p1").email("a@example.com").build(),
            build::profile("p2").email("broken").build(),
            build::profile("p3").email("b@example.com").build(),
        ];
        fixture.take(&run, &page).await;
        let mut unit = fixture.begin(&organization).await;
        while unit.index_search(1).await.unwrap() {}
        unit.commit().await.unwrap();
        // A link moves, and a name changes that the index of searches has.
        let mover = build::profile("p3")
            .email("a@example.com")
            .first_name("Ada");
        fixture.take(&run, &[mover.updated(9).build()]).await;
        let mut unit = fixture.begin(&organization).await;
        unit.put_connection(&build::connection()).await.unwrap();
        unit.put_erasure_key(&build::connection().key)
            .await
            .unwrap();
        let (nobody, hash) = (build::consumer_id("none"), ErasedHash("h".to_owned()));
        unit.erase(&nobody, &[], &[hash], build::at(9))
            .await
            .unwrap();
        let snapshot = Snapshot {
            id: SnapshotId::parse("snap_1").unwrap(),
            name: "Draw".to_owned(),
            at: build::at(9),
            members: 0,
        };
        unit.insert_snapshot(&run.audience, &snapshot)
            .await
            .unwrap();
        let secrets = WebhookSecrets::rotated(None, build::connection().key, build::at(9));
        unit.put_webhook_secrets(&secrets).await.unwrap();
        let settings = EventSettings::default();
        unit.put_event_settings(&settings).await.unwrap();
        let keys = [InboundKey("k".to_owned())];
        unit.insert_events(&keys, build::at(9)).await.unwrap();
        let new = [build::pending("dlv_1", &nobody, build::at(9))];
        unit.insert_deliveries(&new, build::at(9)).await.unwrap();
        let settings = ContactSettings::default();
        unit.put_contact_settings(&settings).await.unwrap();
        let contact = Contact::new(build::profile_id("p1"));
        let contacts = BTreeMap::from([(nobody, contact)]);
        unit.put_contacts(&contacts).await.unwrap();
        unit.commit().await.unwrap();
    }
    // The members were members once before.
    sqlx::query(
        "INSERT INTO ended_memberships
         SELECT organization_id, audience_id, consumer_id, created_at - interval '1 day',
            created_at - interval '2 days', run_id, run_id
         FROM audience_list_memberships",
    )
    .execute(&fixture.database.pool())
    .await
    .unwrap();
    // Each audience is kept in a list, was pushed, and may be pushed.
    sqlx::raw_sql(
        "INSERT INTO kept_lists SELECT organization_id, id, 'L' || id, '{}' FROM audiences;
         INSERT INTO list_ledger SELECT organization_id, 'L' || id, 'p', NULL, 'ADDED', now() FROM audiences;
         INSERT INTO push_runs SELECT organization_id, 'run_' || id, id, 'SUCCESS', '{}' FROM audiences;
         INSERT INTO push_settings SELECT DISTINCT organization_id, 5 FROM audiences;
         INSERT INTO run_seen_profiles SELECT organization_id, run_id, profiles[1], true
         FROM run_seen_pages WHERE number = 1",
    )
    .execute(&fixture.database.pool())
    .await
    .unwrap();
}

async fn count(connection: &mut PgConnection, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn set(connection: &mut PgConnection, organization: &str) {
    let statement = format!("SET LOCAL fanfare.organization_id = '{organization}'");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn without_an_organization_no_table_shows_a_row() {
    nothing_shows_without_an_organization(&two_organizations().await).await;
}

pub(crate) async fn nothing_shows_without_an_organization(fixture: &Fixture) {
    let pool = fixture.store.pool(1);
    let all = tables::of_organizations(&fixture.database.pool()).await;
    let mut superuser = fixture.database.pool().acquire().await.unwrap();
    for table in all {
        assert!(count(&mut superuser, &table).await > 1, "{table} has rows");
        let mut tx = pool.begin().await.unwrap();

        assert_eq!(count(&mut tx, &table).await, 0, "{table}");
        set(&mut tx, "org_none").await;
        assert_eq!(count(&mut tx, &table).await, 0, "{table}");
        set(&mut tx, "").await;
        assert_eq!(count(&mut tx, &table).await, 0, "{table}");
        set(&mut tx, "org_a").await;
        let own = count(&mut tx, &table).await;
        let foreign = "SELECT count(*) FROM (SELECT organization_id FROM ";
        let foreign = format!("{foreign}{table}) t WHERE organization_id <> 'org_a'");
        let foreign: i64 = sqlx::query_scalar(AssertSqlSafe(foreign))
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert!(own > 0, "{table}");
        assert_eq!(foreign, 0, "{table}");
    }
}

#[tokio::test]
async fn a_statement_that_forgets_the_filter_changes_no_other_organizations_rows() {
    no_other_rows_change_without_the_filter(&two_organizations().await).await;
}

pub(crate) async fn no_other_rows_change_without_the_filter(fixture: &Fixture) {
    let pool = fixture.store.pool(1);
    let mut tx = pool.begin().await.unwrap();
    set(&mut tx, "org_a").await;

    sqlx::query("UPDATE consumers SET full_name = 'changed'")
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("DELETE FROM audience_list_memberships")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let left: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM consumers
                 WHERE organization_id = 'org_b' AND full_name = 'changed'),
            (SELECT count(*) FROM audience_list_memberships WHERE organization_id = 'org_b')",
    )
    .fetch_one(&fixture.database.pool())
    .await
    .unwrap();
    assert_eq!(left, (0, 2));
}

#[tokio::test]
async fn a_row_of_another_organization_can_neither_be_written_nor_given_away() {
    no_row_is_given_away(&two_organizations().await, "42501").await;
}

pub(crate) async fn no_row_is_given_away(fixture: &Fixture, code_of_refusal: &str) {
    let pool = fixture.store.pool(1);
    for statement in [
        "INSERT INTO run_seen_profiles SELECT 'org_b', run_id, 'p9', true FROM run_seen_profiles LIMIT 1",
        "UPDATE consumers SET organization_id = 'org_b'",
    ] {
        let mut tx = pool.begin().await.unwrap();
        set(&mut tx, "org_a").await;

        let refused = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();

        let code = refused.as_database_error().and_then(DatabaseError::code);
        assert_eq!(
            code.as_deref(),
            Some(code_of_refusal),
            "{statement}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_connection_forgets_the_organization_with_its_unit() {
    the_organization_is_forgotten(&two_organizations().await).await;
}

pub(crate) async fn the_organization_is_forgotten(fixture: &Fixture) {
    // The connections of the store itself cannot be asked; these are made alike.
    let pool = fixture.store.pool(1);
    let mut tx = pool.begin().await.unwrap();
    set(&mut tx, "org_a").await;
    assert_eq!(count(&mut tx, "consumers").await, 2);
    tx.commit().await.unwrap();

    let mut connection = pool.acquire().await.unwrap();

    assert_eq!(count(&mut connection, "consumers").await, 0);
}

#[tokio::test]
async fn a_unit_sees_its_own_organization_though_ids_are_the_same() {
    each_unit_sees_its_own_organization(&two_organizations().await).await;
}

pub(crate) async fn each_unit_sees_its_own_organization(fixture: &Fixture) {
    for (organization, others) in [("org_a", "org_b"), ("org_b", "org_a")] {
        let mut unit = fixture.read(&org(organization)).await;
        let run = unit.active_runs().await.unwrap().remove(0);
        let own = unit.run(&run).await.unwrap().unwrap();
        assert_eq!(own.organization, org(organization));
        let mut unit = fixture.read(&org(others)).await;
        assert_eq!(unit.run(&run).await.unwrap(), None);
    }
    let mut unit = fixture
        .read(&OrganizationId::parse(r"org_'\--$").unwrap())
        .await;
    assert_eq!(unit.active_runs().await.unwrap(), []);
}

#[tokio::test]
async fn every_table_of_organizations_is_guarded_and_its_keys_begin_with_the_organization() {
    let fixture = store().await;
    let pool = fixture.database.pool();
    for table in tables::of_organizations(&pool).await {
        let guarded: bool = sqlx::query_scalar(
            "SELECT relrowsecurity AND relforcerowsecurity
                AND EXISTS (
                    SELECT FROM pg_policy WHERE polrelid = c.oid AND polcmd = '*'
                    AND pg_get_expr(polqual, polrelid) LIKE '%( SELECT current_setting(%')
             FROM pg_class c WHERE oid = $1::regclass",
        )
        .bind(&table)
        .fetch_one(&pool)
        .await
        .unwrap();
        assert!(
            guarded,
            "{table}, by a setting that is read once for a statement"
        );
        let first: Vec<(String, String)> = sqlx::query_as(
            "SELECT i.indexrelid::regclass::text, a.attname::text FROM pg_index i
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
             WHERE i.indrelid = $1::regclass",
        )
        .bind(&table)
        .fetch_all(&pool)
        .await
        .unwrap();
        assert!(!first.is_empty(), "{table}");
        for (index, column) in first {
            assert_eq!(column, "organization_id", "{index}");
        }
    }
}

#[tokio::test]
async fn under_any_login_the_store_is_a_role_that_owns_and_bypasses_nothing() {
    let fixture = store().await;
    let role: (String, bool, bool, bool, bool) = sqlx::query_as(
        "SELECT current_user::text, rolsuper, rolbypassrls, rolcanlogin,
            EXISTS (SELECT FROM pg_class WHERE relowner = r.oid)
         FROM pg_roles r WHERE rolname = current_user",
    )
    .fetch_one(&fixture.store.pool(1))
    .await
    .unwrap();

    assert_eq!(role, ("fanfare_app".to_owned(), false, false, false, false));
}
