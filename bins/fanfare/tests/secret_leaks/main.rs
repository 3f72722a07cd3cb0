//! The secret-leak test: keys and profiles with values that occur nowhere else (canaries) go through
//! everything that the real programs do, with every library's log at level TRACE. Afterwards no log, metric,
//! answer, job or row shows a canary where it does not belong, in any form in which text is written.

mod canary;
mod capture;
mod client;
mod environment;
mod finder;
mod findings;
mod fixture;
mod hostile_klaviyo;
mod programs;
mod scenario;
mod store;

use crate::environment::Environment;
use crate::store::Store;

#[test]
fn no_secret_and_no_personal_value_leaks_with_the_embedded_store() {
    assert_no_leak(Store::sqlite());
}

#[test]
fn no_secret_and_no_personal_value_leaks_with_postgres() {
    assert_no_leak(Store::postgres());
}

fn assert_no_leak(store: Store) {
    let environment = Environment::new(store);
    scenario::run(&environment);
    environment.assert_nothing_leaked();
}
