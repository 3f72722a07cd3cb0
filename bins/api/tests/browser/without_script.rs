//! Every page and form without script.

use crate::browser::{Browser, until, with_browser};
use crate::installation::Installation;
use crate::{KLAVIYO, KLAVIYO_KEY};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everything_is_done_without_script() {
    let installation = Installation::start(&KLAVIYO);
    let address = installation.api.address.clone();
    with_browser(&address, async move |browser| {
        browser.allow_scripts(false).await;
        browser.sign_in(&installation.owner).await;
        connects_and_imports(&browser).await;
        looks_around(&browser).await;
        edits_and_deletes(&browser).await;
    })
    .await;
}

async fn connects_and_imports(browser: &Browser) {
    browser.press("link", "Connect Klaviyo").await;
    browser.press("link", "Connect Klaviyo").await;
    browser.fill("API key", KLAVIYO_KEY).await;
    browser.press("button", "Save").await;
    browser.press("link", "Import lists and segments").await;
    browser.press("checkbox", "Newsletter Subscribers").await;
    browser.fill("Search", "vip").await;
    browser.press("button", "Find").await;
    browser.sees("1 more is ticked on other pages.").await;
    browser.press("checkbox", "VIP Customers").await;
    browser.press("button", "Import Selected").await;
    until("both imports", async || {
        browser.open("/app/audiences").await;
        let text = browser.text().await;
        (text.matches("Success").count() == 2).then_some(())
    })
    .await;
}

async fn looks_around(browser: &Browser) {
    browser.press("link", "Members").await;
    browser.sees("▲").await;
    browser.fill("Search", "vip").await;
    browser.press("button", "Find").await;
    browser
        .sees_that("one audience", |text| !text.contains("Newsletter"))
        .await;
    browser.press("link", "VIP Customers").await;
    for tab in ["Members", "Issues", "Runs", "History", "Why?"] {
        browser.press("link", tab).await;
        let current = browser.texts(".tabs [aria-current=page]").await;
        assert_eq!(current, [tab]);
    }
    let field = "E-mail, or the id of a consumer or a Klaviyo profile";
    browser.fill(field, "nobody@example.com").await;
    browser.press("button", "Explain").await;
    browser.sees("Not a member").await;
    browser.press("link", "Consumers").await;
    browser.press("link", "Next page").await;
    browser.press("link", "First page").await;
    browser.sees("Consumers").await;
}

async fn edits_and_deletes(browser: &Browser) {
    browser.press("link", "Audiences").await;
    browser.press("button", "Actions for VIP Customers").await;
    browser.press("link", "Edit").await;
    browser.fill("Name", "Best of all").await;
    browser.press("button", "Save").await;
    browser.sees("The audience was saved.").await;
    browser.press("link", "Delete").await;
    browser.press("button", "Delete audience").await;
    browser.sees("The audience was deleted.").await;
    browser.sign_out().await;
}
