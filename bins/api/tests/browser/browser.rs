//! Chromium, headless, driven by its driver; and how long a test waits for what it expects.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::look::Look;

/// How long something may take that a person waits for.
const DEADLINE: Duration = Duration::from_secs(40);

/// How often a test looks whether it has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// What the browser is called, by systems.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// A browser with one window.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    /// Where the dashboard is, `http://HOST:PORT`.
    pub(crate) address: String,
}

/// The running driver.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Runs a test in a browser, which is closed whatever becomes of the test. Without a browser the test is skipped.
pub(crate) async fn with_browser<F>(address: &str, test: impl FnOnce(Browser) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some((browser, driver)) = programs() else {
        println!(
            "skipped: Chromium and its driver are not installed: run `cargo xtask test --install`"
        );
        return;
    };
    // The client of the driver asks for a provider of TLS, although it never leaves this machine.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let mut child = Command::new(driver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the driver starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let _driver = Driver(child);
    let port = lines.find_map(|line| {
        let line = line.expect("a line of the driver's");
        let (_, port) = line.split_once("started successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    let port = port.expect("the driver says where it listens");
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities
        .set_binary(&browser.to_string_lossy())
        .expect("a path");
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--lang=en-US",
    ] {
        capabilities.add_arg(argument).expect("an argument");
    }
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
    let driver = driver.expect("a browser");
    let browser = Browser {
        driver: driver.clone(),
        address: address.to_owned(),
    };
    browser.look(Look::USUAL).await;
    let done = tokio::spawn(test(browser.clone())).await;
    if done.is_err() {
        browser.photograph("failed").await;
        println!("the page said: {}", browser.text().await);
    }
    driver.quit().await.ok();
    if let Err(failed) = done {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// The browser and its driver, where both are installed.
fn programs() -> Option<(PathBuf, PathBuf)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| {
        let mut files = std::env::split_paths(&path).map(|folder| folder.join(name));
        files.find(|file| file.is_file())
    };
    let browser = BROWSERS.iter().find_map(|name| find(name))?;
    Some((browser, find("chromedriver")?))
}

impl Browser {
    pub(crate) async fn open(&self, path: &str) {
        let address = format!("{}{path}", self.address);
        self.driver.goto(address).await.expect("the page opens");
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let done = self.driver.execute(script, arguments).await;
        done.expect("a script that runs").json().clone()
    }

    /// The text that the page shows.
    pub(crate) async fn text(&self) -> String {
        let text = self
            .driver
            .execute("return document.body.innerText", vec![])
            .await;
        let text = text.map(|text| text.json().as_str().unwrap_or_default().to_owned());
        text.unwrap_or_else(|error| format!("({error})"))
    }

    /// Orders something that only Chromium's own protocol has.
    pub(crate) async fn order(&self, method: &str, parameters: Value) {
        let done = self.driver.cdp().send_raw(method, parameters).await;
        done.expect("an order that is obeyed");
    }

    /// Lets pages run scripts, or not.
    pub(crate) async fn allow_scripts(&self, are_allowed: bool) {
        let value = json!({"value": !are_allowed});
        self.order("Emulation.setScriptExecutionDisabled", value)
            .await;
    }

    /// Keeps what the window shows as a picture among the tests' screens.
    pub(crate) async fn photograph(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screens");
        std::fs::create_dir_all(&folder).expect("a folder for screens");
        let file = folder.join(format!("{name}.png"));
        let kept = self.driver.screenshot(&file).await;
        kept.expect("a screenshot");
    }
}

/// Waits until something is there.
pub(crate) async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
