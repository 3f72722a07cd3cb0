//! Every page in both themes and three widths, as pictures, and looked through by axe, for every role.

use serde_json::json;

use crate::browser::{Browser, with_browser};
use crate::imported;
use crate::installation::Installation;

/// Pages of the dashboard, by the name of their pictures. `{id}` is an audience, `{person}` a consumer.
const PAGES: [(&str, &str); 25] = [
    ("audiences", "/app/audiences"),
    (
        "audiences-searched-in-vain",
        "/app/audiences?search=nothing-like-this",
    ),
    ("audience-new", "/app/audiences/new"),
    ("audience", "/app/audiences/{id}"),
    ("audience-members", "/app/audiences/{id}/members"),
    (
        "audience-members-then",
        "/app/audiences/{id}/members?asOf=2020-01-01T00:00",
    ),
    ("audience-issues", "/app/audiences/{id}/issues"),
    ("audience-runs", "/app/audiences/{id}/runs"),
    ("audience-klaviyo-list", "/app/audiences/{id}/klaviyo-list"),
    (
        "audience-history",
        "/app/audiences/{id}/history?from=2020-01-01T00:00",
    ),
    (
        "audience-why",
        "/app/audiences/{id}/why?person=nobody@example.com&live=true",
    ),
    ("customers", "/app/customers"),
    ("customer-new", "/app/customers/new"),
    ("customer", "/app/customers/{person}"),
    ("deliveries", "/app/deliveries"),
    (
        "events",
        "/app/settings/integrations/klaviyo/events?preview=draw.consumer.won",
    ),
    ("contacts", "/app/settings/integrations/klaviyo/contacts"),
    ("customer-edit", "/app/customers/{person}/edit"),
    (
        "customer-unsubscribe",
        "/app/customers/{person}/unsubscribe",
    ),
    ("audience-edit", "/app/audiences/{id}/edit"),
    ("audience-delete", "/app/audiences/{id}/delete"),
    ("import", "/app/audiences/import/klaviyo"),
    ("integrations", "/app/settings/integrations"),
    (
        "integrations-sheet",
        "/app/settings/integrations?sheet=klaviyo",
    ),
    (
        "integrations-disconnect",
        "/app/settings/integrations/klaviyo/disconnect",
    ),
];

#[test]
fn every_page_looks_right_and_can_be_used_by_everybody() {
    let installation = imported();
    let id = installation.audience("Newsletter Subscribers");
    let people = installation.ask("GET", "/api/consumers?first=1", None);
    let person = people["data"][0]["id"]
        .as_str()
        .expect("somebody")
        .to_owned();
    happenings(&installation, &person);
    let path = move |path: &str| path.replace("{id}", &id).replace("{person}", &person);
    let [viewer, editor] = ["viewer", "editor"].map(|role| installation.key(role));
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        browser.open("/auth/sign-in");
        photograph(browser, "sign-in");
        browser.sign_in(&installation.owner);
        for (name, page) in PAGES {
            browser.open(&path(page));
            photograph(browser, name);
        }
        menu(browser);
        sizes(browser);
        components(browser);
        for (role, key) in [("viewer", viewer), ("editor", editor)] {
            browser.sign_out();
            browser.sign_in(&key);
            for (name, page) in PAGES {
                browser.open(&path(page));
                browser.is_accessible(&format!("{name} of a {role}"));
            }
        }
    });
}

/// What somebody did, of which one event is sent, one is of no metric, and one is of nobody who is known.
fn happenings(installation: &Installation, person: &str) {
    installation.switch_events_on();
    let order = json!({"orderId": "order_1", "amount": "49.90", "currencyCode": "EUR"});
    installation.tell("order.completed", person, &order);
    installation.tell("auction.bid.placed", person, &json!({"bidId": "bid_1"}));
    installation.tell("draw.consumer.won", "cons_nobody", &json!({}));
}

fn photograph(browser: &Browser, name: &str) {
    browser.photograph_in_every_look(name);
    browser.is_accessible(name);
}

/// The menu of a row is not cut off by its table.
fn menu(browser: &Browser) {
    browser.open("/app/audiences");
    browser.press("button", "Actions for VIP Customers");
    browser.awaits("link", "Delete");
    photograph(browser, "audiences-menu");
}

/// The sizes of lists come when their rows are looked at.
fn sizes(browser: &Browser) {
    browser.open("/app/audiences/import/klaviyo");
    browser.press("checkbox", "Sneaker Drops <script>alert(1)</script>");
    browser.sees("12 profiles");
    photograph(browser, "import-ticked");
}

/// Every component in each of its states; the page is in development builds alone, as tests' are.
fn components(browser: &Browser) {
    browser.open("/app/components");
    photograph(browser, "components");
}

/// Before anything is connected or imported.
#[test]
fn what_is_empty_says_what_comes_next() {
    let installation = Installation::start(&crate::KLAVIYO);
    let viewer = installation.key("viewer");
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        browser.sign_in(&viewer);
        photograph(browser, "empty-audiences-of-a-viewer");
        browser.sign_out();
        browser.sign_in(&installation.owner);
        photograph(browser, "empty-audiences");
        for (name, path) in [
            ("empty-customers", "/app/customers"),
            ("empty-integrations", "/app/settings/integrations"),
            ("empty-sheet", "/app/settings/integrations?sheet=klaviyo"),
            ("import-not-connected", "/app/audiences/import/klaviyo"),
        ] {
            browser.open(path);
            photograph(browser, name);
        }
        installation.connect();
        browser.open("/app/audiences");
        photograph(browser, "empty-audiences-connected");
    });
}
