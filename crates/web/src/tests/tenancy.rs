//! Another organization's ids are as ids that never were.

use fanfare_domain::organization::Role;

use super::fixture::Fixture;
use crate::pages;

/// The page without the tokens of its forms, which are others in every answer.
fn without_tokens(page: &str) -> String {
    let mut parts = page.split("name=\"csrf\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('"').expect("a token").1);
    rest.fold(first, |page, part| page + part)
}

#[actix_web::test]
async fn another_organizations_audience_is_as_one_that_never_was() {
    let fixture = Fixture::connected().await;
    let other = fixture.import(&fixture.other.id, "RtPqXs").await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    let token = browser.token().await;
    for route in pages::routes() {
        if !route.path.contains("/audiences/{id}") {
            continue;
        }
        fixture.clock.advance(std::time::Duration::from_secs(10));
        let mut answers = Vec::new();
        for id in [other.audience.as_str(), "aud_00000000000000000000000000"] {
            let path = route.path.replace("{id}", id);
            let path = path.replace("{snapshotId}", "snap_1");
            let form = [("csrf", token.as_str()), ("run", other.run.as_str())];
            let answer = match route.method {
                actix_web::http::Method::GET => browser.get(&path).await,
                _ => browser.send_form(&path, &form, &[]).await,
            };
            let text = without_tokens(&answer.text).replace(id, "…");
            answers.push((answer.status, text));
        }
        assert_eq!(answers[0].0, 404, "{}: {}", route.path, answers[0].1);
        assert_eq!(answers[0], answers[1], "{}", route.path);
    }
    let run = fixture.integration.run(&fixture.other.id, &other.run).await;
    assert!(run.unwrap().status.is_active(), "it was not cancelled");
    browser
        .get("/app/audiences")
        .await
        .shows("No audiences yet");
}

#[actix_web::test]
async fn a_run_of_another_audience_shows_no_issues_on_this_one() {
    let (fixture, imported) = Fixture::imported().await;
    let vip = fixture.import(&fixture.own.id, "XyZaBc").await;
    let other = fixture.import(&fixture.other.id, "RtPqXs").await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    for run in [&vip.run, &other.run] {
        let path = format!("/app/audiences/{}/issues?run={run}", imported.audience);
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, 404);
        answer.has("Sync run not found");
    }
}
