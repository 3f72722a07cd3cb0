//! The jobs that change consent. Only unsubscribing is one that a client of ours may ask for.

use serde_json::Value;

use super::{Answer, WriteContext, named, text};
use crate::kind::Kind;
use crate::refusal::Refusal;
use crate::state::{Named, Pending};

const PROFILES: &str = "/data/attributes/profiles/data";

impl WriteContext<'_> {
    pub(super) fn unsubscribe(&mut self) -> Result<Answer, Refusal> {
        let people = self.people("UNSUBSCRIBED", 100)?;
        let list = self.list()?;
        let delay = self.delays().consent;
        self.later(delay, Pending::Unsubscribe { people, list });
        Ok(Answer::Empty(202))
    }

    pub(super) fn subscribe(&mut self) -> Result<Answer, Refusal> {
        let people = self.people("SUBSCRIBED", 1_000)?;
        let list = self.list()?;
        let delay = self.delays().consent;
        self.later(delay, Pending::Subscribe { people, list });
        Ok(Answer::Empty(202))
    }

    pub(super) fn suppress(&mut self, is_suppressed: bool) -> Result<Answer, Refusal> {
        let rows = self.rows(100)?;
        let emails = rows
            .iter()
            .filter_map(|row| text(&row["attributes"], "email"));
        let emails = emails.collect();
        let delay = self.delays().consent;
        let pending = if is_suppressed {
            Pending::Suppress(emails)
        } else {
            Pending::Unsuppress(emails)
        };
        self.later(delay, pending);
        Ok(Answer::Empty(202))
    }

    fn rows(&self, most: usize) -> Result<Vec<Value>, Refusal> {
        let rows = self.body.pointer(PROFILES).and_then(Value::as_array);
        let rows = rows.cloned().unwrap_or_default();
        if rows.is_empty() || rows.len() > most {
            let detail = format!("Between 1 and {most} profiles are allowed.");
            return Err(Refusal::body(PROFILES, detail));
        }
        Ok(rows)
    }

    /// The people with the identifiers of the channels that they are named for.
    fn people(&self, consent: &str, most: usize) -> Result<Vec<Named>, Refusal> {
        let mut people = Vec::new();
        for (place, row) in self.rows(most)?.iter().enumerate() {
            let mut who = named(row);
            let subscriptions = &row["attributes"]["subscriptions"];
            for (channel, field, identifier) in [
                ("email", "email", &mut who.email),
                ("sms", "phone_number", &mut who.phone),
            ] {
                let wanted = &subscriptions[channel]["marketing"]["consent"];
                if wanted.is_null() {
                    *identifier = None;
                    continue;
                }
                let pointer = format!("{PROFILES}/{place}/attributes/{field}");
                if wanted != consent {
                    return Err(Refusal::body(pointer, "This is no consent."));
                }
                if identifier.is_none() {
                    let detail = format!(
                        "'{field}' must not be empty when the {channel} channel is included in 'subscriptions'."
                    );
                    return Err(Refusal::body(pointer, detail));
                }
            }
            people.push(who);
        }
        Ok(people)
    }

    fn list(&self) -> Result<Option<String>, Refusal> {
        let Some(list) = text(&self.body["data"]["relationships"]["list"]["data"], "id") else {
            return Ok(None);
        };
        match self.account.collection(Kind::List, &list) {
            Some(_) => Ok(Some(list)),
            None => Err(Refusal::no_collection("list", &list)),
        }
    }
}
