//! The checks that a write goes through, what it does, and its answer.

use serde_json::Value;

use super::outgoing::{Outgoing, Refused};
use super::serving::authorize;
use super::{RoutedRequest, Service, key};
use crate::fault::Effect;
use crate::instant;
use crate::journal::Written;
use crate::refusal::Refusal;
use crate::revision::{self, RevisionHeader};
use crate::state::{Account, State};
use crate::write::WriteContext;

impl Service {
    /// Klaviyo's own answer to a write. Each that has a key of an account is in its journal.
    pub(super) fn serve_write(
        &self,
        routed: &RoutedRequest<'_>,
        effects: &[Effect],
    ) -> Result<Outgoing, Refused> {
        let mut state = self.state_mut();
        let known = key(routed.incoming).and_then(|secret| state.by_key(secret));
        let Some(id) = known.map(|(account, _)| account.id.clone()) else {
            authorize(&state, routed)?;
            return Err(Refusal::bad_credentials().into());
        };
        let now = instant::micros_of(routed.now);
        let body = serde_json::from_slice(routed.incoming.body).unwrap_or(Value::Null);
        let secret = key(routed.incoming).unwrap_or_default();
        let request = Written::Request {
            endpoint: routed.route.endpoint.to_string(),
            path: routed.incoming.path.to_owned(),
            key: secret[secret.len().saturating_sub(4)..].to_owned(),
            body: if self.keeps_bodies {
                body.clone()
            } else {
                Value::Null
            },
            status: 0,
        };
        let place = note(&mut state, &id, now, request);
        let answer = self.write(&mut state, routed, effects, &body, &id);
        let status = match &answer {
            Ok(outgoing) => outgoing.status,
            Err(refused) => refused.refusal.status,
        };
        set_status(&mut state, &id, place, status);
        answer
    }

    fn write(
        &self,
        state: &mut State,
        routed: &RoutedRequest<'_>,
        effects: &[Effect],
        body: &Value,
        id: &str,
    ) -> Result<Outgoing, Refused> {
        let account = authorize(state, routed)?;
        let revision = RevisionHeader {
            revision: routed.incoming.revision,
            opts_out: routed.incoming.opts_out,
        };
        revision::check(revision, routed.now.date(), self.switches.requires_revision)?;
        let headers = self.take(routed, account, effects)?;
        for effect in effects {
            if let Effect::Refuse(status) = effect {
                return Err(Refused::with(Refusal::planned(*status), headers));
            }
        }
        let base = format!("http://{}", routed.incoming.host);
        let Ok(account) = state.account_mut(Some(id)) else {
            return Err(Refusal::bad_credentials().into());
        };
        let writing = WriteContext {
            account,
            route: &routed.route,
            body,
            bytes: routed.incoming.body.len(),
            base: &base,
            now: instant::micros_of(routed.now),
            switches: &self.switches,
            effects,
        };
        match writing.answer() {
            Ok(answer) => Ok(Outgoing::written(headers, answer)),
            Err(refusal) => Err(Refused::with(refusal, headers)),
        }
    }
}

/// Notes a request, and answers with its place in the journal.
fn note(state: &mut State, account: &str, now: i64, request: Written) -> usize {
    let Ok(account) = state.account_mut(Some(account)) else {
        return 0;
    };
    account.writes.note(now, request);
    account.writes.journal.len() - 1
}

fn set_status(state: &mut State, account: &str, place: usize, with: u16) {
    let Ok(Account { writes, .. }) = state.account_mut(Some(account)) else {
        return;
    };
    if let Some(entry) = writes.journal.get_mut(place)
        && let Written::Request { status, .. } = &mut entry.what
    {
        *status = with;
    }
}
