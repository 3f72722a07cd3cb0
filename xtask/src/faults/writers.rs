//! An organization that writes contacts to Klaviyo, or keeps an audience in a list, and the proof that both sides are equal at the end.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::environment::{Environment, KEY, LIST, small_lists};
use super::klaviyo_list::Klaviyo;
use super::outcome::all;
use crate::services::api::Run;

/// The list that the audience is kept in. It has people of others, who are to stay.
const TARGET: usize = 1;

/// Imports a list. Returns those of its people whose e-mail is beyond doubt: their ids and e-mails.
fn import(environment: &Environment, list: &str) -> Result<Vec<(String, String)>> {
    let api = &environment.api;
    let imported: Value = api.post("/api/audiences/import/klaviyo", &json!({"listIds": [list]}))?;
    let imported = &imported["imported"][0];
    let ids = imported["runId"]
        .as_str()
        .zip(imported["audienceId"].as_str());
    let (run, audience) = ids.context("the list was not imported")?;
    wait_for(environment, run)?;
    let mut profiles: BTreeMap<String, usize> = BTreeMap::new();
    for email in emails(environment, KEY, list)?.into_iter().flatten() {
        *profiles.entry(email).or_default() += 1;
    }
    let members = all(api, &format!("/api/audiences/{audience}/members"))?;
    // As it is written in Klaviyo, and nobody else's.
    let is_plain = |email: &str| {
        let same = profiles
            .keys()
            .filter(|one| one.trim().eq_ignore_ascii_case(email));
        same.count() == 1 && profiles.get(email) == Some(&1)
    };
    let of = |member: &Value| {
        let (id, email) = member["id"].as_str().zip(member["email"].as_str())?;
        is_plain(email).then(|| (id.to_owned(), email.to_owned()))
    };
    Ok(members.iter().filter_map(of).collect())
}

/// Waits for the end of a run.
fn wait_for(environment: &Environment, run: &str) -> Result<Run> {
    let path = format!("/api/sync-runs/{run}");
    environment.wait("a run does not end", || {
        let run: Run = environment.api.get(&path)?;
        Ok(!run.is_active())
    })?;
    environment.api.get(&path)
}

/// People whose names change in Fanfare.
pub(super) struct Editor {
    people: Vec<(String, String)>,
    /// What each was called last, by e-mail.
    names: BTreeMap<String, String>,
    /// The key with which Klaviyo is read.
    pub(super) key: String,
}

impl Editor {
    /// Imports people, and switches contacts on. It needs a worker.
    pub(super) fn open(environment: &Environment) -> Result<Self> {
        let list = small_lists(1).next().unwrap_or_default();
        let people = import(environment, &list)?;
        let body = json!({"klaviyo": {"contacts": {"enabled": true}}});
        environment.api.put::<Value>("/api/settings", &body)?;
        Ok(Self {
            people,
            names: BTreeMap::new(),
            key: KEY.to_owned(),
        })
    }

    /// Changes the names of so many people.
    pub(super) fn edit(&mut self, environment: &Environment, count: usize) -> Result<()> {
        let begin = self.names.len();
        let people = self.people.get(begin..begin + count);
        for (id, email) in people.context("there are too few people")? {
            let name = format!("Edited Person{}", self.names.len());
            let path = format!("/api/consumers/{id}");
            let body = json!({ "fullName": name });
            environment.api.put::<Value>(&path, &body)?;
            self.names.insert(email.clone(), name);
        }
        Ok(())
    }

    /// Waits until nothing is pending. Each name is then the same on both sides, and was written twice at most.
    pub(super) fn finish(&self, environment: &Environment) -> Result<()> {
        let expected = json!(self.names.len());
        environment.wait("deliveries stay pending", || {
            let summary: Value = environment.api.get("/api/deliveries/summary")?;
            Ok(summary["CONTACT"]["SENT"] == expected)
        })?;
        let klaviyo = Klaviyo::with_key(&environment.klaviyo, &self.key);
        let list = small_lists(1).next().unwrap_or_default();
        let mut theirs = BTreeMap::new();
        for profile in klaviyo.profiles(&list)? {
            let text = |name: &str| {
                profile["attributes"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let name = format!("{} {}", text("first_name"), text("last_name"));
            theirs.insert(text("email"), name);
        }
        for (email, name) in &self.names {
            ensure!(
                theirs.get(email) == Some(name),
                "somebody is not called in Klaviyo what they are called here"
            );
        }
        for (id, email) in self.people.iter().take(self.names.len()) {
            let consumer: Value = environment.api.get(&format!("/api/consumers/{id}"))?;
            ensure!(
                consumer["fullName"].as_str() == self.names.get(email).map(String::as_str),
                "somebody is called otherwise here than they were"
            );
        }
        let writes = environment.log()?.answered("update-profile");
        ensure!(
            writes <= 2 * self.names.len(),
            "{writes} writes for {} changes",
            self.names.len()
        );
        Ok(())
    }
}

/// An audience that is kept in a list.
pub(super) struct Keeper {
    people: Vec<(String, String)>,
    audience: String,
    list: String,
    /// Who was in the list before, by e-mail.
    theirs: BTreeSet<Option<String>>,
    /// Who is in the audience, by e-mail.
    wanted: BTreeSet<String>,
    strangers: usize,
    /// The key with which Klaviyo is read.
    pub(super) key: String,
}

impl Keeper {
    /// Imports people, makes an audience by hand, and keeps it in a list that has people of its own. It needs a worker.
    pub(super) fn open(environment: &Environment) -> Result<Self> {
        let mut people = import(environment, LIST)?;
        let api = &environment.api;
        let body = json!({"klaviyo": {"contacts": {"createProfiles": true}}});
        api.put::<Value>("/api/settings", &body)?;
        let body = json!({"name": "Winners", "type": "STATIC_LIST"});
        let audience: Value = api.post("/api/audiences", &body)?;
        let audience = audience["id"].as_str().context("no audience was made")?;
        let list = small_lists(TARGET + 1).nth(TARGET).unwrap_or_default();
        let theirs: BTreeSet<Option<String>> =
            emails(environment, KEY, &list)?.into_iter().collect();
        // Whoever is in the list already would not be added to it.
        people.retain(|(_, email)| !theirs.contains(&Some(email.clone())));
        let keeper = Self {
            people,
            audience: audience.to_owned(),
            theirs,
            list,
            wanted: BTreeSet::new(),
            strangers: 0,
            key: KEY.to_owned(),
        };
        keeper.choose(environment)?;
        Ok(keeper)
    }

    /// Chooses the list.
    fn choose(&self, environment: &Environment) -> Result<()> {
        let path = format!("/api/audiences/{}/klaviyo-list", self.audience);
        let body = json!({"listId": self.list});
        environment.api.put::<Value>(&path, &body)?;
        Ok(())
    }

    /// The list is gone: the audience is kept in another one from now on.
    pub(super) fn choose_another(&mut self, environment: &Environment) -> Result<()> {
        let another = small_lists(TARGET + 2).nth(TARGET + 1);
        self.list = another.unwrap_or_default();
        let theirs = emails(environment, &self.key, &self.list)?;
        self.theirs = theirs.into_iter().collect();
        self.choose(environment)
    }

    /// Lets these people join.
    pub(super) fn join(&mut self, environment: &Environment, from: usize, to: usize) -> Result<()> {
        let people = self
            .people
            .get(from..to)
            .context("there are too few people")?;
        let ids: Vec<&str> = people.iter().map(|(id, _)| id.as_str()).collect();
        self.wanted
            .extend(people.iter().map(|(_, email)| email.clone()));
        self.change(environment, "POST", &ids)
    }

    /// Lets these people leave.
    pub(super) fn leave(
        &mut self,
        environment: &Environment,
        from: usize,
        to: usize,
    ) -> Result<()> {
        let people = self
            .people
            .get(from..to)
            .context("there are too few people")?;
        let ids: Vec<&str> = people.iter().map(|(id, _)| id.as_str()).collect();
        for (_, email) in people {
            self.wanted.remove(email);
        }
        self.change(environment, "DELETE", &ids)
    }

    /// Lets so many people join whom Klaviyo does not know.
    pub(super) fn strangers_join(&mut self, environment: &Environment, count: usize) -> Result<()> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let email = format!("stranger{}@example.com", self.strangers);
            self.strangers += 1;
            let made: Value = environment
                .api
                .post("/api/consumers", &json!({ "email": email }))?;
            ids.push(
                made["id"]
                    .as_str()
                    .context("no consumer was made")?
                    .to_owned(),
            );
            self.wanted.insert(email);
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.change(environment, "POST", &ids)
    }

    fn change(&self, environment: &Environment, method: &str, ids: &[&str]) -> Result<()> {
        let path = format!("/api/audiences/{}/members", self.audience);
        let body = json!({ "consumerIds": ids });
        let answer = environment.api.send(method, &path, Some(&body))?;
        ensure!(
            answer.status.is_success(),
            "members cannot be changed: {}",
            answer.explain()
        );
        Ok(())
    }

    /// Confirms what a push would do, and starts it. Returns the run's id.
    pub(super) fn start(&self, environment: &Environment) -> Result<String> {
        let path = format!("/api/audiences/{}/klaviyo-list", self.audience);
        let shown: Value = environment.api.get(&format!("{path}/preview"))?;
        let body = json!({"confirmation": shown["confirmation"]});
        let started: Value = environment.api.post(&format!("{path}/push"), &body)?;
        let run = started["runId"].as_str().context("no push was started")?;
        Ok(run.to_owned())
    }

    /// Waits until the push has succeeded. The list is the audience then, and whoever was there before.
    pub(super) fn finish(&self, environment: &Environment, run: &str) -> Result<()> {
        let run = wait_for(environment, run)?;
        ensure!(run.has_succeeded(), "the push ended {}", run.status);
        self.must_be_equal(environment)
    }

    /// Waits until the push has failed with this code.
    pub(super) fn finish_in_failure(
        environment: &Environment,
        run: &str,
        code: &str,
    ) -> Result<()> {
        wait_for(environment, run)?;
        let run: Value = environment.api.get(&format!("/api/sync-runs/{run}"))?;
        ensure!(
            run["error"]["code"] == code,
            "the push ended so: {}",
            run["error"]
        );
        Ok(())
    }

    /// Waits until the changes of the audience have been followed.
    pub(super) fn follow(&self, environment: &Environment) -> Result<()> {
        environment.wait("a change is not followed", || {
            Ok(self.must_be_equal(environment).is_ok())
        })
    }

    fn must_be_equal(&self, environment: &Environment) -> Result<()> {
        let listed = emails(environment, &self.key, &self.list)?;
        let count = listed.len();
        let listed: BTreeSet<Option<String>> = listed.into_iter().collect();
        let wanted = self.wanted.iter().cloned().map(Some);
        let expected: BTreeSet<Option<String>> =
            self.theirs.iter().cloned().chain(wanted).collect();
        let (missing, surplus) = (
            expected.difference(&listed).count(),
            listed.difference(&expected).count(),
        );
        ensure!(
            missing + surplus == 0,
            "{missing} people are missing in the list of {count}, and {surplus} are too many"
        );
        Ok(())
    }
}

fn emails(environment: &Environment, key: &str, list: &str) -> Result<Vec<Option<String>>> {
    Klaviyo::with_key(&environment.klaviyo, key).emails(list)
}
