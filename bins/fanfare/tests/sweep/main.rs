//! The secrets sweep: canary keys and canary people go through everything that the real programs do,
//! with every library's log at its loudest. Afterwards no log, metric, answer, job or row shows them
//! where they do not belong, in any of the forms in which text is written.

mod acts;
mod canary;
mod cast;
mod client;
mod evidence;
mod finder;
mod programs;
mod spite;
mod stage;
mod store;
mod verdict;

use crate::stage::Stage;
use crate::store::Store;

#[test]
fn no_canary_leaves_its_place_on_the_embedded_store() {
    sweep(Store::sqlite());
}

#[test]
fn no_canary_leaves_its_place_on_postgres() {
    sweep(Store::postgres());
}

fn sweep(store: Store) {
    let stage = Stage::set(store);
    acts::play(&stage);
    stage.verdict();
}
