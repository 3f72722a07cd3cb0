//! What the service says of itself, and of every request.

use super::world::World;

#[actix_web::test]
async fn health_is_told_to_anybody() {
    let world = World::new().await;
    for path in ["/healthz", "/readyz"] {
        let answer = world.get(path).by_nobody().send().await;
        assert_eq!(
            (answer.status, answer.body["status"].as_str()),
            (200, Some("ok"))
        );
    }
    let metrics = world.get("/metrics").by_nobody().send().await;
    assert_eq!(metrics.text, "fanfare_up 1\n");
    assert!(metrics.header("content-type").starts_with("text/plain"));
}

#[actix_web::test]
async fn a_landing_page_says_where_the_api_is() {
    let world = World::new().await;
    let page = world.get("/").by_nobody().send().await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("/api/openapi.json"));
}

#[actix_web::test]
async fn a_request_keeps_its_id_or_is_given_one() {
    let world = World::new().await;
    let ask = || world.get("/api/audiences");
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
