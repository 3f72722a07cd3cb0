//! API and worker in one process.

use std::fs;
use std::net::TcpListener;

use rustix::process::Signal;

use crate::support::{Installation, KLAVIYO_KEY, get, klaviyo};

#[test]
fn api_and_worker_are_ready_on_their_own_addresses_and_stop_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let installation = Installation::new();
        let mut up = installation.up();
        assert_ne!(up.api, up.worker);
        for address in [&up.api, &up.worker] {
            for path in ["healthz", "readyz", "metrics"] {
                assert_eq!(get(&format!("{address}/{path}"), None), 200, "{path}");
            }
        }
        assert_eq!(get(&format!("{}/api/settings", up.api), None), 401);
        assert_eq!(get(&format!("{}/api/settings", up.worker), None), 404);

        up.signal(signal);

        assert_eq!(up.wait(), Some(0));
    }
}

#[test]
fn a_program_that_has_lost_its_store_is_alive_and_not_ready() {
    let installation = Installation::new();
    let up = installation.up();

    fs::remove_dir_all(installation.path(".fanfare")).unwrap();

    for address in [&up.api, &up.worker] {
        assert_eq!(get(&format!("{address}/healthz"), None), 200);
        assert_eq!(get(&format!("{address}/readyz"), None), 503);
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let simulator = klaviyo();
    let installation = Installation::new().with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    let (_, secret) = installation.create_organization();
    installation.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);
    // A Klaviyo that takes requests and answers none.
    let silent_klaviyo = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent_klaviyo.local_addr().unwrap());
    let installation = installation.with("FANFARE_KLAVIYO_BASE_URL", address);
    let (mut up, mut log) = installation.up_piped();
    let lists = format!("{}/api/klaviyo", up.api);
    std::thread::spawn(move || {
        let asked = ureq::get(&lists).header("authorization", format!("Bearer {secret}"));
        asked.call().ok();
    });
    let _connection = silent_klaviyo.accept().unwrap();

    up.signal(Signal::TERM);
    let is_told = log.any(|line| line.contains("ending in good order"));
    up.signal(Signal::TERM);

    assert!(is_told);
    assert_eq!(up.wait(), Some(128 + Signal::TERM.as_raw()));
}
