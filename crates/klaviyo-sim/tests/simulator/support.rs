//! A client that follows no rules, and an account to read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fanfare_klaviyo_sim::{
    AccountPlan, CollectionPlan, EdgeCases, Kind, ManualClock, Plan, Profile, Quota,
    RunningSimulator, Simulator,
};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;
use ureq::Agent;
use url::Url;

pub(crate) const KEY: &str = "pk_test_key";
pub(crate) const LIST: &str = "LiStAb";
pub(crate) const SEGMENT: &str = "SeGmEn";

/// When tests begin.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-25 12:00:00 UTC);

/// A simulator with a clock that is moved by hand, and a client of it.
pub(crate) struct Fixture {
    pub(crate) simulator: RunningSimulator,
    pub(crate) clock: ManualClock,
    pub(crate) client: Client,
}

impl Fixture {
    /// A list of 250 ordinary profiles and a segment of 40, and no quota.
    pub(crate) fn new() -> Self {
        Self::with(account(), |plan| plan.quota(Quota::Unlimited))
    }

    pub(crate) fn with(account: AccountPlan, change: impl FnOnce(Plan) -> Plan) -> Self {
        let clock = ManualClock::at(NOW);
        let plan = change(Plan::new([account]).clock(clock.clone()));
        let simulator = Simulator::start(plan).unwrap();
        let client = Client::new(&simulator.url(), KEY);
        Self {
            simulator,
            clock,
            client,
        }
    }

    pub(crate) fn advance(&self, seconds: f64) {
        self.clock.advance(Duration::from_secs_f64(seconds));
    }

    /// Every page of a collection, following the links.
    pub(crate) fn scan(&self, path: &str, query: &[(&str, &str)]) -> Vec<Vec<Value>> {
        let mut answer = self.client.get(path, query);
        let mut pages = Vec::new();
        loop {
            assert_eq!(answer.status, 200, "{}", answer.text());
            let document = answer.json();
            pages.push(document["data"].as_array().unwrap().clone());
            match document["links"]["next"].as_str() {
                Some(next) => answer = self.client.follow(next),
                None => return pages,
            }
        }
    }
}

/// The account of most tests.
pub(crate) fn account() -> AccountPlan {
    AccountPlan::new("AbC123")
        .key(KEY)
        .edge_cases(EdgeCases::None)
        .list(LIST, "Newsletter", 250)
        .segment(SEGMENT, "Engaged", 40)
}

/// An account with one list of these members; each joined so many seconds after [`NOW`].
pub(crate) fn account_of(members: impl IntoIterator<Item = (i64, Profile)>) -> AccountPlan {
    let list = CollectionPlan::new(Kind::List, LIST, "Newsletter");
    let list = members.into_iter().fold(list, |list, (seconds, profile)| {
        list.member(NOW + time::Duration::seconds(seconds), profile)
    });
    AccountPlan::new("AbC123").key(KEY).with(list)
}

pub(crate) fn members_path() -> String {
    format!("/api/lists/{LIST}/profiles")
}

/// A client with a key and a revision.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .new_agent();
        let client = Self {
            agent,
            base: base.to_owned(),
            headers: Vec::new(),
        };
        client
            .with("authorization", &format!("Klaviyo-API-Key {key}"))
            .with("revision", "2026-07-15")
    }

    /// The same with another header.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.without(name);
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same without a header.
    pub(crate) fn without(&self, name: &str) -> Self {
        let headers = self.headers.iter().filter(|(known, _)| known != name);
        Self {
            agent: self.agent.clone(),
            base: self.base.clone(),
            headers: headers.cloned().collect(),
        }
    }

    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        self.try_get(path, query).unwrap()
    }

    pub(crate) fn follow(&self, url: &str) -> Answer {
        self.send(url).unwrap()
    }

    /// `None` if no whole answer came.
    pub(crate) fn try_get(&self, path: &str, query: &[(&str, &str)]) -> Option<Answer> {
        let mut url = Url::parse(&self.base).unwrap().join(path).unwrap();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(url.as_str())
    }

    /// `None` if no whole answer came.
    pub(crate) fn try_follow(&self, url: &str) -> Option<Answer> {
        self.send(url)
    }

    fn send(&self, url: &str) -> Option<Answer> {
        let mut request = self.agent.get(url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = request.call().ok()?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Some(Answer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: response.body_mut().read_to_vec().ok()?,
        })
    }

    /// Sends a body. `None` if no whole answer came.
    pub(crate) fn write(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let url = format!("{}{path}", self.base);
        let mut request = match method {
            "PATCH" => self.agent.patch(url),
            "DELETE" => self.agent.delete(url).force_send_body(),
            _ => self.agent.post(url),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = request.send(body.to_string()).ok()?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Some(Answer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: response.body_mut().read_to_vec().ok()?,
        })
    }

    pub(crate) fn delete(&self, path: &str) -> u16 {
        let mut request = self.agent.delete(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.call().unwrap().status().as_u16()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `code` and `detail` of the only error.
    pub(crate) fn error(&self) -> (String, String) {
        let document = self.json();
        let errors = document["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{document}");
        assert_eq!(errors[0]["status"], self.status, "{document}");
        let text = |name: &str| errors[0][name].as_str().unwrap().to_owned();
        (text("code"), text("detail"))
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        ids(self.json()["data"].as_array().unwrap())
    }
}

pub(crate) fn ids(resources: &[Value]) -> Vec<String> {
    let ids = resources.iter().map(|resource| resource["id"].as_str());
    ids.map(|id| id.unwrap().to_owned()).collect()
}

/// A file of reference data, where it is; its absence is told.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = workspace.join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: ../shared/{path} is not there");
    None
}
