//! What one organization may do to take the service from the others. The fault suite and the bench measure what the others
//! notice of it.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::services::api::{Api, Run};

/// How long to wait for a connection. An API that takes none any more is no reason to wait.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How many requests a viewer sends who never reads the answers: more than the buffers of a connection hold.
const UNREAD_REQUESTS: usize = 20;

/// The organization that abuses the service.
pub(crate) struct Abuser {
    pub(crate) api: Api,
}

impl Abuser {
    /// Connects the organization of this secret key to Klaviyo.
    pub(crate) fn connect(address: &str, key: &str, klaviyo: &str) -> Result<Self> {
        let api = Api::new(address, key);
        api.put::<Value>("/api/settings", &json!({"klaviyo": {"apiKey": klaviyo}}))?;
        allow_many_connections();
        Ok(Self { api })
    }

    /// Imports lists. Returns their runs.
    pub(crate) fn import(&self, lists: &[String]) -> Result<Vec<String>> {
        let body = json!({ "listIds": lists });
        let answer: Value = self.api.post("/api/audiences/import/klaviyo", &body)?;
        let imported = answer["imported"].as_array();
        let runs: Option<Vec<String>> = imported
            .into_iter()
            .flatten()
            .map(|imported| imported["runId"].as_str().map(str::to_owned))
            .collect();
        let runs = runs.context("the lists were not imported")?;
        ensure!(runs.len() == lists.len(), "lists were passed over");
        Ok(runs)
    }

    pub(crate) fn run(&self, id: &str) -> Result<Run> {
        self.api.get(&format!("/api/sync-runs/{id}"))
    }

    /// Gives each audience as much text as it may have.
    pub(crate) fn enlarge_audiences(&self) -> Result<()> {
        let audiences: Value = self.api.get("/api/audiences?first=100")?;
        let largest = json!({
            "description": "\u{1f980}".repeat(10_000),
            "metadata": {"more": "x".repeat(16_000)},
        });
        for audience in audiences["data"].as_array().into_iter().flatten() {
            let id = audience["id"].as_str().context("an audience has no id")?;
            self.api
                .put::<Value>(&format!("/api/audiences/{id}"), &largest)?;
        }
        Ok(())
    }

    /// Connections with so many requests whose bodies never come.
    pub(crate) fn withhold_bodies(&self, count: usize) -> Result<Vec<TcpStream>> {
        let head = self.head("POST", "/api/audiences/import/klaviyo");
        let head = format!("{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{");
        self.send(&head, count)
    }

    /// Connections of so many viewers who ask for large answers again and again, and read none.
    pub(crate) fn leave_answers_unread(&self, count: usize) -> Result<Vec<TcpStream>> {
        let request = self.head("GET", "/api/audiences?first=100") + "\r\n";
        self.send(&request.repeat(UNREAD_REQUESTS), count)
    }

    /// Searches, so many at a time, until `is_over`. Whatever is answered, the next search follows.
    pub(crate) fn search(&self, audience: &str, at_a_time: usize, is_over: &AtomicBool) {
        let path = format!("/api/audiences/{audience}/members?first=100&search=nobody-has-this");
        thread::scope(|scope| {
            for _ in 0..at_a_time {
                scope.spawn(|| {
                    while !is_over.load(Ordering::SeqCst) {
                        let _ = self.api.send_once("GET", &path, None);
                        // 600 a minute: the limit of an organization's requests must not end the abuse.
                        thread::sleep(
                            Duration::from_millis(100) * u32::try_from(at_a_time).unwrap_or(1),
                        );
                    }
                });
            }
        });
    }

    fn head(&self, method: &str, path: &str) -> String {
        let key = &self.api.key;
        format!("{method} {path} HTTP/1.1\r\nHost: fanfare\r\nAuthorization: Bearer {key}\r\n")
    }

    /// Sends the same by connections of its own, so many times. Connections that the API does not take are passed over.
    fn send(&self, request: &str, count: usize) -> Result<Vec<TcpStream>> {
        let address = self.api.address.trim_start_matches("http://");
        let address: SocketAddr = address.parse().context("the API's address is none")?;
        let connect = || -> std::io::Result<TcpStream> {
            let mut stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
            stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
            stream.write_all(request.as_bytes())?;
            Ok(stream)
        };
        Ok((0..count).filter_map(|_| connect().ok()).collect())
    }
}

/// Lets this process have as many connections as the system allows.
fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // With fewer, fewer are made.
    let _ = setrlimit(Resource::Nofile, most);
}
