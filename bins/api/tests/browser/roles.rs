//! What viewers and editors may not do is not shown to them, and refused on the server.

use crate::browser::{Browser, with_browser};
use crate::imported;

#[test]
fn viewers_and_editors_are_shown_what_they_may_do_and_refused_the_rest() {
    let installation = imported();
    let keys = ["viewer", "editor"].map(|role| installation.key(role));
    let audience = format!("/app/audiences/{}", installation.audience("VIP Customers"));
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        let [viewer, editor] = keys;
        browser.sign_in(&viewer);
        views(browser, &audience);
        browser.sign_out();
        browser.sign_in(&editor);
        edits(browser, &audience);
    });
}

fn views(browser: &Browser, audience: &str) {
    browser.open("/app/audiences");
    browser.awaits("link", "VIP Customers");
    browser.lacks("link", "Import from Klaviyo");
    browser.lacks("link", "Settings");
    browser.press("button", "Actions for VIP Customers");
    browser.awaits("link", "View Details");
    browser.lacks("link", "Delete");
    browser.lacks("button", "Sync now");
    browser.open(audience);
    browser.awaits("link", "Members");
    browser.lacks("button", "Sync now");
    browser.lacks("link", "Edit");
    browser.open(&format!("{audience}/history"));
    browser.awaits("button", "Compare");
    browser.lacks("button", "Take snapshot");
    for path in [
        "/app/settings/integrations",
        "/app/audiences/import/klaviyo",
        &format!("{audience}/edit"),
        &format!("{audience}/delete"),
    ] {
        browser.open(path);
        browser.sees("Your key may not do this");
        browser.awaits("link", "Go to Audiences");
    }
    // A form that no page of theirs has is refused as well.
    let sent = "return fetch(arguments[0], {method: 'POST', body: new URLSearchParams({csrf: document.querySelector('[name=csrf]').value})})
        .then((answer) => answer.status)";
    let status = browser.run(sent, &[format!("{audience}/sync").into()]);
    assert_eq!(status, 403);
}

fn edits(browser: &Browser, audience: &str) {
    browser.open("/app/settings/integrations");
    browser.press("link", "Manage Klaviyo");
    browser.awaits("button", "Force Sync");
    browser.lacks("button", "Update API Key");
    browser.lacks("button", "Disconnect");
    browser.open("/app/settings/integrations/klaviyo/disconnect");
    browser.sees("Your key may not do this");
    browser.open(audience);
    browser.press("button", "Sync now");
    browser.sees("Success");
    browser.awaits("button", "Sync now");
    browser.press("link", "Delete");
    browser.press("link", "Keep it");
    browser.awaits("link", "Edit");
}
