//! Schedules: when the continuous audiences of an organization are due.

use async_trait::async_trait;

use super::StoreError;
use crate::failure::FailureCode;
use crate::ids::AudienceId;
use crate::schedule::ContinuousAudience;
use crate::time::Timestamp;

/// The due times of an organization's continuous audiences, at most one for each. They are a control table: a due time
/// says when an audience is to be looked at, and the audience's own rows say whether it is continuous.
/// [`WorkQueue::organizations_with_due_schedules`](super::WorkQueue::organizations_with_due_schedules) looks across
/// organizations.
#[async_trait]
pub trait Schedules {
    /// When the audience is due; `None` if it has no schedule, or a paused one.
    async fn due_at(&mut self, audience: &AudienceId) -> Result<Option<Timestamp>, StoreError>;

    /// Sets when the audience is due.
    async fn put_due(&mut self, audience: &AudienceId, due: Timestamp) -> Result<(), StoreError>;

    /// Takes the audience's due time away. It is no error if it has none.
    async fn end_schedule(&mut self, audience: &AudienceId) -> Result<(), StoreError>;

    /// Ends the schedules of all audiences: none has a due time or an interval after.
    async fn end_schedules(&mut self) -> Result<(), StoreError>;

    /// Audiences that are due at `now`, those that have been due for longest first, at most `limit`.
    async fn due_schedules(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AudienceId, Timestamp)>, StoreError>;

    /// All due times, by audience.
    async fn schedules(&mut self) -> Result<Vec<(AudienceId, Timestamp)>, StoreError>;

    /// All unarchived audiences that have an interval, by id.
    async fn continuous_audiences(&mut self) -> Result<Vec<ContinuousAudience>, StoreError>;

    /// Ends the pauses of all sources for these reasons.
    async fn end_pauses(&mut self, of: &[FailureCode]) -> Result<(), StoreError>;
}
