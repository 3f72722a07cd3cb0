//! What is shown while something is under way or does not work, each with a way out.

use rustix::process::Signal;

use crate::browser::{Browser, with_browser};
use crate::installation::Installation;
use crate::{KLAVIYO, imported};

#[test]
fn a_sync_is_followed_and_its_waits_are_told() {
    let installation = Installation::start(&KLAVIYO);
    installation.connect();
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        browser.sign_in(&installation.owner);
        // Klaviyo asks to wait in the middle of the list.
        installation.plan_faults("list-profiles/RtPqXs@page=3:429=25");
        browser.open("/app/audiences/import/klaviyo");
        browser.press("checkbox", "Newsletter Subscribers");
        browser.press("button", "Import Selected");
        browser.awaits("button", "Cancel");
        browser.sees("Waits for Klaviyo until");
        browser.awaits("progressbar", "Progress of the sync");
        photograph(browser, "audience-waiting");
        browser.sees("Success");
        browser.awaits_no("button", "Cancel");

        // Workers are away: the run stays pending, and is cancelled by its button.
        installation.worker.signal(Signal::STOP);
        browser.press("button", "Sync now");
        browser.sees("Pending");
        browser.sees("No worker has taken this up");
        photograph(browser, "audience-without-worker");
        browser.press("button", "Cancel");
        browser.sees("The last sync was cancelled.");
        photograph(browser, "audience-cancelled");
        installation.worker.signal(Signal::CONT);
    });
}

#[test]
fn what_does_not_work_is_told_with_a_way_out() {
    let installation = imported();
    let second = installation.make_key("admin");
    let address = installation.api.address.clone();
    let audience = format!("/app/audiences/{}", installation.audience("VIP Customers"));
    with_browser(&address, |browser| {
        browser.sign_in(&installation.owner);
        browser.open("/app/nowhere");
        browser.sees("Page not found");
        photograph(browser, "no-such-page");

        removals_are_held(browser, &installation);
        klaviyo_fails(browser, &installation, &audience);
        expired_session_keeps_what_was_typed(browser, &installation, &audience, &second);
    });
}

fn removals_are_held(browser: &Browser, installation: &Installation) {
    installation.change(&"segment/Ac7EgS:leave=first\n".repeat(200));
    browser.open("/app/audiences");
    browser.press("link", "Engaged, 30 days");
    browser.press("button", "Sync now");
    browser.sees("Nobody is removed until you confirm it.");
    photograph(browser, "audience-removals-held");
}

fn klaviyo_fails(browser: &Browser, installation: &Installation, audience: &str) {
    for (name, fault, told) in [
        (
            "klaviyo-away",
            "any@times=all:503",
            "Klaviyo cannot be reached",
        ),
        ("klaviyo-busy", "any@times=all:429=5", "Klaviyo is busy"),
    ] {
        installation.plan_faults(fault);
        browser.open("/app/audiences/import/klaviyo?search=fresh");
        browser.sees(told);
        browser.awaits("link", "Try again");
        photograph(browser, name);
        installation.forget_faults();
    }
    installation.change("any:revoke-key");
    browser.open(audience);
    browser.press("button", "Sync now");
    browser.sees("Failed");
    photograph(browser, "audience-key-revoked");
    browser.open("/app/settings/integrations");
    browser.sees("Klaviyo no longer takes the API key.");
    browser.awaits("link", "Save a new key");
    photograph(browser, "integrations-error");
}

fn expired_session_keeps_what_was_typed(
    browser: &Browser,
    installation: &Installation,
    audience: &str,
    key: &serde_json::Value,
) {
    let field = |name: &str| key[name].as_str().expect("a field of the key").to_owned();
    browser.sign_out();
    browser.sign_in(&field("secretKey"));
    browser.open(&format!("{audience}/edit"));
    browser.fill("Description", "Everybody who bought twice");
    installation.revoke(&field("keyId"));
    browser.press("button", "Save");
    browser.sees("What you typed is kept.");
    photograph(browser, "session-expired");
    browser.fill("Secret key", &installation.owner);
    browser.press("button", "Sign in");
    browser.sees("Everybody who bought twice");
    photograph(browser, "session-goes-on");
    browser.press("button", "Continue");
    browser.sees("The audience was saved.");
    browser.sees("Everybody who bought twice");
}

fn photograph(browser: &Browser, name: &str) {
    browser.photograph_in_every_look(name);
    browser.is_accessible(name);
}
