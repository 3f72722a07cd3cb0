//! `POST` and `DELETE /api/lists/{id}/relationships/profiles`, and `POST /api/lists`.

use serde_json::{Value, json};

use super::{Answer, WriteContext, text};
use crate::fault::Effect;
use crate::kind::Kind;
use crate::query::Fields;
use crate::refusal::Refusal;
use crate::state::Pending;
use crate::wire;

const MOST_MEMBERS: usize = 1_000;

impl WriteContext<'_> {
    pub(super) fn members(&mut self, is_added: bool) -> Result<Answer, Refusal> {
        let list = self.route.id.clone();
        if self.account.collection(Kind::List, &list).is_none() {
            return Err(Refusal::no_collection("list", &list));
        }
        let ids = self.body["data"].as_array().into_iter().flatten();
        let mut ids: Vec<String> = ids.filter_map(|one| text(one, "id")).collect();
        if ids.is_empty() || ids.len() > MOST_MEMBERS {
            return Err(Refusal::body(
                "/data",
                "Between 1 and 1000 profiles are allowed.",
            ));
        }
        let unknown = ids
            .iter()
            .find(|id| self.account.profiles.find(id).is_none());
        if let Some(unknown) = unknown
            && !self.switches.skips_unknown_members
        {
            return Err(Refusal::no_resource("profile", unknown));
        }
        if self.has(&Effect::HalfEffect) {
            ids.truncate(ids.len() / 2);
        }
        let delay = self.delays().lists;
        let pending = if is_added {
            Pending::Join { list, ids }
        } else {
            Pending::Leave { list, ids }
        };
        self.later(delay, pending);
        Ok(Answer::Empty(204))
    }

    pub(super) fn create_list(&mut self) -> Result<Answer, Refusal> {
        let Some(name) = text(&self.body["data"]["attributes"], "name") else {
            return Err(Refusal::body(
                "/data/attributes/name",
                "This field is required.",
            ));
        };
        let id = loop {
            let number: u32 = rand::random();
            let id = format!("N{:05X}", number & 0xF_FFFF);
            if !self.account.collections.contains_key(&id) {
                break id;
            }
        };
        let now = self.now.div_euclid(1_000_000);
        self.account.create_collection(Kind::List, &id, &name, now);
        let Some(list) = self.account.collection(Kind::List, &id) else {
            return Err(Refusal::no_collection("list", &id));
        };
        let shown: Value = wire::collection(list, &Fields::All, None, false, self.base);
        Ok(Answer::Document(201, json!({ "data": shown })))
    }
}
