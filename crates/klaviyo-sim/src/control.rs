//! What a test orders of a running simulator over HTTP, in the grammar of faults: one order a line.

use std::sync::Arc;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::fault::Fault;
use crate::journal::Written;
use crate::service::Service;

/// The control endpoints. They lie outside of Klaviyo's paths, and ask for no key.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let faults = web::resource("/control/faults")
        .post(plan_faults)
        .delete(forget_faults);
    let changes = web::resource("/control/changes").post(make_changes);
    let journal = web::resource("/control/journal").get(read_journal);
    let breaches = web::resource("/control/breaches").get(read_breaches);
    let summary = web::resource("/control/summary").get(read_summary);
    config
        .service(faults)
        .service(changes)
        .service(journal)
        .service(breaches)
        .service(summary);
}

async fn plan_faults(service: Data<Arc<Service>>, orders: String) -> HttpResponse {
    let planned = read(&orders).map(|faults| {
        for (_, fault) in faults {
            service.schedule().add(fault);
        }
    });
    answer(planned)
}

async fn forget_faults(service: Data<Arc<Service>>) -> HttpResponse {
    service.schedule().clear();
    answer(Ok(()))
}

/// The journals of all accounts, one entry a line; with `?without=requests` but for the requests, which are long.
async fn read_journal(service: Data<Arc<Service>>, request: HttpRequest) -> HttpResponse {
    let state = service.state_mut();
    let has_requests = request.query_string() != "without=requests";
    let mut lines = String::new();
    for account in &state.accounts {
        let entries = account.writes.journal.iter();
        for entry in entries.filter(|entry| has_requests || !entry.is_request()) {
            // An entry holds nothing that cannot be written.
            lines.push_str(&serde_json::to_string(entry).unwrap_or_default());
            lines.push('\n');
        }
    }
    HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .body(lines)
}

/// How many events all accounts have, and how many were repeats.
async fn read_summary(service: Data<Arc<Service>>) -> HttpResponse {
    let state = service.state_mut();
    let (mut recorded, mut repeated) = (0, 0);
    for entry in state
        .accounts
        .iter()
        .flat_map(|account| &account.writes.journal)
    {
        match entry.what {
            Written::Event { .. } => recorded += 1,
            Written::EventRepeated { .. } => repeated += 1,
            _ => {}
        }
    }
    HttpResponse::Ok().json(serde_json::json!({"recorded": recorded, "repeated": repeated}))
}

/// What no client of ours may have done, one thing a line; nothing if all is well.
async fn read_breaches(service: Data<Arc<Service>>) -> HttpResponse {
    let mut lines = service.breaches().join("\n");
    if !lines.is_empty() {
        lines.push('\n');
    }
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(lines)
}

/// Makes the changes in their order, up to the first that cannot be made.
async fn make_changes(service: Data<Arc<Service>>, orders: String) -> HttpResponse {
    let made = read(&orders).and_then(|faults| {
        faults.into_iter().try_for_each(|(line, fault)| {
            let made = service.change_at_once(&fault);
            made.map_err(|error| format!("{line}: {error}\n"))
        })
    });
    answer(made)
}

/// The orders with their lines; or what is wrong with the first that is none.
fn read(orders: &str) -> Result<Vec<(&str, Fault)>, String> {
    let lines = orders.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(|line| match line.parse() {
            Ok(fault) => Ok((line, fault)),
            Err(error) => Err(format!("{line}: {error}\n")),
        })
        .collect()
}

fn answer(done: Result<(), String>) -> HttpResponse {
    match done {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(why) => HttpResponse::BadRequest()
            .content_type("text/plain; charset=utf-8")
            .body(why),
    }
}
