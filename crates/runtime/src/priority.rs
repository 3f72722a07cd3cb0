//! How programs on one machine share its cores.

use rustix::process::nice;

/// So many steps behind the usual priority a program gets a quarter of a core beside another one that wants it all.
const STEPS: i32 = 5;

/// Lets other programs of the machine go first: answers, which somebody waits for, before work that is done in the background. It
/// is to be called before the first thread is started, because a thread has the priority of the one that started it.
pub fn give_way() {
    // A system that refuses leaves the priority as it is, and nothing depends on it but who waits.
    let _ = nice(STEPS);
}
