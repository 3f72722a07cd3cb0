//! Deliveries: rows, and what is written of a new one.

use fanfare_domain::delivery::{
    Delivery, DeliveryCode, DeliveryKind, DeliveryStatus, DueDelivery, MadeDelivery, NewDelivery,
    Payload, Place, PurchaseDelivery,
};
use fanfare_domain::ids::{ConsumerId, DeliveryId};
use fanfare_domain::ports::StoreError;
use fanfare_domain::time::Timestamp;
use serde::Serialize;

use crate::columns::{corrupt, count, from_json, id, json, parse_enum, to_u32};
use crate::db_timestamp::{DbTimestamp, from_db};

/// A row of `deliveries`, as users see it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct DeliveryRow {
    pub id: String,
    pub place: i64,
    pub kind: String,
    pub r#type: String,
    pub consumer_id: Option<String>,
    pub target: Option<String>,
    pub status: String,
    pub attempts: i64,
    pub created_at: DbTimestamp,
    pub sent_at: Option<DbTimestamp>,
    pub code: Option<String>,
    pub detail: Option<String>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: delivery_id(row.id)?,
            place: place(row.place)?,
            kind: kind_of(&row.kind)?,
            type_name: row.r#type,
            consumer: consumer(row.consumer_id)?,
            target: row.target,
            status: status_of(&row.status)?,
            attempts: to_u32(row.attempts, "deliveries.attempts")?,
            created_at: row.created_at.0,
            sent_at: from_db(row.sent_at),
            code: row
                .code
                .map(|code| parse_enum(&code, DeliveryCode::parse, "deliveries.code"))
                .transpose()?,
            detail: row.detail,
        })
    }
}

/// A pending delivery that is due.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct DueDeliveryRow {
    pub id: String,
    pub place: i64,
    pub kind: String,
    pub consumer_id: Option<String>,
    pub attempts: i64,
    pub first_tried_at: Option<DbTimestamp>,
    pub payload: Option<String>,
}

impl TryFrom<DueDeliveryRow> for DueDelivery {
    type Error = StoreError;

    fn try_from(row: DueDeliveryRow) -> Result<Self, StoreError> {
        let text = row.payload.ok_or_else(|| corrupt(PAYLOAD))?;
        Ok(Self {
            id: delivery_id(row.id)?,
            place: place(row.place)?,
            consumer: consumer(row.consumer_id)?,
            attempts: to_u32(row.attempts, "deliveries.attempts")?,
            first_tried_at: from_db(row.first_tried_at),
            payload: payload(&row.kind, &text)?,
        })
    }
}

/// The latest delivery of a purchase.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct PurchaseRow {
    pub id: String,
    pub kind: String,
    pub status: String,
    pub attempts: i64,
    pub payload: Option<String>,
}

impl TryFrom<PurchaseRow> for PurchaseDelivery {
    type Error = StoreError;

    fn try_from(row: PurchaseRow) -> Result<Self, StoreError> {
        let text = row.payload.as_deref();
        Ok(Self {
            id: delivery_id(row.id)?,
            status: status_of(&row.status)?,
            attempts: to_u32(row.attempts, "deliveries.attempts")?,
            payload: text.map(|text| payload(&row.kind, text)).transpose()?,
        })
    }
}

/// What a statement over a set of new deliveries takes of each, in JSON.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct NewDeliveryColumns {
    pub id: String,
    pub place: u64,
    pub kind: &'static str,
    pub r#type: String,
    pub consumer_id: Option<String>,
    pub target: Option<String>,
    pub status: &'static str,
    /// Microseconds since 1970.
    pub due_at: Option<i64>,
    pub purchase: Option<String>,
    pub payload: Option<String>,
    pub code: Option<&'static str>,
}

impl NewDeliveryColumns {
    /// The columns of a delivery at this place, which is due no earlier than `not_before`.
    pub fn of(new: &NewDelivery, place: Place, not_before: Option<Timestamp>) -> Self {
        let (payload, due_at, code) = match &new.outcome {
            Ok((payload, due)) => {
                let due = not_before.map_or(*due, |before| before.max(*due));
                (Some(payload_json(payload)), Some(due), None)
            }
            Err(code) => (None, None, Some(code.as_str())),
        };
        let purchase = new.purchase.as_ref().filter(|_| due_at.is_some());
        Self {
            id: new.id.to_string(),
            place: place.0,
            kind: new.kind.as_str(),
            r#type: new.type_name.clone(),
            consumer_id: new.consumer.as_ref().map(ToString::to_string),
            target: new.target.clone(),
            status: new.status().as_str(),
            due_at: due_at.map(Timestamp::as_micros),
            purchase: purchase.map(|key| key.as_str().to_owned()),
            payload,
            code,
        }
    }
}

/// What a statement over a set of deliveries that were made already takes of each, in JSON.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct MadeDeliveryColumns {
    pub id: String,
    pub place: u64,
    pub kind: &'static str,
    pub r#type: String,
    pub consumer_id: Option<String>,
    pub target: Option<String>,
    pub status: &'static str,
    pub code: Option<&'static str>,
}

impl MadeDeliveryColumns {
    /// The columns of a delivery at this place.
    pub fn of(made: &MadeDelivery, place: Place) -> Self {
        Self {
            id: made.id.to_string(),
            place: place.0,
            kind: made.kind.as_str(),
            r#type: made.type_name.clone(),
            consumer_id: made.consumer.as_ref().map(ToString::to_string),
            target: made.target.clone(),
            status: made.status().as_str(),
            code: made.dropped.map(DeliveryCode::as_str),
        }
    }
}

const PAYLOAD: &str = "deliveries.payload";

/// What a delivery says, as its column holds it.
pub fn payload_json(payload: &Payload) -> String {
    match payload {
        Payload::Event(event) => json(event.as_ref()),
        Payload::Contact => "{}".to_owned(),
        Payload::Consent(end) => json(end),
    }
}

fn payload(kind: &str, text: &str) -> Result<Payload, StoreError> {
    match kind_of(kind)? {
        DeliveryKind::Event => Ok(Payload::Event(Box::new(from_json(text, PAYLOAD)?))),
        DeliveryKind::Contact => Ok(Payload::Contact),
        DeliveryKind::Consent => Ok(Payload::Consent(from_json(text, PAYLOAD)?)),
        // No version writes these yet.
        DeliveryKind::Membership => Err(StoreError::Newer(PAYLOAD.to_owned())),
    }
}

/// A delivery's id in its column.
pub fn delivery_id(text: String) -> Result<DeliveryId, StoreError> {
    id(text, DeliveryId::parse, "deliveries.id")
}

/// A delivery's kind in its column.
pub fn kind_of(text: &str) -> Result<DeliveryKind, StoreError> {
    parse_enum(text, DeliveryKind::parse, "deliveries.kind")
}

/// A delivery's status in its column.
pub fn status_of(text: &str) -> Result<DeliveryStatus, StoreError> {
    parse_enum(text, DeliveryStatus::parse, "deliveries.status")
}

/// A delivery's place in its column.
pub fn place(number: i64) -> Result<Place, StoreError> {
    count(number, "deliveries.place").map(Place)
}

fn consumer(text: Option<String>) -> Result<Option<ConsumerId>, StoreError> {
    let parse = |text| id(text, ConsumerId::parse, "deliveries.consumer_id");
    text.map(parse).transpose()
}
