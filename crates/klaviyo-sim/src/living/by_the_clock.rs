//! A life by the system's clock, for somebody who watches.

use std::time::Duration;

use super::{Life, LivingAccount};
use crate::clock::{Clock, SystemClock};
use crate::handle::Handle;
use crate::state::ChangeError;

/// How long it lasts: nobody watches longer.
const LASTS: Duration = Duration::from_hours(24);

/// One change in three seconds, on average.
const CHANGES: u32 = 24 * 1_200;

impl LivingAccount {
    /// A list to and from which somebody goes every few seconds, from now on for a day.
    pub fn to_be_watched(
        simulator: &Handle,
        account: &str,
        list: &str,
    ) -> Result<Self, ChangeError> {
        let life = Life {
            lasts: LASTS,
            ..Life::hour(1, CHANGES)
        };
        let mut living = Self::new(simulator, account, life, SystemClock.now())?;
        if !living.lists.iter().any(|known| known == list) {
            return Err(ChangeError::NoCollection(list.to_owned()));
        }
        living.lists = vec![list.to_owned()];
        Ok(living)
    }

    /// Lets everything happen when its time has come, and returns when nothing will any more.
    pub fn live(mut self) -> Result<(), ChangeError> {
        while let Some(next) = self.next_at() {
            let wait = next - SystemClock.now();
            std::thread::sleep(wait.try_into().unwrap_or_default());
            self.live_until(SystemClock.now().max(next))?;
        }
        Ok(())
    }
}
