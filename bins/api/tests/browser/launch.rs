//! A launch: events are switched on, somebody wins, and what became of it is looked at.

use serde_json::json;

use crate::browser::{Browser, with_browser};
use crate::installation::Installation;
use crate::{KLAVIYO, KLAVIYO_KEY};

#[test]
fn a_marketer_switches_events_on_and_follows_what_becomes_of_them() {
    let installation = Installation::start(&KLAVIYO);
    installation.connect();
    installation.import(&["XyZaBc"], &[]);
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        browser.sign_in(&installation.owner);
        makes_the_secret(browser);
        chooses_metrics(browser);
        follows_deliveries(browser, &installation);
        sees_what_keeps_them_back(browser, &installation);
    });
}

fn makes_the_secret(browser: &Browser) {
    browser.press("link", "Deliveries");
    browser.sees("Nothing was delivered yet");
    photograph(browser, "empty-deliveries");
    browser.press("link", "Set up events");
    browser.sees("No secret was made yet");
    browser.press("button", "Make the secret");
    browser.sees("it is not shown again");
    assert!(browser.value("Secret").starts_with("whsec_"));
    assert!(
        browser
            .value("Address")
            .contains("/api/webhooks/fanfare/org_")
    );
    photograph(browser, "events-secret");
}

/// What was typed stays beside what is wrong, and beside a metric that is reset.
fn chooses_metrics(browser: &Browser) {
    browser.open("/app/settings/integrations/klaviyo/events");
    browser.sees("A secret is in use.");
    browser.fill("Metric of Won a draw", "Golden Ticket");
    browser.fill("Metric of Left a queue", &"x".repeat(128));
    browser.press("button", "Save metrics");
    browser.sees("has 1 to 127 characters");
    assert_eq!(browser.value("Metric of Won a draw"), "Golden Ticket");
    photograph(browser, "events-fault");
    browser.press("button", "Reset the metric of Left a queue");
    browser.sees("Not saved yet.");
    assert_eq!(browser.value("Metric of Won a draw"), "Golden Ticket");
    browser.press("button", "Save metrics");
    browser.sees("The metrics were saved.");
    let is_where_it_was = browser.run("return window.scrollY > 0", &[]);
    assert_eq!(is_where_it_was, true, "saving keeps the place");
    browser.press("link", "Preview of Won a draw");
    browser.sees("winner_position");
    assert_eq!(browser.value("Metric of Won a draw"), "Golden Ticket");
    browser.press("button", "Switch events on");
    browser.sees("Switch events on?");
    photograph(browser, "events-question");
    browser.press("button", "Yes, switch events on");
    browser.sees("Events are switched on.");
}

/// The table goes on by itself; what Klaviyo refuses is retried.
fn follows_deliveries(browser: &Browser, installation: &Installation) {
    let people = installation.ask("GET", "/api/consumers?first=1", None);
    let person = people["data"][0]["id"].as_str().expect("somebody");
    browser.press("link", "Deliveries");
    browser.sees("Events are switched on.");
    browser.run("window.isTheSamePage = true", &[]);
    installation.plan_faults("create-event:refuse=400");
    installation.tell("draw.consumer.won", person, &json!({"drawId": "draw_1"}));
    browser.sees_row("Won a draw", &["Failed", "Klaviyo refuses what it says."]);
    assert_eq!(browser.run("return window.isTheSamePage", &[]), true);
    photograph(browser, "deliveries-failed");
    browser.press("button", "Retry");
    browser.sees("The delivery is tried again now.");
    browser.sees_row("Won a draw", &["Golden Ticket", "Sent"]);
    browser.press("link", "Failed");
    browser.sees("No delivery matches");
    browser.open(&format!("/app/customers/{person}"));
    browser.sees_that("both ways", |text| {
        [
            "Won a draw as Golden Ticket",
            "Joined VIP Customers",
            "Became a consumer",
        ]
        .iter()
        .all(|told| text.contains(told))
    });
    photograph(browser, "customer-timeline");
}

fn sees_what_keeps_them_back(browser: &Browser, installation: &Installation) {
    installation.ask("PUT", "/api/settings", Some(&json!({"klaviyo": null})));
    let people = installation.ask("GET", "/api/consumers?first=2", None);
    let person = people["data"][1]["id"].as_str().expect("somebody");
    installation.tell("draw.consumer.lost", person, &json!({"drawId": "draw_1"}));
    browser.open("/app/deliveries");
    browser.sees("What waits is sent when a key of the same account is connected.");
    photograph(browser, "deliveries-not-connected");
    let body = json!({"klaviyo": {"apiKey": KLAVIYO_KEY}});
    installation.ask("PUT", "/api/settings", Some(&body));
    browser.sees_row("Not selected in a draw", &["Sent"]);
}

fn photograph(browser: &Browser, name: &str) {
    browser.photograph_in_every_look(name);
    browser.is_accessible(name);
}
