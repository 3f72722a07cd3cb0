//! The Klaviyo list that an audience is kept in: choosing, previewing, pushing.

use std::time::Duration;

use fanfare_domain::ids::AudienceId;
use fanfare_domain::organization::Role;
use fanfare_domain::writing::{Flow, FlowStatus};
use fanfare_sync::NewAudience;

use super::browser::Answer;
use super::fixture::Fixture;

/// An audience that is filled by hand, with everybody whom the organization knows.
async fn filled_by_hand(fixture: &Fixture, name: &str) -> AudienceId {
    let new = NewAudience {
        name: name.to_owned(),
        actor: "key_test".to_owned(),
        ..NewAudience::default()
    };
    let own = &fixture.own.id;
    let made = fixture.integration.create_audience(own, new).await;
    let audience = made.expect("an audience").audience.id;
    let everybody = fixture.consumers().await.into_iter().collect();
    let added = fixture.integration.add_members(own, &audience, &everybody);
    added.await.expect("members");
    audience
}

/// An audience of three people, of whom one is in the list VIP already.
async fn with_winners() -> (Fixture, AudienceId, String) {
    let (fixture, _) = Fixture::imported().await;
    let audience = filled_by_hand(&fixture, "Winners").await;
    let path = format!("/app/audiences/{audience}/klaviyo-list");
    (fixture, audience, path)
}

fn welcome_flow() -> Flow {
    Flow {
        id: "F1".to_owned(),
        name: Some("Welcome".to_owned()),
        status: FlowStatus::Live,
        archived: false,
        trigger_type: Some("Added to List".to_owned()),
    }
}

/// The confirmation that a preview's button sends.
fn confirmation(preview: &Answer) -> String {
    let (_, rest) = preview
        .text
        .split_once("name=\"confirmation\" value=\"")
        .unwrap_or_else(|| panic!("a button: {}", preview.text));
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Klaviyo answers a few questions a second; the clock stands still otherwise.
fn wait(fixture: &Fixture) {
    fixture.clock.advance(Duration::from_secs(3));
}

#[actix_web::test]
async fn an_audience_is_kept_in_a_list_after_a_preview_and_a_confirmation() {
    let (fixture, audience, path) = with_winners().await;
    fixture.writes.set_flows(Some(vec![welcome_flow()]));
    fixture.writes.suppress("person2@example.com");
    let mut browser = fixture.signed_in(Role::Admin).await;
    let page = browser.get(&path).await;
    page.shows("Keep this audience in a Klaviyo list");
    page.has("<option value=\"XyZaBc\">VIP</option>");
    let form = [("how", "existing"), ("list", "XyZaBc")];
    let chosen = browser.post(&path, &form).await;
    chosen.leads_to(&format!("{path}?notice=list-chosen"));
    let page = browser.get(&format!("{path}?notice=list-chosen")).await;
    page.shows("The list was chosen.");
    page.has("<span class=\"badge waiting\">Waits for first push</span>");
    page.has("https://www.klaviyo.com/list/XyZaBc");

    wait(&fixture);
    let preview = browser.post(&format!("{path}/preview"), &[]).await;
    preview.shows("What a push into");
    preview.has("Live flows hang on the list, and 1 person would be mailed.");
    preview.has("Welcome");
    preview.has("Push: add 2, remove 0");
    preview.has("<dt>Of them suppressed: not mailed</dt><dd><data value=\"1\">1</data></dd>");
    preview.lacks("data-every");
    assert!(fixture.writes.list_calls().iter().all(|call| {
        // To choose a list takes a call that changes nobody.
        call.profiles.len() == 1 && call.profiles[0].as_str().starts_with("0000")
    }));

    wait(&fixture);
    let form = [("confirmation", confirmation(&preview))];
    let form = form.each_ref().map(|(name, text)| (*name, text.as_str()));
    let pushed = browser.post(&format!("{path}/push"), &form).await;
    pushed.leads_to(&format!("{path}?notice=push"));
    let again = browser.post(&format!("{path}/push"), &form).await;
    again.leads_to(&format!("{path}?notice=push"));
    let page = browser.get(&path).await;
    page.shows("Push in progress");
    page.has("<span class=\"badge working\">First push</span>");
    page.has("data-every=\"2\"");
    page.has(">Cancel</button>");
    page.lacks("Preview a push");

    fixture.keep(&audience).await;
    let page = browser.get(&path).await;
    page.shows("<span class=\"badge good\">Following</span>");
    page.has("Last push");
    page.has("<dt>Added</dt><dd><data value=\"2\">2</data></dd>");
    page.has("data-every=\"10\"");
    let part = browser.get_partial(&path).await;
    assert!(
        part.text.starts_with("<div id=\"klaviyo-list\""),
        "{}",
        part.text
    );
}

#[actix_web::test]
async fn what_was_not_shown_is_not_pushed_and_is_shown_then() {
    let (fixture, _, path) = with_winners().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let form = [("how", "new"), ("name", "Launch")];
    let chosen = browser.post(&path, &form).await;
    chosen.leads_to(&format!("{path}?notice=list-chosen"));
    browser.get(&path).await.shows("Launch");
    wait(&fixture);
    let preview = browser.post(&format!("{path}/preview"), &[]).await;
    preview.shows("No flow starts when somebody joins the list.");
    let text = confirmation(&preview);
    fixture.writes.set_flows(Some(vec![welcome_flow()]));
    wait(&fixture);
    let form = [("confirmation", text.as_str())];
    let refused = browser.post(&format!("{path}/push"), &form).await;
    refused.shows("Nothing was pushed");
    refused.has("3 people would be mailed");
    assert_ne!(confirmation(&refused), text);
    assert_eq!(fixture.writes.list_calls(), []);
}

#[actix_web::test]
async fn a_push_is_cancelled_and_the_list_given_up() {
    let (fixture, audience, path) = with_winners().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let form = [("how", "new"), ("name", "Launch")];
    browser.post(&path, &form).await;
    wait(&fixture);
    let preview = browser.post(&format!("{path}/preview"), &[]).await;
    let text = confirmation(&preview);
    wait(&fixture);
    let form = [("confirmation", text.as_str())];
    browser.post(&format!("{path}/push"), &form).await;
    let page = browser.get(&path).await;
    let (_, run) = page
        .text
        .split_once("name=\"run\" value=\"")
        .expect("a run");
    let run = run.split('"').next().unwrap_or_default();

    let other = filled_by_hand(&fixture, "Others").await;
    let elsewhere = format!("/app/audiences/{other}/klaviyo-list/cancel");
    let refused = browser.post(&elsewhere, &[("run", run)]).await;
    assert_eq!(refused.status, 404);
    let cancelled = browser
        .post(&format!("{path}/cancel"), &[("run", run)])
        .await;
    cancelled.leads_to(&format!("{path}?notice=push-cancelled"));
    let page = browser.get(&path).await;
    page.shows("The push was cancelled.");
    page.has("Waits for first push");
    let again = browser
        .post(&format!("{path}/cancel"), &[("run", run)])
        .await;
    again.leads_to(&path);

    let asked = browser.get(&format!("{path}/stop")).await;
    asked.shows("Whoever is in the list stays there.");
    let stopped = browser.post(&format!("{path}/stop"), &[]).await;
    stopped.leads_to(&format!("{path}?notice=list-stopped"));
    let kept = fixture.integration.kept_list(&fixture.own.id, &audience);
    assert_eq!(kept.await.expect("an answer"), None);
    browser.get(&format!("{path}/stop")).await.leads_to(&path);
}

#[actix_web::test]
async fn a_list_that_cannot_keep_the_audience_is_refused_beside_the_choice() {
    let (fixture, imported) = Fixture::imported().await;
    let path = format!("/app/audiences/{}/klaviyo-list", imported.audience);
    let mut browser = fixture.signed_in(Role::Admin).await;
    for (form, status, text) in [
        (
            vec![("how", "new"), ("name", " ")],
            400,
            "Give the new list a name.",
        ),
        (vec![("how", "existing")], 400, "Choose a list."),
        (
            vec![("how", "existing"), ("list", "RtPqXs")],
            409,
            "This list feeds the audience. What is pushed into it would come back:",
        ),
        (
            vec![("how", "existing"), ("list", "Nowhere")],
            404,
            "Klaviyo list not found",
        ),
    ] {
        let refused = browser.post(&path, &form).await;
        assert_eq!(refused.status, status, "{form:?}: {}", refused.text);
        refused.has(text);
        refused.has(">Keep it in this list</button>");
    }
    fixture.writes.set_read_only(true);
    let form = [("how", "existing"), ("list", "XyZaBc")];
    let refused = browser.post(&path, &form).await;
    refused.has("The key lacks the scope lists:write.");
    refused.has("<option value=\"XyZaBc\" selected>VIP</option>");
    let nothing = browser.post(&format!("{path}/preview"), &[]).await;
    assert_eq!(nothing.status, 409);
    nothing.has("The audience is kept in no Klaviyo list. Choose a list first.");
}

#[actix_web::test]
async fn an_editor_pushes_and_a_viewer_looks() {
    let (fixture, _, path) = with_winners().await;
    let mut viewer = fixture.signed_in(Role::Viewer).await;
    let page = viewer.get(&path).await;
    page.shows("An admin of your organization can choose the list.");
    page.lacks("Keep it in this list");
    let mut admin = fixture.signed_in(Role::Admin).await;
    let form = [("how", "new"), ("name", "Launch")];
    admin.post(&path, &form).await;
    wait(&fixture);
    let seen = viewer.post(&format!("{path}/preview"), &[]).await;
    seen.shows("An editor of your organization can push it.");
    seen.lacks("name=\"confirmation\"");
    seen.lacks("Stop keeping it");
    wait(&fixture);
    let mut editor = fixture.signed_in(Role::Editor).await;
    let preview = editor.post(&format!("{path}/preview"), &[]).await;
    preview.lacks("Stop keeping it");
    let text = confirmation(&preview);
    wait(&fixture);
    let form = [("confirmation", text.as_str())];
    let pushed = editor.post(&format!("{path}/push"), &form).await;
    pushed.leads_to(&format!("{path}?notice=push"));
    viewer.get(&path).await.lacks(">Cancel</button>");
}

#[actix_web::test]
async fn without_a_connection_the_page_says_so() {
    let (fixture, _, path) = with_winners().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let form = [("how", "new"), ("name", "Launch")];
    browser.post(&path, &form).await;
    let disconnected = fixture.integration.disconnect(&fixture.own.id).await;
    disconnected.expect("a disconnected Klaviyo");
    let page = browser.get(&path).await;
    page.shows("Klaviyo is disconnected: no change reaches the list");
    page.has("<span class=\"badge bad\">Stopped</span>");
    let refused = browser.post(&format!("{path}/preview"), &[]).await;
    assert_eq!(refused.status, 400);
    refused.has("Klaviyo is not connected");
    refused.has("<span class=\"badge bad\">Stopped</span>");
}

#[actix_web::test]
async fn a_list_whose_push_failed_is_stopped_and_was_last_pushed_when_that_succeeded() {
    let (fixture, audience, path) = with_winners().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    browser
        .post(&path, &[("how", "new"), ("name", "Launch")])
        .await;
    wait(&fixture);
    let preview = browser.post(&format!("{path}/preview"), &[]).await;
    let text = confirmation(&preview);
    wait(&fixture);
    let form = [("confirmation", text.as_str())];
    browser.post(&format!("{path}/push"), &form).await;
    fixture.keep(&audience).await;
    let overview = path.trim_end_matches("/klaviyo-list");
    let page = browser.get(overview).await;
    page.shows("Kept in the list");
    browser
        .get(&format!("{overview}/delete"))
        .await
        .shows("It is kept in the Klaviyo list");
    fixture.clock.advance(Duration::from_mins(5));
    fixture.writes.set_read_only(true);
    let own = &fixture.own.id;
    let one = fixture.consumers().await.into_iter().take(1).collect();
    let removed = fixture.integration.remove_members(own, &audience, &one);
    removed.await.expect("a member less");
    fixture.keep(&audience).await;
    let page = browser.get(&path).await;
    page.shows("<span class=\"badge bad\">Stopped</span>");
    page.lacks("Following");
    page.has("Full Access for Lists and Profiles");
    page.has("sheet=klaviyo&amp;update=1\">Save a new key</a>");
    let (_, pushed) = page
        .text
        .split_once("<dt>Last pushed</dt>")
        .expect("a time");
    let pushed = pushed.split("</dd>").next().unwrap_or_default();
    assert!(pushed.contains("5 minutes ago"), "{pushed}");

    // A new key needs what else is switched on, too.
    fixture.switch_events_on().await;
    let integrations = browser.get("/app/settings/integrations").await;
    integrations.shows("What else is switched on needs Full Access for Events");
}
