//! The events that the account of tests keeps.

use fanfare_domain::ids::ProfileId;
use fanfare_domain::writing::{ContentRefusal, Event, PersonalText, RowRefusal, WriteError};

use super::State;

impl State {
    /// Keeps events, each once, unless one of them is refused.
    pub(super) fn record(&mut self, events: &[Event]) -> Result<(), WriteError> {
        let is_refused = |event: &Event| self.refused.contains(event.unique_id.as_str());
        if let Some(row) = events.iter().position(is_refused) {
            let named = RowRefusal {
                row: Some(row),
                field: None,
                code: "invalid".to_owned(),
            };
            return Err(WriteError::ContentRefused(ContentRefusal {
                status: 400,
                rows: self.names_rows.then_some(named).into_iter().collect(),
            }));
        }
        for event in events {
            let person = &event.person;
            let email = person.email.as_ref().map(PersonalText::as_str);
            let phone = person.phone.as_ref().map(PersonalText::as_str);
            let profile = person.profile.as_ref().map(ProfileId::as_str);
            let person = profile.or(email).or(phone).unwrap_or_default().to_owned();
            let key = (
                person,
                event.metric.to_string(),
                event.unique_id.to_string(),
            );
            if self.known.insert(key) {
                self.recorded.push(event.clone());
            }
        }
        Ok(())
    }
}
