//! One click does one thing, however quickly the second half of a double click follows.

use rustix::process::Signal;
use serde_json::json;

use crate::browser::{Browser, with_browser};
use crate::imported;

#[test]
fn the_second_half_of_a_double_click_does_nothing() {
    let installation = imported();
    let address = installation.api.address.clone();
    let audience = format!("/app/audiences/{}", installation.audience("VIP Customers"));
    with_browser(&address, |browser| {
        browser.sign_in(&installation.owner);
        browser.open(&format!("{audience}/history"));
        browser.fill("Name of the snapshot", "Draw opens");
        double_click(browser, "Take snapshot");
        browser.sees("The snapshot was taken.");
        assert!(!browser.text().contains("Give the snapshot a name."));
        assert_eq!(
            browser
                .texts("section table tbody th")
                .iter()
                .filter(|name| *name == "Draw opens")
                .count(),
            1
        );

        // The run stays pending while its worker is away.
        installation.worker.signal(Signal::STOP);
        browser.open(&audience);
        double_click(browser, "Sync now");
        browser.sees("The sync has been queued.");
        browser.awaits("button", "Cancel");
        assert!(!browser.text().contains("cancelled"));
        browser.press("button", "Cancel");
        browser.sees("The last sync was cancelled.");
        installation.worker.signal(Signal::CONT);
    });
}

/// Presses the button of this text twice at one place, as fast as a machine can.
fn double_click(browser: &Browser, text: &str) {
    browser.awaits("button", text);
    let place = "const button = [...document.querySelectorAll('button')].find((one) => one.innerText === arguments[0]);
        button.scrollIntoView({block: 'center'});
        const {x, y, width, height} = button.getBoundingClientRect();
        return [x + width / 2, y + height / 2]";
    let place = browser.run(place, &[json!(text)]);
    for count in [1, 2] {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": count});
            browser.order("Input.dispatchMouseEvent", &event);
        }
    }
}
