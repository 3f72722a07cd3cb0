//! Checks at the door. A unit of work would be three messages (begin and name the organization, ask, roll back); thousands of
//! checks a second ask in one, by a statement that is a transaction of its own and names its organization itself.

use fanfare_domain::door::{DoorRead, People};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use fanfare_sql_rows::{DoorRow, door_read};

use crate::fair_pool::FairPool;
use crate::timeout::WithTimeout;

pub(crate) async fn check_members(
    pool: &FairPool<OrganizationId>,
    organization: &OrganizationId,
    audience: &AudienceId,
    people: &People,
) -> Result<Option<DoorRead>, StoreError> {
    let (emails, consumers): (Vec<&str>, Vec<&str>) = match people {
        People::Emails(emails) => (emails.iter().map(Email::as_str).collect(), Vec::new()),
        People::Consumers(ids) => (Vec::new(), ids.iter().map(ConsumerId::as_str).collect()),
    };
    let (mut statement, _permit) = pool.connection(organization).await?;
    let find = sqlx::query_file_as!(
        DoorRow,
        "sql/audience_list_memberships/at_door.sql",
        organization.as_str(),
        audience.as_str(),
        emails as _,
        consumers as _
    );
    let rows = find.fetch_all(&mut *statement).with_timeout().await?;
    statement.end();
    door_read(people, rows)
}
