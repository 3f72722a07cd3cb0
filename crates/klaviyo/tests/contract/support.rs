//! A client, its key, and servers with prepared answers.

use std::path::PathBuf;

use fanfare_domain::connection::{ApiKey, Credential};
use fanfare_domain::ids::{CollectionId, Cursor};
use fanfare_domain::ports::{Answer, AnyRoom, Klaviyo, KlaviyoError, MemberPage, MembersFrom};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_klaviyo::{KlaviyoHttp, Origin, Timeouts};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The key of all tests; it must be found in no error.
pub(crate) const KEY: &str = "pk_canary0123456789";

/// A person's data in answers; it must be found in no error either.
pub(crate) const PERSON: &str = "canary.person@example.com";

pub(crate) fn key() -> Credential {
    Credential::ApiKey(ApiKey::parse(&SecretString::from(KEY)).unwrap())
}

pub(crate) fn list(id: &str) -> CollectionRef {
    let (kind, id) = (CollectionKind::List, CollectionId::parse(id).unwrap());
    CollectionRef { kind, id }
}

pub(crate) fn segment(id: &str) -> CollectionRef {
    let kind = CollectionKind::Segment;
    CollectionRef { kind, ..list(id) }
}

/// A client with timeouts that are long enough for a busy machine.
pub(crate) fn client(address: &str) -> KlaviyoHttp {
    client_with(address, Timeouts::default())
}

/// A client with these timeouts.
pub(crate) fn client_with(address: &str, timeouts: Timeouts) -> KlaviyoHttp {
    KlaviyoHttp::new(Origin::parse(address).unwrap(), timeouts).unwrap()
}

/// A server that gives one answer to all requests. The answer is made from the server's address.
pub(crate) async fn server_of(answer: impl FnOnce(&str) -> ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let answer = answer(&server.uri());
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A server that gives one answer to all requests.
pub(crate) async fn server(answer: ResponseTemplate) -> MockServer {
    server_of(|_| answer).await
}

/// An answer of Klaviyo's with this document.
pub(crate) fn document(document: &Value) -> ResponseTemplate {
    raw(200, document.to_string())
}

/// An answer of Klaviyo's media type with these bytes.
pub(crate) fn raw(status: u16, body: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "application/vnd.api+json")
}

/// A page of members with this `next`.
pub(crate) fn page(profiles: &[Value], next: &Value) -> Value {
    json!({
        "data": profiles,
        "links": {"self": "https://a.klaviyo.com/api/lists/RtPqXs/profiles", "next": next, "prev": null},
    })
}

/// A member with these attributes.
pub(crate) fn member(id: &str, attributes: &Value) -> Value {
    json!({
        "type": "profile",
        "id": id,
        "attributes": attributes,
        "relationships": {"lists": {"links": {"self": "https://a.klaviyo.com/x"}}},
        "links": {"self": format!("https://a.klaviyo.com/api/profiles/{id}/")},
    })
}

/// Asks for a page of members of the list `RtPqXs`.
pub(crate) async fn members(
    address: &str,
    cursor: Option<&str>,
) -> Result<Answer<MemberPage>, KlaviyoError> {
    let from = MembersFrom {
        cursor: cursor.map(|text| Cursor::parse(text).unwrap()),
        ..MembersFrom::default()
    };
    client(address)
        .members(&key(), &list("RtPqXs"), &from, &AnyRoom)
        .await
}

/// What the adapter returns for a page of members with this answer.
pub(crate) async fn members_of(
    answer: ResponseTemplate,
) -> Result<Answer<MemberPage>, KlaviyoError> {
    let server = server(answer).await;
    members(&server.uri(), None).await
}

/// The only request that the server got.
pub(crate) async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "one call is one request");
    requests.remove(0)
}

/// Nothing secret or personal may be in an error, however it is printed.
#[track_caller]
pub(crate) fn assert_redacted(error: &KlaviyoError) {
    let printed = format!("{error} {error:?}");
    for canary in ["canary", "@example.com"] {
        assert!(!printed.contains(canary), "{printed}");
    }
}

/// A file of the material beside the repository, where it is there; else says that the test is
/// skipped.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = workspace.join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: ../shared/{path} is not there");
    None
}
