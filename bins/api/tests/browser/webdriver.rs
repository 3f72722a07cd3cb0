//! The few commands of the `WebDriver` protocol that tests give to Chromium's driver.
//!
//! The crates that speak all of it turn on features of `serde_json` for the whole workspace, and what tests see of
//! documents would not be what the programs send.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

/// What browsers are called, by systems.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// The name under which the protocol hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A command that was not carried out, in the driver's words.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A running driver with one browser, which has one window. Both end when it is dropped.
pub(crate) struct WebDriver {
    child: Child,
    agent: Agent,
    /// `http://127.0.0.1:PORT/session/ID`
    session: String,
}

/// An element of the page.
#[derive(Debug, Clone)]
pub(crate) struct Element(Value);

impl WebDriver {
    /// Starts both. `None` if they are not installed.
    pub(crate) fn start() -> Option<Self> {
        let (browser, driver) = programs()?;
        let mut child = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let port = lines.find_map(|line| {
            let line = line.expect("a line of the driver's");
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let port = port.expect("the driver says where it listens");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)));
        let mut driver = Self {
            child,
            agent: config.build().into(),
            session: format!("http://127.0.0.1:{port}/session"),
        };
        let options = json!({
            "binary": browser,
            "args": [
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--hide-scrollbars",
                "--lang=en-US",
            ],
        });
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let begun = driver.command("POST", "", &wanted).expect("a browser");
        let id = begun["sessionId"].as_str().expect("a session");
        driver.session = format!("{}/{id}", driver.session);
        Some(driver)
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failed> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .header("content-type", "application/json");
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let failed = |error: &dyn fmt::Display| Failed(format!("{method} {path}: {error}"));
        let request = request.body(body).map_err(|error| failed(&error))?;
        let mut answer = self.agent.run(request).map_err(|error| failed(&error))?;
        let mut document: Value = answer
            .body_mut()
            .read_json()
            .map_err(|error| failed(&error))?;
        let value = document["value"].take();
        if answer.status().is_success() {
            Ok(value)
        } else {
            Err(failed(&value["message"]))
        }
    }

    pub(crate) fn go_to(&self, address: &str) -> Result<(), Failed> {
        self.command("POST", "/url", &json!({"url": address}))
            .map(drop)
    }

    /// Runs a script in the page; a promise is waited for.
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, Failed> {
        let body = json!({"script": script, "args": arguments});
        self.command("POST", "/execute/sync", &body)
    }

    /// The elements that a script finds.
    pub(crate) fn elements(&self, script: &str, arguments: &[Value]) -> Vec<Element> {
        match self.run(script, arguments) {
            Ok(Value::Array(found)) => found.into_iter().map(Element).collect(),
            // The page may just be being swapped.
            _ => Vec::new(),
        }
    }

    pub(crate) fn click(&self, element: &Element) -> Result<(), Failed> {
        self.on(element, "click", &json!({}))
    }

    pub(crate) fn clear(&self, element: &Element) -> Result<(), Failed> {
        self.on(element, "clear", &json!({}))
    }

    pub(crate) fn type_into(&self, element: &Element, text: &str) -> Result<(), Failed> {
        self.on(element, "value", &json!({"text": text}))
    }

    fn on(&self, element: &Element, what: &str, body: &Value) -> Result<(), Failed> {
        let id = element.0[ELEMENT].as_str().unwrap_or_default();
        self.command("POST", &format!("/element/{id}/{what}"), body)
            .map(drop)
    }

    /// What the window shows, as a PNG.
    pub(crate) fn screenshot(&self) -> Result<Vec<u8>, Failed> {
        let picture = self.command("GET", "/screenshot", &Value::Null)?;
        let picture = STANDARD.decode(picture.as_str().unwrap_or_default());
        picture.map_err(|error| Failed(error.to_string()))
    }

    /// Orders something that only Chromium's own protocol has.
    pub(crate) fn order(&self, method: &str, parameters: &Value) -> Result<Value, Failed> {
        let body = json!({"cmd": method, "params": parameters});
        self.command("POST", "/goog/cdp/execute", &body)
    }
}

impl Element {
    /// The element as an argument of a script.
    pub(crate) fn argument(&self) -> Value {
        self.0.clone()
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        // The browser ends with its session, not with its driver.
        self.command("DELETE", "", &Value::Null).ok();
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The browser and its driver, where both are installed.
fn programs() -> Option<(PathBuf, PathBuf)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| {
        let mut files = std::env::split_paths(&path).map(|folder| folder.join(name));
        files.find(|file: &PathBuf| Path::new(file).is_file())
    };
    let browser = BROWSERS.iter().find_map(|name| find(name))?;
    Some((browser, find("chromedriver")?))
}
