//! API and worker in one process.

use std::fs;

use rustix::process::Signal;

use crate::support::{Place, get};

#[test]
fn both_are_ready_on_addresses_of_their_own_and_end_in_good_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new();
        let mut up = place.up();
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
fn who_has_lost_the_store_is_alive_and_not_ready() {
    let place = Place::new();
    let up = place.up();

    fs::remove_dir_all(place.path(".fanfare")).unwrap();

    for address in [&up.api, &up.worker] {
        assert_eq!(get(&format!("{address}/healthz"), None), 200);
        assert_eq!(get(&format!("{address}/readyz"), None), 503);
    }
}
