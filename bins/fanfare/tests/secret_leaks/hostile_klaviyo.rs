//! A hostile Klaviyo: it quotes keys and personal values wherever an answer has room for them.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{EMAIL, FIRST_NAME, KEY, PHONE, ROTATED};

/// How long to wait for workers, which wait longer after each failure.
const DEADLINE: Duration = Duration::from_mins(2);

/// The index of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerId(usize);

struct Shared {
    /// Raw, from the status line to the end of the body.
    answers: Vec<String>,
    /// How many of them, from the first on, are sent to workers.
    for_workers: usize,
    /// The answer to all requests, once one is chosen.
    chosen: Mutex<Option<AnswerId>>,
    /// How many requests for members were answered.
    sent: AtomicUsize,
    all_sent: mpsc::SyncSender<()>,
}

/// A running hostile Klaviyo. Its thread ends with the test.
pub(crate) struct HostileKlaviyo {
    address: String,
    shared: Arc<Shared>,
    all_sent: mpsc::Receiver<()>,
}

impl HostileKlaviyo {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, all_sent) = mpsc::sync_channel(1);
        let mut answers = for_workers();
        let for_workers = answers.len();
        answers.extend(others());
        let shared = Arc::new(Shared {
            answers,
            for_workers,
            chosen: Mutex::default(),
            sent: AtomicUsize::new(0),
            all_sent: sender,
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let serving = Arc::clone(&serving);
                // The client may be gone before the answer.
                thread::spawn(move || serving.serve(&connection).ok());
            }
        });
        Self {
            address,
            shared,
            all_sent,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.address.clone()
    }

    pub(crate) fn answers(&self) -> impl Iterator<Item = AnswerId> + use<> {
        (0..self.shared.answers.len()).map(AnswerId)
    }

    pub(crate) fn answer_all_requests_with(&self, answer: AnswerId) {
        *self.shared.chosen.lock().unwrap() = Some(answer);
    }

    /// Waits until workers got all of their answers. Some answers end a run, and after others the run waits
    /// for a minute, so `start_more` is called for more runs every two seconds.
    pub(crate) fn wait_until_workers_got_all(&self, mut start_more: impl FnMut()) {
        let deadline = Instant::now() + DEADLINE;
        while self.all_sent.recv_timeout(Duration::from_secs(2)).is_err() {
            assert!(Instant::now() < deadline, "workers do not ask for members");
            start_more();
        }
    }
}

impl Shared {
    fn serve(&self, mut connection: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(connection).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        // No request has a body.
        while lines
            .next()
            .transpose()?
            .is_some_and(|line| !line.is_empty())
        {}
        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
        let chosen = *self.chosen.lock().unwrap();
        let answer = match chosen {
            Some(AnswerId(at)) => self.answers[at].clone(),
            None if path.ends_with("/profiles") => self.next(),
            None => collection(path),
        };
        connection.write_all(answer.as_bytes())
    }

    /// The next answer to a worker: each once, then the last again and again.
    fn next(&self) -> String {
        let at = self.sent.fetch_add(1, SeqCst);
        let last = self.for_workers - 1;
        if at == last {
            self.all_sent.try_send(()).ok();
        }
        self.answers[at.min(last)].clone()
    }
}

/// A right answer for a list or segment, so that workers go on to its members.
fn collection(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let id = parts.next().unwrap_or_default();
    let kind = parts.next().unwrap_or_default().trim_end_matches('s');
    let at = "2024-01-01T00:00:00+00:00";
    let attributes = json!({
        "name": format!("Collection {id}"), "created": at, "updated": at,
        "opt_in_process": "single_opt_in", "is_active": true, "is_processing": false,
    });
    let data = json!({"type": kind, "id": id, "attributes": attributes});
    let body = json!({"data": data, "links": {}}).to_string();
    whole("200 OK", "content-type: application/vnd.api+json", &body)
}

fn whole(status: &str, header: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{header}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn quote() -> String {
    format!("{KEY} {ROTATED} {EMAIL} {PHONE} {FIRST_NAME}")
}

/// An id that cannot be used: a usable one is shown to the merchant, whatever it says.
fn unusable_id() -> String {
    format!("{}\n", quote())
}

fn json(status: &str, body: &Value) -> String {
    let header = "content-type: application/vnd.api+json";
    whole(status, header, &body.to_string())
}

fn errors(status: &str, code: &str) -> String {
    let quote = quote();
    let error = json!({
        "id": quote, "status": quote, "code": code, "title": quote, "detail": quote,
        "source": {"pointer": quote, "parameter": quote}, "links": {"about": quote},
        "meta": {quote.as_str(): quote},
    });
    json(status, &json!({"errors": [error]}))
}

fn resource(kind: &str, id: &str, attributes: &Value) -> String {
    let resource = json!({"type": kind, "id": id, "attributes": attributes});
    json(
        "200 OK",
        &json!({"data": [resource], "links": {"next": null}}),
    )
}

fn linked(next: &str) -> String {
    json("200 OK", &json!({"data": [], "links": {"next": next}}))
}

/// Answers to requests for members. Those that are final for a run come last.
fn for_workers() -> Vec<String> {
    let quote = quote();
    let values = json!({
        "email": {"q": quote}, "phone_number": [quote], "first_name": {"q": quote},
        "updated": quote, "joined_group_at": quote,
    });
    let failed = "500 Internal Server Error";
    let cut = format!("{{\"data\":[{{\"id\":\"{quote}");
    vec![
        json("200 OK", &json!({"data": quote})),
        resource(&quote, "01CANARY", &json!(quote)),
        resource("profile", "01CANARY", &values),
        resource(
            "profile",
            &unusable_id(),
            &json!({"email": EMAIL, "updated": quote}),
        ),
        linked(&format!(
            "https://{KEY}:{ROTATED}@klaviyo.example/?q={EMAIL}&page[cursor]={PHONE}"
        )),
        linked(&quote),
        whole(
            "302 Found",
            &format!("location: http://127.0.0.1:1/?q={KEY}"),
            &quote,
        ),
        whole(failed, "content-type: text/html", &quote),
        whole(
            "200 OK",
            "content-type: text/html",
            &format!("<h1>{quote}</h1>"),
        ),
        whole("200 OK", "content-encoding: gzip", &quote),
        whole("200 OK", &format!("x-canary: {quote}"), &cut),
        whole("403 Forbidden", "content-type: text/html", &quote),
        format!("{quote}\r\n\r\n"),
        format!("HTTP/1.1 {quote}\r\n\r\n"),
        errors("400 Bad Request", "invalid"),
        errors("403 Forbidden", "permission_denied"),
        errors("401 Unauthorized", "not_authenticated"),
    ]
}

/// Answers to other requests. The 429 comes last, because all requests wait after it.
fn others() -> Vec<String> {
    let quote = quote();
    let values = json!({
        "name": [quote], "created": quote, "updated": quote, "opt_in_process": [quote],
        "is_active": quote,
    });
    let wait = format!("retry-after: {quote}");
    vec![
        resource("list", &unusable_id(), &values),
        resource("list", "LiSt09", &values),
        resource("segment", "SeGm09", &values),
        whole("429 Too Many Requests", &wait, &quote),
    ]
}
