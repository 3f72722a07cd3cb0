//! Every row of Klaviyo's table of errors, and the answers of networks in front of it.

use fanfare_domain::ids::Cursor;
use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::ports::{AnyRoom, Klaviyo, KlaviyoError, MembersFrom};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::time::Timestamp;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    PERSON, assert_redacted, client, key, list, members, members_of, raw, server,
};

fn error(code: &str, detail: &str) -> Value {
    json!({"errors": [{
        "id": "d01e6c7e-cb4c-48b0-bd3a-5aa228be1db0", "code": code, "title": "A title.",
        "detail": detail, "source": {"pointer": "/data/"}, "links": {}, "meta": {},
    }]})
}

fn refusal(status: u16, code: &str, detail: &str) -> ResponseTemplate {
    raw(status, error(code, detail).to_string())
}

async fn refused(answer: ResponseTemplate) -> KlaviyoError {
    let error = members_of(answer).await.unwrap_err();
    assert_redacted(&error);
    error
}

#[tokio::test]
async fn a_key_that_is_unknown_or_revoked_is_rejected() {
    for code in ["not_authenticated", "authentication_failed"] {
        let answer = refusal(401, code, "Incorrect authentication credentials.");
        assert_eq!(refused(answer).await, KlaviyoError::KeyRejected);
    }
    let broken =
        b"\xef\xbb\xbf{\"errors\":[{\"code\":\"authentication_failed\",\"detail\":\"\xff\"}]}";
    assert_eq!(refused(raw(401, *broken)).await, KlaviyoError::KeyRejected);
}

#[tokio::test]
async fn a_refusal_without_klaviyos_error_document_is_the_networks() {
    let html = || "<html>canary: sign in to this network. lists:read</html>";
    for status in [
        400, 401, 402, 403, 404, 405, 407, 410, 413, 421, 425, 451, 499,
    ] {
        for answer in [
            ResponseTemplate::new(status),
            ResponseTemplate::new(status).set_body_raw(html(), "text/html"),
            refusal(status, "authentication_failed", "A detail.")
                .insert_header("cf-mitigated", "x"),
            raw(status, "{}"),
            raw(status, "null"),
            raw(status, r#"{"errors":["unauthorized"]}"#),
            raw(
                status,
                r#"{"error":"unauthorized","errors":[{"message":"a proxy"}]}"#,
            ),
        ] {
            let error = refused(answer).await;
            let want = format!("the network in front of it answered {status}");
            assert_eq!(error, KlaviyoError::Unavailable(want));
        }
    }
    // With a cursor, too: Klaviyo has not refused it.
    let server = server(ResponseTemplate::new(400)).await;
    let error = members(&server.uri(), Some("abc")).await.unwrap_err();
    assert!(matches!(error, KlaviyoError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn missing_scopes_are_named() {
    let check = async |detail: &str, want: &[&str]| {
        let answer = refusal(403, "permission_denied", detail);
        let want = want.iter().map(|scope| (*scope).to_owned()).collect();
        assert_eq!(refused(answer).await, KlaviyoError::ScopeMissing(want));
    };
    check(
        "Your API key is missing required scopes: lists:read",
        &["lists:read"],
    )
    .await;
    check(
        "Your API key is missing required scopes: profiles:read, lists:read.",
        &["lists:read", "profiles:read"],
    )
    .await;
    check(
        "Your API key is missing required scopes: accounts:read,metrics:read",
        &["accounts:read", "metrics:read"],
    )
    .await;
    check(
        "missing `custom-objects:write`, data-privacy:write",
        &["custom-objects:write", "data-privacy:write"],
    )
    .await;
}

#[tokio::test]
async fn a_plan_that_does_not_allow_it_is_not_a_missing_scope() {
    let detail = "You must have Advanced KDP enabled to use this endpoint.";
    let answer = refusal(403, "permission_denied", detail);
    assert_eq!(refused(answer).await, KlaviyoError::NotPermitted);
}

#[tokio::test]
async fn a_browser_challenge_of_the_network_in_front_is_unavailable_and_no_missing_scope() {
    let html = "<html>canary: enable JavaScript. lists:read</html>";
    let challenge = ResponseTemplate::new(403)
        .set_body_raw(html, "text/html; charset=UTF-8")
        .insert_header("cf-mitigated", "challenge");
    let bare = ResponseTemplate::new(403).set_body_raw(html, "text/html");
    let disguised =
        refusal(403, "permission_denied", "lists:read").insert_header("cf-mitigated", "challenge");
    for answer in [
        challenge,
        bare,
        disguised,
        raw(403, "{}"),
        ResponseTemplate::new(403),
    ] {
        let error = refused(answer).await;
        assert!(matches!(error, KlaviyoError::Unavailable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_unknown_id_is_distinguished_from_a_retired_revision() {
    for detail in [
        "A list with id `RtPqXs` does not exist.",
        "A list with id `revision` does not exist.",
    ] {
        let gone = refusal(404, "not_found", detail);
        assert_eq!(refused(gone).await, KlaviyoError::NotFound);
    }
    // Errors of an unexpected form still count: a recording had lists of empty objects.
    let odd = r#"{"errors":[{"code":"not_found","detail":null,"meta":[]},{"detail":"\ud800"},7]}"#;
    assert_eq!(refused(raw(404, odd)).await, KlaviyoError::NotFound);
    for detail in [
        "No valid revisions found for method, please check our documentation",
        "Unable to specify a future revision date",
    ] {
        let answer = refusal(404, "not_found", detail);
        assert_eq!(refused(answer).await, KlaviyoError::RevisionRetired);
    }
    let retired = refusal(410, "gone", "The revision 2026-07-15 has been retired.");
    assert_eq!(refused(retired).await, KlaviyoError::RevisionRetired);
}

#[tokio::test]
async fn a_404_that_is_not_klaviyos_own_costs_no_list() {
    let answer = ResponseTemplate::new(404).set_body_raw("<html>no route</html>", "text/html");
    let error = refused(answer).await;
    assert!(matches!(error, KlaviyoError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_refused_cursor_is_distinguished_from_a_refused_request() {
    let answer = || refusal(400, "invalid", "Invalid cursor provided.");
    let server = server(answer()).await;
    let with_cursor = members(&server.uri(), Some("abc")).await;
    assert_eq!(with_cursor.unwrap_err(), KlaviyoError::CursorRejected);

    let without = refused(answer()).await;
    assert_eq!(
        without,
        KlaviyoError::Refused("status 400, invalid".to_owned())
    );
}

/// What a refused request for a range, in this order and from this cursor, results in.
async fn refused_range(
    answer: ResponseTemplate,
    joined_from: Option<Timestamp>,
    order: MemberOrder,
    cursor: Option<&str>,
) -> KlaviyoError {
    let server = server(answer).await;
    let from = MembersFrom {
        order,
        joined_from,
        cursor: cursor.map(|text| Cursor::parse(text).unwrap()),
        ..MembersFrom::default()
    };
    let answer = client(&server.uri())
        .members(&key(), &list("RtPqXs"), &from, &AnyRoom)
        .await;
    answer.unwrap_err()
}

#[tokio::test]
async fn a_refused_filter_or_order_is_distinguished_from_a_refused_cursor_and_request() {
    use MemberOrder::{EarliestFirst, LatestFirst, Unsorted};
    let time = Timestamp::parse("2026-09-04T18:16:52Z");
    let about = |parameter: &str| {
        let mut document = error("invalid", "It is not available.");
        document["errors"][0]["source"] = json!({"parameter": parameter});
        raw(400, document.to_string())
    };
    let unnamed = || refusal(400, "invalid", "It is not available.");

    for parameter in ["filter", "sort"] {
        for (from, order, cursor) in [
            (time, EarliestFirst, None),
            (time, EarliestFirst, Some("abc")),
            (None, EarliestFirst, Some("abc")),
            (None, LatestFirst, None),
        ] {
            let error = refused_range(about(parameter), from, order, cursor).await;
            assert_eq!(error, KlaviyoError::RangeRefused, "{parameter}");
        }
    }
    for (from, order) in [(time, EarliestFirst), (None, LatestFirst)] {
        let error = refused_range(unnamed(), from, order, None).await;
        assert_eq!(
            error,
            KlaviyoError::RangeRefused,
            "nothing else can be meant"
        );
    }
    let error = refused_range(unnamed(), time, EarliestFirst, Some("abc")).await;
    assert_eq!(error, KlaviyoError::CursorRejected);
    let error = refused_range(about("page[cursor]"), time, EarliestFirst, Some("abc")).await;
    assert_eq!(error, KlaviyoError::CursorRejected);
    for order in [EarliestFirst, Unsorted] {
        let error = refused_range(unnamed(), None, order, None).await;
        assert!(matches!(error, KlaviyoError::Refused(_)), "{error:?}");
    }
    let of_network = ResponseTemplate::new(400).set_body_raw("<html>no</html>", "text/html");
    let error = refused_range(of_network, time, EarliestFirst, None).await;
    assert_ne!(error, KlaviyoError::RangeRefused);
}

/// What the clock shows that wrote an answer: forty seconds before the time of the tests.
const DATE: &str = "Fri, 04 Sep 2026 18:16:12 GMT";

#[tokio::test]
async fn throttling_has_retry_after_in_every_form() {
    let throttled = || refusal(429, "throttled", "Request was throttled.");
    let check = async |header: &str, want: RetryAfter| {
        let answer = throttled()
            .insert_header("retry-after", header)
            .insert_header("date", DATE);
        assert_eq!(
            refused(answer).await,
            KlaviyoError::Throttled(want),
            "{header}"
        );
    };
    check("1", RetryAfter::Seconds(1)).await;
    check("259200", RetryAfter::Seconds(259_200)).await;
    check("0", RetryAfter::Seconds(0)).await;
    check("-1", RetryAfter::Seconds(0)).await;
    check("soon", RetryAfter::Unknown).await;
    check("Fri, 04 Sep 2026 18:16:52 GMT", RetryAfter::Seconds(40)).await;
    let missing = refused(throttled()).await;
    assert_eq!(missing, KlaviyoError::Throttled(RetryAfter::Unknown));
}

#[tokio::test]
async fn an_outage_has_retry_after_in_every_form_on_whatever_answer_it_stands() {
    let check = async |status: u16, header: &str, retry_after: RetryAfter| {
        let answer = ResponseTemplate::new(status)
            .insert_header("retry-after", header)
            .insert_header("date", DATE);
        let got = refused(answer).await;
        let KlaviyoError::Outage {
            retry_after: named, ..
        } = got
        else {
            panic!("{status}, {header}: {got:?}");
        };
        assert_eq!(named, retry_after, "{status}, {header}");
    };
    for status in [500, 502, 503, 504, 511, 520, 529, 599, 408, 401, 403, 425] {
        check(status, "20", RetryAfter::Seconds(20)).await;
    }
    check(503, " 1.5 ", RetryAfter::Seconds(2)).await;
    let time = "Fri, 04 Sep 2026 18:16:52 GMT";
    check(503, time, RetryAfter::Seconds(40)).await;
    check(503, "-1", RetryAfter::Seconds(0)).await;
    check(503, "99999999999999999999", RetryAfter::Seconds(u64::MAX)).await;
    let nonsense = ResponseTemplate::new(503).insert_header("retry-after", "soon");
    let error = refused(nonsense).await;
    assert_eq!(
        error,
        KlaviyoError::Unavailable("it answered 503".to_owned())
    );
}

#[tokio::test]
async fn failures_of_klaviyos_servers_are_unavailable_whatever_their_body() {
    for status in [408, 500, 502, 503, 504, 520, 524] {
        let html = format!("<html>{PERSON}</html>");
        let answer = ResponseTemplate::new(status).set_body_raw(html, "text/html");
        let error = refused(answer).await;
        assert_eq!(
            error,
            KlaviyoError::Unavailable(format!("it answered {status}"))
        );
    }
}

#[tokio::test]
async fn any_other_refusal_names_its_status_and_code_and_nothing_of_its_detail() {
    let detail = format!("Duplicate email found: {PERSON}");
    for (status, code, want) in [
        (409, "duplicate_profile", "status 409, duplicate_profile"),
        (405, "method_not_allowed", "status 405, method_not_allowed"),
        (415, PERSON, "status 415"),
    ] {
        let error = refused(refusal(status, code, &detail)).await;
        assert_eq!(error, KlaviyoError::Refused(want.to_owned()));
    }
}

#[tokio::test]
async fn a_refusal_with_an_endless_body_says_nothing_about_the_key() {
    let error = refused(raw(401, vec![b'x'; 1 << 20])).await;
    assert!(matches!(error, KlaviyoError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_document_that_is_not_quite_json_is_read_all_the_same() {
    let document = error("permission_denied", "missing required scopes: lists:read").to_string();
    let marked = format!("\u{feff}{document}").into_bytes();
    let doubled = document
        .replacen("\"code\":", "\"code\":7,\"code\":", 1)
        .into_bytes();
    let mut broken = document.into_bytes();
    let title = broken
        .windows(7)
        .position(|part| part == b"A title")
        .unwrap();
    broken[title] = 0xff;
    for body in [marked, doubled, broken] {
        let want = KlaviyoError::ScopeMissing(vec!["lists:read".to_owned()]);
        assert_eq!(refused(raw(403, body)).await, want);
    }
}
