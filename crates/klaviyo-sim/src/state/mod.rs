//! The state of the simulator: accounts, and what is in them.

mod account;
mod collection;
mod computing;
mod consent;
mod effects;
mod order;
mod profile_writes;
mod writes;

pub(crate) use self::account::Account;
pub use self::account::ChangeError;
pub(crate) use self::collection::{Collection, UNKNOWN_FIRST, UNKNOWN_LAST, known};
pub(crate) use self::order::SortField;
pub(crate) use self::profile_writes::ProfileRefusal;
pub(crate) use self::writes::{Job, Metric, Named, NewEvent, Pending, Recorded};
use crate::key::Key;
use crate::plan::{AccountPlan, PlanError};

/// All accounts.
pub(crate) struct State {
    pub(crate) accounts: Vec<Account>,
}

impl State {
    /// The accounts of a plan.
    pub(crate) fn new(plans: Vec<AccountPlan>, seed: u64) -> Result<Self, PlanError> {
        let accounts = plans
            .into_iter()
            .map(|plan| Account::new(plan, seed))
            .collect::<Result<_, _>>()?;
        Ok(Self { accounts })
    }

    /// The account that a key belongs to, and the key.
    pub(crate) fn by_key(&self, secret: &str) -> Option<(&Account, &Key)> {
        self.accounts.iter().find_map(|account| {
            let key = account.keys.iter().find(|key| key.secret == secret)?;
            Some((account, key))
        })
    }

    /// An account by its id, or the first.
    pub(crate) fn account(&self, id: Option<&str>) -> Result<&Account, ChangeError> {
        let place = self.place(id)?;
        Ok(&self.accounts[place])
    }

    /// The same, to be changed.
    pub(crate) fn account_mut(&mut self, id: Option<&str>) -> Result<&mut Account, ChangeError> {
        let place = self.place(id)?;
        Ok(&mut self.accounts[place])
    }

    fn place(&self, id: Option<&str>) -> Result<usize, ChangeError> {
        let is_it = |account: &Account| id.is_none_or(|id| account.id == id);
        let place = self.accounts.iter().position(is_it);
        place.ok_or_else(|| ChangeError::NoAccount(id.unwrap_or("at all").to_owned()))
    }
}
