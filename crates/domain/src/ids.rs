//! Ids: ours, which carry a prefix, and Klaviyo's, which are opaque.

use std::fmt;
use std::sync::Arc;

use ulid::Ulid;

/// Where new ids and random numbers come from.
pub trait Ids: Send + Sync {
    /// A ULID that was never returned before. Its lower 80 bits are random, or seeded in tests.
    fn ulid(&self) -> Ulid;
}

/// A text that is not an id: empty, too long, or with characters that no id has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 1 to {max} {characters} are expected")]
pub struct InvalidId {
    max: usize,
    characters: &'static str,
}

fn check(text: &str, max: usize) -> Result<(), InvalidId> {
    let fits = !text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some(()).ok_or(InvalidId {
        max,
        characters: "visible ASCII characters",
    })
}

/// Longest id of Klaviyo's, in characters.
const MAX_KLAVIYO_ID: usize = 255;

/// Control characters are refused, because a store cannot keep all of them and a line of a log holds none.
fn check_klaviyo_id(text: &str) -> Result<(), InvalidId> {
    // The first condition spares counting the characters of a text that is far too long.
    let is_short = text.len() <= MAX_KLAVIYO_ID * 4 && text.chars().count() <= MAX_KLAVIYO_ID;
    let fits = !text.is_empty() && is_short && !text.chars().any(char::is_control);
    fits.then_some(()).ok_or(InvalidId {
        max: MAX_KLAVIYO_ID,
        characters: "characters",
    })
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        text_id!($(#[$doc])* $name, check: |text| check(text, $max));
    };
    ($(#[$doc:meta])* $name:ident, check: $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes an id as a caller, a store or Klaviyo sent it. Ids are opaque: only emptiness,
            /// length and characters that no id has are refused.
            pub fn parse<T: Into<Arc<str>>>(text: T) -> Result<Self, InvalidId> {
                let text = text.into();
                let check: fn(&str) -> Result<(), InvalidId> = $check;
                check(&text)?;
                Ok(Self(text))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        text_id!($(#[$doc])* $name, 64);

        impl $name {
            /// A new id from a ULID that the caller drew.
            pub fn new(ulid: Ulid) -> Self {
                Self(format!(concat!($prefix, "_{}"), ulid).into())
            }
        }
    };
}

own_id!(/// An organization (a merchant): `org_…`.
    OrganizationId, "org");
own_id!(/// An audience: `aud_…`.
    AudienceId, "aud");
own_id!(/// A consumer: `cons_…`.
    ConsumerId, "cons");
own_id!(/// A sync source of ours, for a list, a segment or a profile: `sync_…`. Not Klaviyo's id.
    SourceId, "sync");
own_id!(/// A sync run: `run_…`.
    RunId, "run");
own_id!(/// Something that Klaviyo is to be told: `dlv_…`.
    DeliveryId, "dlv");
own_id!(/// A snapshot of an audience's members: `snap_…`.
    SnapshotId, "snap");
own_id!(/// A secret key of Fanfare's API: `key_…`. Not the key itself.
    KeyId, "key");

text_id!(/// A Klaviyo list's or segment's id: six letters and digits today, opaque to us.
    CollectionId, check: check_klaviyo_id);
text_id!(/// A Klaviyo profile's id: a ULID today, shorter in old accounts, opaque to us.
    ProfileId, check: check_klaviyo_id);
text_id!(/// A Klaviyo metric's id, opaque to us.
    MetricId, check: check_klaviyo_id);
text_id!(/// The id of a Klaviyo import job, opaque to us.
    ImportJobId, check: check_klaviyo_id);
text_id!(/// An event's `unique_id` in Klaviyo: the id of what it tells of, such as Fanfare's event or an order.
    UniqueId, check: check_klaviyo_id);
text_id!(/// The id of a piece of work, unique within its kind.
    WorkId, 64);

impl WorkId {
    /// The id of a sync run's work.
    pub fn of_run(run: &RunId) -> Self {
        Self(Arc::clone(&run.0))
    }

    /// The id of the work of keeping an audience in its Klaviyo list.
    pub fn of_audience(audience: &AudienceId) -> Self {
        Self(Arc::clone(&audience.0))
    }

    /// The id of the audience that the work keeps in its list.
    pub fn as_audience(&self) -> AudienceId {
        AudienceId(Arc::clone(&self.0))
    }

    /// The id of the work of sending an organization's deliveries, of which there is one.
    pub fn of_outbox() -> Self {
        Self("outbox".into())
    }

    /// The id of the sync run that the work belongs to.
    pub fn as_run(&self) -> RunId {
        RunId(Arc::clone(&self.0))
    }
}

text_id!(/// A Klaviyo account's id, its public API key.
    AccountId, check: check_klaviyo_id);
text_id!(/// A position in a Klaviyo collection, which is sent back to Klaviyo exactly as it was received: any bytes,
    /// in the percent-encoding of an address. The limit keeps the address of a request within the 64 KiB that an
    /// HTTP client can send.
    Cursor, 60_000);
