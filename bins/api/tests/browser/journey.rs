//! A marketer's way from the secret key to a disconnected Klaviyo, on one installation.

use crate::browser::{Browser, until, with_browser};
use crate::installation::Installation;
use crate::{KLAVIYO, KLAVIYO_KEY};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_marketer_connects_imports_watches_understands_and_disconnects() {
    let installation = Installation::start(&KLAVIYO);
    let address = installation.api.address.clone();
    with_browser(&address, async move |browser| {
        signs_in(&browser, &installation).await;
        connects(&browser).await;
        imports(&browser).await;
        looks_at_members_and_issues(&browser).await;
        turns_on_continuous_sync(&browser, &installation).await;
        understands_who_is_in(&browser).await;
        confirms_removals(&browser, &installation).await;
        disconnects(&browser).await;
    })
    .await;
}

async fn signs_in(browser: &Browser, installation: &Installation) {
    browser.open("/").await;
    browser.sees("Sign in to Fanfare").await;
    browser
        .fill(
            "Secret key",
            "sk_live_0000000000000000000000000000000000000000",
        )
        .await;
    browser.press("button", "Sign in").await;
    browser
        .sees("This key is not known, or it was revoked.")
        .await;
    browser.fill("Secret key", &installation.owner).await;
    browser.press("button", "Sign in").await;
    browser.sees("No audiences yet").await;
}

async fn connects(browser: &Browser) {
    browser.press("link", "Connect Klaviyo").await;
    browser.sees("Not Connected").await;
    browser.press("link", "Connect Klaviyo").await;
    for (key, told) in [
        ("sk_live_0123456789abcdef0123456789abcdef", "begin"),
        (
            "pk_ffffffffffffffffffffffffffffffffff",
            "Klaviyo does not take the API key",
        ),
    ] {
        browser.fill("API key", key).await;
        browser.press("button", "Save").await;
        browser.sees(told).await;
        assert_eq!(
            browser.value("API key").await,
            "",
            "the key is not shown again"
        );
    }
    browser.fill("API key", KLAVIYO_KEY).await;
    browser.press("button", "Save").await;
    browser.sees("Klaviyo is connected.").await;
    browser.sees("Active").await;
}

/// Two lists and a segment; ticks stay while other ones are searched for.
async fn imports(browser: &Browser) {
    browser.press("link", "Import lists and segments").await;
    browser.press("checkbox", "Newsletter Subscribers").await;
    browser.sees("1 selected").await;
    browser
        .sees_row("Newsletter Subscribers", &["600 profiles"])
        .await;
    browser.fill("Search", "engaged").await;
    browser.sees("1 more is ticked on other pages.").await;
    browser.press("checkbox", "Engaged, 30 days").await;
    browser.sees("2 selected").await;
    browser.fill("Search", "vip").await;
    browser.sees("2 more are ticked on other pages.").await;
    browser.press("checkbox", "VIP Customers").await;
    browser.press("radio", "One-time Import").await;
    browser.press("button", "Import Selected").await;
    browser.sees("The imports have been queued.").await;
    // Nothing is reloaded: the table goes on by itself.
    browser.run("window.isTheSamePage = true", vec![]).await;
    for name in [
        "Newsletter Subscribers",
        "VIP Customers",
        "Engaged, 30 days",
    ] {
        browser.sees_row(name, &["Success"]).await;
    }
    let is_the_same = browser.run("return window.isTheSamePage", vec![]).await;
    assert_eq!(is_the_same, true);
}

async fn looks_at_members_and_issues(browser: &Browser) {
    browser.press("link", "Newsletter Subscribers").await;
    browser.awaits("link", "Members").await;
    browser.press("link", "Members").await;
    browser.awaits("link", "Next page").await;
    let member = first_email(browser).await;
    browser.fill("Search", &member).await;
    browser
        .sees_that("one member", |text| text.matches('@').count() == 1)
        .await;
    browser.press("link", "Issues").await;
    browser.sees("What was not taken as it was").await;
    browser.awaits("link", "Download as CSV").await;
    browser.fill("Search", "international").await;
    until("one reason alone", async || {
        let reasons = browser.texts("#issues h2").await;
        (reasons.len() == 1 && reasons[0].contains("phone")).then_some(())
    })
    .await;
}

/// The e-mail in the first row of a table that has one.
async fn first_email(browser: &Browser) -> String {
    let emails = browser.texts("td[data-label=Email]").await;
    let email = emails.into_iter().find(|text| text.contains('@'));
    email.expect("somebody with an e-mail")
}

/// A rename and a leaving in Klaviyo arrive while the page is looked at.
async fn turns_on_continuous_sync(browser: &Browser, installation: &Installation) {
    browser.press("link", "Audiences").await;
    browser.press("link", "VIP Customers").await;
    browser.press("link", "Edit").await;
    browser.press("radio", "Continuous Sync").await;
    browser.choose("Refresh every", "2 seconds").await;
    browser.press("button", "Save").await;
    browser.sees("Continuous sync: every 2 seconds.").await;
    let before = members(browser).await;
    installation.change(
        "list/XyZaBc:rename=Very Best Customers\nlist/XyZaBc:leave=first\nlist/XyZaBc:leave=last",
    );
    browser.awaits("heading", "Very Best Customers").await;
    until("two members less", async || {
        (members(browser).await + 2 == before).then_some(())
    })
    .await;
}

/// How many members the overview shows.
async fn members(browser: &Browser) -> u64 {
    let facts = browser.texts("dl.facts div").await;
    let members = facts.iter().find_map(|fact| fact.strip_prefix("Members\n"));
    let members = members.and_then(|members| members.trim().parse().ok());
    members.unwrap_or_default()
}

async fn understands_who_is_in(browser: &Browser) {
    browser.press("link", "History").await;
    browser
        .sees_that("a leaving in the feed", |text| text.contains("Left"))
        .await;
    let rows = browser.texts("#changes tbody tr").await;
    let left = rows
        .iter()
        .find(|row| row.contains("Left") && row.contains('@'));
    if let Some(row) = left {
        let email = row.split_whitespace().find(|word| word.contains('@'));
        browser.press("link", "Why?").await;
        let field = "E-mail, or the id of a consumer or a Klaviyo profile";
        browser.fill(field, email.expect("an e-mail")).await;
        browser.press("checkbox", "Ask Klaviyo, too").await;
        browser.press("button", "Explain").await;
        browser.sees("Not a member").await;
        browser.sees("A member until").await;
        browser.press("link", "History").await;
    }
    browser.fill("Name of the snapshot", "Draw opens").await;
    browser.press("button", "Take snapshot").await;
    browser.sees("The snapshot was taken.").await;
    browser.press("link", "Draw opens").await;
    browser.sees("Members after").await;
}

/// More than half of the audience has left: nobody is removed before somebody says so.
async fn confirms_removals(browser: &Browser, installation: &Installation) {
    let leaving = "segment/Ac7EgS:leave=first\n".repeat(200);
    installation.change(&leaving);
    browser.press("link", "Audiences").await;
    browser.press("link", "Engaged, 30 days").await;
    browser.press("button", "Sync now").await;
    browser
        .sees("Nobody is removed until you confirm it.")
        .await;
    browser.sees("Failed").await;
    browser.press("button", "Confirm removals").await;
    browser
        .sees_that("the removals", |text| text.contains("Success"))
        .await;
    browser.lacks("button", "Confirm removals").await;
    assert!(members(browser).await <= 100);
}

async fn disconnects(browser: &Browser) {
    browser.press("link", "Settings").await;
    browser.press("link", "Manage Klaviyo").await;
    browser.press("button", "Disconnect").await;
    browser
        .sees("The stored API key is deleted for good.")
        .await;
    browser.press("button", "Disconnect").await;
    browser.sees("Klaviyo was disconnected.").await;
    browser.sees("Not Connected").await;
    browser.sign_out().await;
    browser.open("/app/audiences").await;
    browser.awaits("button", "Sign in").await;
}
