//! Every page and form without script.

use crate::browser::{Browser, until, with_browser};
use crate::installation::Installation;
use crate::{KLAVIYO, KLAVIYO_KEY};

#[test]
fn everything_is_done_without_script() {
    let installation = Installation::start(&KLAVIYO);
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        browser.allow_scripts(false);
        browser.sign_in(&installation.owner);
        connects_and_imports(browser);
        looks_around(browser);
        fills_by_hand(browser);
        edits_and_deletes(browser);
        sets_events_up(browser);
    });
}

fn connects_and_imports(browser: &Browser) {
    browser.press("link", "Connect Klaviyo");
    browser.press("link", "Connect Klaviyo");
    browser.fill("API key", KLAVIYO_KEY);
    browser.press("button", "Save");
    browser.press("link", "Import lists and segments");
    browser.press("checkbox", "Newsletter Subscribers");
    browser.fill("Search", "vip");
    browser.press("button", "Find");
    browser.sees("1 more is ticked on other pages.");
    browser.press("checkbox", "VIP Customers");
    browser.press("button", "Import Selected");
    until("both imports", || {
        browser.open("/app/audiences");
        let text = browser.text();
        (text.matches("Success").count() == 2).then_some(())
    });
}

fn looks_around(browser: &Browser) {
    browser.press("link", "Members");
    browser.sees("▲");
    browser.fill("Search", "vip");
    browser.press("button", "Find");
    browser.sees_that("one audience", |text| !text.contains("Newsletter"));
    browser.press("link", "VIP Customers");
    for tab in ["Members", "Issues", "Runs", "History", "Why?"] {
        browser.press("link", tab);
        let current = browser.texts(".tabs [aria-current=page]");
        assert_eq!(current, [tab]);
    }
    let field = "E-mail, phone number or id";
    browser.fill(field, "nobody@example.com");
    browser.press("button", "Explain");
    browser.sees("Not a member");
    browser.press("link", "Consumers");
    browser.press("link", "Next page");
    browser.press("link", "First page");
    browser.sees("Consumers");
}

fn fills_by_hand(browser: &Browser) {
    browser.press("link", "Audiences");
    browser.press("link", "Create Audience");
    browser.fill("Name", "Winners");
    browser.press("button", "Create Audience");
    browser.sees("The audience was created.");
    browser.press("link", "Pick consumers");
    browser.sees("Pick members of Winners");
    let mut names = browser.texts("tbody th a").into_iter();
    let name = names.rfind(|name| name.is_ascii());
    let select = format!("Select {}", name.expect("somebody"));
    browser.press("checkbox", &select);
    browser.press("button", "Add Selected");
    browser.sees("1 member was added.");
    browser.press("link", "Back to the members");
    browser.press("checkbox", &select);
    browser.press("button", "Remove Selected");
    browser.sees("1 member was removed.");
}

fn edits_and_deletes(browser: &Browser) {
    browser.press("link", "Audiences");
    browser.press("button", "Actions for VIP Customers");
    browser.press("link", "Edit");
    browser.fill("Name", "Best of all");
    browser.press("radio", "Continuous Sync");
    browser.choose("Refresh every", "1 day");
    browser.press("button", "Save");
    browser.sees("The audience was saved.");
    browser.sees("Continuous sync: every day.");
    browser.press("link", "Delete");
    browser.press("button", "Delete audience");
    browser.sees("The audience was deleted.");
}

fn sets_events_up(browser: &Browser) {
    browser.press("link", "Deliveries");
    browser.press("link", "Set up events");
    browser.fill("Metric of Won a draw", "Golden Ticket");
    browser.press("button", "Save metrics");
    browser.sees("The metrics were saved.");
    browser.press("button", "Switch events on");
    browser.press("button", "Yes, switch events on");
    browser.sees("Events are switched on.");
    browser.press("button", "Make the secret");
    browser.sees("it is not shown again");
    browser.choose("Event", "Paid an order");
    browser.press("button", "Show preview");
    browser.sees("49.90 EUR");
    browser.sign_out();
}
