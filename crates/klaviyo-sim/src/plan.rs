//! What a simulator is started with.

use std::fmt;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::clock::{Clock, SystemClock};
use crate::fault::{Fault, UnknownJoin};
use crate::key::Key;
use crate::kind::Kind;
use crate::profiles::{EdgeCases, MOST, Profile};
use crate::quota::Quota;
use crate::switches::Switches;

/// A plan that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Too many profiles in one account.
    #[error("{0} profiles are too many for one account; {MOST} are possible")]
    TooMany(u64),
}

/// What a simulator is started with: one account of yours, and everything else as Klaviyo does it but
/// for the delay of answers, which is none.
pub struct Plan {
    /// The accounts.
    pub accounts: Vec<AccountPlan>,
    /// The address to listen on; port 0 takes a free one.
    pub address: SocketAddr,
    /// Everything generated depends on it.
    pub seed: u64,
    /// The clock that tells the time.
    pub clock: Arc<dyn Clock>,
    /// How many requests are allowed.
    pub quota: Quota,
    /// How long an answer takes.
    pub latency: Latency,
    /// What Klaviyo's documentation leaves open.
    pub switches: Switches,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Whether requests are kept to be looked at. Each takes some memory.
    pub keeps_requests: bool,
    /// Whether the journal has the bodies of requests. A hundred thousand events take some hundred megabytes.
    pub keeps_bodies: bool,
    /// Where requests are written to as JSON lines.
    pub request_log: Option<Box<dyn Write + Send>>,
    /// Whether its clients may do what no client of ours may do ([`breaches`](crate::breaches)). If not, which is so
    /// unless a test says otherwise, a simulator that has seen such a thing panics when it is dropped.
    pub allows_breaches: bool,
}

/// How long an answer takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// At least.
    pub least: Duration,
    /// And up to so much more, drawn anew for each answer.
    pub jitter: Duration,
}

impl Latency {
    /// What is assumed of Klaviyo: about 250 ms for a page.
    pub const KLAVIYO: Self = Self {
        least: Duration::from_millis(200),
        jitter: Duration::from_millis(100),
    };

    /// Always the same.
    pub const fn exactly(least: Duration) -> Self {
        Self {
            least,
            jitter: Duration::ZERO,
        }
    }
}

impl Plan {
    /// A plan with these accounts.
    pub fn new(accounts: impl IntoIterator<Item = AccountPlan>) -> Self {
        Self {
            accounts: accounts.into_iter().collect(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            clock: Arc::new(SystemClock),
            quota: Quota::Klaviyo,
            latency: Latency::default(),
            switches: Switches::default(),
            faults: Vec::new(),
            keeps_requests: true,
            keeps_bodies: true,
            request_log: None,
            allows_breaches: false,
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with another quota.
    #[must_use]
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = quota;
        self
    }

    /// The same for clients that may do what no client of ours may.
    #[must_use]
    pub const fn allow_breaches(mut self) -> Self {
        self.allows_breaches = true;
        self
    }

    /// The same with one more fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("accounts", &self.accounts)
            .field("address", &self.address)
            .field("seed", &self.seed)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct AccountPlan {
    /// Six characters.
    pub id: String,
    /// The organization's name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<Key>,
    /// Which edge cases its generated profiles have.
    pub edge_cases: EdgeCases,
    /// Its flows.
    pub flows: Vec<FlowPlan>,
    pub(crate) collections: Vec<(Range<u32>, CollectionPlan)>,
}

impl AccountPlan {
    /// An account without keys, lists and profiles.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: "Example Org".to_owned(),
            keys: Vec::new(),
            edge_cases: EdgeCases::default(),
            flows: Vec::new(),
            collections: Vec::new(),
        }
    }

    /// The same with one more key that may read everything.
    #[must_use]
    pub fn key(self, secret: &str) -> Self {
        self.with_key(Key::new(secret))
    }

    /// The same with one more key.
    #[must_use]
    pub fn with_key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// The same with these edge cases.
    #[must_use]
    pub fn edge_cases(mut self, edge_cases: EdgeCases) -> Self {
        self.edge_cases = edge_cases;
        self
    }

    /// The same with one more flow.
    #[must_use]
    pub fn flow(mut self, flow: FlowPlan) -> Self {
        self.flows.push(flow);
        self
    }

    /// The same with one more list of so many generated profiles.
    #[must_use]
    pub fn list(self, id: &str, name: &str, profiles: u32) -> Self {
        self.with(CollectionPlan::new(Kind::List, id, name).generated(profiles))
    }

    /// The same with one more segment of so many generated profiles.
    #[must_use]
    pub fn segment(self, id: &str, name: &str, profiles: u32) -> Self {
        self.with(CollectionPlan::new(Kind::Segment, id, name).generated(profiles))
    }

    /// The same with one more list or segment. Its generated profiles are for three quarters those of
    /// the first one, as far as that has so many, and for one quarter others.
    #[must_use]
    pub fn with(mut self, collection: CollectionPlan) -> Self {
        let size = collection.generated;
        let start = self
            .collections
            .first()
            .map_or(0, |(first, _)| first.end.saturating_sub(size - size / 4));
        let slots = start..start.saturating_add(size);
        self.collections.push((slots, collection));
        self
    }

    /// The same with one more list or segment, whose generated profiles are in none of those before it.
    #[must_use]
    pub fn apart(mut self, collection: CollectionPlan) -> Self {
        let ends = self.collections.iter().map(|(slots, _)| slots.end);
        let start = ends.max().unwrap_or(0);
        let slots = start..start.saturating_add(collection.generated);
        self.collections.push((slots, collection));
        self
    }

    /// How many profiles have to be generated.
    pub(crate) fn size(&self) -> Result<u32, PlanError> {
        let ends = self.collections.iter().map(|(slots, _)| slots.end);
        let size = ends.max().unwrap_or(0);
        if size > MOST {
            return Err(PlanError::TooMany(u64::from(size)));
        }
        Ok(size)
    }
}

/// A list or segment to be made.
#[derive(Debug, Clone)]
pub struct CollectionPlan {
    /// What it is.
    pub kind: Kind,
    /// Six characters.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
    /// Of a list: whether joining has to be confirmed.
    pub is_double_opt_in: bool,
    /// Of a segment.
    pub is_active: bool,
    /// Of a segment.
    pub is_processing: bool,
    /// How far Klaviyo's count of its members is behind.
    pub count_lag: Duration,
    /// How many of its members are generated.
    pub generated: u32,
    /// How many percent of these joined within one second, as by an import in bulk.
    pub in_one_second: u8,
    /// Its other members, and when they joined, in seconds since the epoch. Of those at `i64::MIN` or `i64::MAX`
    /// Klaviyo tells no time; they come first or last.
    pub members: Vec<(i64, Profile)>,
}

impl CollectionPlan {
    /// An empty one, made in 2024.
    pub fn new(kind: Kind, id: &str, name: &str) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            name: Some(name.to_owned()),
            created: 1_704_067_200,
            is_double_opt_in: false,
            is_active: true,
            is_processing: false,
            count_lag: Duration::ZERO,
            generated: 0,
            in_one_second: 10,
            members: Vec::new(),
        }
    }

    /// The same with so many generated profiles.
    #[must_use]
    pub fn generated(mut self, profiles: u32) -> Self {
        self.generated = profiles;
        self
    }

    /// The same with one more member, who joined at that time, to the second.
    #[must_use]
    pub fn member(mut self, joined: OffsetDateTime, profile: Profile) -> Self {
        self.members.push((joined.unix_timestamp(), profile));
        self
    }

    /// The same with one more member of whom Klaviyo tells no join time. The member comes first or last in the order
    /// of joining, and no filter by join time finds it.
    #[must_use]
    pub fn member_without_join_time(mut self, profile: Profile, place: UnknownJoin) -> Self {
        self.members.push((place.joined(), profile));
        self
    }
}

/// What starts a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowTrigger {
    /// Somebody joins the list with this id, in whatever way.
    List(String),
    /// Somebody enters the segment with this id.
    Segment(String),
    /// An event of the metric with this name.
    Metric(String),
}

impl FlowTrigger {
    /// Klaviyo's word for it. What it is for a segment is a guess.
    pub(crate) const fn of_klaviyo(&self) -> &'static str {
        match self {
            Self::List(_) | Self::Segment(_) => "Added to List",
            Self::Metric(_) => "Metric",
        }
    }
}

/// A flow to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowPlan {
    /// Six characters.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `live`, `manual` or `draft`.
    pub status: String,
    /// Whether it was put away.
    pub is_archived: bool,
    /// What starts it.
    pub trigger: FlowTrigger,
}

impl FlowPlan {
    /// A live flow.
    pub fn live(id: &str, name: &str, trigger: FlowTrigger) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            status: "live".to_owned(),
            is_archived: false,
            trigger,
        }
    }

    /// A flow that does nothing yet.
    pub fn draft(id: &str, name: &str, trigger: FlowTrigger) -> Self {
        Self {
            status: "draft".to_owned(),
            ..Self::live(id, name, trigger)
        }
    }

    /// Whether it mails whom it is started for.
    pub(crate) fn mails(&self) -> bool {
        self.status == "live" && !self.is_archived
    }
}
