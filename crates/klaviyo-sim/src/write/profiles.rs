//! `PATCH /api/profiles/{id}`, `POST /api/profile-import` and `POST /api/profile-bulk-import-jobs`.

use std::time::Duration;

use serde_json::Value;

use super::{Answer, WriteContext, is_anybody, named};
use crate::fault::Effect;
use crate::query::Fields;
use crate::refusal::Refusal;
use crate::state::{Account, Job, Pending, ProfileRefusal};
use crate::wire::{self, ProfileResource, ProfileView};

const MOST_ROWS: usize = 10_000;
const MOST_ROW_BYTES: usize = 100 << 10;

impl WriteContext<'_> {
    pub(super) fn update_profile(&mut self) -> Result<Answer, Refusal> {
        let row = &self.body["data"];
        if row["id"] != self.route.id.as_str() {
            return Err(Refusal::body(
                "/data/id",
                "The id must be that of the path.",
            ));
        }
        let missing = || Refusal::no_resource("profile", &self.route.id);
        let target = self
            .account
            .profiles
            .find(&self.route.id)
            .ok_or_else(missing)?;
        if self.has(&Effect::NoEffect) {
            return self.shown(&self.route.id.clone(), 200);
        }
        let named = named(row);
        let written = self
            .account
            .write_profile(&named, Some(target), row, false, self.now);
        let (id, _) = written.map_err(refusal)?;
        self.shown(&id, 200)
    }

    pub(super) fn upsert_profile(&mut self) -> Result<Answer, Refusal> {
        let row = &self.body["data"];
        let named = named(row);
        if !is_anybody(&named) {
            let detail = "At least one identifier is required.";
            return Err(Refusal::body("/data/attributes", detail));
        }
        let written = self
            .account
            .write_profile(&named, None, row, false, self.now);
        let (id, is_new) = written.map_err(refusal)?;
        self.shown(&id, if is_new { 201 } else { 200 })
    }

    /// The profile as an answer.
    fn shown(&self, id: &str, status: u16) -> Result<Answer, Refusal> {
        let missing = || Refusal::no_resource("profile", id);
        let found = self.account.profiles.find(id).ok_or_else(missing)?;
        let profile = self.account.profiles.get(&found).ok_or_else(missing)?;
        let view = ProfileView {
            fields: Fields::All,
            has_subscriptions: false,
            has_predictions: false,
            has_extras: self.switches.has_extra_attributes,
            conversations: "conversations",
        };
        let resource = ProfileResource {
            profile,
            joined: None,
            view: &view,
            base: self.base,
        };
        Ok(Answer::Document(
            status,
            serde_json::json!({ "data": resource }),
        ))
    }

    pub(super) fn start_import(&mut self) -> Result<Answer, Refusal> {
        let root = "/data/attributes/profiles/data";
        let rows = self.body.pointer(root).and_then(Value::as_array);
        let rows = rows.cloned().unwrap_or_default();
        if rows.is_empty() || rows.len() > MOST_ROWS {
            return Err(Refusal::body(
                root,
                "Between 1 and 10000 profiles are allowed.",
            ));
        }
        for (place, row) in rows.iter().enumerate() {
            if !is_anybody(&named(row)) {
                let detail = "At least one identifier is required.";
                return Err(Refusal::body(format!("{root}/{place}"), detail));
            }
            if row.to_string().len() > MOST_ROW_BYTES {
                let detail = "A profile is larger than 100 KB.";
                return Err(Refusal::body(format!("{root}/{place}"), detail));
            }
        }
        let id = Account::fresh_id();
        let job = Job {
            state: "queued",
            rows,
            completed: 0,
            errors: Vec::new(),
            profiles: Vec::new(),
            created: self.now.div_euclid(1_000_000),
            fails: self.has(&Effect::JobFails),
        };
        let shown = wire::import_job(&id, &job, &Fields::All, self.base);
        self.account.writes.jobs.insert(id.clone(), job);
        let takes = self.delays().jobs;
        let is_stuck = self.has(&Effect::JobStuck);
        self.later(takes / 2, Pending::BeginJob(id.clone()));
        if !is_stuck {
            self.later(takes.max(Duration::from_micros(1)), Pending::EndJob(id));
        }
        Ok(Answer::Document(202, serde_json::json!({ "data": shown })))
    }
}

fn refusal(of: ProfileRefusal) -> Refusal {
    match of {
        ProfileRefusal::Conflict(other) => Refusal::duplicate_profile(&other),
        ProfileRefusal::Invalid(pointer, detail) => {
            Refusal::body(format!("/data{pointer}"), detail)
        }
    }
}
