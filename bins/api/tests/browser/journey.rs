//! A marketer's way from the secret key to a disconnected Klaviyo, on one installation.

use crate::browser::{Browser, until, with_browser};
use crate::installation::Installation;
use crate::{KLAVIYO, KLAVIYO_KEY};

#[test]
fn a_marketer_connects_imports_watches_understands_and_disconnects() {
    let installation = Installation::start(&KLAVIYO);
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        signs_in(browser, &installation);
        connects(browser);
        imports(browser);
        looks_at_members_and_issues(browser);
        turns_on_continuous_sync(browser, &installation);
        understands_who_is_in(browser);
        confirms_removals(browser, &installation);
        disconnects(browser);
    });
}

fn signs_in(browser: &Browser, installation: &Installation) {
    browser.open("/");
    browser.sees("Sign in to Fanfare");
    browser.fill(
        "Secret key",
        "sk_live_0000000000000000000000000000000000000000",
    );
    browser.press("button", "Sign in");
    browser.sees("This key is not known, or it was revoked.");
    browser.fill("Secret key", &installation.owner);
    browser.press("button", "Sign in");
    browser.sees("No audiences yet");
}

fn connects(browser: &Browser) {
    browser.press("link", "Connect Klaviyo");
    browser.sees("Not Connected");
    browser.press("link", "Connect Klaviyo");
    for (key, told) in [
        ("sk_live_0123456789abcdef0123456789abcdef", "begin"),
        (
            "pk_ffffffffffffffffffffffffffffffffff",
            "Klaviyo does not take the API key",
        ),
    ] {
        browser.fill("API key", key);
        browser.press("button", "Save");
        browser.sees(told);
        assert_eq!(browser.value("API key"), "", "the key is not shown again");
    }
    browser.fill("API key", KLAVIYO_KEY);
    browser.press("button", "Save");
    browser.sees("Klaviyo is connected.");
    browser.sees("Active");
}

/// Two lists and a segment; ticks stay while other ones are searched for.
fn imports(browser: &Browser) {
    browser.press("link", "Import lists and segments");
    browser.press("checkbox", "Newsletter Subscribers");
    browser.sees("1 selected");
    browser.sees_row("Newsletter Subscribers", &["600 profiles"]);
    browser.fill("Search", "engaged");
    browser.sees("1 more is ticked on other pages.");
    browser.press("checkbox", "Engaged, 30 days");
    browser.sees("2 selected");
    browser.fill("Search", "vip");
    browser.sees("2 more are ticked on other pages.");
    browser.press("checkbox", "VIP Customers");
    browser.press("radio", "One-time Import");
    browser.press("button", "Import Selected");
    browser.sees("The imports have been queued.");
    // Nothing is reloaded: the table goes on by itself.
    browser.run("window.isTheSamePage = true", &[]);
    for name in [
        "Newsletter Subscribers",
        "VIP Customers",
        "Engaged, 30 days",
    ] {
        browser.sees_row(name, &["Success"]);
    }
    let is_the_same = browser.run("return window.isTheSamePage", &[]);
    assert_eq!(is_the_same, true);
}

fn looks_at_members_and_issues(browser: &Browser) {
    browser.press("link", "Newsletter Subscribers");
    browser.awaits("link", "Members");
    browser.press("link", "Members");
    browser.awaits("link", "Next page");
    let member = first_email(browser);
    browser.fill("Search", &member);
    browser.sees_that("one member", |text| text.matches('@').count() == 1);
    browser.press("link", "Issues");
    browser.sees("What was not taken as it was");
    browser.awaits("link", "Download as CSV");
    browser.fill("Search", "international");
    until("one reason alone", || {
        let reasons = browser.texts("#issues h3");
        (reasons.len() == 1 && reasons[0].contains("phone")).then_some(())
    });
}

/// The e-mail in the first row of a table that has one.
fn first_email(browser: &Browser) -> String {
    let emails = browser.texts("td[data-label=Email]");
    let email = emails.into_iter().find(|text| text.contains('@'));
    email.expect("somebody with an e-mail")
}

/// A rename and a leaving in Klaviyo arrive while the page is looked at.
fn turns_on_continuous_sync(browser: &Browser, installation: &Installation) {
    browser.press("link", "Audiences");
    browser.press("link", "VIP Customers");
    browser.press("link", "Edit");
    browser.awaits("radio", "One-time Import");
    // The interval is of continuous sync alone.
    browser.lacks("combobox", "Refresh every");
    browser.press("radio", "Continuous Sync");
    browser.choose("Refresh every", "2 seconds");
    browser.press("button", "Save");
    browser.sees("Continuous sync: every 2 seconds.");
    let before = members(browser);
    installation.change(
        "list/XyZaBc:rename=Very Best Customers\nlist/XyZaBc:leave=first\nlist/XyZaBc:leave=last",
    );
    browser.awaits("heading", "Very Best Customers");
    until("two members less", || {
        (members(browser) + 2 == before).then_some(())
    });
}

/// How many members the overview shows.
fn members(browser: &Browser) -> u64 {
    let facts = browser.texts("dl.facts div");
    let members = facts.iter().find_map(|fact| fact.strip_prefix("Members\n"));
    let members = members.and_then(|members| members.trim().parse().ok());
    members.unwrap_or_default()
}

fn understands_who_is_in(browser: &Browser) {
    browser.press("link", "History");
    browser.sees_that("a leaving in the feed", |text| text.contains("Left"));
    let rows = browser.texts("#changes tbody tr");
    let left = rows
        .iter()
        .find(|row| row.contains("Left") && row.contains('@'));
    if let Some(row) = left {
        let email = row.split_whitespace().find(|word| word.contains('@'));
        browser.press("link", "Why?");
        let field = "E-mail, phone number or id";
        browser.fill(field, email.expect("an e-mail"));
        browser.press("checkbox", "Ask Klaviyo, too");
        browser.press("button", "Explain");
        browser.sees("Not a member");
        browser.sees("A member until");
        browser.press("link", "History");
    }
    browser.fill("Name of the snapshot", "Draw opens");
    browser.press("button", "Take snapshot");
    browser.sees("The snapshot was taken.");
    browser.press("link", "Draw opens");
    browser.sees("Members after");
}

/// More than half of the audience has left: nobody is removed before somebody says so.
fn confirms_removals(browser: &Browser, installation: &Installation) {
    let leaving = "segment/Ac7EgS:leave=first\n".repeat(200);
    installation.change(&leaving);
    browser.press("link", "Audiences");
    browser.press("link", "Engaged, 30 days");
    browser.press("button", "Sync now");
    browser.sees("Nobody is removed until you confirm it.");
    browser.sees("Failed");
    browser.press("button", "Confirm removals");
    browser.sees_that("the removals", |text| text.contains("Success"));
    browser.lacks("button", "Confirm removals");
    // The facts of the page may follow its status a moment later.
    browser.sees_that("fewer members", |_| members(browser) <= 100);
}

fn disconnects(browser: &Browser) {
    browser.press("link", "Settings");
    browser.press("link", "Manage Klaviyo");
    browser.press("button", "Disconnect");
    browser.sees("The stored API key is deleted for good.");
    browser.press("button", "Disconnect");
    browser.sees("Klaviyo was disconnected.");
    browser.sees("Not Connected");
    browser.sign_out();
    browser.open("/app/audiences");
    browser.awaits("button", "Sign in");
}
