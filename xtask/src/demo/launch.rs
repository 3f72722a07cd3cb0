//! A small launch: Fanfare's part is played, and what Klaviyo has heard of it is shown beside.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::progress::ProgressDisplay;
use crate::interrupt::Interrupt;
use crate::journal::{self, Entry};
use crate::services::Services;
use crate::services::api::{Api, Page};
use crate::webhooks::{self, Answered, Webhooks};

/// Who takes part: those who join the queue first, then those who enter the draw.
const IN_QUEUE: usize = 5;
const IN_DRAW: usize = 4;

/// How many of the queue are admitted, and how many of these buy. One of those who are left leaves.
const ADMITTED: usize = 3;
const BUY: usize = 2;

/// How long Klaviyo may take to hear of all of it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An event of the launch, and whether Klaviyo is to hear of it by itself.
struct Told {
    /// Its `unique_id` in Klaviyo.
    unique_id: String,
    body: String,
}

/// The launch, as it is told.
struct Launch<'a> {
    webhooks: &'a Webhooks,
    /// What makes ids of this launch differ from those of the one before: the store may have known that.
    number: i64,
    told: Vec<Told>,
}

/// Lets members of an audience take part, waits until Klaviyo has heard of it, and prints what it has heard.
pub(super) fn play(
    api: &Api,
    audience: &str,
    services: &mut Services,
    display: &ProgressDisplay,
    interrupt: &Interrupt,
) -> Result<()> {
    let Some(simulator) = services.simulator_address.clone() else {
        return Ok(());
    };
    let body = json!({"klaviyo": {"events": {"enabled": true}}});
    api.put::<Value>("/api/settings", &body)?;
    let people: Page<Value> = api.get(&format!(
        "/api/audiences/{audience}/members?first={}",
        IN_QUEUE + IN_DRAW
    ))?;
    let people: Vec<&str> = people
        .data
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    ensure!(
        people.len() == IN_QUEUE + IN_DRAW,
        "the audience is too small for a launch"
    );
    let webhooks = Webhooks::of(api)?;
    let mut launch = Launch {
        webhooks: &webhooks,
        number: webhooks::now().unix_timestamp(),
        told: Vec::new(),
    };
    let (in_queue, in_draw) = people.split_at(IN_QUEUE);
    launch.queue(in_queue);
    launch.draw(in_draw);

    display.print_line(&format!(
        "Launch: {IN_QUEUE} people join a queue, {ADMITTED} are admitted, {BUY} buy; {IN_DRAW} enter a draw, one wins. Fanfare sends \
         {} webhooks",
        launch.told.len()
    ));
    let agent = webhooks::agent();
    for told in &launch.told {
        let answered = webhooks.send(&agent, &api.address, &told.body)?;
        ensure!(
            answered == Answered::Taken,
            "a webhook was not taken: {answered:?}"
        );
    }
    let expected: BTreeSet<&str> = launch
        .told
        .iter()
        .map(|told| told.unique_id.as_str())
        .collect();
    let begun = Instant::now();
    let heard = loop {
        services.supervise(&|line| display.print_line(line))?;
        ensure!(!interrupt.is_requested(), "interrupted");
        let mut journal = journal::read(&simulator)?;
        journal.retain(|entry| is_of(entry, &expected));
        let events = journal.iter().filter(|entry| entry.what == "event");
        let summary: Value = api.get("/api/deliveries/summary")?;
        if events.count() == expected.len() && summary["EVENT"]["PENDING"] == 0 {
            break journal;
        }
        ensure!(
            begun.elapsed() < TIMEOUT,
            "Klaviyo has not heard of the whole launch after 30 s"
        );
        interrupt.sleep(Duration::from_millis(250));
    };
    print(&heard);
    println!(
        "Klaviyo has {} events of {} webhooks: a purchase that two of them tell of is one.",
        expected.len(),
        launch.told.len()
    );
    journal::must_have_no_breaches(&simulator)?;
    println!(
        "The journal holds no consent that was raised, and nobody taken off a list who had not been put on it."
    );
    Ok(())
}

impl Launch<'_> {
    /// The next event, some seconds after the one before.
    fn tell(&mut self, type_name: &str, unique_id: Option<String>, data: Value) {
        let place = self.told.len();
        let id = format!("whk_demo{}n{place}", self.number);
        let at =
            OffsetDateTime::from_unix_timestamp(self.number).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let body = self.webhooks.body(&id, type_name, data, at);
        self.told.push(Told {
            unique_id: unique_id.unwrap_or(id),
            body,
        });
    }

    fn queue(&mut self, people: &[&str]) {
        let queue = format!("queue_demo{}", self.number);
        for (place, person) in people.iter().enumerate() {
            let data = json!({"queueId": queue, "consumerId": person, "position": place + 1});
            self.tell("queue.consumer.entered", None, data);
        }
        for person in &people[..ADMITTED] {
            let data = json!({"queueId": queue, "consumerId": person, "admissionToken": "never sent", "waitTimeSeconds": 40});
            self.tell("queue.consumer.admitted", None, data);
        }
        let left = json!({"queueId": queue, "consumerId": people[ADMITTED]});
        self.tell("queue.consumer.left", None, left);
        for (place, person) in people[..BUY].iter().enumerate() {
            // Fanfare tells of a purchase twice.
            let order = format!("order_demo{}n{place}", self.number);
            let done = json!({"queueId": queue, "consumerId": person, "orderId": order});
            self.tell("queue.consumer.completed", Some(order.clone()), done);
            let paid = json!({"consumerId": person, "orderId": order, "amount": format!("{}.90", 49 + 70 * place), "currencyCode": "EUR"});
            self.tell("order.completed", Some(order), paid);
        }
    }

    fn draw(&mut self, people: &[&str]) {
        let draw = format!("draw_demo{}", self.number);
        for (place, person) in people.iter().enumerate() {
            let data = json!({"drawId": draw, "consumerId": person, "entrantNumber": place + 1});
            self.tell("draw.consumer.entered", None, data);
        }
        for (place, person) in people.iter().enumerate() {
            let type_name = if place == 0 {
                "draw.consumer.won"
            } else {
                "draw.consumer.lost"
            };
            let data = json!({"drawId": draw, "consumerId": person});
            self.tell(type_name, None, data);
        }
    }
}

/// Whether an entry is an event of the launch, or a flow.
fn is_of(entry: &Entry, expected: &BTreeSet<&str>) -> bool {
    match entry.what.as_str() {
        "event" => expected.contains(entry.unique_id.as_str()),
        "flowStarted" => true,
        _ => false,
    }
}

/// Prints the journal's events, each with the flow that it has started.
fn print(journal: &[Entry]) {
    let flows: BTreeMap<(&str, &str), &str> = journal
        .iter()
        .filter(|entry| entry.what == "flowStarted")
        .map(|entry| {
            (
                (entry.profile.as_str(), entry.of.as_str()),
                entry.flow.as_str(),
            )
        })
        .collect();
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "Klaviyo's journal",
        "Metric",
        "Profile",
        "Value",
        "Starts the flow",
    ]);
    for entry in journal.iter().filter(|entry| entry.what == "event") {
        let time = entry.at().format(format_description!(
            "[hour]:[minute]:[second].[subsecond digits:3]"
        ));
        let flow = flows.get(&(entry.profile.as_str(), entry.metric.as_str()));
        table.add_row([
            time.unwrap_or_default(),
            entry.metric.clone(),
            entry.profile.clone(),
            entry.value.clone().unwrap_or_default(),
            flow.copied().unwrap_or_default().to_owned(),
        ]);
    }
    if let Some(value) = table.column_mut(3) {
        value.set_cell_alignment(CellAlignment::Right);
    }
    println!("\n{table}");
}
