//! The store does not answer: the page says so, and comes back when the store does.

use crate::KLAVIYO;
use crate::browser::with_browser;
use crate::database::Database;
use crate::installation::Installation;

#[test]
fn a_store_that_does_not_answer_is_told_and_the_page_comes_back() {
    let database = Database::create();
    let installation = Installation::start_with(&KLAVIYO, database.settings());
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        browser.sign_in(&installation.owner);
        browser.sees("No audiences yet");
        database.wire.silence(true);
        browser.press("link", "Consumers");
        browser.sees("Fanfare cannot reach its database");
        browser.sees("Nothing is lost");
        browser.photograph_in_every_look("store-away");
        browser.is_accessible("store-away");
        // Nobody is signed out by it.
        database.wire.silence(false);
        browser.press("link", "Try again");
        browser.sees("No consumers yet");
        browser.awaits("button", "Sign out");
    });
    drop(installation);
}
