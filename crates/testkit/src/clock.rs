//! A clock, ids and a key sealer that tests control.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fanfare_domain::connection::{MasterKeyRank, OpenedKey, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{Clock, Ids, KeySealer, SealError};
use fanfare_domain::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use ulid::Ulid;

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// A clock that shows this time.
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_micros())))
    }

    /// Sets it, forwards or back.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_micros(), Ordering::SeqCst);
    }

    /// Sets it back.
    pub fn set_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a short time");
        let before = self.now().as_micros() - micros;
        self.set(Timestamp::from_micros(before).expect("a time"));
    }

    /// Moves it forwards.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }
}

impl Default for FixedClock {
    /// 2026-11-24T12:00:00Z: after every time that [`crate::build::at`] gives for a small number.
    fn default() -> Self {
        Self::at(Timestamp::parse("2026-11-24T12:00:00Z").expect("a time"))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).expect("set from a timestamp")
    }
}

/// A clock that goes on as time does, and can be moved ahead: for what waits by timers of its own while a test skips
/// the hours in which nothing happens. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct SkippingClock {
    begun: Instant,
    begun_at: Timestamp,
    skipped_micros: Arc<AtomicU64>,
}

impl SkippingClock {
    /// A clock that shows this time now.
    pub fn at(time: Timestamp) -> Self {
        Self {
            begun: Instant::now(),
            begun_at: time,
            skipped_micros: Arc::default(),
        }
    }

    /// Moves it ahead to this time, if that has not come yet.
    pub fn skip_to(&self, time: Timestamp) {
        let ahead = u64::try_from(time.since(self.now()).as_micros()).expect("a short time");
        self.skipped_micros.fetch_add(ahead, Ordering::SeqCst);
    }
}

impl Default for SkippingClock {
    /// At 2026-11-24T12:00:00Z, as [`FixedClock`].
    fn default() -> Self {
        Self::at(FixedClock::default().now())
    }
}

impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        let skipped = Duration::from_micros(self.skipped_micros.load(Ordering::SeqCst));
        self.begun_at.plus(self.begun.elapsed() + skipped)
    }
}

/// A clock that goes on as tokio's timers do, also while their time is paused. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct TimerClock {
    begun: tokio::time::Instant,
    begun_at: Timestamp,
}

impl Default for TimerClock {
    /// Now at 2026-11-24T12:00:00Z, as [`FixedClock`].
    fn default() -> Self {
        Self {
            begun: tokio::time::Instant::now(),
            begun_at: FixedClock::default().now(),
        }
    }
}

impl Clock for TimerClock {
    fn now(&self) -> Timestamp {
        self.begun_at.plus(self.begun.elapsed())
    }
}

/// Ids that grow, and are the same in every run of a test. Each seed gives other ids.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededIds {
    /// Ids from this seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl Default for SeededIds {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Ids for SeededIds {
    fn ulid(&self) -> Ulid {
        /// 2026-01-01T00:00:00Z
        const EPOCH_MS: u64 = 1_767_225_600_000;
        let n = self.drawn.fetch_add(1, Ordering::SeqCst);
        let (high, low) = (scramble(self.seed, n), scramble(!self.seed, n));
        // Each id has a later millisecond than the one before, so that ids grow whatever their random part is.
        Ulid::from_parts(EPOCH_MS + n, u128::from(high) << 64 | u128::from(low))
    }
}

/// `SplitMix64`: a good mix of two numbers in five lines.
const fn scramble(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Seals without a secret: the organization and the key, masked. It binds to the organization as a
/// real sealer must, and protects nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainSealer;

impl PlainSealer {
    /// The form in which it seals, and the only one that it opens.
    pub const FORM: u32 = 1;

    fn mask(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().map(|byte| byte ^ 0xA5).collect()
    }
}

impl KeySealer for PlainSealer {
    fn seal(&self, organization: &OrganizationId, key: &SecretString) -> SealedKey {
        let text = format!("{organization}\n{}", key.expose_secret());
        SealedKey {
            form: Self::FORM,
            bytes: Self::mask(text.as_bytes()),
        }
    }

    fn open(
        &self,
        organization: &OrganizationId,
        sealed: &SealedKey,
    ) -> Result<OpenedKey, SealError> {
        if sealed.form != Self::FORM {
            return Err(SealError::UnknownForm(sealed.form));
        }
        let text = String::from_utf8(Self::mask(&sealed.bytes)).ok();
        let parts = text.as_deref().and_then(|text| text.split_once('\n'));
        match parts {
            Some((owner, key)) if owner == organization.as_str() => Ok(OpenedKey {
                secret: SecretString::from(key),
                sealed_by: MasterKeyRank::Present,
            }),
            _ => Err(SealError::DoesNotOpen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_stands_until_it_is_moved_and_its_clones_follow() {
        let clock = FixedClock::default();
        let same = clock.clone();
        let before = clock.now();

        clock.advance(Duration::from_millis(1_500));

        assert_eq!(same.now().since(before), Duration::from_millis(1_500));
    }

    #[test]
    fn a_skipping_clock_goes_on_from_where_it_was_moved_to() {
        let clock = SkippingClock::default();
        let (same, begin) = (clock.clone(), clock.now());
        let hour = begin.plus(Duration::from_hours(1));

        clock.skip_to(hour);
        clock.skip_to(begin);

        assert!(same.now() >= hour);
        assert!(same.now() < hour.plus(Duration::from_mins(1)));
    }

    #[test]
    fn seeded_ids_grow_repeat_by_seed_and_differ_between_seeds() {
        let draw = |seed| {
            let ids = SeededIds::new(seed);
            (0..1_000).map(|_| ids.ulid()).collect::<Vec<_>>()
        };

        assert!(draw(7).is_sorted_by(|a, b| a < b));
        assert_eq!(draw(7), draw(7));
        assert!(draw(7).iter().zip(draw(8)).all(|(a, b)| *a != b));
    }

    #[test]
    fn a_sealed_key_opens_for_its_organization_alone() {
        let own = OrganizationId::parse("org_a").unwrap();
        let other = OrganizationId::parse("org_b").unwrap();
        let sealed = PlainSealer.seal(&own, &SecretString::from("pk_1"));
        let unknown = SealedKey {
            form: 9,
            ..sealed.clone()
        };

        let opened = PlainSealer.open(&own, &sealed).unwrap();
        assert_eq!(opened.secret.expose_secret(), "pk_1");
        assert_eq!(
            PlainSealer.open(&other, &sealed).unwrap_err(),
            SealError::DoesNotOpen
        );
        assert_eq!(
            PlainSealer.open(&own, &unknown).unwrap_err(),
            SealError::UnknownForm(9)
        );
    }
}
