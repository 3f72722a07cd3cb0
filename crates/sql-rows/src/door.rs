//! What a check at the door reads.

use fanfare_domain::audience::Freshness;
use fanfare_domain::door::{DoorRead, Member, People};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;

use crate::columns::{corrupt, id, to_u32};
use crate::db_timestamp::{DbTimestamp, from_db};

/// A member, or somebody who is none, of an audience. Its freshness is in every row.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct DoorRow {
    pub last_synced_at: Option<DbTimestamp>,
    pub created_at: DbTimestamp,
    pub refresh_interval_seconds: Option<i64>,
    /// The e-mail or the id that was asked for.
    pub person: Option<String>,
    pub consumer_id: Option<String>,
}

/// What was read for these people; `None` if there is no row, and so no audience.
pub fn door_read(people: &People, rows: Vec<DoorRow>) -> Result<Option<DoorRead>, StoreError> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let interval = first
        .refresh_interval_seconds
        .map(|seconds| to_u32(seconds, "audiences.refresh_interval_seconds"));
    let freshness = Freshness {
        last_synced_at: from_db(first.last_synced_at),
        created_at: first.created_at.0,
        refresh_interval_seconds: interval.transpose()?,
    };
    let members = rows.into_iter().filter_map(|row| member(people, row));
    let members = members.collect::<Result<_, _>>()?;
    Ok(Some(DoorRead { freshness, members }))
}

fn member(people: &People, row: DoorRow) -> Option<Result<Member, StoreError>> {
    let consumer = "audience_list_memberships.consumer_id";
    let consumer = id(row.consumer_id?, ConsumerId::parse, consumer);
    let email = match people {
        People::Consumers(_) => Ok(None),
        People::Emails(_) => {
            let email = Email::from_stored(row.person?);
            email.map(Some).ok_or_else(|| corrupt("consumers.email"))
        }
    };
    Some(consumer.and_then(|consumer| {
        Ok(Member {
            email: email?,
            consumer,
        })
    }))
}
