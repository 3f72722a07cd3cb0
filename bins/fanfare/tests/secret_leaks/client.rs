//! A client of the API that captures every answer.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use crate::capture::{Allowed, Captured};

/// How long an answer may take. It is longer than any run of the test.
const DEADLINE: Duration = Duration::from_mins(2);

/// A client with a secret key.
pub(crate) struct Client<'a> {
    agent: Agent,
    address: &'a str,
    secret: &'a str,
    captured: &'a Captured,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    #[expect(dead_code, reason = "tells, where a test fails, what was asked")]
    asked: String,
    pub(crate) status: u16,
    body: String,
}

impl Answer {
    /// Its JSON. Fails if the status is another one.
    #[track_caller]
    pub(crate) fn json(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl<'a> Client<'a> {
    pub(crate) fn new(address: &'a str, secret: &'a str, captured: &'a Captured) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(DEADLINE));
        Self {
            agent: config.build().into(),
            address,
            secret,
            captured,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None, Allowed::Nothing)
    }

    /// The same where the answer may show profiles.
    pub(crate) fn get_profiles(&self, path: &str) -> Answer {
        self.ask("GET", path, None, Allowed::Profiles)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, Some(body), Allowed::Nothing)
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Answer {
        self.ask("PUT", path, Some(body), Allowed::Nothing)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None, Allowed::Nothing)
    }

    /// The same with another secret key.
    pub(crate) fn with_secret(&self, secret: &'a str) -> Self {
        Self::new(self.address, secret, self.captured)
    }

    /// Follows a run to its end. Returns how it ended.
    #[track_caller]
    pub(crate) fn follow(&self, run: &str) -> Value {
        let events = self.get(&format!("/api/sync-runs/{run}/events"));
        assert_eq!(events.status, 200, "{events:?}");
        assert!(events.body.contains("event: done"), "{events:?}");
        self.get(&format!("/api/sync-runs/{run}")).json(200)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&str>, allowed: Allowed) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.secret))
            .header("content-type", "application/json");
        let answered = match body {
            Some(body) => self.agent.run(request.body(body.to_owned()).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answered.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let asked = format!("{method} {path} {}", body.unwrap_or_default());
        let headers = format!("{:?}", answer.headers());
        let text = answer.body_mut().read_to_string().unwrap();
        self.captured
            .add(&asked, allowed, format!("{headers}\n{text}"));
        Answer {
            asked,
            status: answer.status().as_u16(),
            body: text,
        }
    }
}

/// A field of an answer.
#[track_caller]
pub(crate) fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    let text = answer[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {answer}"))
}
