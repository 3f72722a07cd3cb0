//! Connections that break, are slow or never answer, from a raw listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fanfare_domain::ports::{AnswerRoom, AnyRoom, Klaviyo, KlaviyoError, MembersFrom};
use fanfare_klaviyo::{KlaviyoHttp, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{client_with, key, list, raw, server};

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.api+json\r\ncontent-length: 5000\r\n\r\n";

const PAGE: &[u8] = br#"{"data":[],"links":{"next":null}}"#;

/// Longer than any test: no call of a client with [`LONG_TIMEOUTS`] ends by a timeout.
const LONG_TIMEOUT: Duration = Duration::from_hours(1);

const LONG_TIMEOUTS: Timeouts = Timeouts {
    connect: LONG_TIMEOUT,
    read: LONG_TIMEOUT,
    total: LONG_TIMEOUT,
};

const SHORT_TIMEOUT: Duration = Duration::from_millis(200);

async fn asked(klaviyo: &KlaviyoHttp) -> Result<(), KlaviyoError> {
    let (key, from) = (key(), MembersFrom::default());
    let answer = klaviyo
        .members(&key, &list("RtPqXs"), &from, &AnyRoom)
        .await;
    answer.map(drop)
}

/// Reads a request to its end; `None` when the connection ends before one.
async fn request(stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(())
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// Accepts one connection, reads its request, and then lets `answer` write to it. Returns the error of the call.
async fn error_of<F, A>(timeouts: Timeouts, answer: A) -> KlaviyoError
where
    A: FnOnce(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let (listener, address) = listener().await;
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await.unwrap();
        answer(stream).await;
    });
    let error = asked(&client_with(&address, timeouts)).await.unwrap_err();
    answering.abort();
    error
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
}

fn unavailable(what: &str) -> KlaviyoError {
    KlaviyoError::Unavailable(what.to_owned())
}

fn cut_off() -> KlaviyoError {
    KlaviyoError::Invalid("the body is cut off or cannot be decompressed".to_owned())
}

/// Closes a connection with a reset.
fn reset(stream: TcpStream) {
    let stream = socket2::Socket::from(stream.into_std().unwrap());
    stream.set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn without_a_listener_klaviyo_is_unavailable() {
    let (listener, address) = listener().await;
    drop(listener);
    let error = asked(&client_with(&address, LONG_TIMEOUTS))
        .await
        .unwrap_err();
    assert_eq!(error, unavailable("no connection could be made"));
}

#[tokio::test]
async fn a_connection_that_closes_or_is_reset_without_an_answer_is_unavailable() {
    let broke = unavailable("the connection broke before an answer");
    let closed = error_of(LONG_TIMEOUTS, |stream| async move { drop(stream) }).await;
    assert_eq!(closed, broke);
    let was_reset = error_of(LONG_TIMEOUTS, |stream| async move { reset(stream) }).await;
    assert_eq!(was_reset, broke);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_page_even_where_its_beginning_is_one() {
    let closed = error_of(LONG_TIMEOUTS, |mut stream| async move {
        write(&mut stream, HEAD).await;
        write(&mut stream, PAGE).await;
    });
    assert_eq!(closed.await, cut_off());

    let chunked = error_of(LONG_TIMEOUTS, |mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n21\r\n";
        write(&mut stream, head).await;
        write(&mut stream, PAGE).await;
        write(&mut stream, b"\r\n").await;
    });
    assert_eq!(chunked.await, cut_off());
}

#[tokio::test]
async fn an_answer_that_is_reset_is_no_page() {
    let (seen, sight) = tokio::sync::oneshot::channel::<()>();
    let error = error_of(LONG_TIMEOUTS, |mut stream| async move {
        write(&mut stream, HEAD).await;
        write(&mut stream, PAGE).await;
        reset(stream);
        drop(seen);
    });
    let error = error.await;
    sight.await.unwrap_err();
    // A reset may overtake what was sent before it.
    let broke = unavailable("the connection broke before an answer");
    assert!(error == cut_off() || error == broke, "{error:?}");
}

#[tokio::test]
async fn a_read_timeout_before_or_within_an_answer_is_unavailable() {
    let timeouts = Timeouts {
        read: SHORT_TIMEOUT,
        ..LONG_TIMEOUTS
    };
    let before = error_of(timeouts, |stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    assert_eq!(before.await, unavailable("it did not answer in time"));

    let within = error_of(timeouts, |mut stream| async move {
        write(&mut stream, HEAD).await;
        write(&mut stream, b"{\"data\":").await;
        std::future::pending::<()>().await;
    });
    assert_unarrived(&within.await);
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_total_timeout() {
    let timeouts = Timeouts {
        total: SHORT_TIMEOUT,
        ..LONG_TIMEOUTS
    };
    let error = error_of(timeouts, |mut stream| async move {
        write(&mut stream, HEAD).await;
        // Bytes arrive within each read timeout, but the answer never ends.
        let mut drops = tokio::time::interval(SHORT_TIMEOUT / 20);
        loop {
            drops.tick().await;
            if stream.write_all(b" ").await.is_err() {
                return;
            }
        }
    });
    assert_unarrived(&error.await);
}

/// On a busy machine the timeout may end before the first byte is read.
#[track_caller]
fn assert_unarrived(error: &KlaviyoError) {
    let late = [
        unavailable("the answer did not arrive in time"),
        unavailable("it did not answer in time"),
    ];
    assert!(late.contains(error), "{error:?}");
}

#[tokio::test]
async fn a_body_without_end_is_dropped_at_the_limit() {
    let error = error_of(LONG_TIMEOUTS, |mut stream| async move {
        write(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await;
        let blanks = vec![b' '; 1 << 20];
        while stream.write_all(&blanks).await.is_ok() {}
    });
    let large = KlaviyoError::Invalid("the body is larger than 32 MiB".to_owned());
    assert_eq!(error.await, large);
}

/// Room for so many bytes; what was asked for at most is kept beside it.
struct Room(usize, AtomicUsize);

impl AnswerRoom for Room {
    fn grow_to(&self, bytes: usize) -> bool {
        self.1.fetch_max(bytes, Ordering::SeqCst);
        bytes <= self.0
    }
}

#[tokio::test]
async fn a_page_takes_no_more_memory_than_there_is_room_for() {
    let blanks = vec![b' '; 3 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &[&blanks, PAGE].concat()).unwrap();
    let body = gzip.finish().unwrap();
    let answer = raw(200, body).insert_header("content-encoding", "gzip");
    let server = server(answer).await;
    let klaviyo = client_with(&server.uri(), LONG_TIMEOUTS);
    let (key, from) = (key(), MembersFrom::default());
    for (room, fits) in [(2 << 20, false), (5 << 20, true)] {
        let room = Room(room, AtomicUsize::default());
        let answer = klaviyo.members(&key, &list("RtPqXs"), &from, &room).await;
        let asked = room.1.load(Ordering::SeqCst);
        match answer {
            Ok(_) => assert!(fits && asked >= blanks.len(), "{asked}"),
            Err(error) => assert_eq!((fits, error), (false, KlaviyoError::NoRoom(asked))),
        }
        assert!(asked < 5 << 20, "{asked}");
    }
}

#[tokio::test]
async fn something_that_is_not_http_is_unavailable() {
    let error = error_of(LONG_TIMEOUTS, |mut stream| async move {
        write(&mut stream, b"220 mail.example.com ESMTP\r\n").await;
    });
    let broke = unavailable("the connection broke before an answer");
    assert_eq!(error.await, broke);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_call_and_no_call_is_made_twice() {
    let (listener, address) = listener().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let requests = Arc::new(AtomicUsize::new(0));
    let (made, asked_for) = (Arc::clone(&connections), Arc::clone(&requests));
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            made.fetch_add(1, Ordering::SeqCst);
            // Two answers on a connection; the third request breaks it.
            for answers in 0.. {
                if request(&mut stream).await.is_none() {
                    break;
                }
                asked_for.fetch_add(1, Ordering::SeqCst);
                if answers == 2 {
                    break;
                }
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", PAGE.len());
                write(&mut stream, head.as_bytes()).await;
                write(&mut stream, PAGE).await;
            }
        }
    });
    let klaviyo = client_with(&address, LONG_TIMEOUTS);

    asked(&klaviyo).await.unwrap();
    asked(&klaviyo).await.unwrap();
    let broken = asked(&klaviyo).await.unwrap_err();

    serving.abort();
    assert_eq!(broken, unavailable("the connection broke before an answer"));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert_eq!(requests.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_key_is_found_in_no_form_of_the_client() {
    let server = server(raw(200, PAGE)).await;
    let klaviyo = client_with(&server.uri(), LONG_TIMEOUTS);
    asked(&klaviyo).await.unwrap();
    assert!(!format!("{klaviyo:?}").contains("canary"));
}

#[tokio::test]
async fn over_https_nothing_is_sent_in_the_open() {
    let (listener, address) = listener().await;
    let receiving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = vec![0; 4096];
        let length = stream.read(&mut received).await.unwrap();
        // No valid answer in a handshake.
        write(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.read_buf(&mut received).await.is_ok_and(|n| n > 0) {}
        (received, length)
    });
    let secure = address.replace("http://", "https://");

    let error = asked(&client_with(&secure, LONG_TIMEOUTS))
        .await
        .unwrap_err();

    assert_eq!(error, unavailable("no connection could be made"));
    let (received, length) = receiving.await.unwrap();
    assert!(length > 0);
    assert_eq!(received[0], 0x16, "a TLS handshake");
    let canary = b"canary";
    assert!(!received.windows(canary.len()).any(|part| part == canary));
}
