//! Profiles that requests write, alone and by import jobs.

use fanfare_klaviyo_sim::{Effect, Endpoint, Fault, Switches, Written};
use serde_json::{Value, json};

use crate::writing::{at_once, with_flows};

#[test]
fn a_patch_changes_what_it_names_and_null_empties() {
    let fixture = at_once();
    let (id, other) = (
        fixture.put("P1", "a@example.com"),
        fixture.put("P2", "b@example.com"),
    );
    let path = format!("/api/profiles/{id}");
    let body = |attributes: Value| json!({"data": {"type": "profile", "id": id, "attributes": attributes}});
    let answer = fixture.write(
        "PATCH",
        &path,
        &body(json!({"first_name": "Zoë", "last_name": null})),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"]["attributes"]["first_name"], "Zoë");
    let profile = fixture.simulator.account().profile(&id).unwrap().unwrap();
    assert_eq!(
        (profile.first_name.as_deref(), profile.last_name),
        (Some("Zoë"), None)
    );
    assert_eq!(profile.email.as_deref(), Some("a@example.com"));
    let conflict = fixture.write("PATCH", &path, &body(json!({"email": "B@example.com"})));
    assert_eq!(conflict.status, 409);
    assert_eq!(
        conflict.json()["errors"][0]["meta"]["duplicate_profile_id"],
        other.as_str()
    );
    let phone = fixture.write("PATCH", &path, &body(json!({"phone_number": "0171"})));
    assert_eq!(
        phone.json()["errors"][0]["source"]["pointer"],
        "/data/attributes/phone_number"
    );
    let gone = json!({"data": {"type": "profile", "id": "nobody", "attributes": {}}});
    assert_eq!(
        fixture.write("PATCH", "/api/profiles/nobody", &gone).status,
        404
    );
    let changes = fixture
        .journal()
        .into_iter()
        .filter(|what| matches!(what, Written::ProfileChanged { .. }));
    assert_eq!(changes.count(), 1);
}

#[test]
fn an_upsert_makes_a_profile_or_finds_it() {
    let fixture = at_once();
    let upsert = |name: &str| json!({"data": {"type": "profile", "attributes": {"email": "New@example.com", "external_id": "cons_1", "first_name": name}}});
    assert_eq!(
        fixture
            .write("POST", "/api/profile-import", &upsert("A"))
            .status,
        201
    );
    let again = fixture.write("POST", "/api/profile-import", &upsert("B"));
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["data"]["attributes"]["first_name"], "B");
}

#[test]
fn an_import_ends_with_its_bad_rows_told_and_empties_nothing() {
    let fixture = with_flows(Switches::default());
    let id = fixture.put("P1", "a@example.com");
    let row = |attributes: Value| json!({"type": "profile", "attributes": attributes});
    let rows = [
        row(json!({"email": "a@example.com", "first_name": "Grace", "last_name": null})),
        row(json!({"email": "b@example.com", "phone_number": "12"})),
        row(json!({"email": "c@example.com"})),
    ];
    let start = json!({"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": rows}}}});
    let started = fixture.write("POST", "/api/profile-bulk-import-jobs", &start);
    assert_eq!(
        (
            started.status,
            &started.json()["data"]["attributes"]["status"]
        ),
        (202, &json!("queued"))
    );
    let job = started.json()["data"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/profile-bulk-import-jobs/{job}");
    let status = || fixture.client.get(&path, &[]).json()["data"]["attributes"]["status"].clone();
    fixture.advance(3.0);
    assert_eq!(status(), "processing");
    fixture.advance(2.0);
    assert_eq!(status(), "complete");
    let profile = fixture.simulator.account().profile(&id).unwrap().unwrap();
    assert_eq!(
        (profile.first_name.as_deref(), profile.last_name.as_deref()),
        (Some("Grace"), Some("Lovelace"))
    );
    let errors = fixture
        .client
        .get(&format!("{path}/import-errors"), &[])
        .json();
    assert_eq!(errors["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        errors["data"][0]["attributes"]["original_payload"]["email"],
        "b@example.com"
    );
    assert_eq!(
        fixture
            .client
            .get(&format!("{path}/profiles"), &[])
            .ids()
            .len(),
        2
    );

    let fault = |effect| Fault::new(effect).on(Endpoint::StartImport);
    fixture.simulator.add_fault(fault(Effect::JobStuck));
    let stuck = fixture
        .write("POST", "/api/profile-bulk-import-jobs", &start)
        .json();
    fixture.simulator.add_fault(fault(Effect::JobFails));
    let failed = fixture
        .write("POST", "/api/profile-bulk-import-jobs", &start)
        .json();
    fixture.advance(600.0);
    let attributes = |of: &Value| {
        let path = format!(
            "/api/profile-bulk-import-jobs/{}",
            of["data"]["id"].as_str().unwrap()
        );
        fixture.client.get(&path, &[]).json()["data"]["attributes"].clone()
    };
    assert_eq!(attributes(&stuck)["status"], "processing");
    assert_eq!(attributes(&failed)["status"], "complete");
    assert_eq!(attributes(&failed)["failed_count"], 3);
}
