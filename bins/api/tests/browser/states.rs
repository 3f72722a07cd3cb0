//! What is shown while something is under way or does not work, each with a way out.

use rustix::process::Signal;

use crate::browser::{Browser, with_browser};
use crate::installation::Installation;
use crate::{KLAVIYO, imported};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sync_is_followed_and_its_waits_are_told() {
    let installation = Installation::start(&KLAVIYO);
    installation.connect();
    let address = installation.api.address.clone();
    with_browser(&address, async move |browser| {
        browser.sign_in(&installation.owner).await;
        // Klaviyo asks to wait in the middle of the list.
        installation.plan_faults("list-profiles/RtPqXs@page=3:429=25");
        browser.open("/app/audiences/import/klaviyo").await;
        browser.press("checkbox", "Newsletter Subscribers").await;
        browser.press("button", "Import Selected").await;
        browser.awaits("button", "Cancel").await;
        browser.sees("Waits for Klaviyo until").await;
        browser.awaits("progressbar", "Progress of the sync").await;
        photograph(&browser, "audience-waiting").await;
        browser.sees("Success").await;
        browser.lacks("button", "Cancel").await;

        // Workers are away: the run stays pending, and is cancelled by its button.
        installation.worker.signal(Signal::STOP);
        browser.press("button", "Sync now").await;
        browser.sees("Pending").await;
        browser.sees("No worker has taken this up").await;
        photograph(&browser, "audience-without-worker").await;
        browser.press("button", "Cancel").await;
        browser.sees("The sync was cancelled.").await;
        photograph(&browser, "audience-cancelled").await;
        installation.worker.signal(Signal::CONT);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_does_not_work_is_told_with_a_way_out() {
    let installation = imported().await;
    let second = installation.make_key("admin");
    let address = installation.api.address.clone();
    let audience = format!("/app/audiences/{}", installation.audience("VIP Customers"));
    with_browser(&address, async move |browser| {
        browser.sign_in(&installation.owner).await;
        browser.open("/app/nowhere").await;
        browser.sees("Page not found").await;
        photograph(&browser, "no-such-page").await;

        removals_are_held(&browser, &installation).await;
        klaviyo_fails(&browser, &installation, &audience).await;
        expired_session_keeps_what_was_typed(&browser, &installation, &audience, &second).await;
    })
    .await;
}

async fn removals_are_held(browser: &Browser, installation: &Installation) {
    installation.change(&"segment/Ac7EgS:leave=first\n".repeat(200));
    browser.open("/app/audiences").await;
    browser.press("link", "Engaged, 30 days").await;
    browser.press("button", "Sync now").await;
    browser
        .sees("Nobody is removed until you confirm it.")
        .await;
    photograph(browser, "audience-removals-held").await;
}

async fn klaviyo_fails(browser: &Browser, installation: &Installation, audience: &str) {
    for (name, fault, told) in [
        (
            "klaviyo-away",
            "any@times=all:503",
            "Klaviyo cannot be reached",
        ),
        ("klaviyo-busy", "any@times=all:429=5", "Klaviyo is busy"),
    ] {
        installation.plan_faults(fault);
        browser
            .open("/app/audiences/import/klaviyo?search=fresh")
            .await;
        browser.sees(told).await;
        browser.awaits("link", "Try again").await;
        photograph(browser, name).await;
        installation.forget_faults();
    }
    installation.change("any:revoke-key");
    browser.open(audience).await;
    browser.press("button", "Sync now").await;
    browser.sees("Failed").await;
    photograph(browser, "audience-key-revoked").await;
    browser.open("/app/settings/integrations").await;
    browser.sees("Klaviyo no longer takes the API key.").await;
    browser.awaits("link", "Save a new key").await;
    photograph(browser, "integrations-error").await;
}

async fn expired_session_keeps_what_was_typed(
    browser: &Browser,
    installation: &Installation,
    audience: &str,
    key: &serde_json::Value,
) {
    let field = |name: &str| key[name].as_str().expect("a field of the key").to_owned();
    browser.sign_out().await;
    browser.sign_in(&field("secretKey")).await;
    browser.open(&format!("{audience}/edit")).await;
    browser
        .fill("Description", "Everybody who bought twice")
        .await;
    installation.revoke(&field("keyId"));
    browser.press("button", "Save").await;
    browser.sees("What you typed is kept.").await;
    photograph(browser, "session-expired").await;
    browser.fill("Secret key", &installation.owner).await;
    browser.press("button", "Sign in").await;
    browser.sees("Everybody who bought twice").await;
    photograph(browser, "session-goes-on").await;
    browser.press("button", "Continue").await;
    browser.sees("The audience was saved.").await;
    browser.sees("Everybody who bought twice").await;
}

async fn photograph(browser: &Browser, name: &str) {
    browser.photograph_in_every_look(name).await;
    browser.is_accessible(name).await;
}
