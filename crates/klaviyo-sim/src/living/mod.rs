//! An account that lives: people join it and leave, change and become one another, as a seed decides; and what else
//! happens to an account now and then.
//!
//! It is driven by a clock that others move: [`LivingAccount::next_at`] says when something happens next, and
//! [`LivingAccount::live_until`] lets it happen. A watcher can follow all of it in what that returns.

mod by_the_clock;
mod changes;
mod life;

use std::collections::{HashSet, VecDeque};

use rand::RngExt;
use rand::rngs::SmallRng;
use time::OffsetDateTime;

pub use self::life::{Event, Happened, Life};
use crate::fault::{Effect, Fault};
use crate::handle::{AccountHandle, Handle};
use crate::key::Key;
use crate::kind::Kind;
use crate::profiles::random;
use crate::state::ChangeError;

/// Something that is to happen.
#[derive(Debug, Clone)]
enum Act {
    /// One of the ordinary changes.
    Change,
    /// What a life has beside them.
    Event(Event),
    /// An outage is over.
    EndOutage,
    /// The account gets another key.
    AddKey(String),
}

/// An account of a running simulator, and what happens to it.
pub struct LivingAccount {
    simulator: Handle,
    account: AccountHandle,
    id: String,
    /// The lists whose members come and go.
    lists: Vec<String>,
    random: SmallRng,
    /// What is still to happen, soonest first.
    due: VecDeque<(OffsetDateTime, Act)>,
    /// Lists and the profiles that left them.
    left: Vec<(String, String)>,
    /// E-mails that nobody has any more.
    free_emails: Vec<String>,
    /// Profiles that are new, whose e-mail was changed or blanked, or that another has become: none of their e-mails is
    /// blanked, so that each keeps the last one that it had when the life began.
    unusual: HashSet<String>,
    /// Profiles whose e-mail was blanked.
    blanked: HashSet<String>,
    /// How many people have come to be.
    made: u32,
}

impl LivingAccount {
    /// An account whose life begins then. Nothing happens before it is let.
    pub fn new(
        simulator: &Handle,
        account: &str,
        life: Life,
        begins: OffsetDateTime,
    ) -> Result<Self, ChangeError> {
        let handle = simulator.account_with_id(account);
        let mut random = random(life.seed, 0);
        let lasts = life.lasts.as_secs_f64();
        let ordinary = (0..life.changes).map(|_| (random.random_range(0.0..lasts), Act::Change));
        let mut due: Vec<_> = ordinary
            .map(|(after, act)| (begins + time::Duration::seconds_f64(after), act))
            .collect();
        let events = life.events.into_iter();
        due.extend(events.map(|(after, event)| (begins + after, Act::Event(event))));
        due.sort_by_key(|(at, _)| *at);
        Ok(Self {
            lists: handle.collections(Kind::List)?,
            simulator: simulator.clone(),
            account: handle,
            id: account.to_owned(),
            random,
            due: due.into(),
            left: Vec::new(),
            free_emails: Vec::new(),
            unusual: HashSet::new(),
            blanked: HashSet::new(),
            made: 0,
        })
    }

    /// When something happens next; `None` if nothing will.
    pub fn next_at(&self) -> Option<OffsetDateTime> {
        self.due.front().map(|(at, _)| *at)
    }

    /// Lets everything happen that is due by now, which the simulator's clock shows too. Returns what happened, in order.
    pub fn live_until(&mut self, now: OffsetDateTime) -> Result<Vec<Happened>, ChangeError> {
        let mut happened = Vec::new();
        while self.next_at().is_some_and(|at| at <= now) {
            let Some((_, act)) = self.due.pop_front() else {
                break;
            };
            happened.push(match act {
                Act::Change => self.change(now)?,
                Act::Event(event) => self.begin(event, now)?,
                Act::EndOutage => {
                    self.simulator.clear_faults();
                    Happened::OutageEnded
                }
                Act::AddKey(secret) => {
                    self.account.add_key(Key::new(&secret))?;
                    Happened::KeyAdded(secret)
                }
            });
        }
        Ok(happened)
    }

    fn begin(&mut self, event: Event, now: OffsetDateTime) -> Result<Happened, ChangeError> {
        Ok(match event {
            Event::Recompute(segment, how) => {
                self.account.recompute(&segment, &how)?;
                Happened::Recomputed(segment)
            }
            Event::Outage(lasts) => {
                let outage = Fault::new(Effect::Status(503, None)).account(&self.id);
                self.simulator.add_fault(outage.forever());
                self.later(now + lasts, Act::EndOutage);
                Happened::OutageBegan
            }
            Event::ReplaceKeys { after, with } => {
                self.account.revoke_keys()?;
                self.later(now + after, Act::AddKey(with));
                Happened::KeysRevoked
            }
        })
    }

    fn later(&mut self, at: OffsetDateTime, act: Act) {
        let place = self.due.partition_point(|(due, _)| *due <= at);
        self.due.insert(place, (at, act));
    }
}

impl std::fmt::Debug for LivingAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LivingAccount")
            .field("id", &self.id)
            .field("due", &self.due.len())
            .finish_non_exhaustive()
    }
}
