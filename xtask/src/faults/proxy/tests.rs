//! The proxy between a client and a server that say no more than they must.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::message::Message;
use super::{Kind, Proxy, Side};

const READY: &[u8] = b"Z\0\0\0\x05I";

/// Long enough for whatever must come.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Nothing has come after so long: nothing will.
const A_MOMENT: Duration = Duration::from_millis(100);

/// A server that is ready whenever it is asked something. Returns its port, and what it is asked.
fn server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (compare, asked) = channel();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        Message::read_first(&mut client).unwrap();
        client.write_all(READY).unwrap();
        while let Ok(message) = Message::read(&mut client) {
            compare.send(message.texts().next().unwrap()).unwrap();
            // The client may be gone by then.
            client.write_all(READY).ok();
        }
    });
    (port, asked)
}

/// A client that is connected. Each answer that it gets is a letter.
fn client(proxy: &Proxy) -> (TcpStream, Receiver<u8>) {
    let mut wire = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    wire.write_all(b"\0\0\0\x08\0\x03\0\0").unwrap();
    let mut answers = wire.try_clone().unwrap();
    let (compare, heard) = channel();
    thread::spawn(move || {
        while let Ok(message) = Message::read(&mut answers) {
            compare.send(message.letter()).ok();
        }
    });
    assert_eq!(heard.recv_timeout(WAIT_TIMEOUT), Ok(b'Z'));
    (wire, heard)
}

fn ask(wire: &mut TcpStream, text: &str) {
    let length = u32::try_from(text.len() + 5).unwrap().to_be_bytes();
    let message = [b"Q", length.as_slice(), text.as_bytes(), b"\0"].concat();
    wire.write_all(&message).unwrap();
}

fn is_commit(kind: &Kind) -> bool {
    kind.is_commit()
}

#[test]
fn a_connection_that_fell_silent_neither_passes_anything_nor_ends_and_a_new_one_works() {
    let (port, asked) = server();
    let proxy = Proxy::to(port).unwrap();
    let (mut wire, heard) = client(&proxy);
    ask(&mut wire, "SELECT 1");
    assert_eq!(asked.recv_timeout(WAIT_TIMEOUT).as_deref(), Ok("SELECT 1"));
    assert_eq!(heard.recv_timeout(WAIT_TIMEOUT), Ok(b'Z'));

    proxy.fall_silent();
    ask(&mut wire, "SELECT 2");

    assert_eq!(heard.recv_timeout(A_MOMENT), Err(RecvTimeoutError::Timeout));
    assert!(asked.try_recv().is_err());
    let (port, asked) = server();
    let proxy = Proxy::to(port).unwrap();
    proxy.fall_silent();
    let (mut wire, _heard) = client(&proxy);
    ask(&mut wire, "SELECT 3");
    assert_eq!(asked.recv_timeout(WAIT_TIMEOUT).as_deref(), Ok("SELECT 3"));
}

#[test]
fn a_statement_that_is_held_before_never_reaches_the_server() {
    let (port, asked) = server();
    let proxy = Proxy::to(port).unwrap();
    let (mut wire, heard) = client(&proxy);
    proxy.hold(Side::Before, 2, is_commit);

    ask(&mut wire, "COMMIT");
    assert_eq!(asked.recv_timeout(WAIT_TIMEOUT).as_deref(), Ok("COMMIT"));
    assert_eq!(heard.recv_timeout(WAIT_TIMEOUT), Ok(b'Z'));
    ask(&mut wire, "COMMIT");
    ask(&mut wire, "SELECT 2");

    proxy.wait_until_held(WAIT_TIMEOUT).unwrap();
    assert_eq!(asked.recv_timeout(A_MOMENT), Err(RecvTimeoutError::Timeout));
    // Once the client is gone, the server's end is closed too, and still nothing has come.
    wire.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(
        asked.recv_timeout(WAIT_TIMEOUT),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_statement_that_is_held_after_is_executed_and_its_answer_never_arrives() {
    let (port, asked) = server();
    let proxy = Proxy::to(port).unwrap();
    let (mut wire, heard) = client(&proxy);
    proxy.hold(Side::After, 1, is_commit);

    ask(&mut wire, "COMMIT");

    proxy.wait_until_held(WAIT_TIMEOUT).unwrap();
    assert_eq!(asked.recv_timeout(WAIT_TIMEOUT).as_deref(), Ok("COMMIT"));
    assert_eq!(heard.recv_timeout(A_MOMENT), Err(RecvTimeoutError::Timeout));
}

#[test]
fn a_cut_connection_ends_for_the_client_once_the_server_has_committed() {
    let (port, asked) = server();
    let proxy = Proxy::to(port).unwrap();
    let (mut wire, heard) = client(&proxy);
    proxy.cut_at_commit(1);

    ask(&mut wire, "COMMIT");

    assert_eq!(asked.recv_timeout(WAIT_TIMEOUT).as_deref(), Ok("COMMIT"));
    assert_eq!(
        heard.recv_timeout(WAIT_TIMEOUT),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_statement_that_never_comes_is_an_error() {
    let (port, _asked) = server();
    let proxy = Proxy::to(port).unwrap();
    let (mut wire, heard) = client(&proxy);
    proxy.hold(Side::Before, 1, is_commit);

    ask(&mut wire, "SELECT 2");

    assert_eq!(heard.recv_timeout(WAIT_TIMEOUT), Ok(b'Z'));
    let error = proxy.wait_until_held(A_MOMENT).unwrap_err();
    assert_eq!(error.to_string(), "the statement was never sent");
}

#[test]
fn what_passes_is_recorded_in_the_order_of_its_first_time() {
    let (port, _asked) = server();
    let proxy = Proxy::to(port).unwrap();
    let (mut wire, heard) = client(&proxy);
    ask(&mut wire, "LISTEN jobs");
    assert_eq!(proxy.passed("LISTEN", WAIT_TIMEOUT).ok(), Some(()));
    assert_eq!(heard.recv_timeout(WAIT_TIMEOUT), Ok(b'Z'));
    proxy.reset();

    for text in ["BEGIN", "UPDATE t SET x = 1", "COMMIT", "BEGIN"] {
        ask(&mut wire, text);
        assert_eq!(heard.recv_timeout(WAIT_TIMEOUT), Ok(b'Z'));
    }

    let seen = proxy.seen();
    let seen: Vec<_> = seen
        .iter()
        .map(|seen| (seen.kind.to_string(), seen.times))
        .collect();
    let expected = [
        ("BEGIN", 2),
        ("UPDATE t SET x", 1),
        ("COMMIT of UPDATE t SET x", 1),
    ];
    assert_eq!(seen, expected.map(|(kind, times)| (kind.to_owned(), times)));
    let error = proxy.passed("LISTEN", A_MOMENT).unwrap_err();
    assert_eq!(error.to_string(), "no LISTEN was ever sent");
}
