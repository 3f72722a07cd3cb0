//! Asking the API, with everything written down that it answers.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use crate::evidence::{Evidence, Shows};

/// An end to every wait: no answer takes as long, not even one that follows a run to its end.
const DEADLINE: Duration = Duration::from_mins(2);

/// A holder of a secret key.
pub(crate) struct Client<'a> {
    agent: Agent,
    address: &'a str,
    secret: &'a str,
    evidence: &'a Evidence,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    #[expect(dead_code, reason = "tells, where a test fails, what was asked")]
    asked: String,
    pub(crate) status: u16,
    body: String,
}

impl Answer {
    /// Its JSON, if it has the status that is due.
    #[track_caller]
    pub(crate) fn json(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl<'a> Client<'a> {
    pub(crate) fn new(address: &'a str, secret: &'a str, evidence: &'a Evidence) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(DEADLINE));
        Self {
            agent: config.build().into(),
            address,
            secret,
            evidence,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None, Shows::Nobody)
    }

    /// The same where the answer is about people.
    pub(crate) fn people(&self, path: &str) -> Answer {
        self.ask("GET", path, None, Shows::People)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, Some(body), Shows::Nobody)
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Answer {
        self.ask("PUT", path, Some(body), Shows::Nobody)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None, Shows::Nobody)
    }

    /// The same with another secret key.
    pub(crate) fn with_secret(&self, secret: &'a str) -> Self {
        Self::new(self.address, secret, self.evidence)
    }

    /// Follows a run to its end. Returns how it ended.
    #[track_caller]
    pub(crate) fn follow(&self, run: &str) -> Value {
        let events = self.get(&format!("/api/sync-runs/{run}/events"));
        assert_eq!(events.status, 200, "{events:?}");
        assert!(events.body.contains("event: done"), "{events:?}");
        self.get(&format!("/api/sync-runs/{run}")).json(200)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&str>, shows: Shows) -> Answer {
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
        self.evidence
            .add(&asked, shows, format!("{headers}\n{text}"));
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
