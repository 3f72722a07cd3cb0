//! A browser at the dashboard, and how long a test waits for what it expects.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::look::Look;
use crate::webdriver::WebDriver;

/// How long something may take that a person waits for.
const DEADLINE: Duration = Duration::from_secs(40);

/// How often a test looks whether it has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A browser with one window.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    /// Where the dashboard is, `http://HOST:PORT`.
    address: String,
}

/// Runs a test in a browser. Without a browser the test is skipped.
pub(crate) fn with_browser(address: &str, test: impl FnOnce(&Browser)) {
    let Some(driver) = WebDriver::start() else {
        println!(
            "skipped: Chromium and its driver are not installed: run `cargo xtask test --install`"
        );
        return;
    };
    let browser = Browser {
        driver,
        address: address.to_owned(),
    };
    browser.look(Look::USUAL);
    test(&browser);
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.photograph("failed");
            println!("the page said: {}", self.text());
        }
    }
}

impl Browser {
    pub(crate) fn open(&self, path: &str) {
        let address = format!("{}{path}", self.address);
        self.driver.go_to(&address).expect("the page opens");
    }

    /// Runs a script in the page.
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        let done = self.driver.run(script, arguments);
        done.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The text that the page shows.
    pub(crate) fn text(&self) -> String {
        match self.driver.run("return document.body.innerText", &[]) {
            Ok(Value::String(text)) => text,
            // The page may just be being swapped.
            _ => String::new(),
        }
    }

    /// Orders something that only Chromium's own protocol has.
    pub(crate) fn order(&self, method: &str, parameters: &Value) {
        let done = self.driver.order(method, parameters);
        done.expect("an order that is obeyed");
    }

    /// Lets pages run scripts, or not.
    pub(crate) fn allow_scripts(&self, are_allowed: bool) {
        let value = json!({"value": !are_allowed});
        self.order("Emulation.setScriptExecutionDisabled", &value);
    }

    /// Keeps what the window shows as a picture among the tests' screens.
    pub(crate) fn photograph(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screens");
        let kept = std::fs::create_dir_all(&folder).map_err(|error| error.to_string());
        let picture =
            kept.and_then(|()| self.driver.screenshot().map_err(|error| error.to_string()));
        match picture {
            Ok(picture) => {
                std::fs::write(folder.join(format!("{name}.png")), picture).expect("a file");
            }
            Err(why) => println!("no picture of {name}: {why}"),
        }
    }
}

/// Waits until something is there.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(LOOK_INTERVAL);
    }
}
