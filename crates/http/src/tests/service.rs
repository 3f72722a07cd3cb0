//! What the service says of itself, and of every request.

use super::fixture::Fixture;

#[actix_web::test]
async fn health_is_open_to_every_caller() {
    let fixture = Fixture::new().await;
    for path in ["/healthz", "/readyz"] {
        let answer = fixture.get(path).without_key().send().await;
        assert_eq!(
            (answer.status, answer.body["status"].as_str()),
            (200, Some("ok"))
        );
    }
    let metrics = fixture.get("/metrics").without_key().send().await;
    assert_eq!(metrics.text, "fanfare_up 1\n");
    assert!(metrics.header("content-type").starts_with("text/plain"));
}

#[actix_web::test]
async fn a_landing_page_says_where_the_api_is() {
    let fixture = Fixture::new().await;
    let page = fixture.get("/").without_key().send().await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("/api/openapi.json"));
}

#[actix_web::test]
async fn a_request_keeps_its_id_or_is_given_one() {
    let fixture = Fixture::new().await;
    let ask = || fixture.get("/api/audiences");
    let kept = ask().header("x-request-id", "web-7f9c.4e").send().await;
    assert_eq!(kept.header("x-request-id"), "web-7f9c.4e");
    for strange in ["a b", "ada@example.com", "sk_live_1"] {
        let given = ask().header("x-request-id", strange);
        let given = given.send().await;
        assert!(
            given.header("x-request-id").starts_with("req_"),
            "{strange}"
        );
    }
    let (one, other) = (ask().send().await, ask().send().await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}
