//! The envelope of Fanfare's webhooks.

use serde_json::{Map, Value};

use super::event_type::EventType;
use crate::ids::{ConsumerId, OrganizationId};
use crate::time::Timestamp;

/// The longest id or name of Fanfare's that is taken, in characters.
const MAX_NAME_CHARS: usize = 255;

/// What one webhook of Fanfare's tells.
#[derive(Clone, PartialEq)]
pub struct Envelope {
    /// Fanfare's id of the event.
    pub id: String,
    /// Its type as Fanfare names it, which may be one that this version does not know.
    pub type_name: String,
    /// When Fanfare made the event.
    pub timestamp: Timestamp,
    /// The organization that it is for.
    pub organization: OrganizationId,
    /// What it tells.
    pub data: Map<String, Value>,
}

/// Its data are personal, and may hold tokens.
impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Envelope({}, {})", self.id, self.type_name)
    }
}

/// A body that is no envelope, with what is wrong. It never holds what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoEnvelope {
    /// It is no JSON object.
    #[error("the body must be a JSON object")]
    NoObject,
    /// A member is missing, or is not what it should be.
    #[error("{0} must be {1}")]
    Member(&'static str, &'static str),
}

impl Envelope {
    /// Reads the body of a webhook. Members that are not known are passed over: Fanfare may add some.
    pub fn parse(body: &[u8]) -> Result<Self, NoEnvelope> {
        let value: Value = serde_json::from_slice(body).map_err(|_| NoEnvelope::NoObject)?;
        let Value::Object(mut members) = value else {
            return Err(NoEnvelope::NoObject);
        };
        let name = |member: &'static str| {
            let text = members.get(member).and_then(Value::as_str);
            let text = text.filter(|text| is_name(text)).map(str::to_owned);
            text.ok_or(NoEnvelope::Member(
                member,
                "a text of 1 to 255 visible characters",
            ))
        };
        let (id, type_name) = (name("id")?, name("type")?);
        let organization = OrganizationId::parse(name("organizationId")?);
        let organization = organization
            .map_err(|_| NoEnvelope::Member("organizationId", "an organization's id"))?;
        let timestamp = members.get("timestamp").and_then(Value::as_str);
        let timestamp = timestamp.and_then(Timestamp::parse_iso8601);
        let timestamp = timestamp.ok_or(NoEnvelope::Member("timestamp", "an ISO 8601 time"))?;
        let Some(Value::Object(data)) = members.remove("data") else {
            return Err(NoEnvelope::Member("data", "a JSON object"));
        };
        Ok(Self {
            id,
            type_name,
            timestamp,
            organization,
            data,
        })
    }

    /// Its type; `None` if this version does not know it.
    pub fn event_type(&self) -> Option<EventType> {
        EventType::of_name(&self.type_name)
    }

    /// The consumer whose act it tells of.
    pub fn consumer(&self) -> Option<ConsumerId> {
        ConsumerId::parse(self.text("consumerId")?).ok()
    }

    /// A member of its data that is a name.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        let text = self.data.get(member)?.as_str()?;
        is_name(text).then_some(text)
    }

    /// When the act took place, by its own data.
    pub(super) fn act_time(&self) -> Option<Timestamp> {
        let text = self.text(self.event_type()?.time_field())?;
        Timestamp::parse_iso8601(text)
    }
}

/// Whether a text can be an id or a name of Fanfare's: a store can keep it, and a line of a log holds it.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NAME_CHARS * 4
        && text.chars().count() <= MAX_NAME_CHARS
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"whk_1","type":"draw.consumer.won","timestamp":"2026-11-29T09:15:00Z",
        "organizationId":"org_1","data":{"consumerId":"cons_1","wonAt":"2026-11-29T09:14:59.5Z"},"more":1}"#;

    #[test]
    fn an_envelope_is_read() {
        let envelope = Envelope::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(envelope.id, "whk_1");
        assert_eq!(envelope.event_type(), Some(EventType::DrawWon));
        assert_eq!(envelope.consumer().unwrap().as_str(), "cons_1");
        let won_at = Timestamp::parse("2026-11-29T09:14:59.5Z");
        assert_eq!(envelope.act_time(), won_at);
    }

    #[test]
    fn what_is_no_envelope_is_refused_and_not_repeated() {
        for body in [
            "",
            "[]",
            "null",
            "{",
            &GOOD.replace("\"id\"", "\"secret\""),
            &GOOD.replace("whk_1", ""),
            &GOOD.replace("\"whk_1\"", "7"),
            &GOOD.replace("whk_1", "secret\\u0000"),
            &GOOD.replace("whk_1", &"secret".repeat(300)),
            &GOOD.replace("2026-11-29T09:15:00Z", "secret"),
            &GOOD.replace("org_1", "secret org"),
            &GOOD.replace("\"data\"", "\"dates\""),
            &GOOD.replace(
                "{\"consumerId\":\"cons_1\",\"wonAt\":\"2026-11-29T09:14:59.5Z\"}",
                "[]",
            ),
        ] {
            let error = Envelope::parse(body.as_bytes()).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
