//! The store's time, as a process knows it between two looks at the server's clock.
//!
//! All processes compare times: the ends of rate-limit blocks, of windows and of pauses. So all take them from one
//! clock, the server's. Between two looks a process goes by how long ago the last one was, which its own clock tells
//! even if it shows another time, is set or jumps.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use fanfare_domain::ports::{Clock, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::DbTimestamp;
use sqlx::PgPool;

use crate::timeout::WithTimeout;

/// How long after a look the next one follows. Meanwhile two clocks part by a few milliseconds, and by as long as a
/// machine sleeps.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// A look that takes longer is repeated, for how long the answer was on its way is not known.
const SHORT_LOOK: Duration = Duration::from_millis(20);

/// How many looks are made for one that is short enough.
const LOOKS: u32 = 3;

/// The server's clock. Clones are the same.
#[derive(Clone)]
pub(crate) struct StoreClock(Arc<Mutex<Look>>);

/// What the server's clock showed.
#[derive(Clone, Copy)]
struct Look {
    /// When its answer was there.
    at: Instant,
    shown: Timestamp,
}

impl StoreClock {
    /// Looks at the server's clock, and goes on doing so until the last clone is dropped or the pool is closed.
    pub(crate) async fn start(pool: &PgPool) -> Result<Self, StoreError> {
        let clock = Self(Arc::new(Mutex::new(look(pool).await?)));
        tokio::spawn(keep_looking(Arc::downgrade(&clock.0), pool.clone()));
        Ok(clock)
    }
}

impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.shown.plus(last.at.elapsed())
    }
}

async fn keep_looking(last: Weak<Mutex<Look>>, pool: PgPool) {
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let Some(last) = last.upgrade() else { return };
        if pool.is_closed() {
            return;
        }
        // A server that does not answer now tells its time later.
        if let Ok(look) = look(&pool).await {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = look;
        }
    }
}

/// The quickest of a few looks.
async fn look(pool: &PgPool) -> Result<Look, StoreError> {
    let mut connection = pool.acquire().with_timeout().await?;
    let mut quickest: Option<(Duration, Look)> = None;
    for _ in 0..LOOKS {
        let asked = Instant::now();
        let shown = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#)
            .fetch_one(&mut *connection)
            .with_timeout()
            .await?;
        let DbTimestamp(shown) = shown;
        // The answer has been on its way for a while: our clock is never ahead of the server's.
        let look = Look {
            at: Instant::now(),
            shown,
        };
        let took = look.at.duration_since(asked);
        if quickest.is_none_or(|(least, _)| took < least) {
            quickest = Some((took, look));
        }
        if took <= SHORT_LOOK {
            break;
        }
    }
    quickest
        .map(|(_, look)| look)
        .ok_or_else(|| StoreError::Refused("no look was made".into()))
}
