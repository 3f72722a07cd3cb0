//! What is made of the answers to writes, and of none.

use std::time::Duration;

use fanfare_domain::ids::{CollectionId, ImportJobId, MetricId, ProfileId, UniqueId};
use fanfare_domain::klaviyo::{KlaviyoError, MemberLookup};
use fanfare_domain::ports::KlaviyoWrites;
use fanfare_domain::profile::Attribute;
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Effect, FlowStatus, FlowsOf, ImportJobState, PersonalText, ProfileChanges, WriteError,
};
use fanfare_klaviyo::Timeouts;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{PERSON, client, client_with, document, key, page, raw, server, shared};
use crate::writes::{event, upsert};

fn refusal(status: u16, error: &Value) -> ResponseTemplate {
    raw(status, json!({"errors": [error]}).to_string())
}

/// What an event's write comes to with this answer.
async fn event_of(answer: ResponseTemplate) -> WriteError {
    let server = server(answer).await;
    let klaviyo = client(&server.uri());
    let error = klaviyo.create_event(&key(), &event("e", PERSON)).await;
    let error = error.unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains("canary"), "{printed}");
    error
}

#[tokio::test]
async fn a_refusal_says_what_was_not_done() {
    let detail = format!("{PERSON} is bad");
    let bad = json!({"code": "invalid", "detail": detail, "source": {"pointer": "/data/attributes/phone_number"}});
    let WriteError::ContentRefused(refused) = event_of(refusal(400, &bad)).await else {
        panic!("a content that was refused");
    };
    assert!(refused.is_about("phone_number"));
    assert_eq!(refused.to_string(), "status 400, invalid at phone_number");
    for status in [409, 422] {
        let error = event_of(refusal(status, &bad)).await;
        assert!(matches!(error, WriteError::ContentRefused(_)), "{error:?}");
    }
    let html = ResponseTemplate::new(413).set_body_raw("<html>", "text/html");
    let error = event_of(html).await;
    assert!(matches!(&error, WriteError::ContentRefused(refused) if refused.status == 413));
    assert_eq!(error.effect(), Effect::None);

    let code = |code: &str| json!({"code": code, "detail": "No."});
    let error = event_of(refusal(401, &code("authentication_failed"))).await;
    assert_eq!(error, WriteError::KeyRejected);
    let scope = json!({"code": "permission_denied", "detail": "missing scopes: events:write"});
    let error = event_of(refusal(403, &scope)).await;
    assert_eq!(
        error,
        WriteError::ScopeMissing(vec!["events:write".to_owned()])
    );
    let error = event_of(refusal(404, &code("not_found"))).await;
    assert_eq!(error, WriteError::Gone);
    let wait = refusal(429, &code("throttled")).insert_header("retry-after", "7");
    let error = event_of(wait).await;
    assert_eq!(error, WriteError::Throttled(RetryAfter::Seconds(7)));
    let error = event_of(refusal(405, &code("method_not_allowed"))).await;
    assert!(matches!(error, WriteError::Refused(_)) && !error.may_pass_later());
}

#[tokio::test]
async fn an_answer_that_is_not_klaviyos_leaves_the_outcome_open() {
    let html = |status| ResponseTemplate::new(status).set_body_raw("<html>", "text/html");
    for answer in [
        ResponseTemplate::new(500),
        ResponseTemplate::new(502),
        ResponseTemplate::new(408),
        ResponseTemplate::new(302).insert_header("location", "https://example.com"),
        html(200),
        html(400),
        html(403),
    ] {
        let error = event_of(answer).await;
        assert_eq!(error.effect(), Effect::Unknown, "{error:?}");
        assert!(error.may_pass_later());
    }
    let later = ResponseTemplate::new(503).insert_header("retry-after", "30");
    let WriteError::OutcomeUnknown { retry_after, .. } = event_of(later).await else {
        panic!("an unknown outcome");
    };
    assert_eq!(retry_after, RetryAfter::Seconds(30));

    let server = server(ResponseTemplate::new(202).set_delay(Duration::from_secs(5))).await;
    let soon = Duration::from_millis(100);
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        read: soon,
        total: soon,
    };
    let klaviyo = client_with(&server.uri(), timeouts);
    let error = klaviyo.create_event(&key(), &event("e", PERSON)).await;
    assert_eq!(error.unwrap_err().effect(), Effect::Unknown);
    // Port 9 of this machine is closed.
    let klaviyo = client("http://127.0.0.1:9");
    let error = klaviyo.create_event(&key(), &event("e", PERSON)).await;
    assert!(matches!(error, Err(WriteError::NotSent(_))), "{error:?}");
}

#[tokio::test]
async fn a_conflict_names_the_other_profile() {
    let body = match shared("klaviyo-recorded/create_profile.409.json") {
        Some(path) => {
            let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            recorded["response"]["body"].to_string()
        }
        None => json!({"errors": [{"code": "duplicate_profile", "meta": {"duplicate_profile_id": "01M1PAAR5HBCRHA3NN9NG5WRTA"}}]})
            .to_string(),
    };
    let server = server(raw(409, body)).await;
    let klaviyo = client(&server.uri());
    let other = ProfileId::parse("01M1PAAR5HBCRHA3NN9NG5WRTA").unwrap();
    let want = WriteError::IdentifierConflict { other: Some(other) };
    let profile = ProfileId::parse("01P").unwrap();
    let error = klaviyo
        .upsert_profile(&key(), &upsert("a@example.com", "A"))
        .await;
    assert_eq!(error.unwrap_err(), want);
    let error = klaviyo
        .update_profile(&key(), &profile, &ProfileChanges::default())
        .await;
    assert_eq!(error.unwrap_err(), want);
}

#[tokio::test]
async fn an_upsert_says_whether_it_made_the_profile() {
    for (status, is_new) in [(201, true), (200, false)] {
        let answer =
            json!({"data": {"type": "profile", "id": "01P", "attributes": {"updated": "soon"}}});
        let server = server(raw(status, answer.to_string())).await;
        let klaviyo = client(&server.uri());
        let written = klaviyo
            .upsert_profile(&key(), &upsert("a@example.com", "A"))
            .await;
        let written = written.unwrap().value;
        assert_eq!((written.is_new, written.updated), (is_new, None));
    }
    let server = server(raw(201, "{}")).await;
    let klaviyo = client(&server.uri());
    let error = klaviyo
        .upsert_profile(&key(), &upsert("a@example.com", "A"))
        .await;
    assert_eq!(error.unwrap_err().effect(), Effect::Unknown);
}

#[tokio::test]
async fn an_unknown_member_is_told_from_an_unknown_list() {
    let ids = ["P1", "P2"].map(|id| ProfileId::parse(id).unwrap());
    let list = CollectionId::parse("NOPE01").unwrap();
    let gone = json!({"code": "not_found", "detail": "A list with id `NOPE01` does not exist."});
    let unknown = json!({"code": "not_found", "detail": "A profile with id P2 does not exist."});
    for (detail, row) in [(gone, None), (unknown, Some(1))] {
        let server = server(refusal(404, &detail)).await;
        let klaviyo = client(&server.uri());
        let error = klaviyo.add_to_list(&key(), &list, &ids).await.unwrap_err();
        match (error, row) {
            (WriteError::Gone, None) => {}
            (WriteError::ContentRefused(refused), Some(_)) => {
                assert_eq!(refused.rows[0].row, row);
            }
            (error, _) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_job_its_errors_and_its_profiles_are_read() {
    let job = ImportJobId::parse("JOB").unwrap();
    let attributes =
        json!({"status": "complete", "total_count": 3, "completed_count": 1, "failed_count": null});
    let one =
        json!({"data": {"type": "profile-bulk-import-job", "id": "JOB", "attributes": attributes}});
    let server_of_job = server(document(&one)).await;
    let read = client(&server_of_job.uri()).import_job(&key(), &job).await;
    let read = read.unwrap().value;
    assert_eq!(read.state, ImportJobState::Complete);
    assert_eq!(
        (read.total, read.completed, read.failed),
        (3, Some(1), None)
    );

    let error = |payload: Value| {
        json!({"type": "import-error", "id": "E", "attributes": {
            "code": "invalid", "title": "Invalid input", "detail": format!("{PERSON} is bad"),
            "source": {"pointer": "/data/attributes/phone_number"}, "original_payload": payload,
        }})
    };
    let flat =
        error(json!({"email": "a@example.com", "phone_number": "1", "external_id": "cons_1"}));
    let nested =
        error(json!({"type": "profile", "id": "01P", "attributes": {"email": "b@example.com"}}));
    let server_of_errors = server(document(&page(
        &[flat, nested, error(json!(null))],
        &json!(null),
    )))
    .await;
    let errors = client(&server_of_errors.uri())
        .import_errors(&key(), &job, None)
        .await;
    let errors = errors.unwrap().value.items;
    let email = |at: usize| errors[at].person.email.as_ref().map(PersonalText::as_str);
    assert_eq!(email(0), Some("a@example.com"));
    assert_eq!(email(1), Some("b@example.com"));
    assert_eq!(errors[1].person.profile.as_ref().unwrap().as_str(), "01P");
    assert!(errors[2].person.is_empty() && errors[2].refusal.is_about("phone_number"));
    assert!(!format!("{errors:?}").contains("canary"));

    let unknown = json!({"data": {"id": "JOB", "attributes": {"status": "exploded"}}});
    let server_of_unknown = server(document(&unknown)).await;
    let read = client(&server_of_unknown.uri())
        .import_job(&key(), &job)
        .await;
    assert!(matches!(read, Err(KlaviyoError::Invalid(_))));
}

#[tokio::test]
async fn flows_metrics_profiles_and_recorded_events_are_read() {
    let flow = json!({"type": "flow", "id": "F1", "attributes": {
        "name": "Welcome", "status": "live", "archived": false, "trigger_type": "Added to List",
    }});
    let server_of_flows = server(document(&json!({"data": [flow]}))).await;
    let list = FlowsOf::List(CollectionId::parse("L").unwrap());
    let flows = client(&server_of_flows.uri()).flows(&key(), &list).await;
    let flows = flows.unwrap().value;
    assert_eq!(
        (&flows[0].status, flows[0].may_mail()),
        (&FlowStatus::Live, true)
    );

    let metric = json!({"type": "metric", "id": "M1", "attributes": {"name": "Fanfare Purchase"}});
    let server_of_metrics = server(document(&page(&[metric], &json!(null)))).await;
    let metrics = client(&server_of_metrics.uri()).metrics(&key(), None).await;
    let metrics = metrics.unwrap().value.items;
    assert_eq!(metrics[0].name.as_deref(), Some("Fanfare Purchase"));

    let recorded = |properties: Value| json!({"type": "event", "id": "E", "attributes": {"event_properties": properties}});
    let events = [
        recorded(json!({"$event_id": "ord_1", "a": 1})),
        recorded(json!({})),
        recorded(json!(null)),
    ];
    let server_of_events = server(document(&page(&events, &json!(null)))).await;
    let metric = MetricId::parse("M1").unwrap();
    let klaviyo = client(&server_of_events.uri());
    let read = klaviyo
        .recorded_events(&key(), &metric, Timestamp::EPOCH, None)
        .await;
    let ids = read.unwrap().value.unique_ids;
    assert_eq!(
        ids.iter().map(UniqueId::as_str).collect::<Vec<_>>(),
        ["ord_1"]
    );

    let found = json!({"type": "profile", "id": "01P", "attributes": {"email": "a@example.com", "external_id": "x"}});
    let server_of_profiles = server(document(&page(&[found], &json!(null)))).await;
    let lookup = MemberLookup::Emails(vec!["a@example.com".to_owned()]);
    let found = client(&server_of_profiles.uri())
        .find_profiles(&key(), &lookup)
        .await;
    assert_eq!(found.unwrap().value[0].external_id, Attribute::text("x"));
    let looked_at = [ProfileId::parse("P1").unwrap()];
    let found = client(&server_of_profiles.uri())
        .look_at_profiles(&key(), &looked_at)
        .await;
    assert_eq!(found.unwrap().value[0].external_id, Attribute::text("x"));
}

#[tokio::test]
async fn a_definition_names_the_lists_and_segments_that_it_is_made_of() {
    let condition = |ids: &[&str], is_member: bool| json!({"type": "profile-group-membership", "is_member": is_member, "group_ids": ids});
    let property = json!({"type": "profile-property", "property": "properties['group_ids']",
        "filter": {"type": "string", "operator": "equals", "value": "RtPqXs"}});
    let groups = json!([
        {"conditions": [condition(&["LiSt01", "SeGm01"], true), property]},
        {"conditions": [condition(&["LiSt02"], false)]},
    ]);
    let of = |definition: &serde_json::Value| {
        document(
            &json!({"data": {"type": "segment", "id": "S", "attributes": {"definition": definition}}}),
        )
    };
    let segment = CollectionId::parse("S").unwrap();
    for (definition, expected) in [
        (
            json!({ "condition_groups": groups }),
            vec!["LiSt01", "LiSt02", "SeGm01"],
        ),
        (json!({"condition_groups": []}), vec![]),
        (json!(null), vec![]),
    ] {
        let server = server(of(&definition)).await;
        let named = client(&server.uri()).segment_groups(&key(), &segment).await;
        let named = named.unwrap().value;
        let named: Vec<&str> = named.iter().map(CollectionId::as_str).collect();
        assert_eq!(named, expected);
    }
}
