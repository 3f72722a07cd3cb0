//! The page of integrations: connecting, replacing the key, syncing all, disconnecting.

use std::time::Duration;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::ids::AccountId;
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::organization::Role;

use super::fixture::{Fixture, KLAVIYO_KEY};

const PATH: &str = "/app/settings/integrations";
const KLAVIYO: &str = "/app/settings/integrations/klaviyo";

#[actix_web::test]
async fn klaviyo_is_connected_in_the_sheet_and_its_key_is_never_shown() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let page = browser.get(PATH).await;
    page.shows("<span class=\"badge none\">Not Connected</span>");
    for name in ["Klaviyo", "Shopify", "Via App", "Mailchimp", "Coming Soon"] {
        page.has(name);
    }
    page.lacks("<dialog");
    let sheet = browser.get(&format!("{PATH}?sheet=klaviyo")).await;
    sheet.shows("<dialog class=\"sheet\" open");
    sheet.has("<label for=\"apiKey\">API key</label>");
    sheet.has("<button type=\"submit\">Save</button>");

    let saved = browser.post(KLAVIYO, &[("apiKey", KLAVIYO_KEY)]).await;
    saved.leads_to(&format!("{PATH}?notice=connected"));
    let page = browser.get(&format!("{PATH}?notice=connected")).await;
    page.shows("<span class=\"badge good\">Active</span>");
    page.has("Klaviyo is connected.");
    page.has("Klaviyo's quota");
    let sheet = browser.get(&format!("{PATH}?sheet=klaviyo")).await;
    sheet.shows("••••wxyz");
    sheet.lacks(KLAVIYO_KEY);
    for button in [
        "Update API Key",
        "View Synced Lists",
        "Force Sync",
        "Disconnect",
    ] {
        sheet.has(&format!(">{button}</button>"));
    }
    sheet.lacks("name=\"apiKey\"");
    let update = browser.get(&format!("{PATH}?sheet=klaviyo&update=1")).await;
    update.shows("name=\"apiKey\"");
    fixture.wait_a_minute();
    let saved = browser.post(KLAVIYO, &[("apiKey", KLAVIYO_KEY)]).await;
    saved.leads_to(&format!("{PATH}?notice=updated"));
}

#[actix_web::test]
async fn a_key_that_cannot_be_saved_is_told_beside_its_field() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    for (key, text) in [
        ("sk_live_canary", "This is a Fanfare secret key"),
        ("pk_live_canary", "This is a Fanfare publishable key"),
        ("canary", "A Klaviyo private API key begins with pk_"),
        ("", "A Klaviyo private API key begins with pk_"),
    ] {
        let refused = browser.post(KLAVIYO, &[("apiKey", key)]).await;
        assert_eq!(refused.status, 400, "{key}");
        refused.has(text);
        refused.has("id=\"apiKey-fault\" role=\"alert\"");
        refused.lacks("canary");
    }
    fixture.wait_a_minute();
    fixture
        .klaviyo
        .fail_others([Some(KlaviyoError::KeyRejected)]);
    let refused = browser.post(KLAVIYO, &[("apiKey", KLAVIYO_KEY)]).await;
    assert_eq!(refused.status, 400);
    refused.has("Klaviyo does not take the API key");
    refused.lacks(KLAVIYO_KEY);
    browser.get(PATH).await.shows("Not Connected");
}

#[actix_web::test]
async fn scopes_that_a_key_lacks_are_named_as_klaviyos_form_has_them() {
    let fixture = Fixture::new().await;
    let scope = |scope: &str| {
        fixture
            .klaviyo
            .change(|it| it.missing_scopes = vec![scope.to_owned()]);
    };
    scope("profiles:read");
    let mut browser = fixture.signed_in(Role::Admin).await;
    let refused = browser.post(KLAVIYO, &[("apiKey", KLAVIYO_KEY)]).await;
    assert_eq!(refused.status, 400);
    refused.has("The key lacks the scope profiles:read");
    refused.has("choose Read Access for Profiles");

    scope(CollectionKind::Segment.descriptor().scope);
    fixture.wait_a_minute();
    browser
        .post(KLAVIYO, &[("apiKey", KLAVIYO_KEY)])
        .await
        .leads_to(&format!("{PATH}?notice=connected"));
    browser.get(PATH).await.shows("Some features lack access.");
    let import = browser.get("/app/audiences/import/klaviyo").await;
    import.shows("Segments cannot be shown.");
    import.has("Newsletter");
}

#[actix_web::test]
async fn a_change_to_another_klaviyo_account_has_to_be_confirmed() {
    let fixture = Fixture::new().await;
    let account = |id: &str| {
        fixture
            .klaviyo
            .change(|it| it.account = Some(AccountId::parse(id).unwrap()));
    };
    account("AcOne1");
    fixture.connect_one(&fixture.own).await;
    account("AcTwo2");
    fixture.wait_a_minute();
    let mut browser = fixture.signed_in(Role::Admin).await;
    let asked = browser.post(KLAVIYO, &[("apiKey", KLAVIYO_KEY)]).await;
    assert_eq!(asked.status, 409);
    asked.has("The account AcOne1 is connected, and the key belongs to AcTwo2.");
    asked.has("name=\"confirmAccountChange\"");
    fixture.wait_a_minute();
    let form = [("apiKey", KLAVIYO_KEY), ("confirmAccountChange", "true")];
    browser
        .post(KLAVIYO, &form)
        .await
        .leads_to(&format!("{PATH}?notice=updated"));
}

#[actix_web::test]
async fn force_sync_queues_each_audience_that_is_not_syncing() {
    let (fixture, imported) = Fixture::imported().await;
    fixture.import(&fixture.own.id, "XyZaBc").await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let queued = browser.post(&format!("{KLAVIYO}/force-sync"), &[]).await;
    queued.leads_to(&format!("{PATH}?notice=synced&count=1"));
    browser
        .get(&format!("{PATH}?notice=synced&count=1"))
        .await
        .shows("1 sync was queued.");
    let run = fixture.latest_run(&imported.audience).await;
    assert_ne!(run, imported.run);
}

#[actix_web::test]
async fn disconnecting_says_what_goes_and_what_stays() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let asked = browser.get(&format!("{KLAVIYO}/disconnect")).await;
    asked.shows("The stored API key is deleted for good.");
    asked.has("Audiences and their members stay as they are.");
    let done = browser.post(&format!("{KLAVIYO}/disconnect"), &[]).await;
    done.leads_to(&format!("{PATH}?notice=disconnected"));
    browser
        .get(&format!("{PATH}?notice=disconnected"))
        .await
        .shows("Not Connected");
    let path = format!("/app/audiences/{}", imported.audience);
    browser.get(&path).await.shows("Newsletter");
    let refused = browser.post(&format!("{path}/sync"), &[]).await;
    assert_eq!(refused.status, 400);
    refused.has("Klaviyo is not connected");
    refused.has("Open Integrations");
}

#[actix_web::test]
async fn an_editor_sees_the_connection_and_cannot_change_it() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let sheet = browser.get(&format!("{PATH}?sheet=klaviyo&update=1")).await;
    sheet.shows("Active");
    for text in ["Update API Key", "name=\"apiKey\"", ">Disconnect</button>"] {
        sheet.lacks(text);
    }
    let mut viewer = fixture.signed_in(Role::Viewer).await;
    viewer.get("/app/audiences").await.lacks("Settings");
    assert_eq!(viewer.get(PATH).await.status, 403);
}

#[actix_web::test]
async fn audiences_whose_schedules_ended_are_named_when_klaviyo_is_connected_again() {
    let (fixture, imported) = Fixture::imported().await;
    fixture.import(&fixture.own.id, "XyZaBc").await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let path = format!("/app/audiences/{}", imported.audience);
    let form = [("name", "Newsletter"), ("sync", "CONTINUOUS")];
    browser.post(&format!("{path}/edit"), &form).await;
    fixture.clock.advance(Duration::from_mins(15));
    let started = fixture.integration.start_due_syncs().await;
    assert_eq!(started.expect("a due sync"), 1);
    browser.post(&format!("{KLAVIYO}/disconnect"), &[]).await;
    browser.post(KLAVIYO, &[("apiKey", KLAVIYO_KEY)]).await;
    let page = browser.get(&format!("{PATH}?notice=connected")).await;
    page.shows("1 audience no longer syncs by itself.");
    page.has(&format!("href=\"{path}/edit\""));
    page.lacks("VIP");
    // Whoever has chosen since then how it syncs knows.
    fixture.clock.advance(Duration::from_secs(5));
    let form = [("name", "Newsletter"), ("sync", "ONE_TIME")];
    browser.post(&format!("{path}/edit"), &form).await;
    let page = browser.get(&format!("{PATH}?notice=connected")).await;
    page.lacks("no longer syncs by itself");
}
