//! What there is to be asked for.

pub mod account;
pub mod change;
pub mod collection;
pub mod profile;
pub mod seed;

use account::{Account, Scopes};
use collection::Kind;

/// All accounts.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Each with its own keys.
    pub accounts: Vec<Account>,
}

/// When the demo's account was born: 2026-11-01T00:00:00Z.
const DEMO_BORN: i64 = 1_793_491_200_000_000;

/// The demo's seed.
pub(crate) const DEMO_SEED: u64 = 2026;

/// A collection that somebody asked for, to be filled with generated people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// List or segment.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many profiles.
    pub profiles: u64,
}

impl World {
    /// A world of one account.
    pub fn of(account: Account) -> Self {
        Self {
            accounts: vec![account],
        }
    }

    /// The demo's account under this key: two lists that share people, and enough small ones that
    /// browsing them takes two pages.
    pub fn demo(key: &str) -> Self {
        Self::demo_with(std::slice::from_ref(&key.to_owned()), DEMO_SEED)
    }

    pub(crate) fn demo_with(keys: &[String], seed: u64) -> Self {
        let mut account = account_with(keys, seed);
        let list = Kind::List;
        account.fill(list, "RtPqXs", "Newsletter Subscribers", 0..12_000);
        // Three of four VIPs are subscribers too.
        let vips = (0..600).map(|n| n * 7).chain(20_000..20_200);
        account.fill(list, "XyZaBc", "VIP Customers", vips);
        let others = [
            "Back in stock", "Black Friday 2026", "Drop alerts ⚡", "Early access", "Kunden DE/AT/CH",
            "Members' raffle", "Preview Sales List", "Sneaker draw", "Store opening", "Waitlist",
        ];
        for (nth, name) in (0_u64..).zip(others) {
            let id = format!("Lst{nth:03}");
            account.fill(list, &id, name, nth * 50..nth * 50 + 40);
        }
        let segment = Kind::Segment;
        account.fill(segment, "SgMnt1", "Repeat Purchasers", (0..400).map(|n| n * 11));
        account.fill(segment, "SgMnt2", "Engaged (30 days)", (0..2_500).map(|n| n * 3));
        account.fill(segment, "SgMnt3", "Lapsed", 30_000..30_150);
        Self::of(account)
    }

    /// One account with these collections. Half of each but the first are people of the first.
    pub fn wanted(keys: &[String], seed: u64, wanted: &[Wanted]) -> Self {
        let mut account = account_with(keys, seed);
        let mut next = 0;
        let mut pool = 0;
        for collection in wanted {
            let shared = (collection.profiles / 2).min(pool);
            let own = collection.profiles - shared;
            let people = (0..shared).chain(next..next + own);
            account.fill(collection.kind, &collection.id, &collection.name, people);
            next += own;
            if pool == 0 {
                pool = own;
            }
        }
        Self::of(account)
    }

    /// The account whose key this is.
    pub(crate) fn by_key(&self, key: &str) -> Option<(usize, &Scopes)> {
        self.accounts
            .iter()
            .enumerate()
            .find_map(|(index, account)| Some((index, account.keys.get(key)?)))
    }
}

fn account_with(keys: &[String], seed: u64) -> Account {
    keys.iter()
        .fold(Account::new("DeM0aC", seed, DEMO_BORN), |account, key| {
            account.key(key, Scopes::Full)
        })
}
