//! How long the dashboard's pages take on a full installation: a thousand lists, a thousand audiences, a large one. What
//! the first visit loads, and what open pages cost a sync.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::environment::{Environment, LIST};
use super::latency::percentile;
use super::{Figure, Options};
use crate::interrupt::Interrupt;
use crate::services::api::Api;

/// The profiles of the large list.
const PROFILES: u64 = 1_000_000;

/// Lists beside the large one, each of which is an audience.
const LISTS: u64 = 1_000;

/// Lists that are imported at once.
const AT_ONCE: usize = 100;

/// Requests for each page: enough for a p99.
const REQUESTS: usize = 120;

/// The pause between two: an organization is allowed 1,000 requests a minute.
const PAUSE: Duration = Duration::from_millis(80);

/// What a page may take for 99 of 100, in milliseconds, and what the first visit may load, in kilobytes.
const MOST_MILLISECONDS: f64 = 50.0;
const MOST_KILOBYTES: f64 = 100.0;

/// Streams of events that are open while the large audience is synced: as many as an organization may have, of each of five
/// organizations. One follows the sync, the others an import of theirs that waits for Klaviyo.
const STREAMS: usize = 100;
const OTHERS: usize = 4;

/// A browser without script, signed in.
struct Visitor {
    agent: Agent,
    address: String,
    cookie: String,
}

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let lists = (LISTS / options.divide).max(1);
    let described: Vec<String> = (0..lists)
        .map(|n| format!("Small{n}=List number {n}:5"))
        .collect();
    let mut simulator = vec!["--no-quota", "--latency", "0"];
    for list in &described {
        simulator.extend(["--list", list]);
    }
    let others: Vec<Other> = (1..=OTHERS).map(Other::of).collect();
    for other in &others {
        simulator.extend(["--other-key", &other.key, "--fault", &other.fault]);
    }
    let environment = Environment::start(PROFILES / options.divide, &simulator, interrupt)?;
    let run = environment.finish(&environment.import(LIST)?)?;
    let ids: Vec<String> = (0..lists).map(|n| format!("Small{n}")).collect();
    for batch in ids.chunks(AT_ONCE) {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        for run in environment.import_all(&batch)? {
            environment.finish(&run)?;
        }
    }
    let visitor = Visitor::sign_in(&environment.api)?;
    let mut figures = vec![first_visit(&visitor)?];
    for path in paths(&environment.api, &run.audience_id)? {
        figures.extend(times(&visitor, &path, interrupt)?);
    }
    figures.push(followed(&environment, &visitor, &run.audience_id, &others)?);
    Ok(figures)
}

/// Another organization, with a Klaviyo account that answers no request for members.
struct Other {
    key: String,
    fault: String,
}

impl Other {
    fn of(number: usize) -> Self {
        Self {
            key: format!("pk_bench_other{number}_0123456789abcdef0123"),
            fault: format!("list-profiles@times=all,account=Other{number}:429=3600"),
        }
    }

    /// Makes the organization, whose import waits from then on. Returns its streams.
    fn follow(&self, environment: &Environment) -> Result<Vec<TcpStream>> {
        let key = environment.services.create_organization("Another")?;
        let api = Api::new(&environment.services.address, &key);
        api.put::<Value>("/api/settings", &json!({"klaviyo": {"apiKey": self.key}}))?;
        let body = json!({"listIds": ["Small0"]});
        let answer: Value = api.post("/api/audiences/import/klaviyo", &body)?;
        let audience = answer["imported"][0]["audienceId"].as_str();
        Visitor::sign_in(&api)?.follow(audience.context("an import")?)
    }
}

/// The pages, with the large audience and one of its members.
fn paths(api: &Api, audience: &str) -> Result<Vec<String>> {
    let members: Value = api.get(&format!("/api/audiences/{audience}/members?first=1"))?;
    let person = members["data"][0]["id"].as_str().context("a member")?;
    let of_audience = [
        "", "/members", "/issues", "/runs", "/history", "/why", "/edit",
    ];
    let mut paths: Vec<String> = of_audience
        .iter()
        .map(|tab| format!("/app/audiences/{audience}{tab}"))
        .collect();
    paths.extend(
        [
            "/app/audiences",
            "/app/audiences?sort=members&dir=desc",
            "/app/audiences?search=77",
            "/app/audiences/import/klaviyo",
            "/app/customers",
            "/app/settings/integrations",
        ]
        .map(str::to_owned),
    );
    paths.push(format!("/app/customers/{person}"));
    Ok(paths)
}

/// What the page takes after it has been asked for once.
fn times(visitor: &Visitor, path: &str, interrupt: &Interrupt) -> Result<[Figure; 2]> {
    visitor.get(path)?;
    let mut times = Vec::with_capacity(REQUESTS);
    while times.len() < REQUESTS {
        ensure!(!interrupt.is_requested(), "interrupted");
        interrupt.sleep(PAUSE);
        let began = Instant::now();
        visitor.get(path)?;
        times.push(began.elapsed());
    }
    let shown = match path.split('/').nth(3) {
        Some(id) if id.starts_with("aud_") || id.starts_with("cons_") => path.replace(id, "…"),
        _ => path.to_owned(),
    };
    Ok([("p50", 50), ("p99", 99)].map(|(name, share)| Figure {
        case: "pages",
        what: format!("{shown} {name}"),
        unit: "ms",
        measured: percentile(&mut times, share),
        limit_is: "what a page may take",
        limit: Some(MOST_MILLISECONDS),
    }))
}

/// What a browser loads that has nothing yet: the table of audiences and its files, and those that these name, as they
/// come over the wire with their headers.
fn first_visit(visitor: &Visitor) -> Result<Figure> {
    let mut left = vec!["/app/audiences".to_owned()];
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    while let Some(path) = left.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        bytes += visitor.wire_bytes(&path)?;
        let text = visitor.get_as_it_is(&path)?;
        let text = String::from_utf8_lossy(&text);
        let named = text.split(['"', '\'', '(', ')']);
        let files = named.filter(|text| text.starts_with("/assets/"));
        left.extend(files.map(str::to_owned));
    }
    Ok(Figure {
        case: "pages",
        what: "the first visit".to_owned(),
        unit: "kB",
        measured: f64::from(u32::try_from(bytes)?) / 1_000.0,
        limit_is: "what it may load",
        limit: Some(MOST_KILOBYTES),
    })
}

/// How long a sync of the large audience takes while pages follow it and other imports. No two syncs take the same: the
/// limit is the slower of two that nobody follows, one before and one after, and as much more as they differ.
fn followed(
    environment: &Environment,
    visitor: &Visitor,
    audience: &str,
    others: &[Other],
) -> Result<Figure> {
    let seconds = |run: &str| -> Result<f64> {
        let seconds = environment.finish(run)?.seconds();
        seconds.context("a run that has ended")
    };
    let alone = seconds(&environment.sync(audience)?)?;
    let of_others: Vec<Vec<TcpStream>> = others
        .iter()
        .map(|other| other.follow(environment))
        .collect::<Result<_>>()?;
    let run = environment.sync(audience)?;
    let own = visitor.follow(audience)?;
    let measured = seconds(&run)?;
    let open = own.len() + of_others.iter().map(Vec::len).sum::<usize>();
    drop((own, of_others));
    let again = seconds(&environment.sync(audience)?)?;
    let (faster, slower) = (alone.min(again), alone.max(again));
    Ok(Figure {
        case: "pages",
        what: format!("a sync while {open} streams of events are open"),
        unit: "s",
        measured,
        limit_is: "the same while none is",
        limit: Some(slower + (slower - faster)),
    })
}

impl Visitor {
    fn sign_in(api: &Api) -> Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_mins(1)));
        let agent: Agent = config.build().into();
        let address = format!("{}/auth/sign-in", api.address);
        let answer = agent.post(&address).send_form([("secretKey", &api.key)])?;
        let cookie = answer.headers().get("set-cookie");
        let cookie = cookie.context("no session was begun")?.to_str()?;
        Ok(Self {
            agent,
            address: api.address.clone(),
            cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
        })
    }

    /// Asks for a page as a browser does, and takes it as it comes.
    fn get(&self, path: &str) -> Result<()> {
        self.wire_bytes(path).map(drop)
    }

    /// How many bytes come over the wire: headers, and the body as it was compressed. This agent unpacks nothing.
    fn wire_bytes(&self, path: &str) -> Result<usize> {
        let mut answer = self.ask(path, "gzip, deflate, br, zstd")?;
        let headers = answer.headers().iter();
        // Each with its colon, its blank and its end of line; and the first line.
        let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
        let headers = headers.sum::<usize>() + "HTTP/1.1 200 OK\r\n\r\n".len();
        Ok(headers + answer.body_mut().read_to_vec()?.len())
    }

    fn get_as_it_is(&self, path: &str) -> Result<Vec<u8>> {
        Ok(self.ask(path, "identity")?.body_mut().read_to_vec()?)
    }

    fn ask(&self, path: &str, encodings: &str) -> Result<Response<Body>> {
        let request = Request::builder()
            .uri(format!("{}{path}", self.address))
            .header("cookie", &self.cookie)
            .header("accept-encoding", encodings)
            .body(())?;
        let answer = self.agent.run(request)?;
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        Ok(answer)
    }

    /// Opens the event streams of so many pages. What they send stays in the system's buffers.
    fn follow(&self, audience: &str) -> Result<Vec<TcpStream>> {
        let host = self.address.trim_start_matches("http://");
        let request = format!(
            "GET /app/audiences/{audience}/live HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\n\r\n",
            self.cookie
        );
        let open = |_| -> Result<TcpStream> {
            let mut stream = TcpStream::connect(host)?;
            stream.write_all(request.as_bytes())?;
            let mut status = [0; 12];
            stream.read_exact(&mut status)?;
            ensure!(status == *b"HTTP/1.1 200", "a stream was not opened");
            Ok(stream)
        };
        (0..STREAMS).map(open).collect()
    }
}
