//! What viewers and editors may not do is not shown to them, and refused on the server.

use crate::browser::{Browser, with_browser};
use crate::imported;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn viewers_and_editors_are_shown_what_they_may_do_and_refused_the_rest() {
    let installation = imported().await;
    let keys = ["viewer", "editor"].map(|role| installation.key(role));
    let audience = format!("/app/audiences/{}", installation.audience("VIP Customers"));
    let address = installation.api.address.clone();
    with_browser(&address, async move |browser| {
        let [viewer, editor] = keys;
        browser.sign_in(&viewer).await;
        views(&browser, &audience).await;
        browser.sign_out().await;
        browser.sign_in(&editor).await;
        edits(&browser, &audience).await;
    })
    .await;
}

async fn views(browser: &Browser, audience: &str) {
    browser.open("/app/audiences").await;
    browser.awaits("link", "VIP Customers").await;
    browser.lacks("link", "Import from Klaviyo").await;
    browser.lacks("link", "Settings").await;
    browser.press("button", "Actions for VIP Customers").await;
    browser.awaits("link", "View Details").await;
    browser.lacks("link", "Delete").await;
    browser.lacks("button", "Sync now").await;
    browser.open(audience).await;
    browser.awaits("link", "Members").await;
    browser.lacks("button", "Sync now").await;
    browser.lacks("link", "Edit").await;
    browser.open(&format!("{audience}/history")).await;
    browser.awaits("button", "Compare").await;
    browser.lacks("button", "Take snapshot").await;
    for path in [
        "/app/settings/integrations",
        "/app/audiences/import/klaviyo",
        &format!("{audience}/edit"),
        &format!("{audience}/delete"),
    ] {
        browser.open(path).await;
        browser.sees("Your key may not do this").await;
        browser.awaits("link", "Go to Audiences").await;
    }
    // A form that no page of theirs has is refused as well.
    let sent = "return fetch(arguments[0], {method: 'POST', body: new URLSearchParams({csrf: document.querySelector('[name=csrf]').value})})
        .then((answer) => answer.status)";
    let status = browser
        .run(sent, vec![format!("{audience}/sync").into()])
        .await;
    assert_eq!(status, 403);
}

async fn edits(browser: &Browser, audience: &str) {
    browser.open("/app/settings/integrations").await;
    browser.press("link", "Manage Klaviyo").await;
    browser.awaits("button", "Force Sync").await;
    browser.lacks("button", "Update API Key").await;
    browser.lacks("button", "Disconnect").await;
    browser
        .open("/app/settings/integrations/klaviyo/disconnect")
        .await;
    browser.sees("Your key may not do this").await;
    browser.open(audience).await;
    browser.press("button", "Sync now").await;
    browser.sees("Success").await;
    browser.awaits("button", "Sync now").await;
    browser.press("link", "Delete").await;
    browser.press("link", "Keep it").await;
    browser.awaits("link", "Edit").await;
}
